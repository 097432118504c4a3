import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisStores } from '../../adapters/redis.js'
import { ChatRequest, type CounterStore } from '../../src/index.js'
import { type FakeUpstream, startUpstreamOf } from '../../src/testing/fake-upstream.js'
import { openaiDialect } from '../../src/testing/dialects/openai.js'
import { migratedStores, openPostgres } from '../adapters/sql/databases.js'
import { type CompiledSources, compileSources } from '../support/compiled-sources.js'
import { runScript } from '../support/host-process.js'
import { hasService, serviceUrls } from '../support/services.js'
import { heldByOne } from './proof-lab.js'

const folder = fileURLToPath(new URL('.', import.meta.url))
const processes = 4
const callsEach = 500
const fits = 37
const request = ChatRequest.parse({
  model: 'main',
  messages: [{ role: 'user', content: 'Hello there, gateway' }],
  max_tokens: 5,
})
const team = { counter: 'budget:team:acme:all@0', kind: 'budget', amount: 1, limit: 1 } as const

interface Report {
  readonly outcomes: readonly string[]
  readonly charged: string
  readonly rows: number
}

/** Answers nobody before all processes are there, and no call before it is known of each whether it was let in. */
function holdBack(upstream: FakeUpstream, calls: number): void {
  const counts = { ready: 0, decided: 0 }
  let [begin, answer] = [(): void => {}, (): void => {}]
  const allReady = new Promise<void>((resolve) => (begin = resolve))
  const allDecided = new Promise<void>((resolve) => (answer = resolve))
  upstream.onRequest(async ({ path }) => {
    if (path === '/ready') {
      if (++counts.ready === processes) begin()
      await allReady
      return { body: '{}' }
    }
    if (++counts.decided === calls) answer()
    if (path === '/refused') return { body: '{}' }
    await allDecided
    return undefined
  })
}

const stores: Readonly<
  Record<
    'redis' | 'postgres',
    () => Promise<{ prefix: string; url: string; counters: CounterStore; close(): Promise<void> } | undefined>
  >
> = {
  async redis() {
    if (!(await hasService('redis'))) return undefined
    const client = new Redis(serviceUrls.redis)
    const prefix = `test-proof:${randomUUID()}`
    const close = async (): Promise<void> => {
      const keys = await client.keys(`*${prefix}*`)
      if (keys.length > 0) await client.unlink(keys)
      client.disconnect()
    }
    return { prefix, url: serviceUrls.redis, counters: redisStores(client, { prefix }).counters, close }
  },
  async postgres() {
    const test = await openPostgres()
    if (!test) return undefined
    const { counters } = await migratedStores(test)
    return { prefix: test.prefix, url: serviceUrls.postgres, counters, close: () => test.close() }
  },
}

/** Paths that processes tell their news by, beside those of a provider. */
const news = {
  ...openaiDialect([]),
  routes: ['ready', 'refused'].map((name) => ({
    method: 'POST' as const,
    pattern: new RegExp(`^/${name}$`),
    modelOf: () => 'news',
    answer: () => ({ body: {} }),
  })),
}

describe('hundreds of calls at once of four processes and a budget for 37', { timeout: 120_000 }, () => {
  let upstream: FakeUpstream
  let sources: CompiledSources
  beforeAll(async () => {
    sources = compileSources()
    upstream = await startUpstreamOf([news, openaiDialect([])], { journalSize: 5_000 })
  })
  afterAll(async () => {
    sources.remove()
    await upstream.close()
  })

  it.for(['redis', 'postgres'] as const)('lets in exactly 37 with counters in %s', async (store, context) => {
    const opened = await stores[store]()
    if (!opened) return context.skip()
    const { prefix, url, counters } = opened
    try {
      upstream.reset()
      const limit = (await heldByOne(upstream, request)) * fits
      holdBack(upstream, processes * callsEach)
      const env = {
        SOURCES: sources.folder,
        UPSTREAM: upstream.url,
        STORE: store,
        STORE_URL: url,
        PREFIX: prefix,
        CALLS: String(callsEach),
        MAX_BUDGET: String(limit / 1e9),
      }
      const worker = `${folder}exactness-worker.mjs`
      const finished = await Promise.all(Array.from({ length: processes }, () => runScript(worker, folder, env)))
      const reports = finished.map(({ output }): Report => JSON.parse(output))
      const outcomes = reports.flatMap((report) => report.outcomes)
      expect(outcomes.filter((outcome) => outcome === 'admitted')).toHaveLength(fits)
      // A store that is busy is waited for: nobody hears of it.
      expect(outcomes.filter((outcome) => outcome === 'budget_exceeded')).toHaveLength(processes * callsEach - fits)
      expect(reports.reduce((sum, { rows }) => sum + rows, 0)).toBe(fits)
      const charged = reports.reduce((sum, report) => sum + BigInt(report.charged), 0n)
      expect(await counters.read('all', [team])).toEqual([
        expect.objectContaining({ used: Number(charged / 1_000n), held: 0 }),
      ])
    } finally {
      await opened.close()
    }
  })
})
