import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { defaultCooldown } from '../../src/router/cooldown.js'
import { Member } from '../../src/router/model-group.js'
import { createRouterState } from '../../src/router/router-state.js'
import { costBased } from '../../src/router/strategies/cost-based.js'
import { hostStrategy } from '../../src/router/strategies/host-strategy.js'
import { type StrategyName, type StrategyParts, strategies } from '../../src/router/strategies/index.js'
import { latencyBased } from '../../src/router/strategies/latency-based.js'
import { leastBusy } from '../../src/router/strategies/least-busy.js'
import { powerOfTwo } from '../../src/router/strategies/power-of-two.js'
import type { Strategy } from '../../src/router/strategies/strategy.js'
import { usageBased } from '../../src/router/strategies/usage-based.js'
import { candidateOf, deploymentOf } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'
import { chiSquare, chiSquareLimitOfFour, seededRandom } from '../support/seeded-random.js'
import { countsOf, simulate } from './simulation.js'

const now = 1_800_000_000_000
const ids = ['a', 'b', 'c', 'd']
const four = ids.map((id) => deploymentOf({ id }))
const view = { now, random: seededRandom(1), stream: false, inputTokens: 0 }

/** Candidates called a, b, c …; what is known of each is set by `know`. */
function candidates(...know: readonly ((member: Member) => void)[]): Member[] {
  return know.map((tell, index) => {
    const member = candidateOf({ id: ids[index] ?? String(index) })
    tell(member)
    return member
  })
}

/** Who is picked in many picks, each once, in alphabetical order. */
function pickedBy(strategy: Strategy, from: readonly Member[], own: Partial<typeof view> = {}): string[] {
  const picked = Array.from({ length: 200 }, () => strategy.pick(from, { ...view, ...own }).deployment.id)
  return [...new Set(picked)].toSorted()
}

function build(name: StrategyName): Strategy {
  const make: (parts: StrategyParts) => Strategy = strategies[name]
  return make({ createCostOf: () => () => 1, lowestLatencyBuffer: 0 })
}

const inFlight = (count: number) => (member: Member) => void (member.state.ownInFlight = count)
const used = (tokens: number) => (member: Member) => void (member.state.own.at(now).tokens = tokens)
const whole = (milliseconds: number) => (member: Member) => member.state.perToken.add(milliseconds, now)
const unknown = (): void => {}

describe('every built-in strategy', () => {
  const names = Object.keys(strategies) as StrategyName[]

  it.each(names)('%s gives each of four equal deployments a quarter of the calls', (name) => {
    const strategy = build(name)
    const calls = simulate({ deployments: four, strategy, calls: 8_000, everyMs: 5, latency: () => 100 })
    for (const count of countsOf(calls, ids)) expect(Math.abs(count / 8_000 - 0.25)).toBeLessThan(0.03)
  })

  it.each(['simple-shuffle', 'power-of-two'] as const)('%s draws by weight while nobody is busy', (name) => {
    const weights = [1, 2, 3, 4]
    const deployments = weights.map((weight, index) => deploymentOf({ id: ids[index] ?? '', weight }))
    const strategy = build(name)
    const calls = simulate({ deployments, strategy, calls: 10_000, everyMs: 5, latency: () => 1, stream: true })
    expect(chiSquare(countsOf(calls, ids), weights)).toBeLessThan(chiSquareLimitOfFour)
  })
})

describe('least-busy', () => {
  it('picks those with the fewest attempts under way, any of them', () => {
    expect(pickedBy(leastBusy, candidates(inFlight(2), inFlight(1), inFlight(1)))).toEqual(['b', 'c'])
  })

  it('counts the attempts of other processes', () => {
    const [a, b] = candidates(inFlight(1), inFlight(0))
    if (!a || !b) throw new Error('two candidates')
    b.state.peers = { ...b.state.peers, inFlight: 2 }
    expect(pickedBy(leastBusy, [a, b])).toEqual(['a'])
  })
})

