import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { type FailureKind, GatewayError, type GatewayErrorOptions, toGatewayError } from '../../src/errors.js'
import { createDirectory } from '../../src/router/directory.js'
import {
  type RoutingOptions,
  toAliases,
  toCooldownPolicy,
  toFallbackPolicy,
  toRetryPolicy,
} from '../../src/router/options.js'
import { Route } from '../../src/router/route.js'
import { type RouterEvent, createRouterState } from '../../src/router/router-state.js'
import { simpleShuffle } from '../../src/router/strategies/simple-shuffle.js'
import { CallTrail } from '../../src/router/trail.js'
import { CallSignal, timeoutError } from '../../src/upstream/call-signal.js'
import { FakeClock } from '../support/fake-clock.js'
import { anyCaller, deploymentOf } from '../support/deployment.js'

interface Lab {
  readonly clock: FakeClock
  readonly signal: CallSignal
  readonly events: RouterEvent[]
  readonly trail: CallTrail
  readonly route: (modelName?: string, fallbacks?: readonly string[]) => Route
}

/** A router over the deployments whose clock stands still and whose dice always show the lowest. */
function lab(deployments: readonly Deployment[], options: RoutingOptions = {}, totalMs = 0): Lab {
  const clock = new FakeClock()
  const signal = new CallSignal(clock, totalMs)
  const events: RouterEvent[] = []
  const state = createRouterState({
    clock,
    cooldown: toCooldownPolicy(options.cooldown),
    emit: (event) => events.push(event),
  })
  const directory = createDirectory(deployments, toAliases(options.aliases), state)
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
  const trail = new CallTrail()
  const rest = { retries: undefined, prefer: undefined, stream: false }
  return {
    clock,
    signal,
    events,
    trail,
    route: (name = 'fast', fallbacks) =>
      new Route({ group: directory.groups.resolve(name, anyCaller), signal, trail, fallbacks, ...rest }, parts),
  }
}

const failure = (kind: FailureKind, options?: GatewayErrorOptions): GatewayError =>
  new GatewayError(kind, kind, options)

/** Runs to the end, letting the clock jump whenever nothing else moves; gives the outcome and the waits. */
async function run(
  { clock, route }: Lab,
  outcomes: readonly (GatewayError | string)[],
  modelName?: string,
  fallbacks?: readonly string[],
): Promise<{ asked: string[]; waited: number; result: unknown }> {
  const asked: string[] = []
  const startedAt = clock.now()
  let settled = false
  const running = route(modelName, fallbacks)
    .run(({ deployment, lease }) => {
      const outcome = outcomes[asked.length]
      asked.push(deployment.id)
      if (typeof outcome !== 'string') return Promise.reject(outcome ?? new Error('asked too often'))
      lease.succeeded({})
      return Promise.resolve(outcome)
    })
    .then(
      (value: unknown) => value,
      (error: unknown) => error,
    )
  void running.finally(() => (settled = true))
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve))
    if (!settled) clock.advance(10)
  }
  return { asked, waited: clock.now() - startedAt, result: await running }
}

const one = [deploymentOf({ id: 'a' })]
const two = [deploymentOf({ id: 'a' }), deploymentOf({ id: 'b' })]

