import { dayBack } from '../kit/format.js'

/** Figures of some calls; money in dollars. */
export interface Metrics {
  readonly spend: number
  readonly total_tokens: number
  readonly api_requests: number
  readonly failed_requests: number
  readonly cache_read_input_tokens: number
  /** Answers from the gateway's own cache; told to those who see all. */
  readonly cache_hits?: number
}

type Breakdown = Readonly<Record<string, { readonly metrics: Metrics }>>

/** The answer of `GET /user/daily/activity`. */
export interface Activity {
  readonly results: readonly {
    /** As in `2026-11-25`. */
    readonly date: string
    readonly metrics: Metrics
    readonly breakdown: { readonly models: Breakdown; readonly providers: Breakdown; readonly api_keys: Breakdown }
  }[]
  readonly metadata: {
    readonly total_spend: number
    readonly total_tokens: number
    readonly total_prompt_tokens: number
    readonly total_completion_tokens: number
    readonly total_cache_read_input_tokens: number
    readonly total_api_requests: number
    readonly total_failed_requests: number
    readonly total_cache_hits?: number
  }
}

/** One figure of every day, oldest first; days without calls are zero. */
export function toDays(
  { results }: Activity,
  days: number,
  metric: keyof Metrics,
): { readonly dates: readonly string[]; readonly values: readonly number[] } {
  const byDate = new Map(results.map(({ date, metrics }) => [date, metrics[metric] ?? 0]))
  const dates = Array.from({ length: days }, (_, at) => dayBack(days - 1 - at))
  return { dates, values: dates.map((date) => byDate.get(date) ?? 0) }
}

/** What each model or key spent over all days, most first. */
export function sumBreakdown(
  { results }: Activity,
  by: 'models' | 'providers' | 'api_keys',
): readonly { readonly name: string; readonly spend: number }[] {
  const sums = new Map<string, number>()
  for (const { breakdown } of results) {
    for (const [name, { metrics }] of Object.entries(breakdown[by]))
      sums.set(name, (sums.get(name) ?? 0) + metrics.spend)
  }
  return [...sums].map(([name, spend]) => ({ name, spend })).toSorted((a, b) => b.spend - a.spend)
}
