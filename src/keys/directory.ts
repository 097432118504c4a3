import { LRUCache } from 'lru-cache'
import type { ZodType } from 'zod'
import { GatewayError } from '../errors.js'
import type { Caller, Clock, Logger } from '../ports.js'
import type { Broadcast } from '../ports/broadcast.js'
import type { RecordKind, RecordStore } from '../ports/records.js'
import type { Secret } from '../secret.js'
import { hashKey, isKeyText } from './key-material.js'
import type { AccessGroups } from './model-access.js'
import { publishWithin } from './publish.js'
import { type RecordCache, createRecordCache } from './record-cache.js'
import {
  BudgetData,
  CustomerData,
  KeyData,
  MemberData,
  OrganizationData,
  TagData,
  TeamData,
  UserData,
} from './records.js'
import { type CachedKind, type KeyAnswer, type RecordCaches, type ResolvedKey, resolveKey } from './resolve-caller.js'

/** Knows the virtual keys, and who each of them stands for. */
export interface KeyDirectory {
  /**
   * Who a key stands for, or why it opens nothing; at once where that is known.
   * @throws GatewayError unavailable where it is not known and the store does not answer
   */
  find(keyText: string): KeyAnswer | Promise<KeyAnswer>
  /**
   * A record was written or deleted: what was made from it is dropped here before this returns, and by the other
   * processes as soon as they are told. Resolves when they were, or could not be; never rejects.
   */
  changed(kind: RecordKind, id: string): Promise<void>
  /** The hash of the key that stands for a caller; undefined for callers of other origin, such as copies. */
  hashOf(caller: Caller): string | undefined
  /** Keys and records that are remembered. */
  readonly size: number
  /** Listens to other processes no longer. */
  close(): void
}

/** What a directory is made of. */
export interface KeyDirectoryOptions {
  /** Every operation has a deadline of its own. */
  readonly records: Pick<RecordStore, 'get'>
  readonly clock: Clock
  readonly logger: Logger
  readonly broadcast?: Broadcast | undefined
  /** Keys are kept as HMAC-SHA-256 with it. @default SHA-256 */
  readonly salt?: Secret | undefined
  /** How long what was read is relied on, in milliseconds. @default 5,000 */
  readonly cacheTtlMs?: number | undefined
  /** Keys, and records of each kind, that are remembered. @default 10,000 */
  readonly maxCached?: number | undefined
  /** The models of an access group. @default there are no groups */
  readonly accessGroups?: AccessGroups | undefined
}

const topic = 'records'
// A key that somebody tried too early soon works; the names of all other records come from records.
const longestMissMs = 1_000
const malformed: KeyAnswer = {
  refused: {
    kind: 'authentication',
    code: 'invalid_api_key',
    message: 'What was given is not a key of this gateway: keys are sk- and at least 13 letters, digits or dashes.',
  },
}
// A key whose records change all the while it is looked up is refused in the end, and may be tried again.
const rounds = 5

/** Builds a directory. Nothing that was read before a change it was told of is used after it. */
export function createKeyDirectory(options: KeyDirectoryOptions): KeyDirectory {
  const { clock, broadcast, logger, salt, maxCached = 10_000, accessGroups = () => undefined } = options
  const caches = createCaches(options)
  const cacheOf = new Map<string, Pick<RecordCache<unknown>, 'changed'>>(Object.entries(caches))
  const answers = new LRUCache<string, ResolvedKey>({ max: maxCached })
  const searches = new Map<string, Promise<KeyAnswer>>()
  const hashes = new WeakMap<Caller, string>()

  const drop = (kind: string, id: string): void => cacheOf.get(kind)?.changed(id)

  const search = async (hash: string): Promise<KeyAnswer> => {
    try {
      for (let round = 0; round < rounds; round++) {
        const resolved = await resolveKey(hash, { caches, accessGroups, now: () => clock.now() })
        if (resolved.entries.some(({ state }) => state === 'changed')) continue
        if (isKnownKey(resolved)) answers.set(hash, resolved)
        if ('caller' in resolved.answer) hashes.set(resolved.answer.caller, hash)
        return resolved.answer
      }
      throw new GatewayError('unavailable', 'The key is being changed at the moment.', { retryAfterMs: 1_000 })
    } finally {
      // At once, so that nobody who comes later gets an answer which was right only until now.
      searches.delete(hash)
    }
  }

  const joinSearch = (hash: string): Promise<KeyAnswer> => {
    const running = searches.get(hash)
    if (running) return running
    const started = search(hash)
    searches.set(hash, started)
    return started
  }

  const unsubscribe = broadcast?.subscribe(topic, (message) => {
    const [, kind, id] = /^(\w+) (.+)$/s.exec(message) ?? []
    if (kind !== undefined && id !== undefined) drop(kind, id)
  })

  return {
    find(keyText) {
      if (!isKeyText(keyText)) return malformed
      const hash = hashKey(keyText, salt)
      const known = answers.get(hash)
      if (known && isCurrent(known, clock.now())) return known.answer
      return joinSearch(hash)
    },
    async changed(kind, id) {
      drop(kind, id)
      if (broadcast) await publishWithin(clock, logger, () => broadcast.publish(topic, `${kind} ${id}`))
    },
    hashOf: (caller) => hashes.get(caller),
    get size() {
      return answers.size + Object.values(caches).reduce((sum, { size }) => sum + size, 0)
    },
    close: () => unsubscribe?.(),
  }
}

function isCurrent({ entries, expiresAt }: ResolvedKey, now: number): boolean {
  return now < expiresAt && entries.every(({ state }) => state === 'current')
}

/** Texts that somebody made up push out no keys that exist; their records are remembered as missing. */
function isKnownKey({ entries }: ResolvedKey): boolean {
  return entries[0]?.data !== undefined
}

function createCaches(options: KeyDirectoryOptions): RecordCaches {
  const { records, clock, logger, cacheTtlMs: ttlMs = 5_000, maxCached = 10_000 } = options
  const of = <Data>(kind: CachedKind, schema: ZodType<Data>): RecordCache<Data> => {
    const missTtlMs = kind === 'key' ? Math.min(ttlMs, longestMissMs) : ttlMs
    return createRecordCache({ kind, schema, records, clock, logger, ttlMs, missTtlMs, maxCached })
  }
  return {
    key: of('key', KeyData),
    user: of('user', UserData),
    team: of('team', TeamData),
    member: of('member', MemberData),
    organization: of('organization', OrganizationData),
    customer: of('customer', CustomerData),
    budget: of('budget', BudgetData),
    tag: of('tag', TagData),
  }
}
