import { type AuditData, type DataOf, memberId } from '../records.js'
import type { Actor } from './actor.js'
import { ensureNamed } from './owners.js'
import type { ManagementParts } from './parts.js'
import { type GroupKind, checkFields, notAllowed, placeInOrganization, rankOver } from './rights.js'
import { type RecordRef, type Stored, everyRecord, needRecord, notFound } from './stored.js'
import { changeRecord, deleteRecord, insertRecord } from './write.js'

/** Kinds that can be blocked. */
export type BlockableKind = Extract<GroupKind, 'user' | 'team' | 'organization' | 'customer'>

/** A user, team, organization, customer, budget or tag to be made. */
export interface GroupRequest<Kind extends GroupKind> {
  readonly kind: Kind
  /** @default a new one */
  readonly id?: string | undefined
  readonly data: DataOf<Kind>
}

/** What is to become of one. */
export interface GroupChange<Kind extends GroupKind> extends RecordRef<Kind> {
  readonly fields: Partial<DataOf<Kind>>
  /** Refuses where the record's version is another. */
  readonly version?: number | undefined
}

/**
 * Makes one: an admin everything, the admins of an organization its teams, whose first member they become.
 * @throws GatewayError permission, conflict, or invalid_request for what it names
 */
export async function createGroup<Kind extends GroupKind>(
  actor: Actor,
  request: GroupRequest<Kind>,
  parts: ManagementParts,
): Promise<Stored<Kind>> {
  const { kind, data, id = parts.createId() } = request
  if (actor.level !== 'admin') checkBirth(actor, kind, data)
  await ensureNamed(actor, data, parts)
  const made = await insertRecord(actor, { kind, id, data }, parts)
  if (kind === 'team' && actor.level !== 'admin' && actor.userId !== undefined) {
    const place = { user_id: actor.userId, team_id: id, role: 'admin' as const }
    await insertRecord(actor, { kind: 'member', id: memberId({ team: id }, actor.userId), data: place }, parts)
  }
  return made
}

/** Reads one. @throws GatewayError not_found also for what is none of the actor's business */
export async function viewGroup<Kind extends GroupKind>(
  actor: Actor,
  ref: RecordRef<Kind>,
  parts: ManagementParts,
): Promise<Stored<Kind>> {
  const found = await needRecord(ref, parts)
  if (rankOver(actor, ref, found.data) === 'none') throw notFound(ref.kind)
  return found
}

/** Changes fields of one; those that are not named stay. @throws GatewayError */
export async function updateGroup<Kind extends GroupKind>(
  actor: Actor,
  { kind, id, fields, version }: GroupChange<Kind>,
  parts: ManagementParts,
): Promise<Stored<Kind>> {
  const withNew = (data: DataOf<Kind>): DataOf<Kind> => {
    const after = { ...data, ...fields }
    checkChange(actor, { kind, id }, { before: data, after })
    return after
  }
  withNew((await needRecord({ kind, id }, parts)).data)
  await ensureNamed(actor, fields, parts)
  return changeRecord(actor, { kind, id, version, change: withNew }, parts)
}

/** Blocks one with all its keys, or lifts that; only an admin may. @throws GatewayError */
export async function setGroupBlocked<Kind extends BlockableKind>(
  actor: Actor,
  { kind, id, blocked }: RecordRef<Kind> & { readonly blocked: boolean },
  parts: ManagementParts,
): Promise<Stored<Kind>> {
  if (actor.level !== 'admin') throw notAllowed('block or unblock it; an admin may')
  const action: AuditData['action'] = blocked ? 'blocked' : 'unblocked'
  return changeRecord(actor, { kind, id, action, change: (data) => ({ ...data, blocked }) }, parts)
}

/**
 * Deletes one with everything in it: keys and places of a user; keys, members of a team; teams of an organization; keys of
 * a customer. Keys stop working with the first write, which blocks them, and are gone before the record is: its id may be
 * used anew, and a deletion that failed half-way can be repeated.
 * @throws GatewayError not_found, permission
 */
