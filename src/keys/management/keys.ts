import { GatewayError, InvalidRequestError } from '../../errors.js'
import type { RecordIndex } from '../../ports/records.js'
import type { Secret } from '../../secret.js'
import { addDuration } from '../duration.js'
import { type KeyMaterial, createKeyMaterial, hashKey, isKeyHash, isKeyText, toKeyMaterial } from '../key-material.js'
import type { AuditData, KeyData } from '../records.js'
import type { Actor } from './actor.js'
import type { KeyInput } from './inputs.js'
import { type KeyFields, type Permission, checkKeyChange, checkReach, rankOverKey, toMemberKey } from './key-rights.js'
import { areNamedThere, ensureNamed } from './owners.js'
import type { ManagementParts } from './parts.js'
import { needsAdmin, notAllowed, placeInTeam } from './rights.js'
import { type Stored, type StoredPage, findRecords, needRecord, notFound, readRecord } from './stored.js'
import { changeRecord, deleteRecord, insertRecord } from './write.js'

/** A key that was just made: its record, and its text, which nobody sees again. */
export interface NewKey {
  readonly record: Stored<'key'>
  readonly key: Secret
}

/** What `createKey` is asked for. */
export interface KeyRequest {
  readonly fields: KeyInput
  /** A text of the admin's own. @default a random one */
  readonly text?: string | undefined
}

/** What is to become of a key. */
export interface KeyChange {
  /** The key's hash. */
  readonly id: string
  readonly fields: KeyInput
  /** Refuses where the record's version is another. */
  readonly version?: number | undefined
}

/** How a key gets a new text. */
export interface KeyRenewal extends KeyChange {
  readonly text?: string | undefined
  /** For how long the old text works on, in milliseconds. @default not at all */
  readonly graceMs?: number | undefined
}

/** Which keys are wanted. */
export interface KeyQuery {
  readonly index?: RecordIndex | undefined
  /** @default 100; at most 1,000 */
  readonly limit?: number | undefined
  readonly after?: string | undefined
}

/** The id of a key's record from its text or its hash; undefined for anything else. */
export function toKeyId(given: string, { salt }: Pick<ManagementParts, 'salt'>): string | undefined {
  if (isKeyText(given)) return hashKey(given, salt)
  return isKeyHash(given) ? given : undefined
}

/** Makes a key. @throws GatewayError permission, conflict (alias, text), or invalid_request for what it names */
export async function createKey(actor: Actor, { fields, text }: KeyRequest, parts: ManagementParts): Promise<NewKey> {
  if (text !== undefined && actor.level !== 'admin') throw needsAdmin('key')
  const wanted = toKeyFields(fields, parts.clock.now())
  const data = actor.level === 'admin' ? wanted : await toMemberKey(actor, wanted, parts)
  await ensureNamed(actor, data, parts)
  const { hash, name, text: key } = toMaterial(text, parts)
  const born = { ...data, key_id: hash, key_name: name }
  const record = await insertRecord(actor, { kind: 'key', id: hash, data: born }, parts)
  // A team that was deleted a moment ago takes this key along, too.
  if (await areNamedThere(born, parts)) return { record, key }
  await deleteRecord(actor, { kind: 'key', id: hash }, parts)
  throw new GatewayError('conflict', 'What the key was to belong to was deleted meanwhile.')
}

/** Reads a key. @throws GatewayError not_found also for keys that are none of the actor's business */
export async function viewKey(actor: Actor, id: string, parts: ManagementParts): Promise<Stored<'key'>> {
  const key = await needRecord({ kind: 'key', id }, parts)
  if ((await rankOverKey(actor, key, '/key/info', parts)) === 'none') throw notFound('key')
  return key
}

/** A page of keys; those who may not see all see their own, or those of a team that they may see. */
export async function findKeys(actor: Actor, query: KeyQuery, parts: ManagementParts): Promise<StoredPage<'key'>> {
  const { index = {}, limit, after } = query
  const seesAll = actor.level === 'admin' || actor.level === 'viewer'
  const narrowed = seesAll ? index : await narrow(actor, index, parts)
  const page = { ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) }
  return findRecords('key', { index: narrowed, ...page }, parts)
}

