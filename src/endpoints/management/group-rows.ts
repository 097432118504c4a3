import type { SpendRow } from '../../ports/ledger.js'

/** Rows by one of their groups, in the order in which these first come. */
export function groupRows(rows: readonly SpendRow[], place: number): ReadonlyMap<string, readonly SpendRow[]> {
  const groups = new Map<string, SpendRow[]>()
  for (const row of rows) {
    const name = row.group[place] ?? ''
    const known = groups.get(name)
    if (known) known.push(row)
    else groups.set(name, [row])
  }
  return groups
}
