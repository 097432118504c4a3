import type { Budget, Scope } from '../ports.js'
import type { ScopeRef } from '../ports/ledger.js'
import type { BudgetData, KeyData } from './records.js'

/** The limits that a record carries itself. */
export type RecordLimits = BudgetData & { readonly budget_id?: string | null | undefined }

type BudgetFields = Pick<
  BudgetData,
  'max_budget' | 'soft_budget' | 'budget_duration' | 'budget_time_zone' | 'budget_starts_at'
>
type ModelBudgets = NonNullable<BudgetData['model_max_budget']>

/** A scope with what its record, and where that says nothing its tier, holds it to. */
export function toScope(ref: ScopeRef, record: RecordLimits | undefined, tier: BudgetData | undefined): Scope {
  if (!record) return ref
  const limits = tier ? { ...tier, ...withoutUnset(record) } : record
  const budget = toBudget(limits)
  const modelLimits = toModelLimits(limits)
  return {
    ...ref,
    ...(budget && { budget }),
    ...(modelLimits && { modelLimits }),
    ...(limits.model_max_budget && { modelBudgets: toModelBudgets(limits.model_max_budget, limits) }),
    ...(isSet(limits.rpm_limit) && { rpm: limits.rpm_limit }),
    ...(isSet(limits.tpm_limit) && { tpm: limits.tpm_limit }),
    ...(isSet(limits.max_parallel_requests) && { maxParallelRequests: limits.max_parallel_requests }),
  }
}

/** A key's further windows: the same scope once more for each. */
export function toWindowScopes(ref: ScopeRef, key: KeyData): readonly Scope[] {
  return (key.budget_limits ?? []).map((limit) => {
    const budget = toBudget({
      ...limit,
      budget_time_zone: key.budget_time_zone,
      budget_starts_at: key.budget_starts_at,
    })
    return { ...ref, ...(budget && { budget }) }
  })
}

function toBudget(fields: BudgetFields): Budget | undefined {
  const { max_budget: maxBudget, soft_budget: softBudget } = fields
  if (!isSet(maxBudget) && !isSet(softBudget)) return undefined
  return {
    ...(isSet(maxBudget) && { maxBudget }),
    ...(isSet(softBudget) && { softBudget }),
    ...(isSet(fields.budget_duration) && { budgetDuration: fields.budget_duration }),
    ...(isSet(fields.budget_time_zone) && { timeZone: fields.budget_time_zone }),
    ...(isSet(fields.budget_starts_at) && { startsAt: Date.parse(fields.budget_starts_at) }),
  }
}

function toModelBudgets(budgets: ModelBudgets, fields: BudgetFields): Readonly<Record<string, Budget>> {
  const entries = Object.entries(budgets).map(([model, limit]) => {
    const budget = toBudget({ ...fields, soft_budget: undefined, ...toBudgetFields(limit) })
    return [model, budget ?? {}] as const
  })
  return Object.fromEntries(entries)
}

function toModelLimits({ model_rpm_limit: rpms, model_tpm_limit: tpms }: BudgetData): Scope['modelLimits'] {
  const models = new Set([...Object.keys(rpms ?? {}), ...Object.keys(tpms ?? {})])
  if (models.size === 0) return undefined
  const entries = [...models].map((model) => {
    const [rpm, tpm] = [rpms?.[model], tpms?.[model]]
    return [model, { ...(isSet(rpm) && { rpm }), ...(isSet(tpm) && { tpm }) }] as const
  })
  return Object.fromEntries(entries)
}

/** LiteLLM has had three ways to write one. */
function toBudgetFields(limit: ModelBudgets[string]): BudgetFields {
  if (typeof limit === 'number') return { max_budget: limit, budget_duration: undefined }
  if ('budget_limit' in limit) return { max_budget: limit.budget_limit, budget_duration: limit.time_period }
  return { max_budget: limit.max_budget, budget_duration: limit.budget_duration }
}

function withoutUnset(record: RecordLimits): RecordLimits {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => isSet(value)))
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined
}
