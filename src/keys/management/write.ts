import { isDeepStrictEqual } from 'node:util'
import { GatewayError } from '../../errors.js'
import type { NewRecord, RecordIndex, RecordKind, WriteResult } from '../../ports/records.js'
import type { JsonObject } from '../../wire/json.js'
import { type AuditData, type CallerRecordKind, type DataOf, recordIndex, uniqueAliases } from '../records.js'
import type { Actor } from './actor.js'
import { maskSecrets } from './mask.js'
import type { ManagementParts } from './parts.js'
import { type RecordRef, type Stored, needRecord, notFound, readRecord, toStored } from './stored.js'

/** A record that is to be made. */
export interface RecordToInsert<Kind extends CallerRecordKind> extends RecordRef<Kind> {
  readonly data: DataOf<Kind>
}

/** What is to become of a record. */
export interface RecordChange<Kind extends CallerRecordKind> extends RecordRef<Kind> {
  readonly action?: AuditData['action']
  /** Refuses where the record's version is another. @default whatever is stored is changed */
  readonly version?: number | undefined
  /** Gives the new data; asked again with what is stored then, where somebody else wrote meanwhile. May throw. */
  readonly change: (data: DataOf<Kind>) => DataOf<Kind> | Promise<DataOf<Kind>>
}

// Writers of one record that meet again and again.
const rounds = 5

/**
 * Makes a record, and tells the audit and every process.
 * @throws GatewayError conflict where its id or alias is taken
 */
export async function insertRecord<Kind extends CallerRecordKind>(
  actor: Actor,
  { kind, id, data }: RecordToInsert<Kind>,
  parts: ManagementParts,
): Promise<Stored<Kind>> {
  const made = { ...data, created_by: actor.name, updated_by: actor.name }
  const record = toRecord(kind, id, made)
  const options = { uniqueAlias: uniqueAliases.has(kind) }
  const result = await telling({ kind, id }, parts, () => parts.records.insert(kind, record, options))
  if ('conflict' in result) throw taken(kind, result.conflict)
  await audit(actor, { ref: { kind, id }, action: 'created', before: {}, after: made }, parts)
  return toStored(kind, result.record)
}

/**
 * Changes a record, and tells the audit and every process.
 * @throws GatewayError not_found, or conflict where its alias is taken, its version is another or others never cease to write it
 */
export async function changeRecord<Kind extends CallerRecordKind>(
  actor: Actor,
  { kind, id, version, change, action = 'updated' }: RecordChange<Kind>,
  parts: ManagementParts,
): Promise<Stored<Kind>> {
  for (let round = 0; round < rounds; round++) {
    const known = await needRecord({ kind, id }, parts)
    if (version !== undefined && version !== known.version) break
    const data = { ...(await change(known.data)), updated_by: actor.name }
    const record = toRecord(kind, id, data)
    const result = await telling({ kind, id }, parts, () => parts.records.update(kind, record, known.version))
    if (!('conflict' in result)) {
      await audit(actor, { ref: { kind, id }, action, before: known.data, after: data }, parts)
      return toStored(kind, result.record)
    }
    if (result.conflict !== 'version') throw taken(kind, result.conflict)
  }
  throw new GatewayError('conflict', `Somebody else changed the ${kind} meanwhile. Read it again.`)
}

/** Deletes a record, and tells the audit and every process; false where there was none. */
export async function deleteRecord<Kind extends CallerRecordKind>(
  actor: Actor,
  ref: RecordRef<Kind>,
  parts: ManagementParts,
): Promise<boolean> {
  const known = await readRecord(ref, parts)
  const existed = await telling(ref, parts, () => parts.records.delete(ref.kind, ref.id))
  if (existed) await audit(actor, { ref, action: 'deleted', before: known?.data ?? {}, after: {} }, parts)
  return existed
}

/** A write that fails may have been done nevertheless: everybody forgets what they knew in any case. */
async function telling<T>(
  { kind, id }: RecordRef<CallerRecordKind>,
  { directory }: ManagementParts,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write()
  } finally {
    await directory.changed(kind, id)
  }
}

function toRecord<Kind extends CallerRecordKind>(kind: Kind, id: string, data: DataOf<Kind>): NewRecord {
  const toIndex: (data: DataOf<Kind>) => RecordIndex = recordIndex[kind]
  return { id, index: toIndex(data), data }
}

function taken(kind: CallerRecordKind, conflict: Extract<WriteResult, { conflict: string }>['conflict']): GatewayError {
  if (conflict === 'gone') return notFound(kind)
  const what = conflict === 'alias' ? (kind === 'user' ? 'email address' : 'alias') : 'id'
  return new GatewayError('conflict', `There is another ${kind} with this ${what}.`)
}

/** A change that was made, for the audit. */
export interface AuditedChange {
  readonly ref: { readonly kind: RecordKind; readonly id: string }
  readonly action: AuditData['action']
  readonly before: JsonObject
  readonly after: JsonObject
}

/** Writes a change down. It stands, also where the audit cannot take it: then the log has it. Never rejects. */
export async function audit(
  actor: Actor,
  { ref, action, before, after }: AuditedChange,
  parts: ManagementParts,
): Promise<void> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  )
  const pick = (data: JsonObject): JsonObject => {
    return Object.fromEntries(names.map((name) => [name, maskSecrets(data[name] ?? null)]))
  }
  const data: AuditData = {
    action,
    table_name: ref.kind,
    object_id: ref.id,
    changed_by: actor.name,
    changed_by_api_key: actor.caller.id,
    before_value: pick(before),
    updated_values: pick(after),
    updated_at: new Date(parts.clock.now()).toISOString(),
  }
  try {
    await parts.records.insert('audit', toRecord('audit', parts.createId(), data))
  } catch (error) {
    parts.logger.error({ error, audit: data }, 'The audit could not take a change.')
  }
}