/** Changes fields of a key, and of its earlier texts that still work; those that are not named stay. @throws GatewayError */
export async function updateKey(actor: Actor, change: KeyChange, parts: ManagementParts): Promise<Stored<'key'>> {
  const fields = toKeyFields(change.fields, parts.clock.now())
  await checkRank(actor, change.id, '/key/update', parts)
  const withNew = (data: KeyData): KeyData => {
    const after = { ...data, ...fields }
    if (actor.level !== 'admin') checkKeyChange(actor, data, after, parts)
    return after
  }
  withNew((await needRecord({ kind: 'key', id: change.id }, parts)).data)
  await ensureNamed(actor, fields, parts)
  const { id, version } = change
  const changed = await changeRecord(actor, { kind: 'key', id, version, change: withNew }, parts)
  for (const old of await predecessorsOf(id, parts)) {
    await changeRecord(actor, { kind: 'key', id: old, change: (data) => withFieldsOf(fields, data) }, parts)
  }
  return changed
}

/** An earlier text after its key was changed: the alias is the key's, and its own end comes no later. */
function withFieldsOf({ key_alias: _alias, expires, ...fields }: Partial<KeyFields>, data: KeyData): KeyData {
  const isSooner = expires && data.expires && Date.parse(expires) < Date.parse(data.expires)
  return { ...data, ...fields, ...(isSooner && { expires }) }
}

/** Blocks a key, with its earlier texts that still work, or lets it work again, which only an admin may. @throws GatewayError */
export async function setKeyBlocked(
  actor: Actor,
  { id, blocked }: { readonly id: string; readonly blocked: boolean },
  parts: ManagementParts,
): Promise<Stored<'key'>> {
  const rank = await checkRank(actor, id, blocked ? '/key/block' : '/key/unblock', parts)
  if (!blocked && rank !== 'admin') throw notAllowed('unblock keys; an admin may')
  const action: AuditData['action'] = blocked ? 'blocked' : 'unblocked'
  const set = (key: string) =>
    changeRecord(actor, { kind: 'key', id: key, action, change: (data) => ({ ...data, blocked }) }, parts)
  const changed = await set(id)
  for (const old of await predecessorsOf(id, parts)) await set(old)
  return changed
}

/**
 * Deletes keys with their earlier texts that still work, all or, where one of them is not the actor's to delete, none;
 * gives the hashes of those that were there.
 * @throws GatewayError not_found, permission
 */
export async function deleteKeys(
  actor: Actor,
  ids: readonly string[],
  parts: ManagementParts,
): Promise<readonly string[]> {
  for (const id of ids) await checkRank(actor, id, '/key/delete', parts)
  const deleted: string[] = []
  for (const id of ids) {
    // First, as only the key itself leads to them.
    for (const old of await predecessorsOf(id, parts)) await deleteRecord(actor, { kind: 'key', id: old }, parts)
    if (await deleteRecord(actor, { kind: 'key', id }, parts)) deleted.push(id)
  }
  return deleted
}

/** The keys whose place a key took one after the other, as far as they are there. */
async function predecessorsOf(id: string, parts: ManagementParts): Promise<readonly string[]> {
  const found = new Set([id])
  let next = (await readRecord({ kind: 'key', id }, parts))?.data.replaces
  while (next && !found.has(next)) {
    const old = await readRecord({ kind: 'key', id: next }, parts)
    if (!old) break
    found.add(next)
    next = old.data.replaces
  }
  found.delete(id)
  return [...found]
}

/**
 * Gives a key a new text; its spend and budgets go on. The old text works on for `graceMs`, never longer than it would have.
 * @throws GatewayError conflict where the key got a new text already
 */
