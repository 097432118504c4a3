import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { GatewayError } from '../../src/errors.js'
import type { AttemptLease } from '../../src/router/attempt-lease.js'
import { createDirectory } from '../../src/router/directory.js'
import { type RoutingOptions, toFallbackPolicy, toRetryPolicy } from '../../src/router/options.js'
import { defaultCooldown } from '../../src/router/cooldown.js'
import { Route, type RouteRequest } from '../../src/router/route.js'
import { createRouterState } from '../../src/router/router-state.js'
import { simpleShuffle } from '../../src/router/strategies/simple-shuffle.js'
import { CallTrail } from '../../src/router/trail.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { anyCaller, deploymentOf } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A router in which every attempt goes on until the test ends it. */
function lab(deployments: readonly Deployment[], options: RoutingOptions = {}) {
  const clock = new FakeClock()
  const state = createRouterState({
    clock,
    cooldown: defaultCooldown,
    maxQueueMs: options.maxQueueMs,
    emit: () => {},
  })
  const directory = createDirectory(deployments, new Map(), state)
  const parts = {
    state,
    clock,
    random: () => 0,
    strategy: simpleShuffle,
    retry: toRetryPolicy(options, 2),
    fallbacks: toFallbackPolicy(options),
    enforceRates: false,
    find: (name: string) => directory.groups.find(name),
  }
  const served: string[] = []
  /** Begins a call; `served` tells in which order calls were given a deployment. */
  const call = (
    name: string,
    signal = new CallSignal(clock, 0),
    factsOf?: RouteRequest['factsOf'],
    fails: (id: string) => boolean = () => false,
  ) => {
    const route = new Route(
      {
        group: directory.groups.resolve('fast', anyCaller),
        signal,
        trail: new CallTrail(),
        stream: false,
        retries: undefined,
        fallbacks: undefined,
        factsOf,
        prefer: undefined,
      },
      parts,
    )
    const lease: Promise<AttemptLease> = route.run(({ deployment, lease: begun }) => {
      served.push(`${name}@${deployment.id}`)
      if (fails(deployment.id)) return Promise.reject(new GatewayError('timeout', 'late'))
      return Promise.resolve(begun)
    })
    lease.catch(() => {})
    return { lease, signal }
  }
  return { clock, state, served, call }
}

const single = [deploymentOf({ id: 'a', maxParallelRequests: 1 })]

