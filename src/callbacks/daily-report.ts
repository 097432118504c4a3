import type { CallRecord } from '../ports/callback.js'
import { plainText } from './slack-text.js'

/** What happened since the last report. */
export interface Report {
  add(record: CallRecord): void
  /** The report as text, and begins the next one. */
  take(): string
}

interface Totals {
  calls: number
  failures: number
  tokens: number
  /** A report is for reading: cents need no exact sum. */
  dollars: number
}

const mostGroups = 200
const shown = 10

/** Builds a report; model groups beyond the first 200 are summed up as `others`. */
export function createReport(): Report {
  let groups = new Map<string, Totals>()
  return {
    add(record) {
      const group = record.modelName ?? 'unknown models'
      const key = groups.has(group) || groups.size < mostGroups ? group : 'others'
      const totals = groups.get(key) ?? { calls: 0, failures: 0, tokens: 0, dollars: 0 }
      groups.set(key, totals)
      totals.calls += 1
      totals.failures += record.status === 'failure' ? 1 : 0
      totals.tokens += record.inputTokens + record.outputTokens
      totals.dollars += Number(record.charged)
    },
    take() {
      const rows = [...groups].toSorted(([, left], [, right]) => right.dollars - left.dollars)
      groups = new Map()
      if (rows.length === 0) return ':bar_chart: *Daily report*: no calls'
      const lines = rows.slice(0, shown).map(([group, totals]) => `• ${plainText(group)}: ${describe(totals)}`)
      const rest = rows.length > shown ? [`• and ${rows.length - shown} more model groups`] : []
      return [`:bar_chart: *Daily report*: ${describe(sum(rows))}`, ...lines, ...rest].join('\n')
    },
  }
}

function describe({ calls, failures, tokens, dollars }: Totals): string {
  return `${calls} calls, ${failures} failed, ${tokens} tokens, $${dollars.toFixed(2)}`
}

function sum(rows: readonly (readonly [string, Totals])[]): Totals {
  const totals: Totals = { calls: 0, failures: 0, tokens: 0, dollars: 0 }
  for (const [, row] of rows) {
    totals.calls += row.calls
    totals.failures += row.failures
    totals.tokens += row.tokens
    totals.dollars += row.dollars
  }
  return totals
}
