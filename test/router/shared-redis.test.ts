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
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  upstream = await startFakeUpstream()
})
afterEach(async () => {
  upstream.reset()
  for (const close of closing.splice(0)) await close()
})
afterAll(() => upstream.close())

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

/** A Redis, an upstream of its own, and processes that share what they know through it. */
interface Fleet {
  readonly name: string
  readonly place: RedisPlace
  readonly upstream: FakeUpstream
  /** Starts another process. */
  readonly openProcess: () => Promise<HostProcess>
  readonly near: HostProcess
  readonly far: HostProcess
  readonly doomed: HostProcess
  close(): Promise<void>
}

const fleetModels: readonly ModelOptions[] = [
  ...refusingModels,
  { modelName: 'tried', model: 'fake/slow-100ms+status-429', id: 't', order: 1, cooldownMs: 700 },
  { modelName: 'tried', model: 'fake/demo', id: 'u', order: 2 },
  { modelName: 'hung', model: 'fake/hang', id: 'h' },
]
const fleetPrefix = 'test-fleet'

async function startFleet(
  name: string,
  sources: CompiledSources,
  redis: { readonly ports: readonly number[]; stop(): Promise<void> },
): Promise<Fleet> {
  const place = { ports: redis.ports, isCluster: redis.ports.length > 1 }
  const own = await startFakeUpstream()
  const processes: HostProcess[] = []
  const openProcess = async (): Promise<HostProcess> => {
    const process = await startHost(`${folder}shared-process.mjs`, folder, {
      SOURCES: sources.folder,
      PORTS: place.ports.join(','),
      CLUSTER: place.isCluster ? '1' : '0',
      PREFIX: fleetPrefix,
      MODELS: JSON.stringify(fleetModels),
      UPSTREAM: own.url,
    })
    processes.push(process)
    return process
  }
  const close = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.stop('SIGKILL')))
    await own.close()
    await redis.stop()
  }
  const [near, far, doomed] = await Promise.all([openProcess(), openProcess(), openProcess()])
  // All are warm, and connected.
  await Promise.all([near, far, doomed].map(({ url }) => healthAt(url, 'a')))
  return { name, place, upstream: own, openProcess, near, far, doomed, close }
}

const post = (url: string, modelName: string): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat(modelName)),
  })

