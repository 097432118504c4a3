import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ModelOptions } from '../../src/index.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { type CompiledSources, compileSources } from '../support/compiled-sources.js'
import { ask, chat } from '../support/gateway.js'
import { type HostProcess, startHost } from '../support/host-process.js'
import { type RedisServer, hasRedisServer, redisCluster, redisServer } from '../support/redis-server.js'
import {
  type RedisPlace,
  type SharingGateway,
  type SharingOptions,
  askMain,
  healthAt,
  healthOf,
  refusingModels,
  startSharing,
  until,
} from './shared-lab.js'

let upstream: FakeUpstream
let sources: CompiledSources
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  upstream = await startFakeUpstream()
  sources = compileSources()
}, 120_000)
afterEach(async () => {
  upstream.reset()
  for (const close of closing.splice(0)) await close()
})
afterAll(async () => {
  await upstream.close()
  sources.remove()
})

const folder = fileURLToPath(new URL('.', import.meta.url))
// The promise is 250 ms; the rest is what a crowded machine adds.
const sharedWithinMs = 1_000
// Likewise 2 s after an outage.
const backWithinMs = 2_500

function open(place: RedisPlace, own: Partial<SharingOptions> = {}): SharingGateway {
  const prefix = 'test-shared'
  const started = startSharing({ place, prefix, upstream: upstream.url, models: refusingModels, ...own })
  closing.push(() => started.close())
  return started
}

async function openProcess(place: RedisPlace, prefix: string, models: readonly ModelOptions[]): Promise<HostProcess> {
  const process = await startHost(`${folder}shared-process.mjs`, folder, {
    SOURCES: sources.folder,
    PORTS: place.ports.join(','),
    CLUSTER: place.isCluster ? '1' : '0',
    PREFIX: prefix,
    MODELS: JSON.stringify(models),
    UPSTREAM: upstream.url,
  })
  closing.push(() => process.stop('SIGKILL'))
  return process
}

const post = (url: string): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat('main')),
  })

async function startSingle(): Promise<{ place: RedisPlace; stop: () => Promise<void> }> {
  const server = await redisServer()
  return { place: { ports: [server.port], isCluster: false }, stop: () => server.stop() }
}

async function startCluster(): Promise<{ place: RedisPlace; stop: () => Promise<void> }> {
  const cluster = await redisCluster()
  return { place: { ports: cluster.nodes.map(({ port }) => port), isCluster: true }, stop: () => cluster.stop() }
}

