import { dollars, moment } from '../kit/format.js'
import { Empty, Gauge } from '../kit/parts.js'

/** A row of `GET /budget/usage`. */
export interface BudgetUsage {
  readonly kind: string
  readonly id: string
  readonly name: string
  /** Dollars within the window that runs now. */
  readonly spend: number
  readonly max_budget: number
  readonly budget_reset_at: string | null
}

/** The budgets that are nearest their limit, one gauge each. */
export function BudgetGauges({ budgets }: { readonly budgets: readonly BudgetUsage[] }) {
  return (
    <section class="card" aria-label="Budgets nearest their limit">
      <header>
        <h2>Budgets nearest their limit</h2>
      </header>
      <div class="body">
        {budgets.length === 0 ? (
          <Empty title="No budgets yet">Give one to a key, a team, an organization, a user or a customer.</Empty>
        ) : (
          <ul class="bars">
            {budgets.map(({ kind, id, name, spend, max_budget: most, budget_reset_at: reset }) => (
              <li key={`${kind} ${id}`}>
                <span title={id}>
                  <span class="muted">{kind}</span> {name}
                  {reset !== null && <span class="sub">starts again {moment(reset)}</span>}
                </span>
                <span class="number">
                  {dollars(spend)} of {dollars(most)}
                </span>
                <Gauge used={spend} of={most} label={`Budget of ${kind} ${name}`} />
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  )
}
