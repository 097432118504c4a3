import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RedisLike, redisStores } from '../../../adapters/redis.js'
import { systemClock } from '../../../src/clock.js'
import type { CacheStore } from '../../../src/ports/cache-store.js'
import type { RouterReport } from '../../../src/ports/router-store.js'
import { type StoreState, guardStore } from '../../../src/stores/guard-store.js'
import { blackHole } from '../../support/redis-proxy.js'
import { type RedisServer, hasRedisServer, redisServer } from '../../support/redis-server.js'

type Client = RedisLike & {
  readonly status: string
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}
const settings = {
  // BullMQ asks its hosts for this, with which commands are queued without end.
  maxRetriesPerRequest: null,
  // When to connect again is the host's affair; by default ioredis 6 waits for up to 5 s.
  retryStrategy: () => 200,
}
const versions: Record<string, (port: number) => Client> = {
  'ioredis 6': (port) => new Redis({ port, ...settings }),
  'ioredis 5': (port) => new Redis5({ port, ...settings }),
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** One operation of a run under load. */
interface Outcome {
  readonly tookMs: number
  readonly isAnswered: boolean
}

/** Two operations every 5 ms for as long as told. */
async function load(cache: CacheStore, forMs: number): Promise<Outcome[]> {
  const outcomes: Promise<Outcome>[] = []
  const end = performance.now() + forMs
  const ask = async (): Promise<Outcome> => {
    const start = performance.now()
    const isAnswered = await cache.get(['a', 'b']).then(
      () => true,
      () => false,
    )
    return { tookMs: performance.now() - start, isAnswered }
  }
  while (performance.now() < end) {
    outcomes.push(ask(), ask())
    await wait(5)
  }
  return Promise.all(outcomes)
}

/** Milliseconds until the store answers again, asked every 10 ms. */
async function backAfter(cache: CacheStore): Promise<number> {
  const start = performance.now()
  for (;;) {
    const isBack = await cache.get(['a']).then(
      () => true,
      () => false,
    )
    if (isBack) return performance.now() - start
    if (performance.now() - start > 10_000) throw new Error('the store does not come back')
    await wait(10)
  }
}

/** Share of operations that took longer than `limitMs`. */
function shareOver(outcomes: readonly Outcome[], limitMs: number): number {
  return outcomes.filter(({ tookMs }) => tookMs > limitMs).length / outcomes.length
}

/** What must hold of every outage: a bounded delay, and next to none once the breaker is open. */
function expectBounded(outcomes: readonly Outcome[]): void {
  // The deadline is 50 ms; the rest is what a busy machine adds.
  expect(Math.max(...outcomes.map(({ tookMs }) => tookMs))).toBeLessThan(200)
  const lateHalf = outcomes.slice(outcomes.length / 2)
  expect(lateHalf.some(({ isAnswered }) => isAnswered)).toBe(false)
  // One probe every half second waits for its deadline.
  expect(shareOver(lateHalf, 10)).toBeLessThan(0.05)
}

/** A cache over one client, as a gateway has it. */
interface Guarded {
  readonly client: Client
  readonly cache: CacheStore
  readonly states: StoreState['state'][]
}

describe.runIf(hasRedisServer())(`outages of Redis, with ${Object.keys(versions).join(' and ')} at once`, () => {
  let server: RedisServer
  let guarded: readonly Guarded[]
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)

  const connect = (port: number): readonly Guarded[] =>
    Object.values(versions).map((open) => {
      const client = open(port)
      client.on('error', () => {})
      const states: StoreState['state'][] = []
      const onState = ({ state }: StoreState): void => void states.push(state)
      const cache = guardStore(redisStores(client).cache, { name: 'The cache', clock: systemClock, onState })
      return { client, cache, states }
    })
  const disconnect = (): void => {
    for (const { client } of guarded) client.disconnect()
  }
  const onAll = <T>(run: (one: Guarded) => Promise<T>): Promise<T[]> => Promise.all(guarded.map(run))
  const whenReady = (): Promise<unknown> =>
    onAll(async ({ cache, states }) => {
      await backAfter(cache)
      states.length = 0
    })
  const expectBack = (): Promise<unknown> =>
    onAll(async ({ cache }) => expect(await backAfter(cache)).toBeLessThan(2_000))
  const expectAllBounded = async (running: Promise<readonly Outcome[][]>): Promise<void> => {
    for (const outcomes of await running) expectBounded(outcomes)
  }

  beforeEach(async () => {
    unhandled.length = 0
    process.on('unhandledRejection', note)
    server = await redisServer()
    guarded = connect(server.port)
    await whenReady()
  })
  afterEach(async () => {
    disconnect()
    await server.stop()
    await wait(20)
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })

  it('bounds the delay when Redis is killed under load, and is back within 2 s of its restart', async () => {
    const healthy = await onAll(({ cache }) => load(cache, 200))
    expect(healthy.flat().every(({ isAnswered }) => isAnswered)).toBe(true)
    const running = onAll(({ cache }) => load(cache, 2_000))
    await wait(100)
    await server.kill()
    await expectAllBounded(running)
    for (const { states } of guarded) expect(states).toEqual(['down'])
    await server.start()
    await expectBack()
    for (const { states } of guarded) expect(states).toEqual(['down', 'up'])
  })

  it('bounds the delay while Redis is paused, and is back within 2 s of its end', async () => {
    const running = onAll(({ cache }) => load(cache, 2_000))
    await server.command('client', 'pause', '2000', 'all')
    await expectAllBounded(running)
    await expectBack()
  })

  it('bounds the delay while the network swallows everything, and is back within 2 s of its end', async () => {
    const proxy = await blackHole(server.port)
    disconnect()
    guarded = connect(proxy.port)
    await whenReady()
    proxy.swallow()
    await expectAllBounded(onAll(({ cache }) => load(cache, 2_000)))
    proxy.release()
    await expectBack()
    disconnect()
    await proxy.close()
  })

  it('starts without Redis, and finds it within 2 s once it is there', async () => {
    disconnect()
    await server.kill()
    guarded = connect(server.port)
    await expectAllBounded(onAll(({ cache }) => load(cache, 1_000)))
    await server.start()
    await expectBack()
  })

  it('queues next to nothing in the client while Redis is away', async () => {
    await server.kill()
    await onAll(async ({ client }) => {
      let sent = 0
      const counted: RedisLike = {
        isCluster: false,
        call: (...args) => {
          sent++
          return client.call(...args)
        },
      }
      const away = guardStore(redisStores(counted).cache, { name: 'The cache', clock: systemClock })
      await load(away, 2_000)
      // Those of the first 50 ms, two every 5 ms, and a probe every half second.
      expect(sent).toBeLessThan(40)
    })
  })
})

