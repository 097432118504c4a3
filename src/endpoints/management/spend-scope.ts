import { z } from 'zod'
import { InvalidRequestError } from '../../errors.js'
import { type Actor, readRecord, toKeyId, viewKey } from '../../keys/management/index.js'
import { notAllowed, placeInOrganization, placeInTeam } from '../../keys/management/rights.js'
import type { ScopeKind, ScopeRef } from '../../ports/ledger.js'
import type { AdminParts } from './parts.js'

const id = z.string().min(1).max(400).optional()

/** Whose spend is wanted; one of them. */
export const scopeFields = {
  /** A key's text or hash. */
  api_key: id,
  user_id: id,
  team_id: id,
  organization_id: id,
  /** The customer that calls were charged to. */
  end_user: id,
  tag: id,
  /** A deployment. */
  model_id: id,
  custom_llm_provider: id,
}

/** What a query says about whose spend is wanted. */
export type ScopeQuery = { readonly [Name in keyof typeof scopeFields]?: string | undefined }

const kinds = {
  api_key: 'key',
  user_id: 'user',
  team_id: 'team',
  organization_id: 'organization',
  end_user: 'customer',
  tag: 'tag',
  model_id: 'deployment',
  custom_llm_provider: 'provider',
} as const satisfies Record<keyof ScopeQuery, ScopeKind>
const names = [
  ...(['api_key', 'user_id', 'team_id', 'organization_id', 'end_user', 'tag'] as const),
  ...(['model_id', 'custom_llm_provider'] as const),
]

/** True for who may see what everybody spends. */
export function seesAll({ level }: Actor): boolean {
  return level === 'admin' || level === 'viewer'
}

/**
 * The scope that a question about spend is narrowed to; undefined, for those who see all, where it names none. Others
 * see their own, and what the teams and organizations spend that they lead.
 * @throws GatewayError permission, or invalid_request where it names several
 */
export async function toSpendScope(actor: Actor, query: ScopeQuery, parts: AdminParts): Promise<ScopeRef | undefined> {
  const [name, another] = names.filter((field) => query[field] !== undefined)
  if (another !== undefined) {
    throw new InvalidRequestError(`Spend is looked up for one of ${names.join(', ')} at a time.`, another)
  }
  if (name === undefined) return seesAll(actor) ? undefined : ownScope(actor)
  const scope = { kind: kinds[name], id: query[name] ?? '' }
  if (scope.kind === 'key') return toKeyScope(actor, scope.id, parts)
  if (seesAll(actor) || (await isOwn(actor, scope, parts))) return scope
  throw notAllowed('see this spend')
}

/** A caller's user, else the key that it came with. */
export function ownScope({ userId, key }: Actor): ScopeRef {
  if (userId !== undefined) return { kind: 'user', id: userId }
  if (key) return { kind: 'key', id: key.data.key_id }
  throw notAllowed('see spend, as you are nobody that spend is kept for')
}

/** True where a scope is the actor's own, or of a team or an organization that it leads. */
export async function ownsScope(actor: Actor, scope: ScopeRef, parts: AdminParts): Promise<boolean> {
  if (scope.kind === 'key') return actor.key?.data.key_id === scope.id
  return isOwn(actor, scope, parts)
}

async function toKeyScope(actor: Actor, given: string, { callers }: AdminParts): Promise<ScopeRef> {
  const hash = toKeyId(given, callers)
  if (hash === undefined) throw new InvalidRequestError("This is neither a key nor a key's hash.", 'api_key')
  if (actor.key?.data.key_id === hash) return { kind: 'key', id: hash }
  // What a key has spent stays when it is deleted.
  if (seesAll(actor))
    return { kind: 'key', id: (await readRecord({ kind: 'key', id: hash }, callers))?.data.key_id ?? hash }
  return { kind: 'key', id: (await viewKey(actor, hash, callers)).data.key_id }
}

async function isOwn(actor: Actor, { kind, id: wanted }: ScopeRef, { callers }: AdminParts): Promise<boolean> {
  if (kind === 'user') return wanted === actor.userId
  if (kind === 'organization') return placeInOrganization(actor, wanted) === 'organization'
  if (kind !== 'team') return false
  const team = await readRecord({ kind, id: wanted }, callers)
  const place = placeInTeam(actor, wanted, team?.data.organization_id)
  return place === 'team' || place === 'organization'
}
