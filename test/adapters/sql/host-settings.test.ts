import Sqlite from 'better-sqlite3'
import { createPool } from 'mysql2'
import { createPool as createPromisePool } from 'mysql2/promise'
import { Pool, types } from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { type SqlDatabase, mysql, postgres, sqlite, sqlStores } from '../../../adapters/sql.js'
import { sampleEntry, sampleTime } from '../../../src/testing/contracts/sample-entry.js'
import { hasService, serviceUrls } from '../../support/services.js'
import { type TestDatabase, testDatabases } from './databases.js'

const huge = 123_456_789_012_345_678_901n
const ann = { kind: 'user', id: 'ann' } as const

/** What must work whatever the host has set for its driver. */
async function useAll(database: SqlDatabase, test: TestDatabase): Promise<void> {
  const stores = sqlStores(database, { prefix: test.prefix })
  await stores.migrate()
  const entry = sampleEntry({ id: 'a', charged: huge, failure: 'it\'s "odd" \\ ? $1' })
  await stores.ledger.append([entry])
  expect((await stores.ledger.query({ scope: ann })).entries).toEqual([entry])
  expect(await stores.ledger.total(ann, 0)).toBe(huge)
  expect(await stores.ledger.total(ann, sampleTime, sampleTime + 1)).toBe(huge)
  expect(await stores.ledger.report({ fromDay: '2026-11-25', untilDay: '2026-11-25', by: ['day'] })).toMatchObject([
    { group: ['2026-11-25'], charged: huge, calls: 1, inputTokens: 15 },
  ])
  await stores.records.insert('key', { id: 'k', data: { n: 1 } })
  expect(await stores.records.get('key', 'k')).toMatchObject({ version: 1, data: { n: 1 } })
  await stores.counters.seed('t', [{ counter: 'c', spent: 5, until: 1 }])
  const [level] = await stores.counters.read('t', [{ counter: 'c', kind: 'budget', amount: 0, limit: 9 }])
  expect(level).toMatchObject({ used: 5, held: 0 })
}

for (const [name, open] of Object.entries(testDatabases)) {
  const test = await open()
  if (!test) continue
  // Here rather than in the suite: it runs although a filter skips the suite.
  afterAll(() => test.close())
  describe(`migrations printed for ${name}`, () => {
    it('make a database that migrate leaves as it is, and may run again', async () => {
      const stores = sqlStores(test.database, { prefix: test.prefix })
      for (let times = 0; times < 2; times += 1) await test.run(stores.printMigrations())
      await stores.migrate()
      const { rows } = await test.database.query({ sql: `SELECT version FROM ${test.prefix}migrations`, values: [] })
      expect(rows.map(({ version }) => Number(version))).toEqual([1, 2, 3, 4, 5, 6])
      await useAll(test.database, test)
    })
  })
}

const hasPostgres = await hasService('postgres')
const hasMysql = await hasService('mysql')

describe('the settings of a host', () => {
  it.runIf(hasPostgres)('may parse PostgreSQL types as they like', async () => {
    const test = await testDatabases['postgres']?.()
    if (!test) throw new Error('no database')
    const pool = new Pool({
      connectionString: serviceUrls.postgres,
      options: '-c default_transaction_isolation=serializable',
    })
    const kept = [20, 1700, 21].map((oid) => [oid, types.getTypeParser(oid)] as const)
    try {
      for (const [oid] of kept) types.setTypeParser(oid, () => 'parsed by the host')
      await useAll(postgres(pool), test)
    } finally {
      for (const [oid, parser] of kept) types.setTypeParser(oid, parser)
      await pool.end()
      await test.close()
    }
  })

  it.runIf(hasMysql).each([
    ['numbers', { decimalNumbers: true }],
    ['strings', { supportBigNumbers: true, bigNumberStrings: true }],
    ['arrays', { rowsAsArray: true }],
    ['named placeholders', { namedPlaceholders: true }],
  ])('may ask MySQL for %s', async (_, options) => {
    const test = await testDatabases['mysql']?.()
    if (!test) throw new Error('no database')
    const pool = createPromisePool({ uri: serviceUrls.mysql, ...options })
    await useAll(mysql(pool), test)
    await pool.end()
    await test.close()
  })

  it.runIf(hasMysql)('may have MySQL read text its own way, over a pool with callbacks', async () => {
    const test = await testDatabases['mysql']?.()
    if (!test) throw new Error('no database')
    const pool = createPool({ uri: serviceUrls.mysql })
    pool.on('connection', (connection) => {
      connection.query("SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,STRICT_ALL_TABLES'")
    })
    await useAll(mysql(pool), test)
    await pool.promise().end()
    await test.close()
  })

  it('may have SQLite give big integers', async () => {
    const database = new Sqlite(':memory:')
    database.defaultSafeIntegers(true)
    const run = async (sql: string): Promise<void> => void database.exec(sql)
    await useAll(sqlite(database), {
      database: sqlite(database),
      peer: sqlite(database),
      prefix: 'x_',
      run,
      close: async () => void database.close(),
    })
  })

  it('may choose the prefix, but not put SQL into it', () => {
    const database = sqlite(new Sqlite(':memory:'))
    expect(sqlStores(database, { prefix: 'Billing.llm_' }).printMigrations()).toContain('Billing.llm_ledger')
    for (const prefix of ['', 'a b', 'x;--', "'", 'a.b.c', '1a', 'x'.repeat(99)]) {
      expect(() => sqlStores(database, { prefix })).toThrow(TypeError)
    }
  })
})