describe('a route within one group', () => {
  it('gives the first answer', async () => {
    expect(await run(lab(one), ['ok'])).toEqual({ asked: ['a'], waited: 0, result: 'ok' })
  })

  it('asks the only deployment again after a transient failure, more patiently each time', async () => {
    const { asked, waited, result } = await run(lab(one), [failure('upstream_error'), failure('overloaded'), 'ok'])
    expect({ asked, result }).toEqual({ asked: ['a', 'a', 'a'], result: 'ok' })
    expect(waited).toBe(130 + 250)
  })

  it('asks another deployment at once', async () => {
    expect(await run(lab(two), [failure('rate_limited'), 'ok'])).toEqual({
      asked: ['a', 'b'],
      waited: 0,
      result: 'ok',
    })
  })

  it('gives up after the configured number of retries, with the first failure', async () => {
    const first = failure('unavailable')
    const { asked, result } = await run(lab(one), [first, failure('upstream_error'), failure('upstream_error')])
    expect(asked).toHaveLength(3)
    expect(result).toBe(first)
  })

  it.each<FailureKind>([
    'invalid_request',
    'context_window',
    'content_policy',
    'unprocessable',
    'client_closed',
    'internal',
  ])('never repeats %s, which another attempt cannot mend', async (kind) => {
    expect((await run(lab(two), [failure(kind), 'ok'])).asked).toEqual(['a'])
  })

  it.each<FailureKind>(['timeout', 'upstream_authentication', 'upstream_not_found', 'upstream_model_not_found'])(
    'does not ask the same deployment again after %s, but another one',
    async (kind) => {
      expect((await run(lab(one), [failure(kind), 'ok'])).asked).toEqual(['a'])
      expect((await run(lab(two), [failure(kind), 'ok'])).asked).toEqual(['a', 'b'])
    },
  )

  it('waits as long as the provider asks', async () => {
    const { waited } = await run(lab(one), [failure('rate_limited', { retryAfterMs: 2_000 }), 'ok'])
    expect(waited).toBe(2_000)
  })

  it('hands a longer wait on to the caller', async () => {
    const refused = failure('rate_limited', { retryAfterMs: 60_000 })
    expect(await run(lab(one), [refused, 'ok'])).toEqual({ asked: ['a'], waited: 0, result: refused })
  })

  it('does not begin a wait that the total deadline would cut', async () => {
    const refused = failure('rate_limited', { retryAfterMs: 2_000 })
    expect((await run(lab(one, {}, 1_500), [refused, 'ok'])).result).toBe(refused)
  })

  it('stops waiting when the client leaves', async () => {
    const { clock, signal, route } = lab(one)
    const gone = failure('client_closed')
    let asked = 0
    const running = route().run(() => {
      asked += 1
      return Promise.reject(failure('upstream_error'))
    })
    await new Promise((resolve) => setImmediate(resolve))
    signal.end(gone)
    await expect(running).rejects.toBe(gone)
    clock.advance(10_000)
    expect(asked).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('uses deployments of a higher order only when the lower ones have failed', async () => {
    const tiers = [deploymentOf({ id: 'a', order: 1 }), deploymentOf({ id: 'b', order: 2, weight: 1_000 })]
    expect((await run(lab(tiers), ['ok'])).asked).toEqual(['a'])
    expect((await run(lab(tiers), [failure('unavailable'), 'ok'])).asked).toEqual(['a', 'b'])
  })

  it('turns what is not a GatewayError into one', async () => {
    const running = lab(one)
      .route()
      .run(() => Promise.reject(new TypeError('bug')))
    await expect(running).rejects.toMatchObject({ kind: 'internal', message: expect.not.stringContaining('bug') })
  })

  it('asks every deployment that may be able to do what the first cannot, whatever the number of retries', async () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((id) => deploymentOf({ id }))
    const cannot = failure('unsupported_parameter')
    const { asked, result } = await run(lab(many), [cannot, cannot, cannot, cannot, 'ok'])
    expect(new Set(asked).size).toBe(5)
    expect(result).toBe('ok')
  })

  it('tells the caller’s own fault rather than the failure before it', async () => {
    const own = failure('invalid_request')
    expect((await run(lab(two), [failure('upstream_error'), own])).result).toBe(own)
  })

  it('repeats what the retry policy says, and nothing else', async () => {
    const patient = lab(one, { retryPolicy: { timeout: 1, internalServer: 0 } })
    expect((await run(patient, [failure('timeout'), 'ok'])).asked).toEqual(['a', 'a'])
    expect((await run(patient, [failure('upstream_error'), 'ok'])).asked).toEqual(['a'])
  })
})

const groups = [
  deploymentOf({ id: 'a', modelName: 'fast' }),
  deploymentOf({ id: 'b', modelName: 'slow' }),
  deploymentOf({ id: 'c', modelName: 'long' }),
]
const down = (): GatewayError => failure('overloaded')

describe('a route over several groups', () => {
  it('goes to the fallback once the retries are spent', async () => {
    const { asked, result } = await run(lab(groups, { fallbacks: { fast: ['slow'] } }), [down(), down(), down(), 'ok'])
    expect({ asked, result }).toEqual({ asked: ['a', 'a', 'a', 'b'], result: 'ok' })
  })

  it.each(['invalid_request', 'content_policy'] as const)('has none after %s', async (kind) => {
    const refused = failure(kind)
    const { asked, result } = await run(lab(groups, { fallbacks: { '*': ['slow'] } }), [refused, 'ok'])
    expect({ asked, result }).toEqual({ asked: ['a'], result: refused })
  })

  it('has its own list after a prompt that was too long', async () => {
    const options = { fallbacks: { fast: ['slow'] }, contextWindowFallbacks: { fast: ['long'] } }
    expect((await run(lab(groups, options), [failure('context_window'), 'ok'])).asked).toEqual(['a', 'c'])
  })

  it('routes around a refusal only where the host says where to', async () => {
    const options = { contentPolicyFallbacks: { fast: ['slow'] } }
    expect((await run(lab(groups, options), [failure('content_policy'), 'ok'])).asked).toEqual(['a', 'b'])
  })

  it('tells the first cause when the fallbacks fail too, even with a fault that looks like the caller’s', async () => {
    const first = failure('upstream_authentication')
    const options = { defaultFallbacks: ['slow'] }
    expect((await run(lab(groups, options), [first, failure('invalid_request')])).result).toBe(first)
  })

  it('never asks a group twice', async () => {
    const options = { fallbacks: { fast: ['slow'], slow: ['fast', 'slow'] }, maxAttempts: 100 }
    const { asked } = await run(lab(groups, options), Array.from({ length: 20 }, down))
    expect(asked).toEqual(['a', 'a', 'a', 'b', 'b', 'b'])
  })

  it('never makes more attempts than one call may, and keeps one for who waits', async () => {
    const options = { fallbacks: { fast: ['slow', 'long'] }, maxAttempts: 4 }
    const { asked } = await run(lab(groups, options), Array.from({ length: 20 }, down))
    expect(asked).toEqual(['a', 'a', 'a', 'b'])
  })

  it('keeps an attempt for the fallback also where the retries alone would use up all', async () => {
    const options = { fallbacks: { fast: ['slow'] }, maxAttempts: 3 }
    const { asked } = await run(lab(groups, options), Array.from({ length: 20 }, down))
    expect(asked).toEqual(['a', 'a', 'b'])
  })

  it('lets a request name its own fallbacks, or none', async () => {
    const options = { fallbacks: { fast: ['slow'] } }
    const outcomes = [failure('timeout'), 'ok']
    expect((await run(lab(groups, options), outcomes, 'fast', ['long'])).asked).toEqual(['a', 'c'])
    expect((await run(lab(groups, options), outcomes, 'fast', [])).asked).toEqual(['a'])
  })

  it('notes what was tried and why', async () => {
    const it = lab(groups, { fallbacks: { fast: ['slow'] } })
    await run(it, [down(), failure('timeout'), 'ok'])
    expect(it.trail.entries.map(({ deployment, reason, outcome }) => [deployment, reason, outcome])).toEqual([
      ['a', 'first', 'failed'],
      ['a', 'retry', 'failed'],
      ['b', 'fallback', 'answered'],
    ])
  })
})

describe('cooldown', () => {
  it('lets a deployment rest at once after a 429, for as long as the provider says, and tries it once thereafter', async () => {
    const it = lab(two)
    await run(it, [failure('rate_limited', { retryAfterMs: 20_000 }), 'ok'])
    expect(it.events).toMatchObject([
      {
        type: 'cooldown',
        deployment: 'a',
        cause: { kind: 'rate_limited', status: 429 },
        until: it.clock.now() + 20_000,
      },
    ])
    expect((await run(it, ['ok'])).asked).toEqual(['b'])
    it.clock.advance(20_000)
    const probe = it.route().run(({ lease }) => Promise.resolve(lease))
    expect((await run(it, ['ok'])).asked).toEqual(['b'])
    const lease = await probe
    expect(lease.entry.deployment).toBe('a')
    lease.succeeded({})
    expect(it.events.at(-1)).toMatchObject({ type: 'recovered', deployment: 'a' })
    expect((await run(it, ['ok'])).asked).toEqual(['a'])
  })

  it('begins at once where the model is not there, and after three failures where only the address is not', async () => {
    const missing = lab(two)
    await run(missing, [failure('upstream_model_not_found'), 'ok'])
    expect(missing.events).toMatchObject([{ type: 'cooldown', deployment: 'a', cause: { status: 404 } }])
    const other = lab(two)
    for (const failures of [0, 0, 1]) {
      await run(other, [failure('upstream_not_found'), 'ok'])
      expect(other.events).toHaveLength(failures)
    }
  })

  it('takes a model that answered within the last minute to be there, whatever a 404 says', async () => {
    const it = lab(two)
    await run(it, ['ok'])
    await run(it, [failure('upstream_model_not_found'), 'ok'])
    expect(it.events).toEqual([])
    it.clock.advance(60_000)
    await run(it, [failure('upstream_model_not_found'), 'ok'])
    expect(it.events).toMatchObject([{ type: 'cooldown', deployment: 'a' }])
  })

  it.each([
    ['had most of it', 400, 1],
    ['got what others had left', 600, 0],
  ])('counts the end of a call’s time against a deployment that %s', async (_, startedAt, counted) => {
    const timeouts = { ...deploymentOf({}).timeouts, total: 1_000 }
    const it = lab(
      ['a', 'b'].map((id) => deploymentOf({ id, timeouts })),
      { cooldown: { consecutiveFailures: 1 } },
      1_000,
    )
    it.clock.advance(startedAt)
    const { lease } = await it.route().run((picked) => Promise.resolve(picked))
    it.clock.advance(1_000 - startedAt)
    lease.failed(timeoutError('total', 1_000))
    expect(it.events).toHaveLength(counted)
    expect(lease.entry.outcome).toBe('failed')
  })

  it('lets the next one probe when the prober leaves', async () => {
    const it = lab(two)
    await run(it, [failure('rate_limited'), 'ok'])
    it.clock.advance(5_000)
    const lease = await it.route().run((picked) => Promise.resolve(picked.lease))
    lease.cancelled()
    expect((await run(it, ['ok'])).asked).toEqual(['a'])
  })

  it('ends with the first content of a stream, so that nobody waits for the end of it', async () => {
    const it = lab(two)
    await run(it, [failure('rate_limited'), 'ok'])
    it.clock.advance(5_000)
    const lease = await it.route().run((picked) => Promise.resolve(picked.lease))
    lease.began()
    expect(it.events.at(-1)).toMatchObject({ type: 'recovered', deployment: 'a' })
    expect((await run(it, ['ok'])).asked).toEqual(['a'])
    lease.failed(failure('upstream_connection'))
    expect(it.events).toHaveLength(2)
    expect((await run(it, ['ok'])).asked).toEqual(['a'])
  })

  it('lets one call at a time try, also while an earlier one goes on', async () => {
    const it = lab(two)
    await run(it, [failure('rate_limited'), 'ok'])
    it.clock.advance(5_000)
    const stream = await it.route().run((picked) => Promise.resolve(picked.lease))
    stream.began()
    await run(it, [failure('rate_limited'), 'ok'])
    it.clock.advance(5_000)
    const probe = await it.route().run((picked) => Promise.resolve(picked.lease))
    expect(probe.entry.deployment).toBe('a')
    stream.cancelled()
    expect((await run(it, ['ok'])).asked).toEqual(['b'])
  })

  it('never lets the only deployment rest where nothing could take over', async () => {
    const it = lab(one)
    for (let call = 0; call < 10; call += 1) await run(it, [failure('upstream_authentication')])
    expect(it.events).toEqual([])
    expect((await run(it, ['ok'])).asked).toEqual(['a'])
  })

  it.each(['invalid_request', 'content_policy', 'context_window', 'client_closed'] as const)(
    'is never caused by %s, which is the caller’s own',
    async (kind) => {
      const it = lab(two)
      for (let call = 0; call < 10; call += 1) await run(it, [failure(kind)])
      expect(it.events).toEqual([])
    },
  )

  it('answers with the first cause and the earliest time while everything rests', async () => {
    const it = lab(two)
    await run(it, [failure('rate_limited', { retryAfterMs: 8_000 }), failure('upstream_authentication')])
    it.clock.advance(1_000)
    const { asked, result } = await run(it, ['ok'])
    expect(asked).toEqual([])
    expect(toGatewayError(result)).toMatchObject({ status: 429, retryAfterMs: 4_000 })
  })

  it('goes to the fallback while everything rests', async () => {
    const it = lab(groups, { fallbacks: { fast: ['slow'] } })
    await run(it, [failure('upstream_authentication'), 'ok'])
    expect((await run(it, ['ok'])).asked).toEqual(['b'])
  })

  it('is switched off by the host', async () => {
    const it = lab(two, { cooldown: false })
    await run(it, [failure('rate_limited'), 'ok'])
    expect(it.events).toEqual([])
  })
})
