import type { Json } from '../api.js'
import { compact, dollars, moment } from '../kit/format.js'
import { Gauge } from '../kit/parts.js'

/** Limits in one line. */
export function Limits({ record }: { readonly record: Json }) {
  const parts = [
    part(record['rpm_limit'], 'rpm'),
    part(record['tpm_limit'], 'tpm'),
    part(record['max_parallel_requests'], 'at once'),
  ].filter((text) => text !== undefined)
  return parts.length === 0 ? <span class="muted">none</span> : <>{parts.join(' · ')}</>
}

/** A budget in one line. */
export function BudgetText({ record }: { readonly record: Json }) {
  const { max_budget: most, budget_duration: window, budget_id: tier } = record
  if (typeof most !== 'number') return <span class="muted">{typeof tier === 'string' ? `tier ${tier}` : 'none'}</span>
  return (
    <>
      {dollars(most)}
      {typeof window === 'string' && <span class="sub">every {window}</span>}
    </>
  )
}

/** How a budget stands, where the record tells what was spent. */
export function BudgetStatus({ record, label }: { readonly record: Json; readonly label: string }) {
  const { spend, max_budget: most, budget_reset_at: reset } = record
  const spent = typeof spend === 'number' ? spend : 0
  if (typeof most !== 'number') return <p>{dollars(spent)} spent, without a budget of its own.</p>
  return (
    <div class="stack tight">
      <p>
        {dollars(spent)} of {dollars(most)} spent
        {typeof reset === 'string' && <span class="muted"> · starts again {moment(reset)}</span>}
      </p>
      <Gauge used={spent} of={most} label={label} />
    </div>
  )
}

/** Names of models; all of them where none is named. */
export function ModelNames({ record }: { readonly record: Json }) {
  const models = Array.isArray(record['models']) ? record['models'].map(String) : []
  if (models.length === 0) return <span class="muted">all</span>
  const shown = models.slice(0, 3).join(', ')
  return <span title={models.join(', ')}>{models.length > 3 ? `${shown} and ${models.length - 3} more` : shown}</span>
}

function part(value: unknown, unit: string): string | undefined {
  return typeof value === 'number' ? `${compact(value)} ${unit}` : undefined
}
