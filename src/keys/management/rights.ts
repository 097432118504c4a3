import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../../errors.js'
import type { JsonObject } from '../../wire/json.js'
import type { CallerRecordKind, DataOf } from '../records.js'
import type { Actor } from './actor.js'
import type { RecordRef } from './stored.js'

/** What somebody is to a record; `none` does not even know that it exists. */
export type Rank = 'admin' | 'organization' | 'team' | 'self' | 'viewer' | 'none'

/** Kinds that are managed as they are; keys and members have rules of their own. */
export type GroupKind = Exclude<CallerRecordKind, 'key' | 'member' | 'audit'>

/** Metadata that the gateway acts on. */
export const gatewayMetadata = ['allowedModelRegion'] as const

/** What may be written below an admin: no roles, no blocks, and no budgets and limits but those of an organization's teams. */
const writableFields: { readonly [Kind in GroupKind]: { readonly [R in Rank]?: readonly string[] } } = {
  user: { self: ['user_alias'] },
  team: {
    organization: [
      'team_alias',
      'models',
      'model_aliases',
      'metadata',
      'max_budget',
      'soft_budget',
      'budget_duration',
      'budget_time_zone',
      'model_max_budget',
      'rpm_limit',
      'tpm_limit',
      'model_rpm_limit',
      'model_tpm_limit',
      'max_parallel_requests',
      'team_member_budget',
      'team_member_budget_duration',
      'team_member_rpm_limit',
      'team_member_tpm_limit',
      'team_member_permissions',
    ],
    team: ['team_alias', 'metadata', 'model_aliases', 'team_member_permissions'],
  },
  organization: { organization: ['organization_alias', 'metadata'] },
  customer: {},
  budget: {},
  tag: {},
}

/** What an actor is to a user, team, organization, customer, budget or tag. */
export function rankOver<Kind extends GroupKind>(actor: Actor, ref: RecordRef<Kind>, data: DataOf<Kind>): Rank {
  if (actor.level === 'admin') return 'admin'
  const rank = placeOf(actor, ref, data)
  if (actor.level === 'viewer') return 'viewer'
  return actor.level === 'onlooker' && rank !== 'none' ? 'viewer' : rank
}

function placeOf(actor: Actor, { kind, id }: RecordRef<GroupKind>, data: JsonObject): Rank {
  if (kind === 'user') return id === actor.userId ? 'self' : 'none'
  if (kind === 'organization') return placeInOrganization(actor, id)
  return kind === 'team' ? placeInTeam(actor, id, data['organization_id']) : 'none'
}

/** What an actor is to a team of an organization. */
export function placeInTeam(actor: Actor, teamId: string, organizationId: unknown): Rank {
  if (typeof organizationId === 'string' && placeInOrganization(actor, organizationId) === 'organization') {
    return 'organization'
  }
  const role = actor.teams.get(teamId)?.role
  if (role === undefined) return 'none'
  return role === 'admin' ? 'team' : 'viewer'
}

/** What an actor is to an organization. */
export function placeInOrganization(actor: Actor, organizationId: string): Rank {
  const role = actor.organizations.get(organizationId)?.role
  if (role === undefined) return 'none'
  return role === 'org_admin' ? 'organization' : 'viewer'
}

/**
 * Lets a change pass whose every field the rank may write.
 * @throws GatewayError permission, naming the first that it may not
 */
export function checkFields(rank: Rank, kind: GroupKind, before: JsonObject, after: JsonObject): void {
  if (rank === 'admin') return
  checkAllowed(writableFields[kind][rank] ?? [], before, after)
}

/** The same with a list of one's own. @throws GatewayError permission */
export function checkAllowed(allowed: readonly string[], before: JsonObject, after: JsonObject): void {
  const changed = changedFields(before, after)
  const refused = changed.find((name) => !allowed.includes(name))
  if (refused !== undefined) throw needsAdmin(refused)
  const [was, is] = [membersOf(before['metadata']), membersOf(after['metadata'])]
  const name = gatewayMetadata.find((member) => !isDeepStrictEqual(was[member], is[member]))
  if (name !== undefined) throw needsAdmin(`metadata.${name}`)
}

/** Names of the fields that differ; null and absent are the same. */
function changedFields(before: JsonObject, after: JsonObject): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => !isDeepStrictEqual(before[name] ?? null, after[name] ?? null))
}

function membersOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** The refusal of a field that an admin must write. */
export function needsAdmin(field: string): GatewayError {
  return new GatewayError('permission', `Only an admin may write ${field} here.`, { param: field })
}

/** The refusal of an action. */
export function notAllowed(what: string): GatewayError {
  return new GatewayError('permission', `You may not ${what}.`)
}
