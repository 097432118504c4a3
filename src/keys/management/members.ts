import { InvalidRequestError } from '../../errors.js'
import { type MemberData, memberId } from '../records.js'
import type { Actor } from './actor.js'
import { deleteKeysOf } from './groups.js'
import type { MemberInput } from './inputs.js'
import { ensureNamed } from './owners.js'
import type { ManagementParts } from './parts.js'
import { checkAllowed, notAllowed, rankOver } from './rights.js'
import { type Stored, type StoredPage, findRecords, needRecord, notFound } from './stored.js'
import { changeRecord, deleteRecord, insertRecord } from './write.js'

/** A team or an organization. */
export type MemberGroup = { readonly team: string } | { readonly organization: string }

/** A user's place in a group. */
export interface Place {
  readonly group: MemberGroup
  readonly user: string
}

/** A place, and what is to become of it. */
export interface PlaceChange extends Place {
  readonly fields: MemberInput
}

/** Gives a user a place. @throws GatewayError permission, not_found, conflict where the user has one */
export async function addMember(
  actor: Actor,
  { group, user, fields }: PlaceChange,
  parts: ManagementParts,
): Promise<Stored<'member'>> {
  const data: MemberData = { ...fields, role: fields.role ?? 'user', user_id: user, ...toGroupFields(group) }
  await checkPlace(actor, group, parts)
  checkMember(actor, group, { before: { ...data, ...cleared(fields) }, after: data })
  await ensureNamed(actor, data, parts)
  return insertRecord(actor, { kind: 'member', id: memberId(group, user), data }, parts)
}

/** Changes fields of a place; those that are not named stay. @throws GatewayError permission, not_found */
export async function updateMember(
  actor: Actor,
  { group, user, fields }: PlaceChange,
  parts: ManagementParts,
): Promise<Stored<'member'>> {
  await checkPlace(actor, group, parts)
  await ensureNamed(actor, { budget_id: fields.budget_id }, parts)
  const change = (before: MemberData): MemberData => {
    const after = { ...before, ...fields, role: fields.role ?? before.role }
    checkMember(actor, group, { before, after })
    return after
  }
  return changeRecord(actor, { kind: 'member', id: memberId(group, user), change }, parts)
}

/** Takes a user's place away, and with it the user's keys in that group. @throws GatewayError permission, not_found */
export async function removeMember(actor: Actor, { group, user }: Place, parts: ManagementParts): Promise<void> {
  await checkPlace(actor, group, parts)
  const id = memberId(group, user)
  await needRecord({ kind: 'member', id }, parts)
  await deleteRecord(actor, { kind: 'member', id }, parts)
  await deleteKeysOf(actor, { ...group, user }, parts)
}

/** A page of a group's members. @throws GatewayError not_found also for groups that are none of the actor's business */
export async function findMembers(
  actor: Actor,
  query: { readonly group: MemberGroup; readonly after?: string | undefined; readonly limit?: number | undefined },
  parts: ManagementParts,
): Promise<StoredPage<'member'>> {
  const { group, after, limit } = query
  if ((await rankIn(actor, group, parts)) === 'none') throw notFound('team' in group ? 'team' : 'organization')
  const page = { ...(after !== undefined && { after }), ...(limit !== undefined && { limit }) }
  return findRecords('member', { index: group, ...page }, parts)
}

async function rankIn(actor: Actor, group: MemberGroup, parts: ManagementParts) {
  if ('team' in group) {
    const ref = { kind: 'team', id: group.team } as const
    return rankOver(actor, ref, (await needRecord(ref, parts)).data)
  }
  const ref = { kind: 'organization', id: group.organization } as const
  return rankOver(actor, ref, (await needRecord(ref, parts)).data)
}

async function checkPlace(actor: Actor, group: MemberGroup, parts: ManagementParts): Promise<void> {
  const rank = await rankIn(actor, group, parts)
  if (rank === 'none') throw notFound('team' in group ? 'team' : 'organization')
  if (rank === 'viewer') throw notAllowed('change its members')
}

/** Below an admin only the role may be written. */
function checkMember(
  actor: Actor,
  group: MemberGroup,
  { before, after }: { readonly before: MemberData; readonly after: MemberData },
): void {
  const wrong = 'team' in group ? 'org_admin' : 'admin'
  if (after.role === wrong) throw new InvalidRequestError(`${wrong} is no role here.`, 'role')
  if (actor.level !== 'admin') checkAllowed(['role'], before, after)
}

function cleared(fields: MemberInput): Partial<MemberData> {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, undefined]))
}

function toGroupFields(group: MemberGroup): Partial<MemberData> {
  return 'team' in group ? { team_id: group.team } : { organization_id: group.organization }
}
