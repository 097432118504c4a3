import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sqlStores } from '../../../adapters/sql.js'
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
      expect(rows.map(({ version }) => Number(version))).toEqual([1, 2, 3, 4, 5])
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
