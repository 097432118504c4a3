import type { CallPage, CallQuery, CallStore, CallSummary } from '../ports/calls.js'
import type { CallRecord } from '../ports/callback.js'
import { marksOf, marksWanted } from './call-marks.js'
import { type Cursor, fromCursor, pageSize, toCursor } from './cursor.js'

/** Settings of the call log in memory. */
export interface MemoryCallsOptions {
  /** How much memory the records take, roughly; the oldest are forgotten. @default 8 MB */
  readonly maxBytes?: number
}

interface Kept {
  readonly record: CallRecord
  readonly bytes: number
}

/** Keeps the calls that ended last, within a bound of bytes. */
export function createMemoryCalls({ maxBytes = 8 * 1024 * 1024 }: MemoryCallsOptions = {}): CallStore {
  const byId = new Map<string, Kept>()
  /** Sorted by end and id. */
  const kept: Kept[] = []
  let bytes = 0

  function insert(record: CallRecord): void {
    if (byId.has(record.id)) return
    const entry = { record, bytes: sizeOf(record) }
    byId.set(record.id, entry)
    kept.splice(placeOf(kept, toPlace(record)), 0, entry)
    bytes += entry.bytes
  }

  function forget(count: number): number {
    const gone = kept.splice(0, count)
    for (const { record, bytes: size } of gone) {
      byId.delete(record.id)
      bytes -= size
    }
    return gone.length
  }

  return {
    async append(records) {
      records.forEach(insert)
      let tooMany = 0
      for (let left = bytes; left > maxBytes; tooMany += 1) left -= kept[tooMany]?.bytes ?? left
      if (tooMany > 0) forget(tooMany)
    },
    query: async (query) => find(kept, query),
    get: async (id) => byId.get(id)?.record,
    prune: async (before) => forget(placeOf(kept, { at: before, id: '' })),
  }
}

function toPlace({ endedAt, id }: Pick<CallRecord, 'endedAt' | 'id'>): Cursor {
  return { at: Math.trunc(endedAt), id }
}

/** The first place whose call is not before the given one. */
function placeOf(kept: readonly Kept[], { at, id }: Cursor): number {
  let [low, high] = [0, kept.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = kept[middle]
    const place = entry && toPlace(entry.record)
    if (place && (place.at < at || (place.at === at && place.id < id))) low = middle + 1
    else high = middle
  }
  return low
}

function find(kept: readonly Kept[], query: CallQuery): CallPage {
  const size = pageSize(query.limit)
  const records: CallSummary[] = []
  let place = query.after === undefined ? kept.length : placeOf(kept, fromCursor(query.after))
  while (place > 0) {
    place -= 1
    const record = kept[place]?.record
    if (!record || !matches(record, query)) continue
    const last = records.at(-1)
    if (last && records.length === size) return { records, next: toCursor(toPlace(last)) }
    const { request: _request, response: _response, ...summary } = record
    records.push(summary)
  }
  return { records, next: undefined }
}

function matches(record: CallRecord, query: CallQuery): boolean {
  const { callId, status, outcome, from = -Infinity, until = Infinity } = query
  if (record.endedAt < from || record.endedAt >= until) return false
  if (callId !== undefined && record.callId !== callId) return false
  if (status !== undefined && record.status !== status) return false
  if (outcome !== undefined && record.outcome !== outcome) return false
  const wanted = marksWanted(query)
  if (wanted.length === 0) return true
  const marks = marksOf(record)
  return wanted.every(({ kind, value }) => marks.some((mark) => mark.kind === kind && mark.value === value))
}

/** Roughly the bytes that a plain value takes in memory. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 16 + 2 * value.length
  if (typeof value !== 'object' || value === null) return 8
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  return members.reduce<number>((sum, member) => sum + sizeOf(member), 24 + 8 * members.length)
}
