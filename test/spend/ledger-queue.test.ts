import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/clock.js'
import type { LedgerEntry } from '../../src/ports/ledger.js'
import { fromLine, toLine } from '../../src/spend/ledger-lines.js'
import { type LedgerQueueOptions, type LossReason, createLedgerQueue } from '../../src/spend/ledger-queue.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { hostileTexts, sampleEntry } from '../../src/testing/contracts/sample-entry.js'
import { FakeClock } from '../support/fake-clock.js'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
  folders.push(folder)
  return folder
}

/** A store that can be down, hang, or refuse single rows; counts what it is asked. */
function fakeStore() {
  const ledger = createMemoryLedger()
  const store = {
    mode: 'up' as 'up' | 'down' | 'hangs',
    poison: new Set<string>(),
    appends: 0,
    hanging: 0,
    released: [] as (() => void)[],
    ids: new Set<string>(),
    async append(entries: readonly LedgerEntry[]): Promise<void> {
      store.appends += 1
      if (store.mode === 'hangs') {
        store.hanging += 1
        await new Promise<void>((resolve) => store.released.push(resolve))
      }
      if (store.mode === 'down') throw new Error('ECONNREFUSED')
      if (entries.some(({ id }) => store.poison.has(id))) throw new Error('value out of range')
      await ledger.append(entries)
      for (const { id } of entries) store.ids.add(id)
    },
    ledger,
  }
  return store
}