describe('usage-based', () => {
  it('picks those with the fewest tokens of the running minute', () => {
    expect(pickedBy(usageBased, candidates(used(500), used(20), used(20)))).toEqual(['b', 'c'])
  })

  it('forgets the last minute', () => {
    expect(pickedBy(usageBased, candidates(used(500), used(20)), { now: now + 60_000 })).toEqual(['a', 'b'])
  })
})

describe('cost-based', () => {
  it('picks the cheapest', () => {
    const prices: Record<string, number> = { a: 3, b: 1, c: 2 }
    expect(
      pickedBy(
        costBased(({ id }) => prices[id]),
        candidates(unknown, unknown, unknown),
      ),
    ).toEqual(['b'])
  })

  it('takes a deployment without a price last, but takes it', () => {
    expect(
      pickedBy(
        costBased(({ id }) => (id === 'a' ? undefined : 9)),
        candidates(unknown, unknown),
      ),
    ).toEqual(['b'])
    expect(
      pickedBy(
        costBased(() => undefined),
        candidates(unknown, unknown),
      ),
    ).toEqual(['a', 'b'])
  })
})

describe('latency-based', () => {
  it('picks the quickest per token for whole answers, and to the first token for streams', () => {
    const both = candidates(whole(10), whole(20))
    for (const [index, member] of both.entries()) member.state.firstToken.add(index === 0 ? 300 : 200, now)
    expect(pickedBy(latencyBased(), both)).toEqual(['a'])
    expect(pickedBy(latencyBased(), both, { stream: true })).toEqual(['b'])
  })

  it('takes those within the buffer for equal', () => {
    const three = candidates(whole(100), whole(110), whole(130))
    expect(pickedBy(latencyBased(0.1), three)).toEqual(['a', 'b'])
    expect(pickedBy(latencyBased(0.5), three)).toEqual(['a', 'b', 'c'])
  })

  it('tries an unknown deployment first, one call at a time', () => {
    const [a, b] = candidates(whole(1), unknown)
    if (!a || !b) throw new Error('two candidates')
    expect(pickedBy(latencyBased(), [a, b])).toEqual(['b'])
    b.state.ownInFlight = 1
    expect(pickedBy(latencyBased(), [a, b])).toEqual(['a'])
  })

  it('spreads calls that come at once over deployments of which nothing is known', () => {
    const calls = simulate({ deployments: four, strategy: latencyBased(), calls: 40, everyMs: 0, latency: () => 1_000 })
    expect(countsOf(calls, ids)).toEqual([10, 10, 10, 10])
  })

  it('sends the call after a timeout elsewhere', () => {
    const [a, b] = candidates(whole(10), whole(20))
    if (!a || !b) throw new Error('two candidates')
    a.state.perToken.addTimeout(now)
    expect(pickedBy(latencyBased(), [a, b])).toEqual(['b'])
  })

  it('learns of timeouts from what happens to calls', () => {
    const clock = new FakeClock()
    const state = createRouterState({ clock, cooldown: defaultCooldown, emit: () => {} })
    const member = new Member(deploymentOf({ id: 'a' }), state.of('a'))
    state.failed(member, new GatewayError('upstream_error', 'down'), true)
    expect(member.stats.firstTokenMs(clock.now())).toBeUndefined()
    state.failed(member, new GatewayError('timeout', 'late'), true)
    expect(member.stats.firstTokenMs(clock.now())).toBe(1_000_000)
    expect(member.stats.perTokenMs(clock.now())).toBe(1_000_000)
  })

  it('takes the word of other processes for two minutes', () => {
    const { state } = candidateOf()
    state.peers = { ...state.peers, minute: now / 60_000, firstTokenMs: 70, perTokenMs: 7 }
    expect([state.firstTokenMs(now + 120_000), state.perTokenMs(now + 120_000)]).toEqual([70, 7])
    expect([state.firstTokenMs(now + 180_000), state.perTokenMs(now + 180_000)]).toEqual([undefined, undefined])
  })

  it('leaves a deployment during a slow spell, and comes back within two minutes after it', () => {
    const slow = { from: 60_000, until: 180_000 }
    const isSlow = (at: number): boolean => at >= slow.from && at < slow.until
    const calls = simulate({
      deployments: four.slice(0, 2),
      strategy: latencyBased(),
      calls: 24_000,
      everyMs: 20,
      latency: (id, at) => (id === 'b' ? 200 : isSlow(at) ? 4_000 : 100),
    })
    const shareOfA = (from: number, until: number): number => {
      const within = calls.filter(({ at }) => at >= from && at < until)
      return within.filter(({ id }) => id === 'a').length / within.length
    }
    expect(shareOfA(10_000, slow.from)).toBeGreaterThan(0.99)
    expect(shareOfA(slow.from + 10_000, slow.until)).toBeLessThan(0.01)
    expect(shareOfA(slow.until + 125_000, 480_000)).toBeGreaterThan(0.99)
  })
})