describe.runIf(hasRedisServer()).each([
  ['one Redis', startSingle],
  ['a cluster of three masters', startCluster],
] as const)('gateways that share %s', { timeout: 60_000 }, (name, start) => {
  let redis: Awaited<ReturnType<typeof start>>
  beforeAll(async () => {
    redis = await start()
  }, 60_000)
  afterAll(() => redis.stop())

  it.each([
    ['listen', true],
    ['ask', false],
  ] as const)('know of each other’s cooldowns within 250 ms where they %s', async (how, listens) => {
    const prefix = randomUUID()
    const [one, other] = ['one', 'other'].map(() => open(redis.place, { prefix, listens }))
    if (!one || !other) throw new Error('not opened')
    await sleep(300)
    expect(await askMain(one.gateway)).toEqual({ status: 200, servedBy: 'b' })
    const tookMs = await until(async () => (await healthOf(other.gateway, 'a'))['state'] === 'cooling')
    console.log(`${name}, ${how}: a cooldown is shared after ${tookMs.toFixed(0)} ms`)
    expect(tookMs).toBeLessThan(sharedWithinMs)
    const asked = upstream.requests.length
    expect(await askMain(other.gateway)).toEqual({ status: 200, servedBy: 'b' })
    expect(upstream.requests).toHaveLength(asked + 1)
    expect(await healthOf(other.gateway, 'a')).toMatchObject({ cause: { kind: 'rate_limited', status: 429 } })
  })

  it('count each other’s calls in flight and requests of the minute, and hold a deployment to its rpm together', async () => {
    const prefix = randomUUID()
    const models = [{ modelName: 'main', model: 'fake/slow-700ms', id: 'a', rpm: 3 }]
    const gateway = { routing: { preCallChecks: true } }
    const [near, far] = ['near', 'far'].map(() => open(redis.place, { prefix, models, gateway }))
    if (!near || !far) throw new Error('not opened')
    // Counts are of one minute: none of them may begin in this test.
    const leftMs = 60_000 - (Date.now() % 60_000)
    if (leftMs < 6_000) await sleep(leftMs + 50)
    await sleep(300)
    const calls = Promise.all([1, 2, 3].map(() => askMain(near.gateway)))
    const inFlightMs = await until(async () => (await healthOf(far.gateway, 'a'))['in_flight'] === 3)
    expect(await healthOf(far.gateway, 'a')).toMatchObject({ requests_this_minute: 3 })
    expect((await askMain(far.gateway)).status).toBe(429)
    expect(await calls).toEqual([1, 2, 3].map(() => ({ status: 200, servedBy: 'a' })))
    const idleMs = await until(async () => (await healthOf(far.gateway, 'a'))['in_flight'] === 0)
    console.log(`${name}: in-flight is shared after ${inFlightMs.toFixed(0)} ms, its end after ${idleMs.toFixed(0)} ms`)
    expect(inFlightMs).toBeLessThan(sharedWithinMs)
    expect(idleMs).toBeLessThan(sharedWithinMs)
  })

  it('in two processes know of each other’s cooldowns, and one that is started anew learns them to the millisecond', async () => {
    const prefix = randomUUID()
    const [near, far] = await Promise.all([1, 2].map(() => openProcess(redis.place, prefix, refusingModels)))
    if (!near || !far) throw new Error('not started')
    // Both are warm, and connected.
    await Promise.all([near, far].map(({ url }) => healthAt(url, 'a')))
    await sleep(500)
    expect((await post(near.url)).headers.get('x-sluice-deployment')).toBe('b')
    const tookMs = await until(async () => (await healthAt(far.url, 'a'))['state'] === 'cooling')
    console.log(`${name}: a cooldown is in another process after ${tookMs.toFixed(0)} ms`)
    expect(tookMs).toBeLessThan(sharedWithinMs)
    const { cooling_until: end } = await healthAt(near.url, 'a')
    await Promise.all([near, far].map((process) => process.stop('SIGKILL')))
    const reborn = await openProcess(redis.place, prefix, refusingModels)
    await until(async () => (await healthAt(reborn.url, 'a'))['state'] === 'cooling')
    const { cooling_until: learned } = await healthAt(reborn.url, 'a')
    expect(Math.abs(Date.parse(String(learned)) - Date.parse(String(end)))).toBeLessThanOrEqual(50)
    expect((await post(reborn.url)).headers.get('x-sluice-attempts')).toBe('1')
  })

  it('in two processes try a deployment that has rested with one call at a time', async () => {
    const models: readonly ModelOptions[] = [
      { modelName: 'main', model: 'fake/slow-100ms+status-429', id: 'a', order: 1, cooldownMs: 700 },
      { modelName: 'main', model: 'fake/demo', id: 'b', order: 2 },
    ]
    const prefix = randomUUID()
    const [near, far] = await Promise.all([1, 2].map(() => openProcess(redis.place, prefix, models)))
    if (!near || !far) throw new Error('not started')
    await Promise.all([near, far].map(({ url }) => healthAt(url, 'a')))
    await sleep(300)
    await post(near.url)
    await until(async () => (await healthAt(far.url, 'a'))['state'] === 'cooling')
    const tried: number[] = []
    const end = performance.now() + 3_000
    const lane = async (url: string): Promise<void> => {
      while (performance.now() < end) {
        const startedAt = performance.now()
        const answer = await post(url)
        expect([answer.status, answer.headers.get('x-sluice-deployment')]).toEqual([200, 'b'])
        if (answer.headers.get('x-sluice-attempts') === '2') tried.push(startedAt)
      }
    }
    await Promise.all([near, near, far, far].map(({ url }) => lane(url)))
    const gaps = tried
      .toSorted((a, b) => a - b)
      .flatMap((at, index, all) => (index > 0 ? at - (all[index - 1] ?? 0) : []))
    console.log(`${name}: tried ${tried.length} times, at least ${Math.min(...gaps).toFixed(0)} ms apart`)
    expect(tried.length).toBeGreaterThanOrEqual(2)
    expect(Math.min(...gaps)).toBeGreaterThan(500)
  })

  it('no longer count what a process had in flight that was killed', async () => {
    const prefix = randomUUID()
    const models = [{ modelName: 'main', model: 'fake/hang', id: 'a' }]
    const far = open(redis.place, { prefix, models })
    const near = await openProcess(redis.place, prefix, models)
    const hung = post(near.url).catch(() => 'gone')
    await until(async () => (await healthOf(far.gateway, 'a'))['in_flight'] === 1)
    await near.stop('SIGKILL')
    expect(await hung).toBe('gone')
    const tookMs = await until(async () => (await healthOf(far.gateway, 'a'))['in_flight'] === 0)
    console.log(`${name}: a killed process counts for ${tookMs.toFixed(0)} ms more`)
  })
})

