import type { Logger } from '../ports.js'
import type { LedgerEntry } from '../ports/ledger.js'
import { type Chunk, toEntries } from './ledger-chunks.js'
import type { LedgerJournal } from './ledger-journal.js'

/** Keeps chunks in the journal; whatever fails there is told to the logger, once until it works again. */
export interface LedgerFiles {
  /** Writes the new lines of a chunk, together with all that come while the disk is busy. */
  save(chunk: Chunk): void
  /** The rows of a chunk that only the journal has; undefined while they cannot be read. */
  load(chunk: Chunk): Promise<readonly LedgerEntry[] | undefined>
  remove(chunk: Chunk): void
  /** Hands over the files that other processes left, one by one. */
  adopt(each: (file: string) => void): void
  /** Resolves when nothing is left to do, or what is left fails. */
  idle(): Promise<void>
  /** Lines that wait for the disk. */
  readonly unsaved: number
}

/** Builds it; operations on the disk run one after the other. */
export function createLedgerFiles(journal: LedgerJournal, logger: Logger): LedgerFiles {
  const unsavedChunks = new Set<Chunk>()
  let unsaved = 0
  let last: Promise<void> = Promise.resolve()
  let saving = false
  let failing = false

  function soon(work: () => Promise<void>): void {
    last = last.then(work).then(
      () => void (failing = false),
      (error: unknown) => {
        if (!failing) logger.error({ error }, 'the ledger journal fails')
        failing = true
      },
    )
  }

  async function saveAll(): Promise<void> {
    saving = false
    for (const chunk of unsavedChunks) {
      const lines = [...chunk.unsaved]
      if (chunk.file !== undefined && lines.length > 0) await journal.append(chunk.file, lines)
      chunk.unsaved.splice(0, lines.length)
      unsaved -= lines.length
      if (chunk.unsaved.length === 0) unsavedChunks.delete(chunk)
    }
  }

  return {
    save(chunk) {
      unsavedChunks.add(chunk)
      unsaved += 1
      if (!saving) soon(saveAll)
      saving = true
    },
    async load(chunk) {
      await last
      if (chunk.file === undefined) return []
      try {
        const content = await journal.read(chunk.file)
        const { malformed = 0, entries = [] } = content ?? {}
        if (malformed > 0) logger.warn({ file: chunk.file, malformed }, 'the ledger journal has lines that are cut off')
        return [...entries, ...toEntries(chunk.unsaved)]
      } catch (error) {
        logger.error({ error, file: chunk.file }, 'the ledger journal cannot be read')
        return undefined
      }
    },
    remove(chunk) {
      soon(async () => {
        // What has reached the store need not reach the disk.
        unsaved -= chunk.unsaved.splice(0).length
        unsavedChunks.delete(chunk)
        if (chunk.file !== undefined) await journal.remove(chunk.file)
      })
    },
    adopt: (each) => soon(async () => (await journal.adopt()).forEach(each)),
    idle: () => last,
    get unsaved() {
      return unsaved
    },
  }
}
