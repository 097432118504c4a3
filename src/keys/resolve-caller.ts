import type { Caller } from '../ports.js'
import type { AccessGroups } from './model-access.js'
import type { CachedRecord, RecordCache } from './record-cache.js'
import { type CallerRecordKind, type DataOf, memberId } from './records.js'
import { type Routes, toRoutes } from './routes.js'
import { type CallerRecords, limitedRecords, tagsOf, toCaller } from './to-caller.js'

/** The kinds of records that a caller is made from. */
export type CachedKind = Exclude<CallerRecordKind, 'audit'>

/** What is known of each kind. */
export type RecordCaches = { readonly [Kind in CachedKind]: RecordCache<DataOf<Kind>> }

/** Why a key opens nothing. */
export interface KeyRefusal {
  readonly kind: 'authentication' | 'permission'
  readonly code: 'invalid_api_key' | 'expired_api_key' | 'blocked' | 'budget_not_found'
  readonly message: string
}

/** Who a key stands for and where it may go, or why it opens nothing. */
export type KeyAnswer = { readonly caller: Caller; readonly routes: Routes } | { readonly refused: KeyRefusal }

/** An answer, and everything that it was made from. */
export interface ResolvedKey {
  readonly answer: KeyAnswer
  readonly entries: readonly CachedRecord<unknown>[]
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** What a key is resolved with. */
export interface ResolveParts {
  readonly caches: RecordCaches
  readonly accessGroups: AccessGroups
  readonly now: () => number
}

const unknown: KeyRefusal = {
  kind: 'authentication',
  code: 'invalid_api_key',
  message: 'The key that was given is not known here: it was never issued, or it was deleted.',
}

/**
 * Reads a key and all that it belongs to, in three rounds at most.
 * @throws GatewayError unavailable where the store does not answer: a door that cannot be checked stays shut
 */
export async function resolveKey(hash: string, parts: ResolveParts): Promise<ResolvedKey> {
  const entries: CachedRecord<unknown>[] = []
  const read: Read = async (kind, id) => {
    if (id === null || id === undefined) return undefined
    const cache: RecordCache<DataOf<typeof kind>> = parts.caches[kind]
    const entry = await cache.get(id)
    entries.push(entry)
    return entry.data
  }
  const found = await readAll(hash, read)
  const now = parts.now()
  const end = 'refused' in found ? Infinity : firstEnd(found).at
  const answer = toAnswer(found, now, parts.accessGroups)
  // What has expired stays so; what has not is looked at again then.
  const ends = end <= now ? Infinity : end
  return { answer, entries, expiresAt: Math.min(ends, ...entries.map(({ expiresAt }) => expiresAt)) }
}

type Read = <Kind extends CachedKind>(kind: Kind, id: string | null | undefined) => Promise<DataOf<Kind> | undefined>

async function readAll(hash: string, read: Read): Promise<CallerRecords | { readonly refused: KeyRefusal }> {
  const key = await read('key', hash)
  if (!key) return { refused: unknown }
  const { user_id: userId, team_id: teamId, customer_id: customerId } = key
  const [user, team, customer, member] = await Promise.all([
    read('user', userId),
    read('team', teamId),
    read('customer', customerId),
    read('member', userId && teamId ? memberId({ team: teamId }, userId) : undefined),
  ])
  // What a key names and is no longer there took the key with it.
  if ((userId && !user) || (teamId && !team) || (customerId && !customer)) return { refused: unknown }
  const organizationId = team?.organization_id ?? key.organization_id ?? user?.organization_id ?? undefined
  const tags = tagsOf({ key, team })
  const [organization, organizationMember, ...ofTags] = await Promise.all([
    read('organization', organizationId),
    read('member', userId && organizationId ? memberId({ organization: organizationId }, userId) : undefined),
    ...tags.map(async (tag) => [tag, await read('tag', tag)] as const),
  ])
  if (organizationId && !organization) return { refused: unknown }
  const tagRecords = new Map(ofTags.flatMap(([tag, record]) => (record ? [[tag, record] as const] : [])))
  const groups = { user, team, customer, member, organization, organizationMember, organizationId }
  return withTiers({ key, ...groups, tags: tagRecords }, read)
}

async function withTiers(
  records: Omit<CallerRecords, 'tiers'>,
  read: Read,
): Promise<CallerRecords | { readonly refused: KeyRefusal }> {
  const ids = new Set(limitedRecords(records).flatMap(([, limits]) => limits?.budget_id ?? []))
  const found = await Promise.all([...ids].map(async (id) => [id, await read('budget', id)] as const))
  const lost = found.find(([, tier]) => !tier)
  // Without its tier a key would be without its limits.
  if (lost) return { refused: { kind: 'permission', code: 'budget_not_found', message: withoutTier(lost[0]) } }
  return { ...records, tiers: new Map(found.flatMap(([id, tier]) => (tier ? [[id, tier] as const] : []))) }
}

function withoutTier(id: string): string {
  return `The budget ${JSON.stringify(id)} that this key is held to does not exist. An admin can make it, or take it off.`
}

/** Who the records of a key stand for at this time, in milliseconds since the epoch, or why they open nothing. */
export function toAnswer(
  found: CallerRecords | { readonly refused: KeyRefusal },
  now: number,
  accessGroups: AccessGroups,
): KeyAnswer {
  if ('refused' in found) return found
  const blocked = blockedLevel(found)
  if (blocked) return { refused: toBlocked(blocked) }
  const end = firstEnd(found)
  if (end.at <= now) return { refused: toExpired(end.level) }
  return { caller: toCaller(found, accessGroups), routes: toRoutes(found.key) }
}

/** The key, and what it belongs to, by its level. */
function levelsOf({ key, customer, user, team, organization }: CallerRecords) {
  return Object.entries({ key, customer, user, team, organization })
}

function blockedLevel(found: CallerRecords): string | undefined {
  return levelsOf(found).find(([, record]) => record?.blocked)?.[0]
}

/** When what a key belongs to, or the key itself, ends. */
interface End {
  readonly level: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

const never: End = { level: 'key', at: Infinity }

function firstEnd(found: CallerRecords): End {
  const ends = levelsOf(found).flatMap(([level, record]) =>
    record?.expires ? [{ level, at: Date.parse(record.expires) }] : [],
  )
  return ends.reduce((first, end) => (end.at < first.at ? end : first), never)
}

function toExpired(level: string): KeyRefusal {
  const what = level === 'key' ? 'The key that was given' : `The ${level} of the key that was given`
  return { kind: 'authentication', code: 'expired_api_key', message: `${what} has expired.` }
}

function toBlocked(level: string): KeyRefusal {
  const what = level === 'key' ? 'This key' : `The ${level} of this key`
  return { kind: 'permission', code: 'blocked', message: `${what} is blocked. An admin can lift that.` }
}
