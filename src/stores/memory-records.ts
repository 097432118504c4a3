import { systemClock } from '../clock.js'
import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import type {
  NewRecord,
  RecordIndex,
  RecordKind,
  RecordPage,
  RecordQuery,
  RecordStore,
  StoredRecord,
  WriteResult,
} from '../ports/records.js'
import { fromCursor, pageSize, toCursor } from './cursor.js'

/** Settings of the records in memory. */
export interface MemoryRecordsOptions {
  /** @default the system's */
  readonly clock?: Pick<Clock, 'now'>
  /** How many records of each kind are kept. @default 100,000 */
  readonly maxRecords?: number
}

/** A record, its place in the order of insertion, and whether its alias is its own. */
interface Kept {
  readonly record: StoredRecord
  readonly place: number
  readonly uniqueAlias: boolean
}

interface Collection {
  /** In the order of insertion. */
  readonly byId: Map<string, Kept>
  /** Ids by unique alias. */
  readonly aliases: Map<string, string>
  inserted: number
}

/**
 * Keeps records in memory until the process ends. A full kind refuses more, as a forgotten key would lock its owner
 * out; only of `audit` the oldest is forgotten.
 */
export function createMemoryRecords({
  clock = systemClock,
  maxRecords = 100_000,
}: MemoryRecordsOptions = {}): RecordStore {
  const collections = new Map<RecordKind, Collection>()

  function collectionOf(kind: RecordKind): Collection {
    const known = collections.get(kind)
    if (known) return known
    const created: Collection = { byId: new Map(), aliases: new Map(), inserted: 0 }
    collections.set(kind, created)
    return created
  }

  function makeRoom(kind: RecordKind, collection: Collection): void {
    const { byId } = collection
    if (byId.size < maxRecords) return
    const [oldest] = byId.values()
    if (kind !== 'audit' || !oldest) {
      throw new GatewayError('unavailable', `The memory holds ${maxRecords} records of "${kind}" and takes no more.`)
    }
    forgetAlias(collection, oldest)
    byId.delete(oldest.record.id)
  }

  return {
    get: async (kind, id) => collections.get(kind)?.byId.get(id)?.record,
    find: async (kind, query) => findIn(collectionOf(kind), query),
    async insert(kind, record, { uniqueAlias = false } = {}): Promise<WriteResult> {
      const collection = collectionOf(kind)
      if (collection.byId.has(record.id)) return { conflict: 'id' }
      if (uniqueAlias && isTaken(collection, record)) return { conflict: 'alias' }
      makeRoom(kind, collection)
      const now = clock.now()
      const stored = { ...toStored(record), version: 1, createdAt: now, updatedAt: now }
      collection.inserted += 1
      collection.byId.set(record.id, { record: stored, place: collection.inserted, uniqueAlias })
      if (uniqueAlias && stored.index.alias !== undefined) collection.aliases.set(stored.index.alias, record.id)
      return { record: stored }
    },
    async update(kind, record, version): Promise<WriteResult> {
      const collection = collectionOf(kind)
      const kept = collection.byId.get(record.id)
      if (!kept) return { conflict: 'gone' }
      if (kept.record.version !== version) return { conflict: 'version' }
      if (kept.uniqueAlias && isTaken(collection, record)) return { conflict: 'alias' }
      const { createdAt } = kept.record
      const stored = { ...toStored(record), version: version + 1, createdAt, updatedAt: clock.now() }
      forgetAlias(collection, kept)
      collection.byId.set(record.id, { ...kept, record: stored })
      if (kept.uniqueAlias && stored.index.alias !== undefined) collection.aliases.set(stored.index.alias, record.id)
      return { record: stored }
    },
    async delete(kind, id) {
      const collection = collectionOf(kind)
      const kept = collection.byId.get(id)
      if (!kept) return false
      forgetAlias(collection, kept)
      return collection.byId.delete(id)
    },
    async prune(kind, before) {
      const collection = collectionOf(kind)
      const old = [...collection.byId.values()].filter(({ record }) => record.createdAt < before)
      for (const kept of old) {
        forgetAlias(collection, kept)
        collection.byId.delete(kept.record.id)
      }
      return old.length
    },
  }
}

/** A copy as a database would give it back: no reference to the writer's object, no undefined members. */
function toStored({ id, index = {}, data }: NewRecord): Pick<StoredRecord, 'id' | 'index' | 'data'> {
  return JSON.parse(JSON.stringify({ id, index, data }))
}

function isTaken({ aliases }: Collection, { id, index }: NewRecord): boolean {
  const owner = index?.alias === undefined ? undefined : aliases.get(index.alias)
  return owner !== undefined && owner !== id
}

function forgetAlias({ aliases }: Collection, { record, uniqueAlias }: Kept): void {
  if (uniqueAlias && record.index.alias !== undefined) aliases.delete(record.index.alias)
}

function findIn({ byId }: Collection, { index = {}, limit, after }: RecordQuery): RecordPage {
  const size = pageSize(limit)
  const before = after === undefined ? Infinity : fromCursor(after).at
  const found: Kept[] = []
  for (const kept of [...byId.values()].toReversed()) {
    if (kept.place >= before || !matches(kept.record.index, index)) continue
    if (found.length === size) return toPage(found, found.at(-1))
    found.push(kept)
  }
  return toPage(found, undefined)
}

function matches(index: RecordIndex, wanted: RecordIndex): boolean {
  return (
    (wanted.user === undefined || index.user === wanted.user) &&
    (wanted.team === undefined || index.team === wanted.team) &&
    (wanted.organization === undefined || index.organization === wanted.organization) &&
    (wanted.alias === undefined || index.alias === wanted.alias)
  )
}

function toPage(found: readonly Kept[], last: Kept | undefined): RecordPage {
  return {
    records: found.map(({ record }) => record),
    next: last && toCursor({ at: last.place, id: last.record.id }),
  }
}