describe.runIf(hasRedisServer())('what Redis forgets', () => {
  let server: RedisServer
  let client: Redis
  beforeEach(async () => {
    server = await redisServer()
    client = new Redis({ port: server.port })
    client.on('error', () => {})
  })
  afterEach(async () => {
    client.disconnect()
    await server.stop()
  })

  const told = (): RouterReport => {
    const now = Date.now()
    const minute = Math.floor(now / 60_000)
    const counts = { minute, requests: 4, tokens: 90, firstTokenMs: undefined, perTokenMs: undefined }
    return {
      process: 'one',
      deployments: [{ id: 'd1', inFlight: 2, ...counts }],
      cooldowns: [{ id: 'd2', at: now, until: now + 60_000, kind: 'rate_limited', status: 429 }],
    }
  }
  const plain = (reports: unknown): unknown => JSON.parse(JSON.stringify(reports))

  it('runs its scripts again after they were flushed', async () => {
    const { router } = redisStores(client)
    await router.exchange('one', told())
    await server.command('script', 'flush')
    expect(await router.exchange('two', undefined)).toHaveLength(1)
  })

  it('is told again what it lost in a restart, by processes that have nothing new to tell', async () => {
    const near = redisStores(client)
    const report = told()
    await near.router.exchange('one', report)
    await near.router.exchange('two', undefined)
    await server.kill()
    await server.start()
    // The first one finds that nothing is known, the second one tells.
    await near.router.exchange('one', undefined)
    await near.router.exchange('one', undefined)
    expect(plain(await near.router.exchange('two', undefined))).toEqual(plain([report]))
    expect(plain(await redisStores(client).router.exchange('new', undefined))).toEqual(plain([report]))
  })

  it('is told again what it never got', async () => {
    const { router } = redisStores(client)
    await router.exchange('one', undefined)
    const report = told()
    client.disconnect()
    await expect(router.exchange('one', report)).rejects.toThrow()
    await client.connect()
    await router.exchange('one', undefined)
    expect(plain(await router.exchange('two', undefined))).toEqual(plain([report]))
  })

  it('gives news again to a process that had left before they came', async () => {
    const slow: RedisLike = {
      isCluster: false,
      async call(command, ...args) {
        const answer = await client.call(command, ...args)
        if (delayMs > 0) await wait(delayMs)
        return answer
      },
    }
    let delayMs = 0
    const { router } = redisStores(slow)
    await router.exchange('two', undefined)
    await router.exchange('one', told())
    delayMs = 80
    expect(await router.exchange('two', undefined)).toHaveLength(1)
    delayMs = 0
    expect(await router.exchange('two', undefined)).toHaveLength(1)
    expect(await router.exchange('two', undefined)).toHaveLength(0)
  })

  it('leaves out what cannot be read, and says so once', async () => {
    const { router } = redisStores(client)
    await router.exchange('one', told())
    const fields = (await server.command('hkeys', '{sluice:router}:values')).split('\n')
    const cooldown = fields.find((field) => field.startsWith('c')) ?? ''
    const damage = (value: string): Promise<string> => server.command('hset', '{sluice:router}:values', cooldown, value)
    await damage('{"process":')
    await expect(router.exchange('two', undefined)).rejects.toThrow('1 values below sluice:router cannot be read')
    const [report] = await router.exchange('two', undefined)
    expect(report).toMatchObject({ deployments: [{ id: 'd1', inFlight: 2 }], cooldowns: [] })
    await damage('{"process":"one","cooldown":{"id":7}}')
    expect(await router.exchange('two', { ...told(), process: 'two' })).toEqual([])
    expect((await redisStores(client).router.exchange('new', undefined)).flatMap((one) => one.cooldowns)).toHaveLength(
      1,
    )
  })

  it('goes on where the count of changes is damaged', async () => {
    const { router } = redisStores(client)
    await router.exchange('two', undefined)
    await server.command('set', '{sluice:router}:version', 'many')
    await router.exchange('one', told())
    expect(await router.exchange('two', undefined)).toHaveLength(1)
  })

  it('keeps no key of the router without an end, nor one of the cache', async () => {
    const { router, cache } = redisStores(client)
    await router.exchange('one', told())
    await cache.set([{ key: 'a', value: '1', ttlMs: 60_000 }])
    await cache.setIfAbsent({ key: 'b', value: '1', ttlMs: 60_000 })
    const keys = (await server.command('keys', '*')).split('\n')
    expect(keys).toHaveLength(6)
    for (const key of keys) expect(Number(await server.command('pttl', key))).toBeGreaterThan(0)
  })

  it('takes one round trip and one command for an exchange, and gives two items where nothing is new', async () => {
    const commands: unknown[][] = []
    const replies: unknown[] = []
    const counted: RedisLike = {
      isCluster: false,
      async call(...args) {
        commands.push(args)
        const reply = await client.call(...args)
        replies.push(reply)
        return reply
      },
    }
    const { router } = redisStores(counted)
    await router.exchange('one', undefined)
    await router.exchange('two', undefined)
    commands.length = 0
    replies.length = 0
    await router.exchange('one', { ...told(), cooldowns: [] })
    await router.exchange('two', undefined)
    await router.exchange('two', undefined)
    expect(commands).toHaveLength(3)
    const nothingNew = [0, expect.any(String)]
    expect(replies).toEqual([nothingNew, [...nothingNew, expect.any(String)], nothingNew])
  })
})
