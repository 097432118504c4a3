import type { LedgerStore } from '../../ports/ledger.js'
import type { Contract } from './contract.js'
import { eventClauses } from './ledger-events.js'
import { pruningClauses } from './ledger-pruning.js'
import { queryClauses } from './ledger-queries.js'
import { reportClauses } from './ledger-reports.js'
import { repricingClauses } from './ledger-repricing.js'
import { rowClauses } from './ledger-rows.js'
import { totalClauses } from './ledger-totals.js'

/** What every LedgerStore must do. */
export const ledgerStoreContract: Contract<LedgerStore> = {
  name: 'a ledger store',
  clauses: {
    ...rowClauses,
    ...totalClauses,
    ...queryClauses,
    ...reportClauses,
    ...repricingClauses,
    ...pruningClauses,
    ...eventClauses,
  },
}
