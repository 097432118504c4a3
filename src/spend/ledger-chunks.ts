import type { LedgerEntry } from '../ports/ledger.js'
import { fromLine, toLine } from './ledger-lines.js'

/** Rows that are written together and lie in one file of the journal. */
export interface Chunk {
  /** Undefined where only the journal has them. */
  readonly rows: LedgerEntry[] | undefined
  readonly file: string | undefined
  /** Lines that are not in the journal yet. */
  readonly unsaved: string[]
  /** How many rows it has; 0 for a file of another process until it is read. */
  count: number
  /** How often the store refused it as a whole. */
  failures: number
}

/** Bounds of what waits. */
export interface ChunkLimits {
  readonly maxQueued: number
  readonly maxJournaled: number
  readonly batchSize: number
  /** Names the next file of the journal; undefined without one. */
  readonly newFile: (() => string) | undefined
}

/** The rows that wait for the store, oldest first, in chunks of a batch each. */
export interface Chunks {
  /** Adds a row to the open chunk; undefined where there is no room. */
  add(entry: LedgerEntry): Chunk | undefined
  /** Adds a file that another process left. */
  adopt(file: string): void
  /** Lets no more rows into the open chunk. */
  seal(): void
  /** The oldest that is sealed. */
  first(): Chunk | undefined
  /** Corrects how many rows a chunk has. */
  recount(chunk: Chunk, rows: number): void
  /** Lets the others go first. */
  postpone(chunk: Chunk): void
  remove(chunk: Chunk): void
  /** The rows that would be gone with the process. */
  unsafe(): readonly LedgerEntry[]
  readonly pending: number
  /** No chunk is left, not even one whose rows are not counted yet. */
  readonly isEmpty: boolean
  /** There is a chunk that need not wait for more rows. */
  readonly isDue: boolean
}

/** Builds the empty list. */
export function createChunks({ maxQueued, maxJournaled, batchSize, newFile }: ChunkLimits): Chunks {
  const sealed = new Set<Chunk>()
  let open: Chunk | undefined
  let [pending, inMemory] = [0, 0]

  function seal(): void {
    if (open) sealed.add(open)
    open = undefined
  }

  /** Beyond the memory's bound rows go to the journal only. */
  function openChunk(): Chunk | undefined {
    const isMemoryFull = inMemory >= maxQueued
    if (isMemoryFull && (!newFile || pending >= maxQueued + maxJournaled)) return undefined
    if (open && (open.rows === undefined) !== isMemoryFull) seal()
    open ??= { rows: isMemoryFull ? undefined : [], file: newFile?.(), unsaved: [], count: 0, failures: 0 }
    return open
  }

  return {
    add(entry) {
      const chunk = openChunk()
      if (!chunk) return undefined
      if (chunk.file !== undefined) chunk.unsaved.push(toLine(entry))
      if (chunk.rows) {
        chunk.rows.push(entry)
        inMemory += 1
      }
      chunk.count += 1
      pending += 1
      if (chunk.count >= batchSize) seal()
      return chunk
    },
    adopt: (file) => void sealed.add({ rows: undefined, file, unsaved: [], count: 0, failures: 0 }),
    seal,
    first: () => sealed.values().next().value,
    recount(chunk, rows) {
      pending += rows - chunk.count
      chunk.count = rows
    },
    postpone(chunk) {
      sealed.delete(chunk)
      sealed.add(chunk)
    },
    remove(chunk) {
      if (!sealed.delete(chunk)) return
      pending -= chunk.count
      inMemory -= chunk.rows?.length ?? 0
    },
    unsafe() {
      const all = open ? [...sealed, open] : [...sealed]
      return all.flatMap(({ file, rows, unsaved }) => (file === undefined ? (rows ?? []) : toEntries(unsaved)))
    },
    get pending() {
      return pending
    },
    get isEmpty() {
      return sealed.size === 0 && !open
    },
    get isDue() {
      return sealed.size > 0
    },
  }
}

/** The entries of lines, without those that are none. */
export function toEntries(lines: readonly string[]): readonly LedgerEntry[] {
  return lines.map(fromLine).filter((entry) => entry !== undefined)
}
