import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { type FailureKind, GatewayError, failureRules, toGatewayError } from '../../src/errors.js'
import { createDirectory } from '../../src/router/directory.js'
import {
  type RoutingOptions,
  toAliases,
  toCooldownPolicy,
  toFallbackPolicy,
  toRetryPolicy,
} from '../../src/router/options.js'
import { Route } from '../../src/router/route.js'
import { type RouterState, createRouterState } from '../../src/router/router-state.js'
import { strategies } from '../../src/router/strategies/index.js'
import { type AttemptEntry, CallTrail } from '../../src/router/trail.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { anyCaller, deploymentOf } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'
import { seededRandom } from '../support/seeded-random.js'

const names = ['g0', 'g1', 'g2', 'g3']
const kinds = Object.keys(failureRules) as FailureKind[]
const isCallers = (kind: FailureKind): boolean => !failureRules[kind].retry && !failureRules[kind].reroute

/** Refused before anything was sent: no attempt. */
const free: ReadonlySet<FailureKind | undefined> = new Set<FailureKind>(['unsupported_parameter', 'deployment_limited'])

/** What becomes of one attempt. */
type Fate = { readonly end: 'ok' | 'leave' } | { readonly end: 'fail'; readonly error: GatewayError }

const failing = fc
  .record({
    kind: fc.constantFrom(...kinds),
    retryAfterMs: fc.option(fc.constantFrom(100, 3_000, 60_000), { nil: undefined }),
  })
  .map(({ kind, retryAfterMs }): Fate => {
    return { end: 'fail', error: new GatewayError(kind, kind, retryAfterMs === undefined ? {} : { retryAfterMs }) }
  })
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 8, arbitrary: failing },
  { weight: 1, arbitrary: fc.constant<Fate>({ end: 'ok' }) },
  { weight: 1, arbitrary: fc.constant<Fate>({ end: 'leave' }) },
)
const targets = fc.array(fc.constantFrom(...names, 'unknown'), { maxLength: 4 })
const table = fc.dictionary(fc.constantFrom(...names, '*'), targets, { noNullPrototype: true })
const world = fc.record({
  // Orders of the deployments of each group.
  groups: fc.array(fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 3 }), {
    minLength: 4,
    maxLength: 4,
  }),
  strategy: fc.constantFrom('simple-shuffle' as const, 'least-busy' as const),
  seed: fc.integer(),
  retries: fc.integer({ min: 0, max: 3 }),
  options: fc.record(
    {
      fallbacks: table,
      contextWindowFallbacks: table,
      contentPolicyFallbacks: table,
      defaultFallbacks: targets,
      maxFallbacks: fc.integer({ min: 0, max: 4 }),
      maxAttempts: fc.integer({ min: 1, max: 8 }),
      cooldown: fc.constantFrom(false as const, { durationMs: 50 }, { durationMs: 20_000 }),
    },
    { requiredKeys: [] },
  ),
  calls: fc.array(
    fc.record({
      fates: fc.array(fate, { maxLength: 12 }),
      own: fc.option(targets, { nil: undefined }),
      pauseMs: fc.constantFrom(0, 100, 30_000),
    }),
    { minLength: 1, maxLength: 4 },
  ),
})
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

interface Finished {
  readonly entries: readonly AttemptEntry[]
  readonly error: GatewayError | undefined
  readonly gone: GatewayError | undefined
}

/** Runs the calls of a world one after the other over one state, and gives what became of each. */
async function runWorld(
  { groups, strategy, seed, retries, options, calls }: World,
  state: RouterState,
  clock: FakeClock,
) {
  const deployments = groups.flatMap((orders, group): Deployment[] =>
    orders.map((order, at) => deploymentOf({ id: `${group}-${at}`, modelName: names[group] ?? '', order })),
  )
  const directory = createDirectory(deployments, toAliases({}), state)
  const random = seededRandom(seed)
  const routing = options as RoutingOptions
  const parts = {
    state,
    clock,
    random,
    strategy: strategies[strategy](),
    retry: toRetryPolicy(routing, retries),
    fallbacks: toFallbackPolicy(routing),
    enforceRates: false,
    find: (name: string) => directory.groups.find(name),
  }
  const finished: Finished[] = []
  for (const { fates, own, pauseMs } of calls) {
    clock.advance(pauseMs)
    const trail = new CallTrail()
    const signal = new CallSignal(clock, 0)
    const group = directory.groups.resolve('g0', anyCaller)
    const rest = { retries: undefined, prefer: undefined, stream: false }
    const route = new Route({ group, signal, trail, fallbacks: own, ...rest }, parts)
    let asked = 0
    let gone: GatewayError | undefined
    const running = route.run(async ({ lease }) => {
      await Promise.resolve()
      const now = fates[asked] ?? { end: 'ok' }
      asked += 1
      if (now.end === 'fail') throw now.error
      if (now.end === 'ok') return lease.succeeded({})
      gone = new GatewayError('client_closed', 'gone')
      signal.end(gone)
      throw gone
    })
    const error = await settled(running, clock)
    signal.dispose()
    finished.push({ entries: trail.entries, error, gone })
  }
  return { finished, maxAttempts: parts.retry.maxAttempts }
}

