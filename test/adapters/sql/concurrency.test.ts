import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mysql, sqlStores } from '../../../adapters/sql.js'
import { ask } from '../../../adapters/sql/database.js'
import { type CompiledSources, compileSources } from '../../support/compiled-sources.js'
import { serviceUrls } from '../../support/services.js'
import { testDatabases } from './databases.js'

const run = promisify(execFile)
const root = new URL('../../..', import.meta.url).pathname
const processes = ['a', 'b', 'c', 'd']
const rowsEach = 600
let sources: CompiledSources

beforeAll(() => {
  sources = compileSources()
}, 120_000)
afterAll(() => sources.remove())

describe("a lock of MySQL, which is the connection's and not the transaction's", () => {
  it('is given back after the commit, and after a rollback too', async () => {
    const said: string[] = []
    const connection = {
      execute: async ({ sql }: { sql: string }): Promise<[unknown, unknown]> => {
        said.push(sql)
        if (sql === 'SELECT fails') throw new Error('fails')
        return [[{ locked: 1 }], undefined]
      },
      query: async (sql: string) => void said.push(sql),
      release: () => void said.push('released'),
      destroy: () => void said.push('destroyed'),
    }
    const database = mysql({ execute: connection.execute, getConnection: async () => connection })
    const work = (sql: string) =>
      database.transact(function* () {
        yield* ask(sql)
      }, 'lock')
    await work('SELECT works')
    const [lock, , begin] = said
    expect(said.slice(3)).toEqual(['SELECT works', 'COMMIT', 'SELECT RELEASE_LOCK(?)', 'released'])
    said.length = 0
    await expect(work('SELECT fails')).rejects.toThrow('fails')
    expect([said[0], said[2]]).toEqual([lock, begin])
    expect(said.slice(3)).toEqual(['SELECT fails', 'ROLLBACK', 'SELECT RELEASE_LOCK(?)', 'released'])
  })
})

for (const [name, open] of Object.entries(testDatabases)) {
  const test = await open()
  if (!test) continue
  // Here rather than in the suite: it runs although a filter skips the suite.
  afterAll(() => test.close())
  const { database, peer, prefix } = test

  describe(`${name} with many at once`, () => {
    it('migrates once where ten start at the same moment, and again without a change', async () => {
      const ten = Array.from({ length: 10 }, (_, index) => sqlStores(index % 2 ? database : peer, { prefix }))
      await Promise.all(ten.map((stores) => stores.migrate()))
      await Promise.all(ten.map((stores) => stores.migrate()))
      const { rows } = await database.query({ sql: `SELECT version FROM ${prefix}migrations`, values: [] })
      expect(rows.map(({ version }) => Number(version))).toEqual([1, 2, 3, 4, 5, 6])
    })

    it('lets one process at a time do what has a lock, until it is committed', async () => {
      const table = `${prefix}migrations`
      const count = function* () {
        const { rows } = yield* ask(`SELECT MAX(version) AS version FROM ${table}`)
        yield* ask(`INSERT INTO ${table} (version, applied_at) VALUES (?, 0)`, Number(rows[0]?.['version']) + 1)
      }
      await sqlStores(database, { prefix }).migrate()
      const thirty = Array.from({ length: 30 }, (_, index) => (index % 2 ? database : peer))
      await Promise.all(thirty.map((one) => one.transact(count, `${prefix} count`)))
      const { rows } = await database.query({ sql: `SELECT MAX(version) AS version FROM ${table}`, values: [] })
      expect(Number(rows[0]?.['version'])).toBe(36)
    })

    const url = name === 'postgres' || name === 'mysql' ? serviceUrls[name] : undefined
    it.runIf(url)('adds up exactly what four processes append on the same scopes', { timeout: 120_000 }, async () => {
      const script = join(root, 'test/adapters/sql/append-process.mjs')
      const finished = await Promise.all(
        processes.map((process) => {
          return run('node', [script, sources.folder, name, url ?? '', prefix, process, String(rowsEach)], {
            timeout: 110_000,
          })
        }),
      )
      const told = finished.map(({ stdout }): { sum: string; failures: string[]; ms: number } => JSON.parse(stdout))
      console.log(`${name}: ${told.map(({ ms }) => `${ms} ms`).join(', ')} for ${rowsEach} rows each`)
      expect(told.flatMap(({ failures }) => failures)).toEqual([])
      const sum = told.reduce((total, one) => total + BigInt(one.sum), 0n)
      const { ledger } = sqlStores(database, { prefix })
      const today = { fromDay: '2026-11-25', untilDay: '2026-11-25' } as const
      for (const by of ['day', 'team', 'user', 'key', 'model', 'tag'] as const) {
        const rows = await ledger.report({ ...today, by: [by] })
        expect(
          rows.reduce((total, { charged }) => total + charged, 0n),
          by,
        ).toBe(sum)
        expect(
          rows.reduce((total, { calls }) => total + calls, 0),
          by,
        ).toBe(processes.length * rowsEach)
      }
      const callers = await ledger.report({ ...today, by: ['team', 'user', 'key', 'model'] })
      expect(callers.reduce((total, { charged }) => total + charged, 0n)).toBe(sum)
      expect(await ledger.total({ kind: 'tag', id: 'shared' }, 0)).toBe(sum)
      const log = await database.query({ sql: `SELECT COUNT(*) AS n FROM ${prefix}ledger`, values: [] })
      expect(Number(log.rows[0]?.['n'])).toBe(processes.length * rowsEach)
    })
  })
}
