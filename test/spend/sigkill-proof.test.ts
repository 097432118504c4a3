import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sqlite, sqlStores } from '../../adapters/sql.js'
import { createGateway } from '../../src/index.js'
import { type FakeUpstream, fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import { type CompiledSources, compileSources } from '../support/compiled-sources.js'
import { startHost } from '../support/host-process.js'
import { chargedOf, price, rowsOf } from './proof-lab.js'

const folder = fileURLToPath(new URL('.', import.meta.url))
const ttlMs = 60_000
const budget = { counter: 'budget:team:acme:all@0', kind: 'budget', amount: 1, limit: 1 } as const
const slots = { counter: 'parallel:team:acme', kind: 'lease', amount: 1, limit: 100 } as const

let upstream: FakeUpstream
let sources: CompiledSources
let temporary: string
beforeAll(async () => {
  sources = compileSources()
  upstream = await startFakeUpstream()
  temporary = mkdtempSync(join(tmpdir(), 'sluice-kill-'))
}, 120_000)
afterAll(async () => {
  await upstream.close()
  sources.remove()
  rmSync(temporary, { recursive: true, force: true })
})

it('holds nothing of a killed process once its time is over, and has every row of the calls that ended', async () => {
  const file = join(temporary, 'spend.db')
  const journal = join(temporary, 'journal')
  const database = new Sqlite(file)
  database.pragma('journal_mode = WAL')
  const now = sqlStores(sqlite(database))
  await now.migrate()

  const env = { SOURCES: sources.folder, UPSTREAM: upstream.url, DATABASE: file, JOURNAL: journal }
  const host = await startHost(join(folder, 'kill-worker.mjs'), folder, env)
  await host.stop('SIGKILL')
  const held = (await now.counters.read('all', [budget, slots])).map((level) => level.held)
  expect(held[0]).toBeGreaterThan(0)
  expect(held[1]).toBe(2)

  const later = sqlStores(sqlite(database), { clock: { now: () => Date.now() + ttlMs + 1_000 } })
  expect((await later.counters.read('all', [budget, slots])).map((level) => level.held)).toEqual([0, 0])

  // The next process finds what was still on its way.
  const gateway = createGateway({
    models: [{ modelName: 'main', model: 'fake/main', prices: price }],
    providers: [fakeProvider(upstream.url)],
    auth: 'none',
    stores: { ledger: now.ledger, counters: now.counters },
    spend: { journalDirectory: journal },
  })
  await gateway.spend.flush()
  await gateway.close()
  const rows = await rowsOf(now.ledger)
  expect(rows).toHaveLength(5)
  expect(rows.every(({ aborted }) => !aborted)).toBe(true)
  const [level] = await now.counters.read('all', [budget])
  expect(level?.used).toBe(Number(chargedOf(rows) / 1_000n))
  const whole = upstream.requests.slice(0, 5).map(({ billed }) => billed)
  const bill = whole.reduce((sum, billed) => sum + (billed?.promptTokens ?? 0) + 2 * (billed?.completionTokens ?? 0), 0)
  expect(chargedOf(rows)).toBe(BigInt(bill) * 1_000_000n)
  database.close()
}, 60_000)
