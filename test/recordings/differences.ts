import { isObject } from '../../src/wire/json.js'

/** A member of the recorded request that is not in what was sent, or not with the same value. */
export interface Difference {
  /** `.messages[0].content` */
  readonly path: string
  readonly recorded: unknown
  readonly sent: unknown
}

/** Every member of `recorded` that `sent` does not hold with an equal value; members that only `sent` has do not count. */
export function missingFrom(sent: unknown, recorded: unknown, path = ''): readonly Difference[] {
  if (isObject(recorded) && isObject(sent)) {
    return Object.entries(recorded).flatMap(([key, value]) => missingFrom(sent[key], value, `${path}.${key}`))
  }
  if (Array.isArray(recorded) && Array.isArray(sent) && recorded.length === sent.length) {
    return recorded.flatMap((value, index) => missingFrom(sent[index], value, `${path}[${index}]`))
  }
  return Object.is(recorded, sent) ? [] : [{ path, recorded, sent }]
}

/** Members that only `sent` has; for dialects where what we send has to be what the caller wrote, and nothing more. */
export function addedTo(sent: unknown, recorded: unknown, path = ''): readonly Difference[] {
  if (isObject(recorded) && isObject(sent)) {
    return Object.entries(sent).flatMap(([key, value]) =>
      key in recorded
        ? addedTo(value, recorded[key], `${path}.${key}`)
        : [{ path: `${path}.${key}`, recorded: undefined, sent: value }],
    )
  }
  if (Array.isArray(recorded) && Array.isArray(sent) && recorded.length === sent.length) {
    return sent.flatMap((value, index) => addedTo(value, recorded[index], `${path}[${index}]`))
  }
  return []
}

/** A difference on one line. */
export function describeDifference({ path, recorded, sent }: Difference): string {
  return `${path}: ${shown(recorded)} was recorded, ${shown(sent)} is sent`
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
