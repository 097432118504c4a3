import { Cluster } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { redisStores } from '../../../adapters/redis.js'
import { systemClock } from '../../../src/clock.js'
import type { CacheStore } from '../../../src/ports/cache-store.js'
import type { RouterReport, RouterStore } from '../../../src/ports/router-store.js'
import { guardStore } from '../../../src/stores/guard-store.js'
import { type RedisServer, hasRedisServer, redisCluster } from '../../support/redis-server.js'

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Runs something every 20 ms until it gives a true value. */
async function until<T>(give: () => Promise<T | undefined>, forMs: number): Promise<T> {
  const end = performance.now() + forMs
  for (;;) {
    const given = await give().catch(() => undefined)
    if (given !== undefined) return given
    if (performance.now() > end) throw new Error(`not within ${forMs} ms`)
    await wait(20)
  }
}

/** The master that has a key, as the first of the nodes sees it. */
async function masterOf(key: string, nodes: readonly RedisServer[]): Promise<RedisServer> {
  const [seed] = nodes
  if (!seed) throw new Error('no node')
  const slot = Number(await seed.command('cluster', 'keyslot', key))
  const lines = (await seed.command('cluster', 'nodes')).split('\n').map((line) => line.split(' '))
  const [, address = ''] =
    lines.find(([, , flags = '', , , , , state, ...ranges]) => {
      if (!flags.includes('master') || state !== 'connected') return false
      return ranges.some((range) => {
        const [first = NaN, last = first] = range.split('-').map(Number)
        return first <= slot && slot <= last
      })
    }) ?? []
  const port = Number(/:(\d+)@/.exec(address)?.[1])
  const owner = nodes.find((node) => node.port === port)
  if (!owner) throw new Error(`nobody has slot ${slot}`)
  return owner
}

describe.runIf(hasRedisServer())('a fail-over in a cluster', () => {
  let cluster: Awaited<ReturnType<typeof redisCluster>>
  let client: Cluster
  let cache: CacheStore
  let router: RouterStore

  beforeEach(async () => {
    cluster = await redisCluster(1)
    client = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
    client.on('error', () => {})
    const stores = redisStores(client)
    cache = guardStore(stores.cache, { name: 'The cache', clock: systemClock })
    router = guardStore(stores.router, { name: 'The router store', clock: systemClock, synchronous: ['watch'] })
  }, 60_000)
  afterEach(async () => {
    client.disconnect()
    await cluster.stop()
  })

  it(
    'keeps what was shared, bounds the delay, and is over for us within 2 s of the election',
    { timeout: 60_000 },
    async () => {
      const now = Date.now()
      const cooldown = { id: 'd1', at: now, until: now + 60_000, kind: 'rate_limited', status: 429 }
      const report: RouterReport = { process: 'one', deployments: [], cooldowns: [cooldown] }
      await until(() => router.exchange('one', report), 10_000)
      const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`)
      await until(async () => (await cache.set(keys.map((key) => ({ key, value: key, ttlMs: 60_000 }))), true), 10_000)
      await wait(200)
      const others = cluster.nodes.slice()
      const master = await masterOf('{sluice:router}', others)
      others.splice(others.indexOf(master), 1)
      await master.kill()

      const took: number[] = []
      const exchange = async (): Promise<readonly RouterReport[] | undefined> => {
        const start = performance.now()
        return router.exchange('new', undefined).finally(() => void took.push(performance.now() - start))
      }
      let electedAt = Infinity
      const election = until(() => masterOf('{sluice:router}', others), 20_000).then(
        () => void (electedAt = performance.now()),
      )
      const learned = await until(exchange, 30_000)
      await election
      expect(learned.flatMap(({ cooldowns }) => cooldowns)).toEqual([cooldown])
      expect(performance.now() - electedAt).toBeLessThan(2_000)
      expect(Math.max(...took)).toBeLessThan(200)
      expect(await until(() => cache.get(keys), 2_000)).toEqual(keys)
    },
  )
})
