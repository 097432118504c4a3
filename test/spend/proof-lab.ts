import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { redisStores } from '../../adapters/redis.js'
import {
  type ChatRequest,
  type CounterStore,
  type Hold,
  type LedgerEntry,
  type LedgerStore,
  type StoreOptions,
  createGateway,
} from '../../src/index.js'
import { systemClock } from '../../src/clock.js'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { type FakeUpstream, fakeProvider } from '../../src/testing/index.js'
import {
  type TestDatabase,
  emptyTables,
  migratedStores,
  openMysql,
  openPostgres,
  openSqlite,
} from '../adapters/sql/databases.js'
import { hasService, serviceUrls } from '../support/services.js'
import { type CutProxy, createCutProxy } from './soak/cut-proxy.mjs'

/** Dollars per million tokens, whole nano-dollars per token: counters then say the same as the ledger. */
export const price = { input: 1, output: 2 }
const picoOf = { prompt: 1_000_000n, completion: 2_000_000n }

/** Stores of one kind, with everything that was held in them. */
export interface ProofStores {
  readonly stores: StoreOptions & { readonly counters: CounterStore; readonly ledger: LedgerStore }
  /** Every counter that a call has asked for. */
  readonly holds: ReadonlyMap<string, Hold>
  /** Forgets everything. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** Stores that can be taken away. */
export interface CutStores extends ProofStores {
  readonly proxy: CutProxy
}

/** One operation of a store on its way there. */
interface Passing {
  readonly name: string
  readonly args: readonly unknown[]
  /** Lets it through. */
  readonly go: () => unknown
}

/** Counters whose operations go through somebody's hands; what that gives is what is answered. */
export function intercepted(counters: CounterStore, intercept: (passing: Passing) => unknown): CounterStore {
  return new Proxy(counters, {
    get(store, name) {
      const member: unknown = Reflect.get(store, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown =>
        intercept({ name: String(name), args, go: () => Reflect.apply(member, store, args) })
    },
  })
}

/** Counters that remember what they were asked for. */
function watched(counters: CounterStore, holds: Map<string, Hold>): CounterStore {
  return intercepted(counters, ({ name, args: [asked], go }) => {
    if (name === 'reserve' && Array.isArray(asked)) for (const hold of asked) holds.set(hold.counter, hold)
    return go()
  })
}

function toStores(
  counters: CounterStore,
  ledger: LedgerStore,
  { clear, close }: Pick<ProofStores, 'clear' | 'close'>,
): ProofStores {
  const holds = new Map<string, Hold>()
  return {
    stores: { counters: watched(counters, holds), ledger },
    holds,
    async clear() {
      holds.clear()
      await clear()
    },
    close,
  }
}

const done = (): Promise<void> => Promise.resolve()

/** Stores in memory. */
export function openMemory(): ProofStores {
  const counters = createMemoryCounters({ clock: systemClock })
  return toStores(counters, createMemoryLedger(), { clear: done, close: done })
}

/** A ledger in memory that can begin anew. */
function renewableLedger(): { readonly ledger: LedgerStore; readonly renew: () => void } {
  let current = createMemoryLedger()
  const ledger: LedgerStore = {
    append: (entries, options) => current.append(entries, options),
    total: (scope, from, until, model) => current.total(scope, from, until, model),
    query: (query) => current.query(query),
    report: (query) => current.report(query),
    reprice: (entries) => current.reprice(entries),
    prune: (before) => current.prune(before),
    takeEvents: (claim) => current.takeEvents(claim),
    forgetEvents: (ids) => current.forgetEvents(ids),
  }
  return { ledger, renew: () => void (current = createMemoryLedger()) }
}

async function openRedis(url: string = serviceUrls.redis): Promise<ProofStores | undefined> {
  if (!(await hasService('redis'))) return undefined
  const client = new Redis(url)
  client.on('error', () => {})
  const prefix = `test-proof:${randomUUID()}`
  const { ledger, renew } = renewableLedger()
  const clear = async (): Promise<void> => {
    renew()
    const keys = await client.keys(`*${prefix}*`)
    if (keys.length > 0) await client.unlink(keys)
  }
  return toStores(redisStores(client, { prefix }).counters, ledger, {
    clear,
    async close() {
      await clear()
      client.disconnect()
    },
  })
}

async function openSql(test: TestDatabase | undefined): Promise<ProofStores | undefined> {
  if (!test) return undefined
  const { counters, ledger } = await migratedStores(test)
  return toStores(counters, ledger, { clear: () => emptyTables(test), close: () => test.close() })
}

/** Every kind of store by its name; undefined from those that are not there. */
export const proofStores: Readonly<Record<string, () => Promise<ProofStores | undefined>>> = {
  memory: () => Promise.resolve(openMemory()),
  Redis: () => openRedis(),
  PostgreSQL: async () => openSql(await openPostgres()),
  MariaDB: async () => openSql(await openMysql()),
  SQLite: async () => openSql(await openSqlite()),
}

async function openCut(
  service: keyof typeof serviceUrls,
  open: (url: string) => Promise<ProofStores | undefined>,
): Promise<CutStores | undefined> {
  const proxy = await createCutProxy(serviceUrls[service])
  const proof = await open(proxy.url)
  if (!proof) await proxy.close()
  if (!proof) return undefined
  const close = async (): Promise<void> => {
    await proof.close()
    await proxy.close()
  }
  return { ...proof, proxy, close }
}

/** Stores on a server, by a way there that can be cut. */
export const cutStores: Readonly<Record<string, () => Promise<CutStores | undefined>>> = {
  Redis: () => openCut('redis', openRedis),
  PostgreSQL: () => openCut('postgres', async (url) => openSql(await openPostgres(url))),
  MariaDB: () => openCut('mysql', async (url) => openSql(await openMysql(url))),
}

/** What the estimate of one call holds of a budget, in nano-dollars. */
export async function heldByOne(upstream: FakeUpstream, request: ChatRequest): Promise<number> {
  const { stores, holds } = openMemory()
  const models = [{ modelName: request.model, model: 'fake/main', prices: price }]
  const gateway = createGateway({ models, providers: [fakeProvider(upstream.url)], auth: 'none', stores })
  const scopes = [{ kind: 'team', id: 'acme', budget: { maxBudget: 1 } }] as const
  await gateway.call('chat', request, { id: 'user-1', role: 'member', models: 'all', scopes })
  await gateway.close()
  const [hold] = holds.values()
  return hold?.amount ?? Number.NaN
}

/** All rows of a ledger. */
export async function rowsOf(ledger: LedgerStore): Promise<readonly LedgerEntry[]> {
  const { entries, next } = await ledger.query({ limit: 1_000 })
  if (next !== undefined) throw new Error('more rows than a proof needs')
  return entries
}

/** What the rows charge, in pico-dollars. */
export function chargedOf(rows: readonly LedgerEntry[]): bigint {
  return rows.reduce((sum, { charged }) => sum + charged, 0n)
}

/** What a fake upstream bills for its answers, in pico-dollars, at `price`. */
export function billOf(upstream: FakeUpstream): bigint {
  return upstream.requests.reduce((sum, { billed }) => {
    const { promptTokens = 0, completionTokens = 0 } = billed ?? {}
    return sum + BigInt(promptTokens) * picoOf.prompt + BigInt(completionTokens) * picoOf.completion
  }, 0n)
}

/** What each counter has counted and holds. */
export async function levelsOf({ stores, holds }: ProofStores) {
  const asked = [...holds.values()]
  const levels = await stores.counters.read('all', asked)
  return asked.map(({ counter, kind }, at) => ({ counter, kind, used: levels[at]?.used, held: levels[at]?.held }))
}
