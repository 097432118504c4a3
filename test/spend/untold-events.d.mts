import type { LedgerEntry, LedgerStore, createGateway } from '../../src/index.js'
import type { fakeProvider } from '../../src/testing/index.js'

export declare function leaveUntold(
  sources: { readonly createGateway: typeof createGateway; readonly fakeProvider: typeof fakeProvider },
  parts: { readonly ledger: LedgerStore; readonly upstream: string; readonly unpriced: LedgerEntry },
): Promise<readonly string[]>
