import { LRUCache } from 'lru-cache'
import type { ZodType } from 'zod'
import { GatewayError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import type { RecordKind, RecordStore } from '../ports/records.js'
import { isSameText } from './key-material.js'

/** A record as it was read, and what has become of that knowledge since. */
export interface CachedRecord<Data> {
  /** Undefined: there was none. */
  readonly data: Data | undefined
  /** Until when it may be relied on, in milliseconds since the epoch. */
  readonly expiresAt: number
  /** `forgotten`: the cache no longer hears of changes for it. `changed`: it is not what the store holds. */
  state: 'current' | 'forgotten' | 'changed'
}

/** The records of one kind, as they were within the last seconds. */
export interface RecordCache<Data> {
  /** @throws GatewayError unavailable where the store does not answer, internal where its record cannot be read */
  get(id: string): CachedRecord<Data> | Promise<CachedRecord<Data>>
  /** Forgets a record; what is being read of it now is not kept either. */
  changed(id: string): void
  readonly size: number
}

/** What a record cache is made of. */
export interface RecordCacheParts<Data> {
  readonly kind: RecordKind
  readonly schema: ZodType<Data>
  /** Every operation has a deadline of its own. */
  readonly records: Pick<RecordStore, 'get'>
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Pick<Logger, 'error'>
  /** How long what was read is relied on, and that there was nothing; in milliseconds. */
  readonly ttlMs: number
  readonly missTtlMs: number
  readonly maxCached: number
}

/** A read under way; a change meanwhile makes its result worthless. */
interface Reading {
  changed: boolean
}

interface RunningRead<Data> {
  readonly reading: Reading
  readonly result: Promise<CachedRecord<Data>>
}

const mostMisses = 1_000

/** Builds a cache that never holds what was read before a change it was told of. */
export function createRecordCache<Data>(parts: RecordCacheParts<Data>): RecordCache<Data> {
  const { records, kind, clock, ttlMs, missTtlMs, maxCached } = parts
  const dispose = (entry: CachedRecord<Data>): void => {
    if (entry.state === 'current') entry.state = 'forgotten'
  }
  const found = new LRUCache<string, CachedRecord<Data>>({ max: maxCached, dispose })
  // Apart, so that names which somebody makes up push out none that exist.
  const missing = new LRUCache<string, CachedRecord<Data>>({ max: Math.min(maxCached, mostMisses), dispose })
  const readings = new Map<string, RunningRead<Data>>()

  const keep = (id: string, entry: CachedRecord<Data>): void => {
    const [right, wrong] = entry.data === undefined ? [missing, found] : [found, missing]
    wrong.delete(id)
    right.set(id, entry)
  }

  const read = async (id: string, reading: Reading): Promise<CachedRecord<Data>> => {
    const startedAt = clock.now()
    try {
      const stored = await ask(() => records.get(kind, id))
      // Databases may find `ANN` where `ann` was asked for.
      const data = stored && isSameText(stored.id, id) ? parse(id, stored.data, parts) : undefined
      const expiresAt = startedAt + (data === undefined ? missTtlMs : ttlMs)
      const entry: CachedRecord<Data> = { data, expiresAt, state: reading.changed ? 'changed' : 'current' }
      if (!reading.changed) keep(id, entry)
      return entry
    } finally {
      if (readings.get(id)?.reading === reading) readings.delete(id)
    }
  }

  return {
    get(id) {
      const known = found.get(id) ?? missing.get(id)
      if (known && clock.now() < known.expiresAt) return known
      const running = readings.get(id)
      if (running) return running.result
      const reading = { changed: false }
      const result = read(id, reading)
      readings.set(id, { reading, result })
      return result
    },
    changed(id) {
      for (const cache of [found, missing]) {
        const entry = cache.peek(id)
        if (entry) entry.state = 'changed'
        cache.delete(id)
      }
      const running = readings.get(id)
      if (running) running.reading.changed = true
      readings.delete(id)
    },
    get size() {
      return found.size + missing.size
    },
  }
}

async function ask<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    if (GatewayError.isInstance(cause)) throw cause
    throw new GatewayError('unavailable', 'The records of callers cannot be read at the moment.', { cause })
  }
}

function parse<Data>(id: string, data: unknown, { kind, schema, logger }: RecordCacheParts<Data>): Data {
  const result = schema.safeParse(data, { reportInput: false })
  if (result.success) return result.data
  logger.error({ kind, id, issues: result.error.issues }, 'A record in the store is not as it should be.')
  throw new GatewayError('internal', `The ${kind} that this credential belongs to cannot be read.`)
}