export async function regenerateKey(actor: Actor, renewal: KeyRenewal, parts: ManagementParts): Promise<NewKey> {
  const { id, text, graceMs = 0 } = renewal
  if (text !== undefined && actor.level !== 'admin') throw needsAdmin('new_key')
  await checkRank(actor, id, '/key/regenerate', parts)
  const old = await needRecord({ kind: 'key', id }, parts)
  await checkReach(actor, old, parts)
  const fields = toKeyFields(renewal.fields, parts.clock.now())
  const material = toMaterial(text, parts)
  const ends = new Date(parts.clock.now() + graceMs).toISOString()
  let born: KeyData = old.data
  const change = (data: KeyData): KeyData => {
    born = { ...data, ...fields, key_name: material.name, replaces: graceMs > 0 ? id : data.replaces }
    if (actor.level !== 'admin') checkKeyChange(actor, data, { ...data, ...fields }, parts)
    return retire(data, material.hash, ends)
  }
  change(old.data)
  await ensureNamed(actor, fields, parts)
  // First, so that of two at once only one goes on, nothing written meanwhile is lost, and the alias is free.
  await changeRecord(actor, { kind: 'key', id, action: 'regenerated', change }, parts)
  try {
    const record = await insertRecord(actor, { kind: 'key', id: material.hash, data: born }, parts)
    if (graceMs <= 0) await deleteRecord(actor, { kind: 'key', id }, parts)
    return { record, key: material.text }
  } catch (error) {
    await takeBack(actor, old, material.hash, parts)
    throw error
  }
}

/** Nobody was told the new text: the old one goes on. */
async function takeBack(actor: Actor, old: Stored<'key'>, successor: string, parts: ManagementParts): Promise<void> {
  const { key_alias, expires, replaced_by } = old.data
  const change = (data: KeyData): KeyData => ({ ...data, key_alias, expires, replaced_by })
  try {
    await deleteRecord(actor, { kind: 'key', id: successor }, parts)
    await changeRecord(actor, { kind: 'key', id: old.id, change }, parts)
  } catch (error) {
    parts.logger.error({ error, id: old.id }, 'A key that should have got a new text could not be put back.')
  }
}

function retire(data: KeyData, successor: string, ends: string): KeyData {
  if (data.replaced_by) throw new GatewayError('conflict', 'This key got a new text already.')
  const isSooner = data.expires && Date.parse(data.expires) <= Date.parse(ends)
  return { ...data, key_alias: null, replaced_by: successor, expires: isSooner ? data.expires : ends }
}

/** @throws GatewayError not_found for keys that the actor may not see, permission for those it may only see */
async function checkRank(actor: Actor, id: string, permission: Permission, parts: ManagementParts) {
  const rank = await rankOverKey(actor, await needRecord({ kind: 'key', id }, parts), permission, parts)
  if (rank === 'none') throw notFound('key')
  if (rank === 'viewer') throw notAllowed('change this key')
  return rank
}

async function narrow(actor: Actor, index: RecordIndex, parts: ManagementParts): Promise<RecordIndex> {
  const { team: teamId } = index
  if (teamId !== undefined && index.user !== actor.userId) {
    const team = await readRecord({ kind: 'team', id: teamId }, parts)
    const place = placeInTeam(actor, teamId, team?.data.organization_id)
    const isPermitted = place === 'viewer' && team?.data.team_member_permissions?.includes('/key/list')
    if (place === 'team' || place === 'organization' || isPermitted) return index
  }
  const isOther = index.user !== undefined && index.user !== actor.userId
  if (actor.userId === undefined || isOther) throw notAllowed('see these keys')
  return { ...index, user: actor.userId }
}

function toMaterial(text: string | undefined, { randomBytes, salt }: ManagementParts): KeyMaterial {
  if (text === undefined) return createKeyMaterial(randomBytes, salt)
  if (!isKeyText(text)) throw new InvalidRequestError('A key is sk- and at least 13 letters, digits or dashes.', 'key')
  return toKeyMaterial(text, salt)
}

/** `duration` counts from now. @throws InvalidRequestError for one that ends beyond all dates */
function toKeyFields({ duration, ...fields }: KeyInput, now: number): KeyFields {
  if (duration === undefined) return fields
  if (duration === null) return { ...fields, expires: null }
  const expires = addDuration(now, duration)
  if (expires === undefined) throw new InvalidRequestError('This is later than any date can be.', 'duration')
  return { ...fields, expires: new Date(expires).toISOString() }
}