describe.runIf(hasRedisServer())(
  'gateways that share one Redis, or a cluster of three masters',
  { timeout: 60_000 },
  () => {
    let sources: CompiledSources
    let fleets: readonly Fleet[] = []
    beforeAll(async () => {
      sources = compileSources()
      const [single, cluster] = await Promise.all([redisServer(), redisCluster()])
      fleets = await Promise.all([
        startFleet('one Redis', sources, { ports: [single.port], stop: () => single.stop() }),
        startFleet('a cluster of three masters', sources, { ...cluster, ports: cluster.nodes.map(({ port }) => port) }),
      ])
    }, 120_000)
    afterAll(async () => {
      await Promise.all(fleets.map((fleet) => fleet.close()))
      sources.remove()
    })
    /** One test on both at once: it spends its time waiting. */
    const onBoth = (run: (fleet: Fleet) => Promise<void>): (() => Promise<void>) => {
      const named = (fleet: Fleet): Promise<void> =>
        run(fleet).catch((error: unknown) => {
          throw new Error(`${fleet.name}: ${String(error)}`, { cause: error })
        })
      return async () => void (await Promise.all(fleets.map(named)))
    }
    const openTwo = (place: RedisPlace, own: Partial<SharingOptions>): readonly [SharingGateway, SharingGateway] => {
      const prefix = randomUUID()
      return [open(place, { prefix, ...own }), open(place, { prefix, ...own })]
    }

    it.each([
      ['listen', true],
      ['ask', false],
    ] as const)('know of each other’s cooldowns within 250 ms where they %s', (how, listens) =>
      onBoth(async ({ name, place, upstream: own }) => {
        const [one, other] = openTwo(place, { listens, upstream: own.url, models: fleetModels })
        // Once for warmth: connections, code, the other process's ear.
        await ask(one.gateway, 'POST', '/v1/chat/completions', chat('tried'))
        await until(async () => (await healthOf(other.gateway, 't'))['state'] !== 'healthy')
        expect(await askMain(one.gateway)).toEqual({ status: 200, servedBy: 'b' })
        const tookMs = await until(async () => (await healthOf(other.gateway, 'a'))['state'] === 'cooling')
        console.log(`${name}, ${how}: a cooldown is shared after ${tookMs.toFixed(0)} ms`)
        expect(tookMs).toBeLessThan(sharedWithinMs)
        const asked = own.requests.length
        expect(await askMain(other.gateway)).toEqual({ status: 200, servedBy: 'b' })
        expect(own.requests).toHaveLength(asked + 1)
        expect(await healthOf(other.gateway, 'a')).toMatchObject({ cause: { kind: 'rate_limited', status: 429 } })
      })(),
    )

    it('count each other’s calls in flight and requests of the minute, and hold a deployment to its rpm together', () =>
      onBoth(async ({ name, place }) => {
        const models = [{ modelName: 'main', model: 'fake/slow-700ms', id: 'a', rpm: 3 }]
        const [near, far] = openTwo(place, { models, gateway: { routing: { preCallChecks: true } } })
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
        console.log(
          `${name}: in-flight is shared after ${inFlightMs.toFixed(0)} ms, its end after ${idleMs.toFixed(0)} ms`,
        )
        expect(inFlightMs).toBeLessThan(sharedWithinMs)
        expect(idleMs).toBeLessThan(sharedWithinMs)
      })())

    it('in two processes try a deployment that has rested with one call at a time', () =>
      onBoth(async ({ name, near, far }) => {
        await post(near.url, 'tried')
        await until(async () => (await healthAt(far.url, 't'))['state'] === 'cooling')
        const tried: number[] = []
        const end = performance.now() + 3_000
        const lane = async (url: string): Promise<void> => {
          while (performance.now() < end) {
            const startedAt = performance.now()
            const answer = await post(url, 'tried')
            expect([answer.status, answer.headers.get('x-sluice-deployment')]).toEqual([200, 'u'])
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
      })())

    it('no longer count what a process had in flight that was killed', () =>
      onBoth(async ({ name, far, doomed }) => {
        const hung = post(doomed.url, 'hung').catch(() => 'gone')
        await until(async () => (await healthAt(far.url, 'h'))['in_flight'] === 1)
        await doomed.stop('SIGKILL')
        expect(await hung).toBe('gone')
        const tookMs = await until(async () => (await healthAt(far.url, 'h'))['in_flight'] === 0)
        console.log(`${name}: a killed process counts for ${tookMs.toFixed(0)} ms more`)
      })())

    it('in two processes know of each other’s cooldowns, and one that is started anew learns them to the millisecond', () =>
      onBoth(async ({ name, near, far, openProcess }) => {
        expect((await post(near.url, 'main')).headers.get('x-sluice-deployment')).toBe('b')
        const tookMs = await until(async () => (await healthAt(far.url, 'a'))['state'] === 'cooling')
        console.log(`${name}: a cooldown is in another process after ${tookMs.toFixed(0)} ms`)
        expect(tookMs).toBeLessThan(sharedWithinMs)
        const { cooling_until: end } = await healthAt(near.url, 'a')
        await Promise.all([near, far].map((process) => process.stop('SIGKILL')))
        const reborn = await openProcess()
        await until(async () => (await healthAt(reborn.url, 'a'))['state'] === 'cooling')
        const { cooling_until: learned } = await healthAt(reborn.url, 'a')
        expect(Math.abs(Date.parse(String(learned)) - Date.parse(String(end)))).toBeLessThanOrEqual(50)
        expect((await post(reborn.url, 'main')).headers.get('x-sluice-attempts')).toBe('1')
      })())
  },
)

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
