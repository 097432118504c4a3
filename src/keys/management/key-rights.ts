import type { Scope } from '../../ports.js'
import { type ModelAccess, isWithin, toKeyAccess } from '../model-access.js'
import { type KeyData, type TeamData, memberId } from '../records.js'
import type { Actor } from './actor.js'
import type { ManagementParts } from './parts.js'
import { type Rank, checkAllowed, gatewayMetadata, needsAdmin, notAllowed, placeInTeam } from './rights.js'
import { type Stored, needRecord, readRecord } from './stored.js'

/** A key's data before it has a text. */
export type KeyFields = Omit<KeyData, 'key_id' | 'key_name'>

/** A right that members of a team can be given. */
export type Permission = NonNullable<TeamData['team_member_permissions']>[number]

const fieldsAtBirth = ['user_id', 'team_id', 'key_type']
const ownFields = ['key_alias', 'models', 'aliases', 'metadata', 'expires', 'blocked']

/** What an actor is to a key; `permission` is what it wants to do. */
export async function rankOverKey(
  actor: Actor,
  { id, data }: Pick<Stored<'key'>, 'id' | 'data'>,
  permission: Permission,
  parts: ManagementParts,
): Promise<Rank> {
  if (actor.level === 'admin') return 'admin'
  if (actor.level === 'viewer') return 'viewer'
  const team = data.team_id ? await readRecord({ kind: 'team', id: data.team_id }, parts) : undefined
  const rank = placeOverKey(actor, data, team?.data, permission)
  if (rank === 'none' && actor.key?.hash === id) return 'viewer'
  return actor.level === 'onlooker' && rank !== 'none' ? 'viewer' : rank
}

function placeOverKey(actor: Actor, key: KeyData, team: TeamData | undefined, permission: Permission): Rank {
  const isOwn = actor.userId !== undefined && key.user_id === actor.userId
  if (!key.team_id) return isOwn ? 'self' : 'none'
  const place = placeInTeam(actor, key.team_id, team?.organization_id)
  if (place !== 'viewer') return place
  if (isOwn) return 'self'
  const permitted = team?.team_member_permissions ?? []
  // A key of the team itself; those of other members are theirs.
  if (permitted.includes(permission) && !key.user_id) return 'self'
  return permitted.includes('/key/info') || permitted.includes('/key/list') ? 'viewer' : 'none'
}

/**
 * The key that a member gets who asks for this one: in every scope that the member stands in, and no wider.
 * @throws GatewayError permission for what the member may not ask for
 */
export async function toMemberKey(actor: Actor, wanted: KeyFields, parts: ManagementParts): Promise<KeyFields> {
  if (actor.level !== 'member') throw notAllowed('make keys')
  checkAllowed([...fieldsAtBirth, ...ownFields], {}, wanted)
  checkUnlimited(actor)
  const own = actor.key?.data
  if (own?.team_id && wanted.team_id && wanted.team_id !== own.team_id) throw needsAdmin('team_id')
  const key = { ...wanted, user_id: wanted.user_id === undefined ? actor.userId : wanted.user_id }
  const isForAnother = Boolean(key.user_id) && key.user_id !== actor.userId
  const inherited = {
    team_id: own?.team_id ?? wanted.team_id,
    organization_id: own?.organization_id,
    customer_id: own?.customer_id,
    tags: own?.tags,
    allowed_routes: own?.allowed_routes,
    key_type: isTyped(own) ? own?.key_type : (wanted.key_type ?? (isForAnother ? ('llm_api' as const) : undefined)),
    metadata: withGatewayMetadata(wanted.metadata, own?.metadata),
    expires: earlier(wanted.expires, own?.expires),
    models: toModelsWithin(wanted, actor, parts),
  }
  await checkPlace(actor, { ...key, ...inherited }, parts)
  await checkOwner(actor, { ...key, ...inherited }, parts)
  return { ...key, ...inherited }
}

/** @throws GatewayError permission where the user or the team of a key is not the actor's to make keys for */
async function checkPlace(actor: Actor, key: KeyFields, parts: ManagementParts): Promise<void> {
  const isOwn = actor.userId !== undefined && key.user_id === actor.userId
  if (!key.team_id) {
    if (!isOwn) throw needsAdmin('user_id')
    return
  }
  const team = await needRecord({ kind: 'team', id: key.team_id }, parts)
  const place = placeInTeam(actor, team.id, team.data.organization_id)
  const isPermitted = team.data.team_member_permissions?.includes('/key/generate')
  if (place === 'none' || (place === 'viewer' && !isPermitted)) throw needsAdmin('team_id')
  if (isOwn) return
  if (place === 'viewer') throw needsAdmin('user_id')
  if (!key.user_id) return
  const member = await readRecord({ kind: 'member', id: memberId({ team: team.id }, key.user_id) }, parts)
  if (!member) throw needsAdmin('user_id')
}

