import { fileURLToPath } from 'node:url'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { sqlite, sqlStores } from '../../adapters/sql.js'
import { type LedgerEntry, type LedgerStore, type UsageEvent, createGateway, toLine } from '../../src/index.js'
import { systemClock } from '../../src/clock.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { sampleEntry } from '../../src/testing/contracts/sample-entry.js'
import { type FakeUpstream, fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import { migratedStores, openMysql, openPostgres } from '../adapters/sql/databases.js'
import { type CompiledSources, compileSources } from '../support/compiled-sources.js'
import { startHost } from '../support/host-process.js'
import { serviceUrls } from '../support/services.js'
import { chargedOf, price, rowsOf } from './proof-lab.js'
import { leaveUntold } from './untold-events.mjs'

const folder = fileURLToPath(new URL('.', import.meta.url))
const minute = 60_000

let sources: CompiledSources
let temporary: string
let upstream: FakeUpstream
beforeAll(async () => {
  sources = compileSources()
  temporary = mkdtempSync(join(tmpdir(), 'sluice-outbox-'))
  upstream = await startFakeUpstream()
}, 120_000)
afterAll(async () => {
  sources.remove()
  rmSync(temporary, { recursive: true, force: true })
  await upstream.close()
})

const unpriced: LedgerEntry = {
  ...sampleEntry({ id: 'once without a price', deployment: 'main', provider: 'fake', model: 'main' }),
  usage: { inputUncached: 10, outputText: 5 },
  price: null,
  cost: 0n,
  charged: 0n,
  priced: false,
}

/** A ledger, and the end of a gateway over it between the reprice and the billing. */
interface Proof {
  readonly ledger: LedgerStore
  /** Gives the ids that the billing was told and did not take. */
  kill(): Promise<readonly string[]>
  close(): Promise<unknown> | void
}

async function inProcess(database: string, url: string, prefix: string): Promise<readonly string[]> {
  const env = { SOURCES: sources.folder, UPSTREAM: upstream.url, UNPRICED: toLine(unpriced) }
  const own = { DATABASE: database, DATABASE_URL: url, PREFIX: prefix }
  const host = await startHost(join(folder, 'untold-worker.mjs'), folder, { ...env, ...own })
  await host.stop('SIGKILL')
  return new URL(host.url).pathname.slice(1).split(',')
}

const proofs: Readonly<Record<string, () => Promise<Proof | undefined>>> = {
  async memory() {
    const ledger = createMemoryLedger()
    // Its ledger ends with the process: only the gateway is given up.
    const kill = () => leaveUntold({ createGateway, fakeProvider }, { ledger, upstream: upstream.url, unpriced })
    return { ledger, kill, close: () => {} }
  },
  async SQLite() {
    const file = join(temporary, 'ledger.db')
    const database = new Sqlite(file)
    database.pragma('journal_mode = WAL')
    const stores = sqlStores(sqlite(database))
    await stores.migrate()
    return {
      ledger: stores.ledger,
      kill: () => inProcess('SQLite', file, 'sluice_'),
      close: () => void database.close(),
    }
  },
  async PostgreSQL() {
    const test = await openPostgres()
    if (!test) return undefined
    const { ledger } = await migratedStores(test)
    const kill = () => inProcess('PostgreSQL', serviceUrls.postgres, test.prefix)
    return { ledger, kill, close: () => test.close() }
  },
  async MariaDB() {
    const test = await openMysql()
    if (!test) return undefined
    const { ledger } = await migratedStores(test)
    const kill = () => inProcess('MariaDB', serviceUrls.mysql, test.prefix)
    return { ledger, kill, close: () => test.close() }
  },
}

/** What a gateway that starts so many minutes later tells its billing until it is closed. */
async function toldLater(ledger: LedgerStore, minutes: number, takes: boolean): Promise<readonly UsageEvent[]> {
  const told: UsageEvent[] = []
  const gateway = createGateway({
    models: [{ modelName: 'main', model: 'fake/main', prices: price }],
    providers: [fakeProvider(upstream.url)],
    auth: 'none',
    clock: { ...systemClock, now: () => Date.now() + minutes * minute },
    stores: { ledger },
    spend: {
      async onUsage(events) {
        told.push(...events)
        if (!takes) throw new Error('The billing is away.')
      },
    },
  })
  await gateway.close({ drainMs: 1_000 })
  return told
}

describe.concurrent('events that the billing had not taken when a process was killed', () => {
  it.for(Object.keys(proofs))(
    'are told by the next one over %s, with the ids that they had, until it takes them',
    { timeout: 60_000 },
    async (name, { expect, skip }) => {
      const proof = await proofs[name]?.()
      if (!proof) return skip()
      const { ledger } = proof
      const [id, ...more] = await proof.kill()
      expect(more).toEqual([])
      const refused = await toldLater(ledger, 2, false)
      const taken = await toldLater(ledger, 4, true)
      const rows = await rowsOf(ledger)
      const own = rows.find((row) => row.id !== unpriced.id)
      if (!own) throw new Error('There is no row of the call.')
      const correction = { id, corrects: unpriced.id, cost: 20_000_000n, charged: 20_000_000n, usage: {} }
      expect(taken).toHaveLength(2)
      expect(taken).toContainEqual(own)
      expect(taken).toContainEqual(expect.objectContaining(correction))
      expect(new Set(refused.map((event) => event.id))).toEqual(new Set(taken.map((event) => event.id)))
      expect(chargedOf(taken)).toBe(chargedOf(rows))
      expect(await toldLater(ledger, 6, true)).toEqual([])
      await proof.close()
    },
  )
})
