/** What became of one exchange. */
export interface Outcome {
  readonly id: string
  readonly provider: string
  readonly api: string
  /** Why it was not replayed. */
  readonly skipped?: string
  /** What was wrong; empty where it passed. */
  readonly problems: readonly string[]
}

interface Row {
  replayed: number
  passed: number
  readonly skips: Map<string, number>
}

/** One line for each provider and API: replayed, passed, skipped with reasons; and a sum at the end. */
export function toTable(outcomes: readonly Outcome[]): string {
  const rows = new Map<string, Row>()
  for (const outcome of outcomes) {
    const key = `${outcome.provider.padEnd(19)} ${outcome.api.padEnd(27)}`
    const row = rows.get(key) ?? { replayed: 0, passed: 0, skips: new Map<string, number>() }
    rows.set(key, row)
    if (outcome.skipped !== undefined) row.skips.set(outcome.skipped, (row.skips.get(outcome.skipped) ?? 0) + 1)
    else row.replayed += 1
    if (outcome.skipped === undefined && outcome.problems.length === 0) row.passed += 1
  }
  const lines = [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, row]) => toLine(key, row))
  const total = { replayed: 0, passed: 0, skips: new Map([['in all', 0]]) }
  for (const row of rows.values()) {
    total.replayed += row.replayed
    total.passed += row.passed
    for (const count of row.skips.values()) total.skips.set('in all', (total.skips.get('in all') ?? 0) + count)
  }
  const head = `${'provider'.padEnd(19)} ${'api'.padEnd(27)} replayed  passed  skipped`
  return [head, ...lines, toLine('total'.padEnd(47), total)].join('\n')
}

function toLine(key: string, row: Row): string {
  const skips = [...row.skips].map(([reason, count]) => `${count}: ${reason}`).join('; ')
  return `${key} ${String(row.replayed).padStart(8)} ${String(row.passed).padStart(7)}  ${skips}`
}

/** The failures, one line a problem, at most `limit` lines. */
export function toFailureList(outcomes: readonly Outcome[], limit = 400): string {
  const lines = outcomes.flatMap(({ id, problems }) => problems.map((problem) => `${id} ${problem}`))
  const cut = lines.length > limit ? [`… and ${lines.length - limit} more`] : []
  return [...lines.slice(0, limit), ...cut].join('\n')
}