describe.runIf(hasRedisServer())('a gateway whose Redis fails', { timeout: 60_000 }, () => {
  let server: RedisServer
  let place: RedisPlace
  beforeAll(async () => {
    server = await redisServer()
    place = { ports: [server.port], isCluster: false }
  })
  afterAll(() => server.stop())

  const healthy: readonly ModelOptions[] = [{ modelName: 'main', model: 'fake/demo', id: 'a' }]
  const resting: readonly ModelOptions[] = [
    { modelName: 'resting', model: 'fake/status-429+retry-after-60', id: 'r', order: 1 },
    { modelName: 'resting', model: 'fake/demo', id: 's', order: 2 },
  ]
  /** Calls one after the other for so long, in four lanes; gives how long each took. */
  async function load({ gateway }: SharingGateway, forMs: number): Promise<number[]> {
    const took: number[] = []
    const end = performance.now() + forMs
    const lane = async (): Promise<void> => {
      while (performance.now() < end) {
        const startedAt = performance.now()
        expect((await askMain(gateway)).status).toBe(200)
        took.push(performance.now() - startedAt)
        await sleep(2)
      }
    }
    await Promise.all([lane(), lane(), lane(), lane()])
    return took.toSorted((a, b) => a - b)
  }
  const figures = (took: readonly number[]): string =>
    `${took.length} calls, median ${took[took.length >> 1]?.toFixed(1)} ms, most ${took.at(-1)?.toFixed(1)} ms`

  let pausedUntil = 0
  const outages = {
    killed: { begin: () => server.kill(), end: () => server.start() },
    paused: {
      async begin() {
        pausedUntil = performance.now() + 1_700
        await server.command('client', 'pause', '1700', 'all')
      },
      end: () => sleep(Math.max(0, pausedUntil - performance.now())),
    },
  }
  it.each(['killed', 'paused'] as const)(
    'loses and delays no call while it is %s, and shares again within 2 s',
    async (how) => {
      const prefix = randomUUID()
      const [near, far] = ['near', 'far'].map(() => open(place, { prefix, models: [...healthy, ...resting] }))
      if (!near || !far) throw new Error('not opened')
      const before = await load(near, 500)
      const running = load(near, 1_500)
      await sleep(200)
      await outages[how].begin()
      // Decided while nobody can be told.
      await ask(near.gateway, 'POST', '/v1/chat/completions', chat('resting'))
      const during = await running
      await outages[how].end()
      const backMs = await until(async () => (await healthOf(far.gateway, 'r'))['state'] === 'cooling')
      console.log(
        `${how}: before ${figures(before)}; during ${figures(during)}; shared again after ${backMs.toFixed(0)} ms`,
      )
      // A call that waited for Redis even once would take 50 ms more than the slowest before.
      const median = (took: readonly number[]): number => took[took.length >> 1] ?? 0
      expect(median(during) - median(before)).toBeLessThan(20)
      expect((during.at(-1) ?? 0) - (before.at(-1) ?? 0)).toBeLessThan(500)
      expect(backMs).toBeLessThan(backWithinMs)
    },
  )

  it('starts without it, and shares within 2 s once it is there', async () => {
    await server.kill()
    const prefix = randomUUID()
    const [near, far] = ['near', 'far'].map(() => open(place, { prefix }))
    if (!near || !far) throw new Error('not opened')
    expect(await askMain(near.gateway)).toEqual({ status: 200, servedBy: 'b' })
    await server.start()
    const tookMs = await until(async () => (await healthOf(far.gateway, 'a'))['state'] === 'cooling')
    console.log(`started without Redis: shared ${tookMs.toFixed(0)} ms after it is there`)
    expect(tookMs).toBeLessThan(backWithinMs)
  })

  it('sends nothing per call: ten commands a second at most, whatever the load, and seldom one where nothing changes', async () => {
    const listening = open(place, { prefix: randomUUID(), models: healthy })
    await load(listening, 300)
    await sleep(300)
    const idleFrom = listening.commands()
    await sleep(2_000)
    const idle = listening.commands() - idleFrom
    await server.command('config', 'resetstat')
    const from = listening.commands()
    const calls = (await load(listening, 2_000)).length
    const sent = listening.commands() - from
    const stats = await server.command('info', 'commandstats')
    const served = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
    console.log(`commands: ${idle} in 2 s without calls; ${sent} sent, ${served} served for ${calls} calls in 2 s`)
    expect(idle).toBeLessThanOrEqual(3)
    expect(sent).toBeLessThanOrEqual(22)
    expect(Math.abs(served - sent)).toBeLessThanOrEqual(1)
    expect(calls).toBeGreaterThan(2 * sent)
  })
})
