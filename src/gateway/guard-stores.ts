import type { StoreOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import type { CounterStore } from '../ports/counters.js'
import { type GuardOptions, guardStore } from '../stores/guard-store.js'

/** The host's stores; those that calls wait for have a deadline for every operation, and a breaker. */
export type GuardedStores = StoreOptions

// A database that a person or a start waits for may take its time.
const recordsDeadlineMs = 2_000

/** Puts a guard around every store that calls wait for. */
export function guardStores(stores: StoreOptions, clock: Clock, logger: Logger): GuardedStores {
  const options = (name: string, deadlineMs?: number) => ({
    name,
    clock,
    ...(deadlineMs !== undefined && { deadlineMs }),
    onState: report(name, logger),
  })
  const { cache, router, counters, records } = stores
  return {
    ...stores,
    cache: cache && guardStore(cache, options('the cache store')),
    router: router && guardStore(router, { ...options('the router store'), synchronous: ['watch'] }),
    counters: counters && guardCounters(counters, options('the counter store', counters.deadlineMs)),
    records: records && guardStore(records, options('the record store', recordsDeadlineMs)),
  }
}

/** To count beside a store that is only slow would spend a budget twice. */
function guardCounters(counters: CounterStore, options: GuardOptions<CounterStore>): CounterStore {
  const { silenceMs } = counters
  return guardStore(counters, {
    ...options,
    ...(silenceMs !== undefined && { silenceMs }),
    isConnected: () => counters.isConnected?.() ?? true,
  })
}

function report(name: string, logger: Logger): NonNullable<GuardOptions<object>['onState']> {
  return (change) => {
    if (change.state === 'down') logger.warn({ store: name, error: change.failure }, `${name} does not answer.`)
    else logger.info({ store: name }, `${name} answers again.`)
  }
}
