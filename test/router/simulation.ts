import type { Deployment } from '../../src/deployment.js'
import { choose } from '../../src/router/choose.js'
import { toModelGroup } from '../../src/router/model-group.js'
import { defaultCooldown } from '../../src/router/cooldown.js'
import { createRouterState } from '../../src/router/router-state.js'
import type { Strategy } from '../../src/router/strategies/strategy.js'
import { FakeClock } from '../support/fake-clock.js'
import { seededRandom } from '../support/seeded-random.js'

/** Calls that come at an even pace to deployments which answer each in its own time. */
export interface Simulation {
  readonly deployments: readonly Deployment[]
  readonly strategy: Strategy
  readonly calls: number
  readonly everyMs: number
  /** How long an answer takes that is asked for so many milliseconds after the start. */
  readonly latency: (id: string, at: number) => number
  readonly stream?: boolean
  readonly tokens?: number
}

/** One call of a simulation. */
export interface SimulatedCall {
  readonly id: string
  /** Milliseconds after the start. */
  readonly at: number
}

/** Runs it on a clock of its own; gives who was asked, in order. */
export function simulate(simulation: Simulation): SimulatedCall[] {
  const { deployments, strategy, calls, everyMs, latency, stream = false, tokens = 10 } = simulation
  const clock = new FakeClock()
  const start = clock.now()
  const random = seededRandom(7)
  const state = createRouterState({ clock, cooldown: defaultCooldown, emit: () => {} })
  const group = toModelGroup('fast', deployments, (id) => state.of(id))
  const made: SimulatedCall[] = []
  for (let call = 0; call < calls; call += 1) {
    const now = clock.now()
    const member = choose(group, {
      failed: new Set(),
      check: undefined,
      prefer: undefined,
      enforceRates: strategy.honoursLimits === true,
      strategy,
      view: { now, random, stream, inputTokens: 0 },
    })
    if (member) {
      const milliseconds = latency(member.deployment.id, now - start)
      made.push({ id: member.deployment.id, at: now - start })
      const probe = state.begin(member)
      clock.setTimeout(() => {
        const success = stream ? { firstTokenMs: milliseconds } : { totalMs: milliseconds, outputTokens: tokens }
        state.succeeded(member, { ...success, totalTokens: tokens })
        state.end(member, probe)
      }, milliseconds)
    }
    clock.advance(everyMs)
  }
  return made
}

/** How many of the calls each deployment got, in the order of `ids`. */
export function countsOf(calls: readonly SimulatedCall[], ids: readonly string[]): number[] {
  return ids.map((id) => calls.filter((call) => call.id === id).length)
}
