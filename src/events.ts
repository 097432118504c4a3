import type { SoftBudgetEvent } from './limits/soft-budget.js'
import type { LossReason } from './spend/ledger-queue.js'
import type { RouterEvent } from './router/router-state.js'

/** Something that whoever runs the gateway may want to know. `at` in milliseconds since the epoch. */
export type GatewayEvent =
  | RouterEvent
  /** The spend of a window has passed a soft budget; once per window. */
  | ({ readonly type: 'soft_budget'; readonly at: number } & SoftBudgetEvent)
  /** Rows that the ledger will never have. */
  | { readonly type: 'ledger_rows_lost'; readonly rows: number; readonly reason: LossReason; readonly at: number }
