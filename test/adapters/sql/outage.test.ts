import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { type PostgresPool, type SqlDatabase, mysql, postgres, sqlStores } from '../../../adapters/sql.js'
import { systemClock } from '../../../src/clock.js'
import { createLedgerQueue } from '../../../src/spend/ledger-queue.js'
import { sampleEntry } from '../../../src/testing/contracts/sample-entry.js'
import { createCutProxy } from '../../spend/soak/cut-proxy.mjs'
import { FakeClock } from '../../support/fake-clock.js'
import { hasService, serviceUrls } from '../../support/services.js'
import { type TestDatabase, migratedStores, openPostgres, openSqlite } from './databases.js'

const closers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function openTest(): Promise<TestDatabase> {
  const test = await openPostgres()
  if (!test) throw new Error('no database')
  closers.push(() => test.close())
  return test
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const ann = { kind: 'user', id: 'ann' } as const

describe.runIf(await hasService('postgres'))('a database that goes away', () => {
  it('gets every row once after it is back, while calls went on', { timeout: 60_000 }, async () => {
    const test = await openTest()
    const { ledger } = await migratedStores(test)
    const proxy = await createCutProxy(serviceUrls.postgres)
    closers.push(() => proxy.close())
    const pool = new Pool({ connectionString: proxy.url, max: 4 })
    pool.on('error', () => {})
    closers.push(() => pool.end())
    const store = sqlStores(postgres(pool), { prefix: test.prefix }).ledger
    const queue = createLedgerQueue({ store, clock: systemClock, logger: quiet, delayMs: 20, deadlineMs: 2_000 })
    let sent = 0
    const send = async (milliseconds: number): Promise<void> => {
      for (const until = Date.now() + milliseconds; Date.now() < until; await pause(2)) {
        for (let n = 0; n < 5; n += 1) queue.add(sampleEntry({ id: `e${(sent += 1)}`, charged: 1_000_001n }))
      }
    }
    for (let round = 0; round < 3; round += 1) {
      await send(300)
      proxy.cut()
      await send(400)
      proxy.mend()
    }
    expect(await queue.flush(30_000)).toBe(true)
    expect([queue.written, queue.lost]).toEqual([sent, 0])
    expect(await ledger.total(ann, 0)).toBe(BigInt(sent) * 1_000_001n)
    expect((await ledger.report({ fromDay: '2026-11-25', untilDay: '2026-11-25', by: [] }))[0]?.calls).toBe(sent)
  })

  it('counts a batch once whose commit was not heard of', async () => {
    const test = await openTest()
    const { ledger } = await migratedStores(test)
    const pool = new Pool({ connectionString: serviceUrls.postgres, max: 2 })
    closers.push(() => pool.end())
    let deaf = true
    const deafPool: PostgresPool = {
      query: (query) => pool.query(query),
      async connect() {
        const client = await pool.connect()
        return {
          async query(query) {
            const result = await client.query(query)
            if (query.text !== 'COMMIT' || !deaf) return result
            deaf = false
            throw new Error('Connection terminated unexpectedly')
          },
          release: (broken) => client.release(broken),
          on: (event, listener) => client.on(event, listener),
          removeListener: (event, listener) => client.removeListener(event, listener),
        }
      },
    }
    const store = sqlStores(postgres(deafPool), { prefix: test.prefix }).ledger
    const queue = createLedgerQueue({ store, clock: systemClock, logger: quiet, delayMs: 1 })
    for (let n = 0; n < 10; n += 1) queue.add(sampleEntry({ id: `e${n}`, charged: 1n }))
    expect(await queue.flush(10_000)).toBe(true)
    expect(deaf).toBe(false)
    expect(await ledger.total(ann, 0)).toBe(10n)
  })

  it('takes nothing of a transaction that fails on its way', async () => {
    const test = await openTest()
    const { ledger } = await migratedStores(test)
    await test.run(`ALTER TABLE ${test.prefix}spend_hours ADD CONSTRAINT no_more CHECK (charged < 100)`)
    await ledger.append([sampleEntry({ id: 'a', charged: 60n })])
    await expect(ledger.append([sampleEntry({ id: 'b', charged: 60n })])).rejects.toThrow(/no_more/)
    expect((await ledger.query({})).entries.map(({ id }) => id)).toEqual(['a'])
    expect((await ledger.report({ fromDay: '2026-11-25', untilDay: '2026-11-25', by: ['user'] }))[0]?.charged).toBe(60n)
  })

  it('does not end the process when it drops a connection in the middle of a transaction', async () => {
    const test = await openTest()
    await migratedStores(test)
    const pool = new Pool({ connectionString: serviceUrls.postgres, max: 1 })
    pool.on('error', () => {})
    closers.push(() => pool.end())
    const work = postgres(pool).transact(function* () {
      yield { sql: 'SELECT pg_terminate_backend(pg_backend_pid())', values: [] }
    })
    await expect(work).rejects.toThrow()
    await pause(50)
    await expect(sqlStores(postgres(pool), { prefix: test.prefix }).ledger.query({})).resolves.toMatchObject({
      entries: [],
    })
  })
})

describe('an SQLite file that another process writes', () => {
  it('is waited for, without holding up this process', async () => {
    const test = await openSqlite()
    closers.push(() => test.close())
    const { ledger } = await migratedStores(test)
    const { rows } = await test.peer.query({ sql: 'SELECT 1 AS one', values: [] })
    expect(rows).toEqual([{ one: 1 }])
    await test.run('PRAGMA busy_timeout = 0')
    await test.runOther('BEGIN IMMEDIATE')
    const append = ledger.append([sampleEntry({ id: 'a', charged: 1n })])
    await pause(30)
    await test.runOther('COMMIT')
    await append
    expect(await ledger.total(ann, 0)).toBe(1n)
  })
})

describe('a database that is full', () => {
  it('loses no row, although it takes those that it has already', { timeout: 60_000 }, async () => {
    const test = await openSqlite()
    closers.push(() => test.close())
    const { ledger } = await migratedStores(test)
    const clock = new FakeClock()
    const queue = createLedgerQueue({ store: ledger, clock, logger: quiet })
    const send = async (from: number, until: number): Promise<void> => {
      for (let n = from; n < until; n += 1) queue.add(sampleEntry({ id: `e${n}`, at: clock.now(), charged: 1n }))
      for (let passed = 0; passed < 20_000; passed += 100) {
        clock.advance(100)
        for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await send(0, 10)
    expect(queue.written).toBe(10)
    await test.run('PRAGMA max_page_count = 1')
    await send(10, 500)
    expect(queue.lost).toBe(0)
    await test.run('PRAGMA max_page_count = 1000000')
    await send(500, 501)
    expect([queue.written, queue.pending, queue.lost]).toEqual([501, 0, 0])
    expect(await ledger.total(ann, 0)).toBe(501n)
  })

  it.each([
    ['PostgreSQL', postgres({ connect: unused, query: unused }), { code: '53100' }, { code: '22003' }],
    ['MySQL', mysql({ getConnection: unused, execute: unused }), { errno: 1114 }, { errno: 1264 }],
  ])('is told from a row that %s refuses', async (_, database, full, refused) => {
    const failing = (error: unknown): SqlDatabase => ({ ...database, transact: () => Promise.reject(error) })
    const append = (error: unknown) => {
      return sqlStores(failing(error)).ledger.append([sampleEntry({ id: 'a' })])
    }
    await expect(append(full)).rejects.toMatchObject({ kind: 'unavailable', cause: full })
    await expect(append(refused)).rejects.toBe(refused)
  })
})

function unused(): never {
  throw new Error('is not asked')
}
