import { GatewayError } from '../../errors.js'
import type { RecordPage, RecordQuery, StoredRecord } from '../../ports/records.js'
import { type CallerRecordKind, type DataOf, recordData } from '../records.js'
import type { ManagementParts } from './parts.js'

/** A record whose data were checked. */
export interface Stored<Kind extends CallerRecordKind> extends Omit<StoredRecord, 'data'> {
  readonly data: DataOf<Kind>
}

/** Records that were checked, newest first, and where the next page begins. */
export interface StoredPage<Kind extends CallerRecordKind> extends Omit<RecordPage, 'records'> {
  readonly records: readonly Stored<Kind>[]
}

/** Kind and id of a record. */
export interface RecordRef<Kind extends CallerRecordKind> {
  readonly kind: Kind
  readonly id: string
}

/** Checks the data of a record. @throws GatewayError internal where they are not as they should be */
export function toStored<Kind extends CallerRecordKind>(kind: Kind, record: StoredRecord): Stored<Kind> {
  return { ...record, data: parseData(kind, record.data) }
}

/** Reads a record; undefined where there is none. */
export async function readRecord<Kind extends CallerRecordKind>(
  { kind, id }: RecordRef<Kind>,
  { records }: Pick<ManagementParts, 'records'>,
): Promise<Stored<Kind> | undefined> {
  const found = await records.get(kind, id)
  return found && toStored(kind, found)
}

/** Reads a record. @throws GatewayError not_found where there is none */
export async function needRecord<Kind extends CallerRecordKind>(
  ref: RecordRef<Kind>,
  parts: Pick<ManagementParts, 'records'>,
): Promise<Stored<Kind>> {
  const found = await readRecord(ref, parts)
  if (!found) throw notFound(ref.kind)
  return found
}

/** One page of a kind. */
export async function findRecords<Kind extends CallerRecordKind>(
  kind: Kind,
  query: RecordQuery,
  { records }: Pick<ManagementParts, 'records'>,
): Promise<StoredPage<Kind>> {
  const page = await records.find(kind, query)
  return { records: page.records.map((record) => toStored(kind, record)), next: page.next }
}

/** Every record of a kind with these index fields, page by page. */
export async function* everyRecord<Kind extends CallerRecordKind>(
  kind: Kind,
  index: RecordQuery['index'] & object,
  parts: Pick<ManagementParts, 'records'>,
): AsyncGenerator<Stored<Kind>> {
  let after: string | undefined
  do {
    const page = await findRecords(kind, { index, limit: 500, ...(after !== undefined && { after }) }, parts)
    yield* page.records
    after = page.next
  } while (after !== undefined)
}

/** What is answered for records that are not there, or are not the actor's to know of. */
export function notFound(kind: CallerRecordKind): GatewayError {
  return new GatewayError('not_found', `There is no such ${kind}.`)
}

function parseData<Kind extends CallerRecordKind>(kind: Kind, data: unknown): DataOf<Kind>
function parseData(kind: CallerRecordKind, data: unknown): DataOf<CallerRecordKind> {
  const result = recordData[kind].safeParse(data, { reportInput: false })
  if (result.success) return result.data
  throw new GatewayError('internal', `A record of kind ${kind} cannot be read.`, { cause: result.error })
}
