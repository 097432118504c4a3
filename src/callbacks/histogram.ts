/** Values of a metric's labels. */
export type Labels = Readonly<Record<string, string>>

/** How a histogram is made. */
export interface HistogramSettings {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[]
}

/** One line of the exposition. */
interface Sample {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

interface Series {
  readonly labels: Labels
  /** By bucket, and one more for what is above all of them. */
  readonly counts: number[]
  sum: number
}

/**
 * A histogram for a registry of prom-client, told of many values at a time: prom-client's own reads and joins all labels
 * for every single one. What it gives is what prom-client's would.
 */
export class Histogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #labelNames: readonly string[]
  readonly #buckets: readonly number[]
  readonly #series = new Map<string, Series>()

  constructor({ name, help, labelNames, buckets }: HistogramSettings) {
    this.name = name
    this.help = help
    this.#labelNames = labelNames
    this.#buckets = buckets
  }

  /** Adds values with the same labels. */
  observeAll(labels: Labels, values: readonly number[]): void {
    if (values.length === 0) return
    const series = this.#seriesOf(labels)
    for (const value of values) {
      const found = this.#buckets.findIndex((bound) => value <= bound)
      const bucket = found < 0 ? this.#buckets.length : found
      series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
      series.sum += value
    }
  }

  /** What prom-client's registries read. */
  get(): Promise<Pick<Histogram, 'name' | 'help' | 'type' | 'aggregator'> & { readonly values: readonly Sample[] }> {
    const { name, help, type, aggregator } = this
    const values = [...this.#series.values()].flatMap((series) => this.#samples(series))
    return Promise.resolve({ name, help, type, aggregator, values })
  }

  /** Forgets all values, as `registry.resetMetrics()` wants it. */
  reset(): void {
    this.#series.clear()
  }

  #seriesOf(labels: Labels): Series {
    const key = JSON.stringify(this.#labelNames.map((name) => labels[name]))
    const known = this.#series.get(key)
    if (known) return known
    const series = { labels, counts: Array.from({ length: this.#buckets.length + 1 }, () => 0), sum: 0 }
    this.#series.set(key, series)
    return series
  }

  #samples({ labels, counts, sum }: Series): readonly Sample[] {
    let count = 0
    const buckets = counts.map((own, index): Sample => {
      count += own
      return {
        metricName: `${this.name}_bucket`,
        labels: { le: this.#buckets[index] ?? '+Inf', ...labels },
        value: count,
      }
    })
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels: { ...labels }, value: sum },
      { metricName: `${this.name}_count`, labels: { ...labels }, value: count },
    ]
  }
}
