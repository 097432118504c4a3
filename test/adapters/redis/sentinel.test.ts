import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RedisLike, type RedisSubscriber, redisStores } from '../../../adapters/redis.js'
import { systemClock } from '../../../src/clock.js'
import type { RouterReport, RouterStore } from '../../../src/ports/router-store.js'
import { guardStore } from '../../../src/stores/guard-store.js'
import { type WatchedRedis, hasRedisServer, redisWithSentinel } from '../../support/redis-server.js'

type AnyClient = RedisLike & RedisSubscriber & { on(event: 'error', listener: () => void): unknown; disconnect(): void }

/** Asks every 20 ms until it gives something. */
async function until<T>(give: () => Promise<T | undefined>, forMs: number): Promise<T> {
  const end = performance.now() + forMs
  for (;;) {
    const given = await give().catch(() => undefined)
    if (given !== undefined) return given
    if (performance.now() > end) throw new Error(`not within ${forMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe.runIf(hasRedisServer())('a fail-over by a Sentinel', () => {
  let redis: WatchedRedis
  const clients: AnyClient[] = []
  beforeEach(async () => void (redis = await redisWithSentinel()), 60_000)
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect()
    await redis.stop()
  })

  const open = (make: (options: object) => AnyClient): RouterStore => {
    const options = {
      sentinels: [{ host: '127.0.0.1', port: redis.sentinelPort }],
      name: 'main',
      retryStrategy: () => 200,
      sentinelRetryStrategy: () => 200,
    }
    const [client, subscriber] = [make(options), make(options)]
    for (const one of [client, subscriber]) one.on('error', () => {})
    clients.push(client, subscriber)
    const { router } = redisStores(client, { subscriber })
    return guardStore(router, { name: 'The router store', clock: systemClock, synchronous: ['watch'] })
  }

  it(
    'keeps what was shared, bounds the delay, and is over for ioredis 5 and 6 within 2 s of the election',
    { timeout: 60_000 },
    async () => {
      const [six, five] = [open((options) => new Redis(options)), open((options) => new Redis5(options))]
      const now = Date.now()
      const cooldown = { id: 'd1', at: now, until: now + 60_000, kind: 'rate_limited', status: 429 }
      const report: RouterReport = { process: 'one', deployments: [], cooldowns: [cooldown] }
      await until(() => six.exchange('one', report), 10_000)
      await until(() => five.exchange('two', undefined), 10_000)
      await until(
        async () => (await redis.replica.command('exists', '{sluice:router}:values')) === '1' || undefined,
        5_000,
      )
      const newPort = redis.replica.port
      await redis.master.kill()
      const election = until(async () => (await redis.masterPort()) === newPort || undefined, 30_000).then(() =>
        performance.now(),
      )
      // In order of the event loop's own timers, as a busy machine makes all of them late.
      let outlasted = 0
      const backAt = async (store: RouterStore, process: string): Promise<number> => {
        const learned = await until(() => {
          const alarm = setTimeout(() => void (outlasted += 1), 200)
          return store.exchange(process, undefined).finally(() => clearTimeout(alarm))
        }, 40_000)
        expect(learned.flatMap(({ cooldowns }) => cooldowns)).toEqual([cooldown])
        return performance.now()
      }
      const back = await Promise.all([backAt(six, 'new'), backAt(five, 'newer')])
      const electedAt = await election
      console.log(`back ${back.map((at) => (at - electedAt).toFixed(0)).join(' and ')} ms after the election`)
      expect(Math.max(...back) - electedAt).toBeLessThan(2_000)
      expect(outlasted).toBe(0)

      let calls = 0
      const end = five.watch?.(() => void calls++)
      let at = now
      await until(async () => {
        await six.exchange('one', { ...report, cooldowns: [{ ...cooldown, at: ++at }] })
        return calls > 0 || undefined
      }, 5_000)
      end?.()
    },
  )
})
