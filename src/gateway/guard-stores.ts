import type { StoreOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import type { CacheStore } from '../ports/cache-store.js'
import type { RouterStore } from '../ports/router-store.js'
import { guardStore } from '../stores/guard-store.js'

/** The host's stores, each with a deadline for every operation and a breaker. */
export interface GuardedStores {
  readonly cache: CacheStore | undefined
  readonly router: RouterStore | undefined
}

/** Puts a guard around every store that the host gave. */
export function guardStores(stores: StoreOptions, clock: Clock, logger: Logger): GuardedStores {
  const options = (name: string) => ({
    name,
    clock,
    onState: (change: { readonly state: string; readonly failure?: unknown }) => {
      if (change.state === 'down') logger.warn({ store: name, error: change.failure }, `${name} does not answer.`)
      else logger.info({ store: name }, `${name} answers again.`)
    },
  })
  return {
    cache: stores.cache && guardStore(stores.cache, options('the cache store')),
    router: stores.router && guardStore(stores.router, { ...options('the router store'), synchronous: ['watch'] }),
  }
}
