import { GatewayError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import type { CacheEntry, CacheStore } from '../ports/cache-store.js'
import type { Operation } from '../wire/operations.js'
import { type CachePlan, type CacheQuestion, createPlanner, type PlanCall, type Producer } from './cache-plan.js'
import { type AnswerOrigin, createEntryReader, type StoredAnswer, writeEntry } from './entry.js'
import { createFlights, type Flight } from './flights.js'
import type { CacheHit } from './found.js'
import { toSafeStore } from './safe-store.js'
import type { CacheSettings } from './options.js'
import { createCollectingRoom, StreamCollector } from './stream-collector.js'

/** What a cache is built from. */
export interface CacheParts {
  /** Bounds its own time; it may fail at any time. */
  readonly store: CacheStore
  /** What the store has in this process, at once; null where it would have to ask. @default nothing */
  readonly recall?: ((key: string) => string | null) | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** A call's place among identical ones: first in line, served by the first, or (neither) on its own. */
export interface Seat {
  readonly flight?: Flight<StoredAnswer>
  readonly landed?: StoredAnswer
}

/** What there is to keep of one answer. */
export interface Keeping {
  /** What identical calls that wait are given. */
  readonly answer: StoredAnswer
  /** What goes to the store, by key. */
  readonly entries: readonly (readonly [string, StoredAnswer])[]
}

/** What looking up whole answers, streams and embeddings has in common. */
export interface CacheCore {
  readonly planFor: PlanCall
  /** Waits for an identical call of this process where these are to be answered by one. @throws GatewayError client_closed */
  takeSeat(plan: CachePlan, question: Pick<CacheQuestion<Operation>, 'signal' | 'wishes'>): Promise<Seat>
  /** In the order of the keys; undefined for what is not there, or too old for this call. */
  read(keys: readonly string[], plan: CachePlan): Promise<readonly (StoredAnswer | undefined)[]>
  /** Gives an answer to those that wait and to the store, without waiting for it. */
  keep(keeping: Keeping, plan: CachePlan, flight: Flight<StoredAnswer> | undefined): void
  collector(overflowed: () => void): StreamCollector
  /** What an answer of now says about its origin. */
  originOf(producer: Producer): AnswerOrigin
  /** @param now the clock's, where it was asked already */
  toHit(
    plan: Pick<CachePlan, 'key' | 'maxAgeMs'> & { readonly storeKey?: string },
    source: StoredAnswer,
    now?: number,
  ): CacheHit
  /** The hit as it is now; undefined where the very same answer is not at hand any more, or too old by now. */
  again(hit: CacheHit): CacheHit | undefined
}

const toStoreKey = (key: string): string => `response:${key}`

/** Builds it from settings and parts. */
export function createCacheCore(settings: CacheSettings, { store, recall, clock, logger }: CacheParts): CacheCore {
  const safe = toSafeStore(store, logger)
  const entries = createEntryReader()
  const flights = createFlights<StoredAnswer>(clock)
  const room = createCollectingRoom(settings.maxBytes)
  const isFresh = (answer: StoredAnswer, { maxAgeMs }: Pick<CachePlan, 'maxAgeMs'>, now = clock.now()): boolean =>
    now - answer.at < maxAgeMs
  const toHit: CacheCore['toHit'] = ({ key, storeKey = toStoreKey(key), maxAgeMs }, source, now = clock.now()) => ({
    status: 'hit',
    key,
    storeKey,
    ageMs: Math.max(0, now - source.at),
    maxAgeMs,
    source,
  })

  return {
    planFor: createPlanner(settings),
    async takeSeat(plan, { signal, wishes }) {
      if (!settings.coalesce || !plan.reads || !plan.writes || wishes.onlyCached) return {}
      const entered = await flights.enter(plan.key, settings.coalesceWaitMs, signal)
      if (entered === 'alone') return {}
      return 'landed' in entered && !isFresh(entered.landed, plan) ? {} : entered
    },
    async read(keys, plan) {
      if (!plan.reads) return keys.map(() => undefined)
      const values = await safe.get(keys.map(toStoreKey))
      return keys.map((key, position) => {
        const answer = entries.read(key, values[position], clock.now())
        return answer && isFresh(answer, plan) ? answer : undefined
      })
    },
    keep({ answer, entries: kept }, { ttlMs }, flight) {
      flight?.land(answer)
      const written = kept
        .map(([key, entry]): CacheEntry => ({ key: toStoreKey(key), value: writeEntry(key, entry, ttlMs), ttlMs }))
        .filter(({ value }) => Buffer.byteLength(value) <= settings.maxEntryBytes)
      // Until it is kept, whoever comes gets it from the flight.
      void safe.set(written).finally(() => flight?.leave())
    },
    collector: (overflowed) => new StreamCollector({ maxBytes: settings.maxEntryBytes, room, overflowed }),
    originOf({ deployment }) {
      const { id, modelName, provider, model } = deployment
      return { at: clock.now(), deployment: id, modelName, provider, model }
    },
    toHit,
    again(hit) {
      const now = clock.now()
      const source = entries.read(hit.key, recall?.(hit.storeKey), now)
      const isSame = source?.text === hit.source.text
      return source && isSame && isFresh(source, hit, now) ? toHit(hit, source, now) : undefined
    },
  }
}

/** @throws GatewayError 504 for a call that wanted an answer from the cache only */
export function refuseToAsk({ wishes }: Pick<CacheQuestion<Operation>, 'wishes'>): void {
  if (!wishes.onlyCached) return
  throw new GatewayError('unavailable', 'No stored answer fits this request, and only-if-cached was asked for.', {
    status: 504,
    code: 'not_cached',
  })
}
