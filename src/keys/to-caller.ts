import type { Caller, Scope } from '../ports.js'
import type { ScopeRef } from '../ports/ledger.js'
import { type AccessGroups, type ModelAccess, intersect, toAccess, toKeyAccess, toUserAccess } from './model-access.js'
import {
  type BudgetData,
  type CustomerData,
  type KeyData,
  type MemberData,
  type OrganizationData,
  type TagData,
  type TeamData,
  type UserData,
  memberId,
} from './records.js'
import { type RecordLimits, toScope, toWindowScopes } from './scopes.js'

/** A key and everything it belongs to. */
export interface CallerRecords {
  readonly key: KeyData
  readonly user: UserData | undefined
  readonly team: TeamData | undefined
  /** The user's place in the team, and in the organization. */
  readonly member: MemberData | undefined
  readonly organizationMember: MemberData | undefined
  readonly organization: OrganizationData | undefined
  /** Of the team, else the key, else the user. */
  readonly organizationId: string | undefined
  readonly customer: CustomerData | undefined
  /** By tag; tags without a record are labels only. */
  readonly tags: ReadonlyMap<string, TagData>
  /** By `budget_id`. */
  readonly tiers: ReadonlyMap<string, BudgetData>
}

/** All tags of a key, its team's included. */
export function tagsOf({ key, team }: Pick<CallerRecords, 'key' | 'team'>): readonly string[] {
  return [...new Set([...(team?.tags ?? []), ...(key.tags ?? [])])]
}

/** The records that carry limits, with the scopes they are limits of, outermost first. */
export function limitedRecords(
  records: Omit<CallerRecords, 'tiers'>,
): readonly (readonly [ScopeRef, RecordLimits | undefined])[] {
  const { key, team, user, organization, customer, organizationId } = records
  const { team_id: teamId, user_id: userId, customer_id: customerId } = key
  const of = (kind: ScopeRef['kind'], id: string | null | undefined, record: RecordLimits | undefined) =>
    id === null || id === undefined ? [] : [[{ kind, id }, record] as const]
  const member = userId && teamId ? memberId({ team: teamId }, userId) : undefined
  const place = userId && records.organizationMember && organizationId
  return [
    ...of('organization', organizationId, organization),
    ...of('member', place ? memberId({ organization: place }, userId) : undefined, records.organizationMember),
    ...of('team', teamId, team),
    ...of('member', member, withTeamDefaults(records.member, team)),
    ...of('user', userId, user),
    ...of('key', key.key_id, key),
    ...of('customer', customerId, customer),
    ...tagsOf(records).flatMap((tag) => of('tag', tag, records.tags.get(tag))),
  ]
}

/** The caller that a key stands for. */
export function toCaller(records: CallerRecords, groups: AccessGroups): Caller {
  const { key, team, tiers } = records
  const aliases = { ...team?.model_aliases, ...key.aliases }
  const tags = tagsOf(records)
  return Object.freeze({
    id: key.key_id,
    role: isAdmin(records) ? 'admin' : 'member',
    models: toModels(records, groups),
    scopes: limitedRecords(records).flatMap(([ref, limits]): readonly Scope[] => [
      toScope(ref, limits, limits?.budget_id ? tiers.get(limits.budget_id) : undefined),
      ...(ref.kind === 'key' ? toWindowScopes(ref, key) : []),
    ]),
    ...(tags.length > 0 && { tags }),
    ...(Object.keys(aliases).length > 0 && { aliases }),
    metadata: toMetadata(records),
  })
}

/** A key of an admin manages, unless it was made for models or for looking only. */
function isAdmin({ key, user }: CallerRecords): boolean {
  const manages = (key.key_type ?? 'default') === 'default' || key.key_type === 'management'
  return manages && user?.user_role === 'proxy_admin'
}

function toModels({ key, team, user, ...records }: CallerRecords, groups: AccessGroups): ModelAccess {
  const hasTeam = team !== undefined
  const levels = [
    toKeyAccess(key.models, hasTeam, groups),
    toUserAccess(user?.models, hasTeam, groups),
    ...[team, records.member, records.organizationMember, records.organization, records.customer].map((record) =>
      toAccess(record?.models, groups),
    ),
  ]
  return levels.reduce(intersect, 'all')
}

/** What the innermost says counts; where a customer's calls must stay, nobody else may say. */
function toMetadata({ key, team, user, organization, customer }: CallerRecords): Readonly<Record<string, unknown>> {
  const region = customer?.allowed_model_region
  return {
    ...organization?.metadata,
    ...team?.metadata,
    ...user?.metadata,
    ...key.metadata,
    ...(region && { allowedModelRegion: region }),
  }
}

/** A member without a budget, a limit or a tier has the team's default. */
function withTeamDefaults(member: MemberData | undefined, team: TeamData | undefined): RecordLimits | undefined {
  if (!team || member?.budget_id) return member
  const budget = typeof member?.max_budget === 'number' ? member : defaultBudget(team)
  return {
    ...member,
    max_budget: budget.max_budget,
    budget_duration: member?.budget_duration ?? budget.budget_duration,
    rpm_limit: member?.rpm_limit ?? team.team_member_rpm_limit,
    tpm_limit: member?.tpm_limit ?? team.team_member_tpm_limit,
  }
}

function defaultBudget(team: TeamData): Pick<RecordLimits, 'max_budget' | 'budget_duration'> {
  return { max_budget: team.team_member_budget, budget_duration: team.team_member_budget_duration }
}
