import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Sqlite from 'better-sqlite3'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { redisStores } from '../../adapters/redis.js'
import { type SqlStores, sqlite, sqlStores } from '../../adapters/sql.js'
import { type CounterStore, type LedgerStore, createGateway } from '../../src/index.js'
import { fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import { migratedStores, openPostgres } from '../adapters/sql/databases.js'
import { type CompiledSources, compileSources } from '../support/compiled-sources.js'
import { startHost } from '../support/host-process.js'
import { hasService, serviceUrls } from '../support/services.js'
import { chargedOf, price, rowsOf } from './proof-lab.js'

const folder = fileURLToPath(new URL('.', import.meta.url))
const budget = { counter: 'budget:team:acme:all@0', kind: 'budget', amount: 1, limit: 1 } as const
const slots = { counter: 'parallel:team:acme', kind: 'lease', amount: 1, limit: 100 } as const

let sources: CompiledSources
let temporary: string
beforeAll(() => {
  sources = compileSources()
  temporary = mkdtempSync(join(tmpdir(), 'sluice-kill-'))
}, 120_000)
afterAll(() => {
  sources.remove()
  rmSync(temporary, { recursive: true, force: true })
})

/** Where the processes count and write; `url` and `prefix` lead another process there. */
interface Shared {
  readonly counters: CounterStore
  readonly ledger: LedgerStore
  readonly url: string
  readonly prefix: string
  /** How long the killed process's leases live. */
  readonly ttlMs: number
  /** The counters when that time is over. */
  later(): Promise<CounterStore> | CounterStore
  close(): Promise<unknown> | void
}

const minute = 60_000
/** The time of a process that comes a minute later. */
const inAMinute = { now: () => Date.now() + minute + 1_000 }

async function openFile(file: string): Promise<SqlStores & { later(): CounterStore; close(): void }> {
  const database = new Sqlite(file)
  database.pragma('journal_mode = WAL')
  const stores = sqlStores(sqlite(database))
  await stores.migrate()
  const later = (): CounterStore => sqlStores(sqlite(database), { clock: inAMinute }).counters
  return { ...stores, later, close: () => void database.close() }
}

const stores: Readonly<Record<string, (file: string) => Promise<Shared | undefined>>> = {
  SQLite: async (file) => ({ ...(await openFile(file)), url: '', prefix: '', ttlMs: minute }),
  async PostgreSQL() {
    const test = await openPostgres()
    if (!test) return undefined
    const { counters, ledger } = await migratedStores(test)
    const { database, prefix } = test
    const later = (): CounterStore => sqlStores(database, { prefix, clock: inAMinute }).counters
    const close = (): Promise<void> => test.close()
    return { counters, ledger, url: serviceUrls.postgres, prefix, ttlMs: minute, later, close }
  },
  async Redis(ledgerFile) {
    if (!(await hasService('redis'))) return undefined
    const client = new Redis(serviceUrls.redis)
    const prefix = `test-kill:${randomUUID()}`
    const file = await openFile(ledgerFile)
    const { counters } = redisStores(client, { prefix })
    const close = async (): Promise<void> => {
      const keys = await client.keys(`${prefix}*`)
      if (keys.length > 0) await client.unlink(keys)
      client.disconnect()
      file.close()
    }
    // Redis goes by its own clock: this lease has to end in real time.
    const ttlMs = 6_000
    const later = (): Promise<CounterStore> => pause(ttlMs, counters)
    return { counters, ledger: file.ledger, url: serviceUrls.redis, prefix, ttlMs, later, close }
  },
}

describe.concurrent('a process that is killed', () => {
  it.for(Object.keys(stores))(
    'holds nothing in %s once its time is over, and leaves a row of every call that ended',
    { timeout: 60_000 },
    async (name, { expect, skip }) => {
      const file = join(temporary, `${name}.db`)
      const shared = await stores[name]?.(file)
      if (!shared) return skip()
      const { counters, ledger } = shared
      const upstream = await startFakeUpstream()
      const journal = join(temporary, `journal-${name}`)
      const env = {
        SOURCES: sources.folder,
        UPSTREAM: upstream.url,
        COUNTERS: name,
        COUNTERS_URL: shared.url,
        PREFIX: shared.prefix,
        LEDGER_FILE: file,
        JOURNAL: journal,
        TTL_MS: String(shared.ttlMs),
      }
      const host = await startHost(join(folder, 'kill-worker.mjs'), folder, env)
      await host.stop('SIGKILL')
      const heldIn = async (store: CounterStore): Promise<readonly number[]> =>
        (await store.read('all', [budget, slots])).map((level) => level.held)
      const [held = 0, running] = await heldIn(counters)
      expect(held).toBeGreaterThan(0)
      expect(running).toBe(2)
      expect(await heldIn(await shared.later())).toEqual([0, 0])

      // The next process finds what was still on its way.
      const gateway = createGateway({
        models: [{ modelName: 'main', model: 'fake/main', prices: price }],
        providers: [fakeProvider(upstream.url)],
        auth: 'none',
        stores: { ledger, counters },
        spend: { journalDirectory: journal },
      })
      await gateway.spend.flush()
      await gateway.close()
      const rows = await rowsOf(ledger)
      expect(rows).toHaveLength(5)
      expect(rows.every(({ aborted }) => !aborted)).toBe(true)
      const [level] = await counters.read('all', [budget])
      expect(level?.used).toBe(Number(chargedOf(rows) / 1_000n))
      const whole = upstream.requests.slice(0, 5).map(({ billed }) => billed)
      const bill = whole.reduce((sum, of) => sum + (of?.promptTokens ?? 0) + 2 * (of?.completionTokens ?? 0), 0)
      expect(chargedOf(rows)).toBe(BigInt(bill) * 1_000_000n)
      await upstream.close()
      await shared.close()
    },
  )
})
