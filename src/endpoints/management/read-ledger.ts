import { GatewayError } from '../../errors.js'
import { within } from '../../clock.js'
import type { LedgerStore } from '../../ports/ledger.js'
import type { AdminParts } from './parts.js'

const flushMs = 250
const answerMs = 10_000

/** Asks the ledger, after the rows that are on their way to it had a moment to arrive. @throws GatewayError unavailable */
export async function readLedger<T>(parts: AdminParts, ask: (ledger: LedgerStore) => Promise<T>): Promise<T> {
  await parts.queue.flush(flushMs)
  try {
    return await within(parts.clock, answerMs, () => ask(parts.ledger))
  } catch (cause) {
    if (GatewayError.isInstance(cause)) throw cause
    throw new GatewayError('unavailable', 'The ledger does not answer at the moment.', { cause, retryAfterMs: 1_000 })
  }
}
