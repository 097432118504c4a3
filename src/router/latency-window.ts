const size = 64
const longestMs = 10 * 60_000

/** The latest latencies of one deployment: a ring of 64, of which those older than ten minutes count no more, so that a slow spell is forgotten. */
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

  /** Average of the latest `most` that are young enough, in milliseconds; undefined without any. */
  average(now: number, most = 10, maxAgeMs = longestMs): number | undefined {
    let sum = 0
    let found = 0
    for (let back = 1; back <= this.#count && found < most; back += 1) {
      const at = (this.#next - back + size) % size
      if (now - (this.#times[at] ?? 0) > maxAgeMs) break
      sum += this.#values[at] ?? 0
      found += 1
    }
    return found === 0 ? undefined : sum / found
  }

  /** The value below which the share `quantile` of all young ones lies; undefined with fewer than `minimum`. */
  quantile(quantile: number, now: number, minimum = 1): number | undefined {
    const young: number[] = []
    for (let at = 0; at < this.#count; at += 1) {
      if (now - (this.#times[at] ?? 0) <= longestMs) young.push(this.#values[at] ?? 0)
    }
    if (young.length < minimum) return undefined
    const sorted = young.toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]
  }
}