export async function deleteGroup<Kind extends GroupKind>(
  actor: Actor,
  ref: RecordRef<Kind>,
  parts: ManagementParts,
): Promise<void> {
  const found = await needRecord(ref, parts)
  const rank = rankOver(actor, ref, found.data)
  if (rank === 'none') throw notFound(ref.kind)
  if (rank !== 'admin' && !(rank === 'organization' && ref.kind === 'team')) throw notAllowed(`delete this ${ref.kind}`)
  await deleteWithContents(actor, ref, parts)
}

/** Deletes the keys that belong to a user, a team, an organization, or a member of a team. */
export async function deleteKeysOf(
  actor: Actor,
  index: { readonly user?: string; readonly team?: string; readonly organization?: string },
  parts: ManagementParts,
): Promise<void> {
  for await (const { id } of everyRecord('key', index, parts)) await deleteRecord(actor, { kind: 'key', id }, parts)
}

async function deleteWithContents<Kind extends GroupKind>(
  actor: Actor,
  { kind, id }: RecordRef<Kind>,
  parts: ManagementParts,
): Promise<void> {
  if (isBlockable(kind)) {
    await changeRecord(actor, { kind, id, action: 'blocked', change: (data) => ({ ...data, blocked: true }) }, parts)
  }
  await deleteContents(actor, { kind, id }, parts)
  await deleteRecord(actor, { kind, id }, parts)
  // What was put in it meanwhile.
  await deleteContents(actor, { kind, id }, parts)
}

function isBlockable(kind: GroupKind): kind is BlockableKind {
  return kind === 'user' || kind === 'team' || kind === 'organization' || kind === 'customer'
}

async function deleteContents(actor: Actor, { kind, id }: RecordRef<GroupKind>, parts: ManagementParts): Promise<void> {
  if (kind === 'customer') return deleteKeysOfCustomer(actor, id, parts)
  if (kind !== 'user' && kind !== 'team' && kind !== 'organization') return
  const index = { [kind]: id }
  await deleteKeysOf(actor, index, parts)
  for await (const member of everyRecord('member', index, parts)) {
    await deleteRecord(actor, { kind: 'member', id: member.id }, parts)
  }
  if (kind !== 'organization') return
  for await (const team of everyRecord('team', index, parts)) {
    await deleteWithContents(actor, { kind: 'team', id: team.id }, parts)
  }
}

/** Keys are not found by their customers: all of them are read. */
async function deleteKeysOfCustomer(actor: Actor, id: string, parts: ManagementParts): Promise<void> {
  for await (const { id: key, data } of everyRecord('key', {}, parts)) {
    if (data.customer_id === id) await deleteRecord(actor, { kind: 'key', id: key }, parts)
  }
}

function checkBirth<Kind extends GroupKind>(actor: Actor, kind: Kind, data: DataOf<Kind>): void {
  const organizationId = 'organization_id' in data ? data.organization_id : undefined
  const isTheirs = kind === 'team' && actor.level === 'member' && organizationId
  if (!isTheirs || placeInOrganization(actor, organizationId) !== 'organization') throw notAllowed(`make a ${kind}`)
  checkFields('organization', kind, { organization_id: organizationId }, data)
}

interface Change<Kind extends GroupKind> {
  readonly before: DataOf<Kind>
  readonly after: DataOf<Kind>
}

function checkChange<Kind extends GroupKind>(
  actor: Actor,
  ref: RecordRef<Kind>,
  { before, after }: Change<Kind>,
): void {
  const rank = rankOver(actor, ref, before)
  if (rank === 'none') throw notFound(ref.kind)
  if (rank === 'viewer') throw notAllowed(`change this ${ref.kind}`)
  checkFields(rank, ref.kind, before, after)
}