function setUp(options: Partial<LedgerQueueOptions> = {}) {
  const clock = new FakeClock()
  const store = fakeStore()
  const losses: [string, LossReason][] = []
  const logged: string[] = []
  const log = (_: object, message: string): void => void logged.push(message)
  const queue = createLedgerQueue({
    store,
    clock,
    logger: { debug: log, info: log, warn: log, error: log },
    onOverflow: (entries, reason) => losses.push(...entries.map(({ id }): [string, LossReason] => [id, reason])),
    ...options,
  })
  /** Lets time pass in small steps, and what waits for it go on. */
  const pass = async (milliseconds: number): Promise<void> => {
    for (let left = milliseconds; left > 0; left -= 50) {
      clock.advance(Math.min(50, left))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const add = (from: number, until: number): void => {
    for (let n = from; n < until; n += 1) queue.add(sampleEntry({ id: `e${n}`, at: clock.now(), charged: 1n }))
  }
  return { clock, store, losses, logged, queue, pass, add }
}

const range = (from: number, until: number): string[] =>
  Array.from({ length: until - from }, (_, index) => `e${from + index}`)

describe('the ledger queue', () => {
  it('writes rows together, 200 ms after the first', async () => {
    const { queue, store, pass, add } = setUp()
    add(0, 3)
    await pass(150)
    expect([store.appends, queue.pending]).toEqual([0, 3])
    add(3, 5)
    await pass(50)
    expect([store.appends, queue.pending, queue.written]).toEqual([1, 0, 5])
  })

  it('does not wait for more than a batch', async () => {
    const { queue, store, pass, add } = setUp({ batchSize: 10 })
    add(0, 25)
    await pass(1)
    expect([store.appends, queue.written]).toEqual([3, 25])
  })

  it('keeps rows while the store is away, and writes each once it is back', async () => {
    const { queue, store, pass, add, losses } = setUp({ batchSize: 10 })
    store.mode = 'down'
    add(0, 95)
    await pass(60_000)
    add(95, 100)
    expect([queue.pending, queue.written, queue.lost]).toEqual([100, 0, 0])
    store.mode = 'up'
    await pass(2_500)
    expect([queue.pending, queue.written, queue.lost]).toEqual([0, 100, 0])
    expect(store.ids).toEqual(new Set(range(0, 100)))
    expect(losses).toEqual([])
  })

  it('tells once that the store is away, and once that it is back', async () => {
    const { store, pass, add, logged } = setUp()
    store.mode = 'down'
    add(0, 5)
    await pass(30_000)
    store.mode = 'up'
    await pass(3_000)
    expect(logged).toEqual(['the ledger store takes no rows', 'the ledger store takes rows'])
  })

  it('asks a store that hangs for two batches at most, and goes on when it answers again', async () => {
    const { queue, store, pass, add } = setUp({ batchSize: 10 })
    store.mode = 'hangs'
    add(0, 50)
    await pass(120_000)
    expect([store.hanging, queue.pending, queue.lost]).toEqual([2, 50, 0])
    store.mode = 'up'
    for (const release of store.released) release()
    await pass(5_000)
    expect([queue.written, queue.pending, queue.lost]).toEqual([50, 0, 0])
  })

  it('goes on after batches that are never answered', async () => {
    const { queue, store, pass, add } = setUp({ batchSize: 10 })
    store.mode = 'hangs'
    add(0, 50)
    await pass(120_000)
    store.mode = 'up'
    await pass(300_000)
    add(50, 60)
    await pass(1_000)
    expect([queue.written, queue.pending, queue.lost]).toEqual([60, 0, 0])
  })

  it('gives up what it has no room for, and says so', async () => {
    const { queue, store, pass, add, losses } = setUp({ maxQueued: 20, batchSize: 10 })
    store.mode = 'down'
    add(0, 23)
    expect([queue.pending, queue.lost]).toEqual([20, 3])
    expect(losses).toEqual(range(20, 23).map((id) => [id, 'full']))
    store.mode = 'up'
    await pass(5_000)
    expect([queue.pending, queue.written, queue.lost]).toEqual([0, 20, 3])
  })

  it.each([
    ['alone', 1, [0]],
    ['first of a batch', 30, [0]],
    ['last of a batch', 30, [29]],
    ['several in a row', 30, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]],
    ['most of a batch', 30, Array.from({ length: 29 }, (_, n) => n)],
  ])('sorts out rows that the store refuses: %s', async (_, count, poisoned) => {
    const { queue, store, pass, add, losses } = setUp({ batchSize: 30 })
    add(1_000, 1_001)
    await pass(200)
    for (const n of poisoned) store.poison.add(`e${n}`)
    add(0, count)
    add(100, 130)
    await pass(20_000)
    expect([queue.pending, queue.lost]).toEqual([0, poisoned.length])
    expect(losses.map(([id]) => id).toSorted()).toEqual(poisoned.map((n) => `e${n}`).toSorted())
    expect(losses.every(([, reason]) => reason === 'refused')).toBe(true)
    expect(queue.written).toBe(1 + count + 30 - poisoned.length)
    expect(range(100, 130).every((id) => store.ids.has(id))).toBe(true)
  })

  it('does not blame rows for an outage that begins while it looks for one', async () => {
    const { queue, store, pass, add, losses } = setUp({ batchSize: 30 })
    store.poison.add('e5')
    const append = store.append.bind(store)
    let calls = 0
    store.append = async (entries) => {
      calls += 1
      if (calls > 9 && calls < 40) throw new Error('ECONNREFUSED')
      return append(entries)
    }
    add(0, 30)
    await pass(60_000)
    expect(losses).toEqual([['e5', 'refused']])
    expect([queue.pending, queue.written]).toEqual([0, 29])
  })

  it('keeps rows that wait for room, however it comes and goes', async () => {
    const { queue, store, pass, add, losses } = setUp({ batchSize: 30 })
    const ledger = createMemoryLedger({ maxEntries: 20 })
    store.append = (entries) => ledger.append(entries, { tell: true })
    add(0, 100)
    for (let told = 0; told < 100; told += 1) {
      await pass(1_000)
      const [event] = await ledger.takeEvents({ limit: 1, now: 0, until: 1 })
      if (event) await ledger.forgetEvents([event.id])
    }
    await pass(1_000)
    expect([losses, queue.pending, queue.written]).toEqual([[], 0, 100])
  })

  it('flushes before the time is up, and counts what a close leaves without a journal', async () => {
    const { queue, store, pass, add, losses } = setUp()
    add(0, 3)
    expect(await queue.flush(1_000)).toBe(true)
    expect(queue.written).toBe(3)
    store.mode = 'down'
    add(3, 5)
    const closing = queue.close(1_000)
    await pass(2_500)
    await closing
    queue.add(sampleEntry({ id: 'late' }))
    expect(losses).toEqual([...range(3, 5), 'late'].map((id) => [id, 'closed']))
  })

  it('is not harmed by an onOverflow that throws', () => {
    const { queue, add } = setUp({
      maxQueued: 1,
      onOverflow: () => {
        throw new Error('of the host')
      },
    })
    add(0, 2)
    expect(queue.lost).toBe(1)
  })
})

describe('the journal of the ledger queue', () => {
  const rowsIn = (folder: string): LedgerEntry[] =>
    readdirSync(folder).flatMap((file) =>
      readFileSync(join(folder, file), 'utf8')
        .split('\n')
        .map(fromLine)
        .filter((entry) => entry !== undefined),
    )

  it('keeps every field of an entry, money and odd texts included', () => {
    fc.assert(
      fc.property(
        fc.bigInt(),
        fc.string({ unit: 'binary' }),
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
        (money, text, metadata) => {
          const entry = sampleEntry({ id: text, charged: money, cost: -money, tags: [text], metadata })
          const plain: unknown = JSON.parse(JSON.stringify(metadata))
          expect(fromLine(toLine(entry))).toEqual({ ...entry, metadata: plain })
        },
      ),
      { numRuns: 50 },
    )
    for (const text of hostileTexts) {
      const bare = sampleEntry({
        id: text,
        firstTokenMs: undefined,
        endUser: undefined,
        metadata: undefined,
        price: null,
      })
      expect(fromLine(toLine(bare))).toStrictEqual(bare)
    }
  })

  it('has a row before the store does, and none that the store has', async () => {
    const journalDirectory = newFolder()
    const { queue, pass, add } = setUp({ journalDirectory })
    add(0, 5)
    await vi.waitFor(() => expect(rowsIn(journalDirectory).map(({ id }) => id)).toEqual(range(0, 5)))
    await pass(200)
    expect(queue.written).toBe(5)
    await vi.waitFor(() => expect(readdirSync(journalDirectory)).toEqual([]))
  })

  it('gives the rows of a process that was killed to the next one', async () => {
    const journalDirectory = newFolder()
    const killed = setUp({ journalDirectory, batchSize: 4 })
    killed.store.mode = 'down'
    killed.add(0, 10)
    await vi.waitFor(() => expect(rowsIn(journalDirectory)).toHaveLength(10))
    const next = setUp({ journalDirectory })
    next.add(10, 12)
    await vi.waitFor(async () => {
      await next.pass(200)
      expect(next.store.ids).toEqual(new Set(range(0, 12)))
      expect(readdirSync(journalDirectory)).toEqual([])
    })
    expect([next.queue.written, next.queue.pending, next.queue.lost]).toEqual([12, 0, 0])
  })

  it('reads past a last line that was cut off, and past lines that are none', async () => {
    const journalDirectory = newFolder()
    const lines = [0, 1].map((n) => toLine(sampleEntry({ id: `e${n}`, charged: 1n })))
    writeFileSync(join(journalDirectory, 'ledger-old.jsonl'), `${lines.join('\n')}\n{"id":"torn","co`)
    writeFileSync(join(journalDirectory, 'ledger-odd.jsonl'), `{}\n\u0000\u0000\n[1]\n${lines[0]}\n`)
    writeFileSync(join(journalDirectory, 'not-ours.jsonl'), 'x')
    const { store, pass, logged } = setUp({ journalDirectory })
    await vi.waitFor(async () => {
      await pass(200)
      expect(readdirSync(journalDirectory)).toEqual(['not-ours.jsonl'])
    })
    expect(store.ids).toEqual(new Set(range(0, 2)))
    expect(logged.filter((message) => message.includes('cut off'))).toHaveLength(2)
  })

  it('begins a new line after one that was cut off', async () => {
    const journalDirectory = newFolder()
    const { store, add } = setUp({ journalDirectory, createId: () => 'same' })
    store.mode = 'down'
    add(0, 1)
    await vi.waitFor(() => expect(rowsIn(journalDirectory)).toHaveLength(1))
    appendFileSync(join(journalDirectory, 'ledger-same.jsonl'), '{"id":"torn')
    add(1, 2)
    await vi.waitFor(() => expect(rowsIn(journalDirectory).map(({ id }) => id)).toEqual(range(0, 2)))
  })

  it('holds more rows than the memory, and writes them all when the store is back', async () => {
    const journalDirectory = newFolder()
    const { queue, store, pass, add, losses } = setUp({
      journalDirectory,
      maxQueued: 50,
      maxJournaled: 1_000,
      batchSize: 20,
    })
    store.mode = 'down'
    for (let n = 0; n < 400; n += 40) {
      add(n, n + 40)
      await vi.waitFor(() => expect(rowsIn(journalDirectory)).toHaveLength(n + 40))
    }
    expect([queue.pending, queue.lost]).toEqual([400, 0])
    store.mode = 'up'
    await vi.waitFor(async () => {
      await pass(500)
      expect(queue.written).toBe(400)
    })
    expect(store.ids).toEqual(new Set(range(0, 400)))
    expect(losses).toEqual([])
    await vi.waitFor(() => expect(readdirSync(journalDirectory)).toEqual([]))
  })

  it('gives up rows beyond the bound of the journal, and says so', async () => {
    const journalDirectory = newFolder()
    const { queue, store, add, losses } = setUp({ journalDirectory, maxQueued: 10, maxJournaled: 5, batchSize: 5 })
    store.mode = 'down'
    add(0, 17)
    expect([queue.pending, queue.lost]).toEqual([15, 2])
    expect(losses).toEqual(range(15, 17).map((id) => [id, 'full']))
  })

  it('goes on in memory where the directory cannot be written', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'file'), '')
    const { queue, pass, add, losses } = setUp({ journalDirectory: join(folder, 'file', 'below') })
    add(0, 5)
    await vi.waitFor(async () => {
      await pass(200)
      expect(queue.written).toBe(5)
    })
    expect(losses).toEqual([])
  })

  it('keeps the rows that a close could not write', async () => {
    const journalDirectory = newFolder()
    const { queue, store, pass, add, losses } = setUp({ journalDirectory })
    store.mode = 'down'
    add(0, 5)
    await vi.waitFor(() => expect(rowsIn(journalDirectory)).toHaveLength(5))
    const closing = queue.close(500)
    await pass(2_000)
    await closing
    expect(losses).toEqual([])
    expect(rowsIn(journalDirectory).map(({ id }) => id)).toEqual(range(0, 5))
  })

  it('loses and doubles nothing where processes share the directory', async () => {
    const journalDirectory = newFolder()
    const store = fakeStore()
    const queues = Array.from({ length: 4 }, (_, process) => {
      const queue = createLedgerQueue({
        store,
        clock: systemClock,
        logger: { debug() {}, info() {}, warn() {}, error() {} },
        journalDirectory,
        delayMs: 5,
        batchSize: 7,
      })
      for (let n = 0; n < 100; n += 1) queue.add(sampleEntry({ id: `${process}/${n}`, charged: 1n }))
      return queue
    })
    await Promise.all(queues.map((queue) => queue.close(10_000)))
    expect(store.ids.size).toBe(400)
    expect(await store.ledger.total({ kind: 'user', id: 'ann' }, 0)).toBe(400n)
    expect(queues.map(({ lost, pending }) => [lost, pending])).toEqual(queues.map(() => [0, 0]))
    expect(readdirSync(journalDirectory)).toEqual([])
  })
})
