/** Local time of one zone. A local time is written like an instant of UTC: the milliseconds that UTC would show it at. */
export interface TimeZone {
  toLocal(instant: number): number
  /** The first instant at which the zone's clocks show this time or a later one. */
  toInstant(local: number): number
}

const day = 86_400_000

/** @throws RangeError for a name that is not IANA's */
export function createTimeZone(name: string): TimeZone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const toLocal = (instant: number): number => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]))
    const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type))
    const seconds = Date.UTC(
      number('year'),
      number('month') - 1,
      number('day'),
      number('hour'),
      number('minute'),
      number('second'),
    )
    return seconds + modulo(instant, 1_000)
  }
  return {
    toLocal,
    toInstant(local) {
      // Clocks may show a time twice or never; the instant lies where one of the offsets around it puts it, or in the gap.
      const offsets = [local - day, local + day].map((instant) => toLocal(instant) - instant)
      const candidates = offsets.map((offset) => local - offset).toSorted((a, b) => a - b)
      const [first = local, last = local] = candidates
      return candidates.find((instant) => toLocal(instant) === local) ?? firstAfterGap({ local, first, last }, toLocal)
    },
  }
}

/** Clocks jump over `local` somewhere between two instants: finds the moment of the jump. */
function firstAfterGap(
  { local, first, last }: { local: number; first: number; last: number },
  toLocal: (instant: number) => number,
): number {
  let [before, after] = [first - 1, last]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (toLocal(middle) >= local) after = middle
    else before = middle
  }
  return after
}

/** The remainder that is never negative. */
function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor
}