/** Lets the clock jump whenever nothing else moves. */
async function settled(running: Promise<void>, clock: FakeClock): Promise<GatewayError | undefined> {
  let over = false
  const ended = running.then(
    () => undefined,
    (error: unknown) => toGatewayError(error),
  )
  void ended.finally(() => (over = true))
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve))
    if (!over) clock.advance(500)
  }
  return ended
}

function failureKinds(entries: readonly AttemptEntry[]): (FailureKind | undefined)[] {
  return entries.map(({ failure }) => failure?.kind)
}

describe('a route, whatever its deployments do', () => {
  const check = async (
    verify: (call: Finished, given: World, maxAttempts: number) => void,
    retryPolicy: RoutingOptions['retryPolicy'] = {},
  ): Promise<void> => {
    await fc.assert(
      fc.asyncProperty(world, async (generated) => {
        const given = { ...generated, options: { ...generated.options, retryPolicy } }
        const clock = new FakeClock()
        const state = createRouterState({ clock, cooldown: toCooldownPolicy(given.options.cooldown), emit: () => {} })
        const { finished, maxAttempts } = await runWorld(given, state, clock)
        for (const call of finished) verify(call, given, maxAttempts)
        expect([...state.all].map(({ inFlight, probing }) => [inFlight, probing])).toEqual(
          [...state.all].map(() => [0, false]),
        )
        expect(clock.pending).toBe(0)
        expect(state.slots.isEmpty).toBe(true)
      }),
      { numRuns: 400, seed: 4 },
    )
  }

  it('makes no more attempts than a call may, in no group more than its retries, and leaves nothing in flight', () =>
    check(({ entries }, { retries }, maxAttempts) => {
      const counted = entries.filter(({ failure }) => !free.has(failure?.kind))
      expect(counted.length).toBeLessThanOrEqual(maxAttempts)
      for (const name of names) {
        expect(counted.filter(({ modelName }) => modelName === name).length).toBeLessThanOrEqual(retries + 1)
      }
    }))

  it('never comes back to a group that it has left', () =>
    check(({ entries }) => {
      const visits = entries.map(({ modelName }) => modelName).filter((name, at, all) => name !== all[at - 1])
      expect(new Set(visits).size).toBe(visits.length)
    }))

  it('never repeats what the caller has to mend, and asks another group only where a table says so', async () => {
    const wentOn = new Set<FailureKind>()
    await check(({ entries }, { options }) => {
      for (const [at, { failure, modelName, reason }] of entries.entries()) {
        const next = entries[at + 1]
        if (!failure || !next || !isCallers(failure.kind)) continue
        wentOn.add(failure.kind)
        expect(next.modelName).not.toBe(modelName)
        if (failure.kind === 'content_policy') expect(options.contentPolicyFallbacks).toBeDefined()
        // Groups of a list that was begun before are gone on with: by a failure, or where nobody in the group was free.
        else if (reason === 'first') expect(failure.kind).toBe('context_window')
      }
    })
    expect([...wentOn]).toEqual(expect.arrayContaining(['content_policy', 'context_window']))
  })

  it('makes no more attempts where the retry policy says to repeat everything, and ends', () => {
    const retryPolicy = {
      badRequest: 9,
      rateLimit: 9,
      contentPolicy: 9,
      internalServer: 9,
      timeout: 9,
      authentication: 9,
    }
    return check(({ entries }, _, maxAttempts) => {
      expect(entries.filter(({ failure }) => !free.has(failure?.kind)).length).toBeLessThanOrEqual(maxAttempts)
      const refused = entries.filter(({ failure }) => free.has(failure?.kind)).map(({ deployment }) => deployment)
      expect(new Set(refused).size).toBe(refused.length)
    }, retryPolicy)
  })

  it('asks a deployment again only after what may pass by itself', () =>
    check(({ entries }) => {
      for (const [at, { failure, deployment }] of entries.entries()) {
        const again = entries.slice(at + 1).some((later) => later.deployment === deployment)
        if (again) expect(failure?.rule.retry).toBe(true)
      }
    }))

  it('tells the first cause, or the caller’s own fault; nothing after the caller left', () =>
    check(({ entries, error, gone }) => {
      const last = entries.at(-1)
      if (gone) {
        expect(error).toBe(gone)
        return expect(last?.failure).toBe(gone)
      }
      if (!error) return expect(last?.outcome).toBe('answered')
      const [first] = entries
      // Without an attempt in the group that was asked for, the router itself has to say why.
      if (first?.modelName !== 'g0') return expect(error.message).toContain('cooling down')
      const isFirst = error === first.failure
      const isOwn = error === last?.failure && isCallers(error.kind)
      expect([failureKinds(entries), isFirst || isOwn]).toEqual([failureKinds(entries), true])
    }))
})
