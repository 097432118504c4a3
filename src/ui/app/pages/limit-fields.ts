import type { FormField } from '../kit/form.js'

/** The limits that keys, teams, users, customers and tiers have in common. */
export const limitFields: readonly FormField[] = [
  { name: 'max_budget', label: 'Budget in dollars', kind: 'number', hint: 'Calls beyond it are refused.' },
  { name: 'soft_budget', label: 'Warn at dollars', kind: 'number' },
  {
    name: 'budget_duration',
    label: 'Budget starts again every',
    kind: 'text',
    hint: 'Such as 1d, 7d, 30d or 1mo; empty: never.',
  },
  { name: 'rpm_limit', label: 'Requests a minute', kind: 'number' },
  { name: 'tpm_limit', label: 'Tokens a minute', kind: 'number' },
  { name: 'max_parallel_requests', label: 'Calls at once', kind: 'number' },
]

/** The tier that gives the limits which a record does not set. */
export const tierField: FormField = {
  name: 'budget_id',
  label: 'Tier',
  kind: 'text',
  hint: 'Id of a budget whose limits count where none is set here.',
}

/** Names of models, or none for all. */
export function modelsField(names: readonly string[]): FormField {
  return {
    name: 'models',
    label: 'Models',
    kind: 'list',
    hint: 'Names with commas between; empty: all.',
    suggestions: names,
  }
}
