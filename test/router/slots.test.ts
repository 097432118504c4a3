import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { GatewayError } from '../../src/errors.js'
import type { AttemptLease } from '../../src/router/attempt-lease.js'
import { createDirectory } from '../../src/router/directory.js'
import { type RoutingOptions, toFallbackPolicy, toRetryPolicy } from '../../src/router/options.js'
import { defaultCooldown } from '../../src/router/cooldown.js'
import { Route } from '../../src/router/route.js'
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
  const call = (name: string, signal = new CallSignal(clock, 0)) => {
    const route = new Route(
      {
        group: directory.groups.resolve('fast', anyCaller),
        signal,
        trail: new CallTrail(),
        stream: false,
        retries: undefined,
        fallbacks: undefined,
        prefer: undefined,
      },
      parts,
    )
    const lease: Promise<AttemptLease> = route.run(({ deployment, lease: begun }) => {
      served.push(`${name}@${deployment.id}`)
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
