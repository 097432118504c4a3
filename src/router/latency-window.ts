const size = 64
const longestMs = 10 * 60_000
// Short enough that a slow spell is soon forgotten, long enough that trying again costs few calls.
const recentMs = 2 * 60_000
/** What a timeout counts as in an average: LiteLLM's 1,000 s. */
const timeoutMs = 1_000_000

/** The latest latencies of one deployment: a ring of 64, of which those too old count no more, so that a slow spell is forgotten. */
export class LatencyWindow {
  readonly #values = new Float64Array(size)
  readonly #times = new Float64Array(size)
  #next = 0
  #count = 0

  /** `now` in milliseconds since the epoch. */
  add(milliseconds: number, now: number): void {
    this.#values[this.#next] = milliseconds
    this.#times[this.#next] = now
    this.#next = (this.#next + 1) % size
    if (this.#count < size) this.#count += 1
  }

  /** No answer came in time: averages rise, quantiles tell of answers only. */
  addTimeout(now: number): void {
    this.add(Number.POSITIVE_INFINITY, now)
  }

  /** Average of the latest `most` that are young enough, two minutes unless told, in milliseconds; undefined without any. */
  average(now: number, most = 10, maxAgeMs = recentMs): number | undefined {
    let sum = 0
    let found = 0
    for (let back = 1; back <= this.#count && found < most; back += 1) {
      const at = (this.#next - back + size) % size
      if (now - (this.#times[at] ?? 0) > maxAgeMs) break
      sum += Math.min(this.#values[at] ?? 0, timeoutMs)
      found += 1
    }
    return found === 0 ? undefined : sum / found
  }

  /** As `quantileOf` of the `young` ones. */
  quantile(quantile: number, now: number, minimum = 1): number | undefined {
    return quantileOf(this.young(now), quantile, minimum)
  }

  /** Those of the last ten minutes, in no order; timeouts left out. */
  young(now: number): readonly number[] {
    const young: number[] = []
    for (let at = 0; at < this.#count; at += 1) {
      const value = this.#values[at] ?? 0
      if (now - (this.#times[at] ?? 0) <= longestMs && value !== Number.POSITIVE_INFINITY) young.push(value)
    }
    return young
  }
}

/** The value below which the share `quantile` of the latencies lies; undefined with fewer than `minimum`. */
export function quantileOf(latencies: readonly number[], quantile: number, minimum = 1): number | undefined {
  if (latencies.length < minimum) return undefined
  const sorted = latencies.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]
}
