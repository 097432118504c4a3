import { type Accounts, createAccounts } from '../call/accounts/accounts.js'
import { type Pricing, createPricing } from '../call/accounts/pricing.js'
import type { ReasoningMemory } from '../call/reasoning-memory.js'
import { type PriceBook, openPriceBook } from '../catalog/prices/index.js'
import type { Deployment } from '../deployment.js'
import { createAdmission } from '../limits/admission.js'
import type { GatewayOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import type { LedgerStore, SumsPruning } from '../ports/ledger.js'
import type { Registry } from '../providers/registry.js'
import type { RouterParts } from '../router/route.js'
import { reachableGroups } from '../router/fallbacks.js'
import { type LedgerQueue, createLedgerQueue } from '../spend/ledger-queue.js'
import type { SpendOptions } from '../spend/options.js'
import { type UsageOutbox, createUsageOutbox } from '../spend/usage-outbox.js'
import { createMemoryCounters } from '../stores/memory-counters.js'
import { createMemoryLedger } from '../stores/memory-ledger.js'
import type { GatewayEvent } from '../events.js'
import { type Spend, createSpend } from './create-spend.js'
import type { GuardedStores } from './guard-stores.js'
import { pruneHourly } from './prune-hourly.js'

/** What accounts are built with. */
export interface AccountsCore {
  readonly openPrices: () => Promise<PriceBook>
  readonly stores: GuardedStores
  readonly router: RouterParts
  readonly registry: Pick<Registry, 'get'>
  readonly reasoning: Pick<ReasoningMemory, 'restore'>
  readonly clock: Clock
  readonly logger: Logger
  readonly createId: () => string
  /** The deployment of this id, as it is now. */
  readonly findDeployment: (id: string) => Deployment | undefined
  readonly emit: (event: GatewayEvent) => void
}

/** Accounts, and where they are kept. */
export interface AccountsParts {
  readonly accounts: Accounts
  readonly ledger: LedgerStore
  readonly queue: LedgerQueue
  readonly pricing: Pricing
  readonly spend: Spend
  /** Writes what waits, within the deadline, and stops. */
  close(deadlineMs: number): Promise<void>
}

/** A ledger that is slow to take rows may still answer. */
const catchUpMs = 1_000

/** Builds what keeps the books. A ledger is kept for every call where the host gives one, or says anything about spend. */
export function createAccountsParts(options: GatewayOptions, core: AccountsCore): AccountsParts {
  const { stores, router, clock, logger, createId, emit } = core
  const spend = options.spend ?? {}
  const ledger = stores.ledger ?? createMemoryLedger()
  const { onUsage } = spend
  const outbox = onUsage && createUsageOutbox({ ledger, onUsage, clock, logger })
  const queue = createLedgerQueue({
    store: outbox ? tellingLedger(ledger, outbox) : ledger,
    clock,
    logger,
    journalDirectory: spend.journalDirectory,
    onOverflow: (entries, reason) => emit({ type: 'ledger_rows_lost', rows: entries.length, reason, at: clock.now() }),
    createId,
  })
  const admission = createAdmission({
    counters: stores.counters ?? createMemoryCounters({ clock }),
    fallback: createMemoryCounters({ clock }),
    async ledgerTotal({ scope, from, until, model }) {
      await queue.catchUp(catchUpMs)
      return ledger.total(scope, from, until, model)
    },
    clock,
    createId,
    logger,
    onStoreFailure: spend.onStoreFailure ?? 'degrade',
    // Asked once per budget and window; a busy pool may keep the question waiting.
    ledgerDeadlineMs: 5_000,
    onSoftBudget: (event) => emit({ type: 'soft_budget', ...event, at: clock.now() }),
  })
  const pricing = createPricing({
    open: core.openPrices,
    clock,
    registry: core.registry,
    restore: (request, callerId, deployment) => core.reasoning.restore(request, callerId, deployment),
    unknownPrice: spend.unknownPrice === 'refuse' ? 'refuse' : 'allow',
    billedAttempts: billedAttempts(options),
    continues: options.routing?.midStream === 'continue',
    reachable: (group) => reachableGroups(group, router.fallbacks, router.find),
  })
  const accounts = createAccounts({
    admission,
    pricing,
    budgets: {
      everybody: spend.everybody,
      models: spend.models ?? {},
      tags: spend.tags ?? {},
      providers: spend.providers ?? {},
      deployments: spend.deployments ?? {},
    },
    keepsLedger: keepsLedger(options),
    write: (entry) => queue.add(entry),
    clock,
    createId,
    logger,
  })
  const pruning = pruneLedger(ledger, spend, { clock, logger })
  return {
    accounts,
    ledger,
    queue,
    pricing,
    spend: createSpend({
      ledger,
      queue,
      pricing,
      admission,
      findDeployment: core.findDeployment,
      outbox,
      createId,
    }),
    async close(deadlineMs) {
      for (const each of pruning) each?.cancel()
      await admission.close()
      await queue.close(deadlineMs)
      await outbox?.close(deadlineMs)
    },
  }
}

/** Forgets rows, sums and sessions, each after its own days. */
function pruneLedger(
  ledger: LedgerStore,
  { retentionDays, sumsRetentionDays, sessionsRetentionDays }: SpendOptions,
  { clock, logger }: Pick<AccountsCore, 'clock' | 'logger'>,
): readonly ReturnType<typeof pruneHourly>[] {
  const pruneSums = async (pruning: SumsPruning): Promise<unknown> => ledger.pruneSums?.(pruning)
  return [
    pruneHourly({
      prune: (before) => ledger.prune(before),
      retentionDays,
      clock,
      logger,
      failure: 'Old rows of the ledger could not be removed.',
    }),
    pruneHourly({
      prune: (before) => pruneSums({ before }),
      retentionDays: sumsRetentionDays,
      clock,
      logger,
      failure: 'Old sums of the ledger could not be removed.',
    }),
    pruneHourly({
      prune: (sessionsBefore) => pruneSums({ sessionsBefore }),
      retentionDays: sessionsRetentionDays,
      clock,
      logger,
      failure: 'Old sessions could not be forgotten.',
    }),
  ]
}

/** True where the host says anything about spend. */
export function keepsLedger({ spend, keys, stores }: GatewayOptions): boolean {
  return spend !== undefined || Boolean(keys) || stores?.ledger !== undefined
}

/** Opens the price book when somebody first asks, once. */
export function createPriceOpener(spend: SpendOptions = {}): () => Promise<PriceBook> {
  let opened: Promise<PriceBook> | undefined
  return () => (opened ??= openPriceBook({ prices: spend.prices, fallback: fallbackPrice(spend) }))
}

function fallbackPrice({ unknownPrice }: SpendOptions): Exclude<SpendOptions['unknownPrice'], string> {
  return typeof unknownPrice === 'object' ? unknownPrice : undefined
}

/** A stream that is recovered, or a call that is hedged, may be billed twice. */
function billedAttempts({ routing }: GatewayOptions): number {
  return 1 + (routing?.midStream && routing.midStream !== 'error' ? 1 : 0) + (routing?.hedging ? 1 : 0)
}

/** The host's billing hears of rows that the ledger has. */
function tellingLedger(ledger: LedgerStore, outbox: UsageOutbox): Pick<LedgerStore, 'append'> {
  return {
    async append(entries) {
      await ledger.append(entries, { tell: true })
      outbox.wake()
    },
  }
}