describe('power-of-two', () => {
  /** Gives the candidates in turn, as if drawn. */
  const drawing = <T>(...drawn: readonly T[]) => {
    let next = 0
    return (): T | undefined => drawn[next++ % drawn.length]
  }
  const sample = (...drawn: readonly (Member | undefined)[]) => powerOfTwo.sample?.(drawing(...drawn), view)

  it('picks the less busy of two', () => {
    const [a, b] = candidates(inFlight(3), inFlight(2))
    expect(sample(a, b)).toBe(b)
    expect(sample(b, a)).toBe(b)
  })

  it('weighs attempts under way against latency', () => {
    const [a, b] = candidates(inFlight(1), inFlight(5))
    a?.state.perToken.add(100, now)
    b?.state.perToken.add(10, now)
    expect(sample(a, b)).toBe(b)
  })

  it('looks at two different ones, and at the only one where there is no other', () => {
    const [a, b] = candidates(inFlight(1), inFlight(0))
    expect(sample(a, a, a, b)).toBe(b)
    expect(sample(a)).toBe(a)
  })

  it('leaves the pick to the whole list where hardly any is free', () => {
    expect(sample(undefined)).toBeUndefined()
    const [a, b] = candidates(inFlight(1), inFlight(0))
    if (!a || !b) throw new Error('two candidates')
    const random = drawing(0, 0.9)
    expect(powerOfTwo.pick([a, b], { ...view, random: () => random() ?? 0 })).toBe(b)
  })

  it('gives a deployment that is four times as slow less than a tenth', () => {
    const calls = simulate({
      deployments: four,
      strategy: powerOfTwo,
      calls: 4_000,
      everyMs: 5,
      latency: (id) => (id === 'a' ? 400 : 100),
    })
    const [ofA = 0] = countsOf(calls, ids)
    expect(ofA / 4_000).toBeLessThan(0.1)
    expect(ofA).toBeGreaterThan(0)
  })
})

describe('a strategy of the host', () => {
  const faults: object[] = []
  const guard = (strategy: Partial<Strategy>): Strategy =>
    hostStrategy({ name: 'own', pick: () => candidateOf(), ...strategy }, (fields) => faults.push(fields))
  const two = candidates(unknown, unknown)

  it('is believed where it picks a candidate', () => {
    expect(pickedBy(guard({ pick: (from) => from[1] ?? candidateOf() }), two)).toEqual(['b'])
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('bug')
      },
    ],
    ['gives nothing', () => undefined],
    ['gives a deployment of its own making', () => candidateOf({ id: 'a' })],
    ['is asynchronous and fails', () => Promise.reject(new Error('late'))],
  ])('that %s costs no call: the first free one is picked, and the fault is told once', async (_, pick) => {
    faults.length = 0
    expect(pickedBy(guard({ pick: pick as Strategy['pick'] }), two)).toEqual(['a'])
    await new Promise((resolve) => setImmediate(resolve))
    expect(faults).toHaveLength(1)
  })

  it('cannot sample what was not drawn', () => {
    const [a, b] = two
    expect(guard({ sample: () => b }).sample?.(() => a, view)).toBeUndefined()
    expect(guard({ sample: (draw) => draw() }).sample?.(() => a, view)).toBe(a)
  })

  it('cannot spoil the list that is picked from', () => {
    const list = [...two]
    guard({ pick: (from) => (from as Member[]).splice(0)[1] ?? candidateOf() }).pick(list, view)
    expect(list).toHaveLength(2)
  })
})
