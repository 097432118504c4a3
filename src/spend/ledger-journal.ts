import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LedgerEntry } from '../ports/ledger.js'
import { fromLine } from './ledger-lines.js'

/** What was found in a file of the journal. */
export interface JournalContent {
  readonly entries: readonly LedgerEntry[]
  /** Lines that are no entries: one that a crash cut off, at most, unless the disk is faulty. */
  readonly malformed: number
}

/** Files of ledger entries, one JSON line each, in a directory that several processes may share. */
export interface LedgerJournal {
  /** A name that no other file has. */
  readonly newFile: () => string
  /** Adds lines to a file, and waits until they are on the disk. */
  append(file: string, lines: readonly string[]): Promise<void>
  /** Undefined where the file is gone: another process took it over. */
  read(file: string): Promise<JournalContent | undefined>
  remove(file: string): Promise<void>
  /** Takes over every file that is there, under new names. */
  adopt(): Promise<readonly string[]>
}

/** Opens a journal; the directory is created with the first file, and readable by its owner only. */
export function openLedgerJournal(directory: string, createId: () => string): LedgerJournal {
  const pathOf = (file: string): string => join(directory, file)
  const newFile = (): string => `ledger-${createId()}.jsonl`
  /** Files of this process; they exist or are about to. */
  const own = new Set<string>()

  return {
    newFile() {
      const file = newFile()
      own.add(file)
      return file
    },
    async append(file, lines) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      // By its path each time: a file that another process took over begins anew.
      const handle = await open(pathOf(file), 'a', 0o600)
      try {
        // A line that an earlier failure cut off must not swallow the next one.
        await handle.appendFile(`\n${lines.join('\n')}\n`)
        await handle.datasync()
      } finally {
        await handle.close()
      }
    },
    async read(file) {
      const text = await readFile(pathOf(file), 'utf8').catch(unlessMissing)
      if (text === undefined) return undefined
      const lines = text.split('\n').filter((line) => line !== '')
      const entries = lines.map(fromLine).filter((entry) => entry !== undefined)
      return { entries, malformed: lines.length - entries.length }
    },
    async remove(file) {
      await rm(pathOf(file), { force: true })
      own.delete(file)
    },
    async adopt() {
      const names = (await readdir(directory).catch(unlessMissing)) ?? []
      const adopted: string[] = []
      for (const name of names.filter((file) => /^ledger-.+\.jsonl$/.test(file) && !own.has(file)).toSorted()) {
        const file = newFile()
        own.add(file)
        const renamed = await rename(pathOf(name), pathOf(file)).then(() => true, unlessMissing)
        if (renamed) adopted.push(file)
      }
      return adopted
    },
  }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
