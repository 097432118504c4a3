import type { BudgetData } from '../../keys/records.js'
import { type RecordLimits, toScope } from '../../keys/scopes.js'
import { readRecord } from '../../keys/management/index.js'
import type { ScopeRef } from '../../ports/ledger.js'
import { dollarsOf } from './dollars.js'
import type { AdminParts } from './parts.js'
import { readLedger } from './read-ledger.js'

/** How a budget stands. */
export interface BudgetStatus {
  /** Dollars spent within the window that runs now; without a window ever. */
  readonly spend: number
  /** When the next window begins, in ISO 8601; null: never. */
  readonly budget_reset_at: string | null
}

/** What a scope has spent of the budget that its record, or the record's tier, gives it; from the ledger, exact. */
export async function readBudgetStatus(ref: ScopeRef, record: RecordLimits, parts: AdminParts): Promise<BudgetStatus> {
  const tier = record.budget_id ? await readTier(record.budget_id, parts) : undefined
  const { budget = {} } = toScope(ref, record, tier)
  const { startsAt, endsAt } = parts.budgetWindows.at(budget, parts.clock.now())
  const spent = await readLedger(parts, (ledger) => ledger.total(ref, startsAt))
  return { spend: dollarsOf(spent), budget_reset_at: endsAt === undefined ? null : new Date(endsAt).toISOString() }
}

async function readTier(id: string, { callers }: AdminParts): Promise<BudgetData | undefined> {
  return (await readRecord({ kind: 'budget', id }, callers))?.data
}