/** Lets a member's change of a key pass. @throws GatewayError permission naming what an admin must do */
export function checkKeyChange(actor: Actor, before: KeyData, after: KeyData, parts: ManagementParts): void {
  checkAllowed(ownFields, before, after)
  if (before.blocked && !after.blocked) throw needsAdmin('blocked')
  if (before.expires && earlier(after.expires, before.expires) !== after.expires) throw needsAdmin('expires')
  if (String(before.models ?? []) === String(after.models ?? [])) return
  // Also the empty list, which would be all of them.
  if (!isWithin(accessOf(after, parts), actor.caller.models)) throw needsAdmin('models')
}

/**
 * Lets a member have the text of a key that exists.
 * @throws GatewayError permission where the key opens more than what the member came with
 */
export async function checkReach(
  actor: Actor,
  target: Pick<Stored<'key'>, 'id' | 'data'>,
  parts: ManagementParts,
): Promise<void> {
  if (actor.level === 'admin' || actor.key?.hash === target.id) return
  checkUnlimited(actor)
  await checkOwner(actor, target.data, parts)
  const { data: own } = actor.key ?? {}
  const isNarrow =
    isTyped(own) || own?.team_id || own?.expires || own?.customer_id || own?.allowed_routes || own?.tags?.length
  const isWithinModels = isWithin(accessOf(target.data, parts), actor.caller.models)
  if (isNarrow || !isWithinModels) throw notAllowed('get a key that opens more than what you came with')
}

/**
 * Below an admin nobody gets a key that would manage what somebody else manages: of another user only those for models,
 * of admins and viewers none.
 * @throws GatewayError permission
 */
async function checkOwner(actor: Actor, key: KeyFields, parts: ManagementParts): Promise<void> {
  if (!key.user_id) return
  const isOwn = key.user_id === actor.userId
  const isForModels = key.key_type === 'llm_api' && !key.allowed_routes?.length
  if (!isOwn && !isForModels) throw needsAdmin('key_type')
  const user = await readRecord({ kind: 'user', id: key.user_id }, parts)
  const role = user?.data.user_role
  if (role !== 'proxy_admin' && role !== 'proxy_admin_viewer') return
  const isForLess = key.key_type === 'llm_api' || key.key_type === 'read_only'
  if (!isOwn || !isForLess) throw needsAdmin('user_id')
}

function isTyped(key: KeyData | undefined): boolean {
  return (key?.key_type ?? 'default') !== 'default'
}

/** Who is held to limits where it came in would leave them behind with a second key. */
function checkUnlimited({ key, caller }: Actor): void {
  const scopes = key ? caller.scopes.filter(({ kind }) => kind === 'key') : caller.scopes
  if (scopes?.some(isLimited)) throw notAllowed('get keys, as what you came with has limits of its own; an admin may')
}

function isLimited({ budget, modelBudgets, modelLimits, rpm, tpm, maxParallelRequests }: Scope): boolean {
  return (budget ?? modelBudgets ?? modelLimits ?? rpm ?? tpm ?? maxParallelRequests) !== undefined
}

function accessOf(key: Pick<KeyData, 'models' | 'team_id'>, { accessGroups }: ManagementParts): ModelAccess {
  return toKeyAccess(key.models, Boolean(key.team_id), accessGroups ?? (() => undefined))
}

/** @throws GatewayError permission for models that the actor may not use */
function toModelsWithin(key: KeyFields, { caller }: Actor, parts: ManagementParts): KeyFields['models'] {
  if (caller.models === 'all') return key.models
  const access = accessOf(key, parts)
  if (access !== 'all' && isWithin(access, caller.models)) return key.models
  if (access !== 'all') throw needsAdmin('models')
  // The empty list would be all of them.
  return caller.models.length === 0 ? ['no-default-models'] : [...caller.models]
}

function withGatewayMetadata(wanted: KeyData['metadata'], own: KeyData['metadata']): KeyData['metadata'] {
  const kept = gatewayMetadata.filter((name) => own?.[name] !== undefined).map((name) => [name, own?.[name]] as const)
  return kept.length === 0 ? wanted : { ...wanted, ...Object.fromEntries(kept) }
}

/** The earlier of two moments; none is never. */
function earlier(a: string | null | undefined, b: string | null | undefined): string | null | undefined {
  if (!b) return a
  return a && Date.parse(a) <= Date.parse(b) ? a : b
}
