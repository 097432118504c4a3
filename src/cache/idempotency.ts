import { z } from 'zod'
import { GatewayError } from '../errors.js'
import type { LeaveSignal } from '../http/message.js'
import type { Caller, Clock, Logger } from '../ports.js'
import type { CacheStore } from '../ports/cache-store.js'
import type { JsonObject } from '../wire/json.js'
import type { Operation } from '../wire/operations.js'
import { sha256, toCanonicalText } from './canonical.js'
import type { StoredAnswer } from './entry.js'
import { createFlights } from './flights.js'
import { type SafeStore, toSafeStore } from './safe-store.js'
import { KeyClaim } from './idempotency-claim.js'
import { badKey, keyReused, notComparable, stillRunning } from './idempotency-errors.js'
import { readRecord } from './idempotency-record.js'
import { IdempotentCall, type Outcome, toOutcome } from './idempotent-call.js'
import { createCollectingRoom } from './stream-collector.js'
import { pause } from './wait.js'

/** How `Idempotency-Key` is honoured. */
export interface IdempotencyOptions {
  /** How long a key stands for its answer. @default 24 h */
  readonly ttlMs?: number | undefined
  /** How long a repeated request waits for the first one's answer before it gets a 409. @default 120 s */
  readonly waitMs?: number | undefined
  /** How long the key of a process that died stays taken; running calls renew it. @default 30 s */
  readonly claimMs?: number | undefined
  /** A larger answer cannot be repeated: its key then gives a 409. @default 10 MB */
  readonly maxEntryBytes?: number | undefined
  /** Of all streams together that are being collected. @default 64 MB */
  readonly maxBytes?: number | undefined
}

const positive = z.number().int().positive().optional()

/** Shape of `IdempotencyOptions`; unknown settings are errors. */
export const idempotencyOptions = z.strictObject({
  ttlMs: positive,
  waitMs: positive,
  claimMs: positive,
  maxEntryBytes: positive,
  maxBytes: positive,
})

/** A request that came with a key. */
export interface IdempotentRequest {
  /** The header `Idempotency-Key`. */
  readonly key: string
  readonly caller: Caller
  readonly operation: Operation
  readonly streamed: boolean
  /** The body as it came. */
  readonly request: JsonObject
  /** Aborts when whoever asks no longer waits. */
  readonly signal: LeaveSignal | undefined
}

/** The answer that the key stands for: read it with `fromStored` or `replayLines`. */
export interface IdempotentReplay {
  readonly status: 'replay'
  readonly source: StoredAnswer
}

/** Answers each key once. */
export interface Idempotency {
  /**
   * Gives the answer that a key already has, or the call that must be made. Waits while the same request is being
   * answered, in this process or another.
   * @throws GatewayError invalid_request (the key), unprocessable (the key came with another request), conflict (waited
   * too long, or the answer was too large to be kept), client_closed, or the error that the key stands for
   */
  begin(request: IdempotentRequest): Promise<IdempotentReplay | IdempotentCall>
}

/** What it is built from. */
export interface IdempotencyParts {
  /** Shared by all processes that are to know each other's keys; bounds its own time. */
  readonly store: CacheStore
  readonly clock: Clock
  readonly logger: Logger
  readonly createId: () => string
}

/**
 * Builds it over a store. While the store is down, requests are answered as if they had no key, but for those that come
 * to one process at the same time.
 */
export function createIdempotency(options: IdempotencyOptions, parts: IdempotencyParts): Idempotency {
  const { clock, createId } = parts
  const store = toSafeStore(parts.store, parts.logger)
  const flights = createFlights<Outcome>(clock)
  const room = createCollectingRoom(options.maxBytes ?? 64 * 1024 * 1024)
  const { waitMs = 120_000, claimMs = 30_000, ttlMs = 24 * 60 * 60 * 1000, maxEntryBytes = 10 * 1024 * 1024 } = options
  return {
    async begin(asked) {
      const { storeKey, digest } = identify(asked)
      const deadline = clock.now() + waitMs
      const entered = await flights.enter(`${storeKey}:${digest}`, waitMs, asked.signal)
      if (entered === 'alone') throw stillRunning()
      if ('landed' in entered) return toReplay(entered.landed)
      const { flight } = entered
      try {
        const claim = new KeyClaim({ store, clock, storeKey, digest, owner: createId(), claimMs, ttlMs })
        const earlier = await takeKey(claim, { storeKey, digest, store, clock, deadline, signal: asked.signal })
        if (!earlier) return new IdempotentCall({ claim, flight, clock, maxEntryBytes, room })
        flight.land(earlier)
        flight.leave()
        return toReplay(earlier)
      } catch (thrown) {
        flight.leave()
        throw thrown
      }
    },
  }
}

function toReplay(outcome: Outcome): IdempotentReplay {
  if (GatewayError.isInstance(outcome)) throw outcome
  return { status: 'replay', source: outcome }
}

// Quoted, as draft-ietf-httpapi-idempotency-key-header has it, or not; the length is Stripe's.
const acceptable = /^[\x21-\x7e]{1,255}$/

interface Identity {
  /** Of the key among all callers' keys. */
  readonly storeKey: string
  /** Of the request, whole: unlike the response cache nothing is left out. */
  readonly digest: string
}

function identify({ key, caller, operation, streamed, request }: IdempotentRequest): Identity {
  if (!acceptable.test(key)) throw badKey()
  const text = toCanonicalText(request)
  if (text === undefined) throw notComparable()
  return {
    storeKey: `idempotency:${sha256(JSON.stringify([caller.id, key]))}`,
    digest: sha256(JSON.stringify([operation, streamed, text])),
  }
}

interface KeyWait extends Identity {
  readonly store: SafeStore
  readonly clock: Clock
  readonly deadline: number
  readonly signal: LeaveSignal | undefined
}

const firstPollMs = 50
const longestPollMs = 1_000

/**
 * Claims the key; where it is taken, waits for how its call ends and gives that.
 * @throws GatewayError unprocessable, conflict, client_closed
 */
async function takeKey(claim: KeyClaim, wait: KeyWait): Promise<Outcome | undefined> {
  const { store, storeKey, digest, clock, deadline, signal } = wait
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
    // A store that does not say must not keep anybody from an answer.
    if ((await claim.take()) !== false) return undefined
    const [value] = await store.get([storeKey])
    const record = typeof value === 'string' ? readRecord(storeKey, value, clock.now()) : undefined
    if (typeof value === 'string' && !record) {
      await claim.seize()
      return undefined
    }
    if (record && record.digest !== digest) throw keyReused()
    if (record && record.state !== 'running') return toOutcome(record)
    const milliseconds = Math.min(pollMs, deadline - clock.now())
    if (milliseconds <= 0) throw stillRunning()
    await pause({ clock, milliseconds, signal })
  }
}
