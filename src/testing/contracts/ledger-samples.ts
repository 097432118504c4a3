import type { LedgerQuery, LedgerStore, ScopeRef } from '../../ports/ledger.js'

/** A minute in milliseconds. */
export const minute = 60_000

/** An hour in milliseconds. */
export const hour = 60 * minute

/** The day of `sampleTime`, for a report. */
export const today = { fromDay: '2026-11-25', untilDay: '2026-11-25' } as const

/** A user whom every sample entry is charged to. */
export const ann: ScopeRef = { kind: 'user', id: 'ann' }

/** A team that every sample entry is charged to. */
export const red: ScopeRef = { kind: 'team', id: 'red' }

/** One scope of each kind: `scopesOf({ team: 'red', user: 'ann' })`. */
export const scopesOf = (scopes: Readonly<Partial<Record<ScopeRef['kind'], string>>>): readonly ScopeRef[] =>
  Object.entries(scopes).map(([kind, id]) => ({ kind, id }) as ScopeRef)

/** The ids of all rows that a query finds, page by page. */
export async function idsOf(store: LedgerStore, query: LedgerQuery): Promise<readonly string[]> {
  const ids: string[] = []
  let after: string | undefined
  do {
    const page = await store.query({ ...query, ...(after !== undefined && { after }) })
    ids.push(...page.entries.map(({ id }) => id))
    after = page.next
  } while (after !== undefined)
  return ids
}
