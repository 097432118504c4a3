import type { JsonObject } from '../wire/json.js'

/** What is kept about callers and models; one collection each. */
export type RecordKind =
  | 'key'
  | 'user'
  | 'team'
  | 'organization'
  | 'customer'
  | 'budget'
  | 'tag'
  | 'deployment'
  | 'member'
  | 'audit'

/** Fields of a record that can be searched for; each is one indexed column. */
export interface RecordIndex {
  /** `user`, `team`, `organization`: whom the record belongs to. */
  readonly user?: string
  readonly team?: string
  readonly organization?: string
  /** A name for people, unique within the kind where `uniqueAlias` is set on insert. */
  readonly alias?: string
}

/** One record with its version. */
export interface StoredRecord {
  readonly id: string
  /** Starts at 1 and grows with every update. */
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly updatedAt: number
  readonly index: RecordIndex
  readonly data: JsonObject
}

/** A record to be written. */
export interface NewRecord {
  readonly id: string
  readonly index?: RecordIndex
  readonly data: JsonObject
}

/** Which records are wanted; every field of `index` narrows. */
export interface RecordQuery {
  readonly index?: RecordIndex
  /** @default 100; at most 1,000 */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string
}

/** Records, newest first, and where the next page begins. */
export interface RecordPage {
  readonly records: readonly StoredRecord[]
  readonly next: string | undefined
}

/** What came of a write: done, or why not. */
export type WriteResult = { readonly record: StoredRecord } | { readonly conflict: 'id' | 'alias' | 'version' | 'gone' }

/** Keys, users, teams and the rest. Every method may reject; whoever calls it has the deadline. */
export interface RecordStore {
  get(kind: RecordKind, id: string): Promise<StoredRecord | undefined>
  find(kind: RecordKind, query: RecordQuery): Promise<RecordPage>
  insert(kind: RecordKind, record: NewRecord, options?: { readonly uniqueAlias?: boolean }): Promise<WriteResult>
  /** Replaces the record if its version still is `version`. */
  update(kind: RecordKind, record: NewRecord, version: number): Promise<WriteResult>
  /** True if there was one. */
  delete(kind: RecordKind, id: string): Promise<boolean>
  /** Forgets the records of a kind that were made before then, in milliseconds; gives how many. Asked of `audit` alone. */
  prune?(kind: RecordKind, before: number): Promise<number>
}