describe('waiting for a busy deployment', () => {
  it('serves calls in the order in which they came, as soon as an attempt ends', async () => {
    const { call, served } = lab(single)
    const calls = ['1', '2', '3'].map((name) => call(name))
    await settled()
    expect(served).toEqual(['1@a'])
    for (const [position, { lease }] of calls.entries()) {
      ;(await lease).succeeded({})
      await settled()
      expect(served).toHaveLength(Math.min(position + 2, 3))
    }
    expect(served).toEqual(['1@a', '2@a', '3@a'])
  })

  it('lets nobody in before those who wait, not even in the moment in which room is made', async () => {
    const { call, served } = lab(single)
    const first = await call('1').lease
    const waiting = call('2')
    await settled()
    first.succeeded({})
    const late = call('3')
    await settled()
    expect(served).toEqual(['1@a', '2@a'])
    ;(await waiting.lease).cancelled()
    await late.lease
  })

  it('never has more attempts under way than the deployment may serve', async () => {
    const { call, state } = lab([deploymentOf({ id: 'a', maxParallelRequests: 3 })])
    const calls = Array.from({ length: 50 }, (_, index) => call(String(index)))
    let most = 0
    for (const { lease } of calls) {
      await settled()
      most = Math.max(most, state.of('a').inFlight)
      ;(await lease).succeeded({})
    }
    expect(most).toBe(3)
    expect(state.of('a').inFlight).toBe(0)
    expect(state.slots.isEmpty).toBe(true)
  })

  it('takes whichever deployment has room first', async () => {
    const { call, served } = lab(['a', 'b'].map((id) => deploymentOf({ id, maxParallelRequests: 1 })))
    await call('1').lease
    const second = await call('2').lease
    const third = call('3')
    await settled()
    second.succeeded({})
    await third.lease
    expect(served).toEqual(['1@a', '2@b', '3@b'])
  })

  it('goes to the fallback after the time that a call may wait', async () => {
    const spare = deploymentOf({ id: 'b', modelName: 'slow' })
    const { call, clock, served, state } = lab([...single, spare], { fallbacks: { fast: ['slow'] }, maxQueueMs: 2_000 })
    await call('1').lease
    const second = call('2')
    clock.advance(1_999)
    await settled()
    expect(served).toEqual(['1@a'])
    clock.advance(1)
    await second.lease
    expect(served).toEqual(['1@a', '2@b'])
    expect(state.slots.isEmpty).toBe(true)
  })

  it('is a 429 after ten seconds where nothing else is said and nobody takes over', async () => {
    const { call, clock } = lab([
      deploymentOf({
        id: 'a',
        maxParallelRequests: 1,
        timeouts: { connect: 1, headers: 1, firstToken: 1, idle: 1, total: 0 },
      }),
    ])
    await call('1').lease
    const second = call('2')
    await settled()
    clock.advance(9_999)
    await settled()
    clock.advance(1)
    await expect(second.lease).rejects.toMatchObject({ kind: 'rate_limited', status: 429, retryAfterMs: 1_000 })
    expect(clock.pending).toBe(0)
  })

  it('is a 429 at once where calls may not wait', async () => {
    const { call, clock } = lab(single, { maxQueueMs: 0 })
    await call('1').lease
    await expect(call('2').lease).rejects.toMatchObject({ status: 429 })
    expect(clock.pending).toBe(0)
  })

  it('never outlasts the deadline of the call', async () => {
    const timeouts = { connect: 1, headers: 1, firstToken: 1, idle: 1, total: 3_000 }
    const { call, clock } = lab([deploymentOf({ id: 'a', maxParallelRequests: 1, timeouts })])
    await call('1').lease
    const second = call('2')
    await settled()
    clock.advance(3_000)
    await expect(second.lease).rejects.toMatchObject({ status: 429 })
  })

  it('ends when the client leaves, and the place in the line goes to the next', async () => {
    const { call, served, state } = lab(single)
    const first = await call('1').lease
    const [second, third] = [call('2'), call('3')]
    await settled()
    const gone = new GatewayError('client_closed', 'gone')
    second.signal.end(gone)
    await expect(second.lease).rejects.toBe(gone)
    first.succeeded({})
    await third.lease
    expect(served).toEqual(['1@a', '3@a'])
    expect(state.slots.isEmpty).toBe(true)
  })

  it('holds no more than a thousand calls for one deployment', async () => {
    const { call } = lab(single)
    await call('first').lease
    const waiting = Array.from({ length: 1_000 }, (_, index) => call(String(index)))
    await settled()
    await expect(call('last').lease).rejects.toMatchObject({ status: 429 })
    for (const { signal } of waiting) signal.end(new GatewayError('client_closed', 'gone'))
  })

  it('is ended by room that a peer made, as soon as anybody calls, and before them', async () => {
    const { call, served, state } = lab([deploymentOf({ id: 'a', maxParallelRequests: 2 })])
    const peers = { ...state.of('a').peers, inFlight: 2 }
    state.of('a').peers = peers
    const waiting = call('waiting')
    await settled()
    expect(served).toEqual([])
    state.of('a').peers = { ...peers, inFlight: 1 }
    const late = call('late')
    await waiting.lease
    await settled()
    expect(served).toEqual(['waiting@a'])
    ;(await waiting.lease).cancelled()
    state.of('a').peers = { ...peers, inFlight: 0 }
    await late.lease
  })

  it('is not begun for a deployment that may not serve the call anyway', async () => {
    const { call, clock } = lab(single)
    await call('1').lease
    const refusing = call('2', undefined, () => ({ check: () => 'tags', inputTokens: 0 }))
    await expect(refusing.lease).rejects.toMatchObject({ code: 'tags_not_allowed' })
    expect(clock.pending).toBe(0)
  })

  it('is worth it after a failure that the same deployment would only repeat', async () => {
    const { call, served } = lab([
      deploymentOf({ id: 'a' }),
      deploymentOf({ id: 'b', maxParallelRequests: 1, order: 2 }),
    ])
    const fails = (id: string): boolean => id === 'a'
    const first = await call('1', undefined, undefined, fails).lease
    const second = call('2', undefined, undefined, fails)
    await settled()
    expect(served).toEqual(['1@a', '1@b', '2@a'])
    first.succeeded({})
    await second.lease
    expect(served.at(-1)).toBe('2@b')
  })

  it('is given up where the deployment begins to rest', async () => {
    const { call, clock, served } = lab([...single, deploymentOf({ id: 'b', maxParallelRequests: 1 })])
    const first = await call('1').lease
    const second = await call('2').lease
    const third = call('3')
    await settled()
    first.failed(new GatewayError('rate_limited', 'slow down'))
    await settled()
    expect(served).toHaveLength(2)
    second.succeeded({})
    await third.lease
    expect(served.at(-1)).toBe('3@b')
    expect(clock.pending).toBe(0)
  })
})

describe('the line of a busy deployment, whatever happens', () => {
  type Step = { readonly kind: 'call' | 'end' | 'leave' | 'pass'; readonly which: number }
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom('call', 'call', 'call', 'end', 'end', 'leave', 'pass'),
    which: fc.nat(20),
  })

  it('is served in order, never beyond the limit, and is empty in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60 }), async (limit, steps) => {
        const { call, clock, served, state } = lab([deploymentOf({ id: 'a', maxParallelRequests: limit })])
        const waiting = new Map<number, CallSignal>()
        const running: AttemptLease[] = []
        let came = 0
        for (const { kind, which } of steps) {
          if (kind === 'call') {
            const number = came++
            const { lease, signal } = call(String(number))
            waiting.set(number, signal)
            void lease
              .then(
                (begun) => running.push(begun),
                () => {},
              )
              .finally(() => waiting.delete(number))
          } else if (kind === 'end') running.splice(which % Math.max(1, running.length), 1)[0]?.succeeded({})
          else if (kind === 'leave') {
            const signal = [...waiting.values()][which % Math.max(1, waiting.size)]
            signal?.end(new GatewayError('client_closed', 'gone'))
          } else clock.advance(which * 100)
          await settled()
          expect(state.of('a').inFlight).toBe(running.length)
          expect(running.length).toBeLessThanOrEqual(limit)
          // Whoever waits does so only because there is no room.
          if (waiting.size > 0) expect(running).toHaveLength(limit)
        }
        const order = served.map((name) => Number(name.slice(0, -2)))
        expect(order).toEqual(order.toSorted((a, b) => a - b))
        for (const signal of waiting.values()) signal.end(new GatewayError('client_closed', 'gone'))
        for (const lease of running) lease.cancelled()
        await settled()
        expect(state.slots.isEmpty).toBe(true)
        expect(state.of('a').inFlight).toBe(0)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 150 },
    )
  })
})
