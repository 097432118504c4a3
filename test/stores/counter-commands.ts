import fc from 'fast-check'
import type { Hold } from '../../src/ports/counters.js'

/** One thing that happens to counters; `which` chooses among the reservations there have been. */
export type Command =
  | { readonly do: 'reserve'; readonly holds: readonly Hold[]; readonly ttlMs: number }
  | { readonly do: 'settle'; readonly which: number; readonly part: number; readonly age: number }
  | { readonly do: 'release'; readonly which: number }
  | { readonly do: 'renew'; readonly which: number; readonly ttlMs: number }
  | { readonly do: 'seed'; readonly counter: string; readonly spent: number; readonly age: number }
  | { readonly do: 'split'; readonly counter: string; readonly ahead: number }
  | { readonly do: 'forget'; readonly counter: string }
  | { readonly do: 'pass'; readonly milliseconds: number }

/** How commands are made: whether time passes between them, and how many times as long everything lives. */
export interface CommandOptions {
  readonly time: boolean
  readonly scale: number
}

type Limit = Omit<Hold, 'amount'>

function limitsOf(scale: number): readonly Limit[] {
  return [
    { counter: 'budget:a', kind: 'budget', limit: 50 },
    { counter: 'budget:b', kind: 'budget', limit: 90 },
    { counter: 'rpm', kind: 'rate', limit: 6, windowMs: 100 * scale },
    { counter: 'tpm', kind: 'rate', limit: 40, windowMs: 150 * scale },
    { counter: 'parallel', kind: 'lease', limit: 3 },
  ]
}

/** Every counter of the commands, for reading. */
export const everyHold: readonly Hold[] = limitsOf(1).map((limit) => ({ ...limit, amount: 1 }))

function holdOf(limit: Limit, amount: number): Hold {
  return { ...limit, amount: limit.kind === 'lease' || limit.counter === 'rpm' ? 1 : amount }
}

const counter = fc.constantFrom('budget:a', 'budget:b')
const which = fc.nat({ max: 30 })
const settle = fc.record({
  do: fc.constant('settle' as const),
  which,
  // Of what was held, in percent: an estimate may have been too low.
  part: fc.constantFrom(0, 30, 100, 150),
  age: fc.constantFrom(0, 0, 0, 500),
})
const release = fc.record({ do: fc.constant('release' as const), which })
const seed = fc.record({
  do: fc.constant('seed' as const),
  counter,
  spent: fc.nat({ max: 30 }),
  age: fc.constantFrom(0, 0, 100, -50),
})
// In the past of some seeds and settlements, too: a store goes by the dates that it is given.
const split = fc.record({ do: fc.constant('split' as const), counter, ahead: fc.constantFrom(0, 50, -100) })
const forget = fc.record({ do: fc.constant('forget' as const), counter })
const pass = fc.record({ do: fc.constant('pass' as const), milliseconds: fc.integer({ min: 1, max: 120 }) })

const begin: readonly Command[] = [
  { do: 'seed', counter: 'budget:a', spent: 0, age: 1_000 },
  { do: 'seed', counter: 'budget:b', spent: 20, age: 1_000 },
]

/** Sequences that begin with seeded budgets. */
export function commands({ time, scale }: CommandOptions): fc.Arbitrary<readonly Command[]> {
  const ttlMs = fc.constantFrom(40, 90, 300).map((life) => life * scale)
  const holds = fc.subarray([...limitsOf(scale)], { minLength: 1 }).chain((chosen) => {
    const each = chosen.map((limit) => fc.integer({ min: 1, max: 12 }).map((amount) => holdOf(limit, amount)))
    return fc.tuple(...each)
  })
  const one: fc.Arbitrary<Command> = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('reserve' as const), holds, ttlMs }) },
    { weight: 5, arbitrary: settle },
    { weight: 2, arbitrary: release },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('renew' as const), which, ttlMs }) },
    { weight: 2, arbitrary: seed },
    { weight: 2, arbitrary: split },
    { weight: 1, arbitrary: forget },
    { weight: time ? 4 : 0, arbitrary: pass },
  )
  return fc.array(one, { minLength: 10, maxLength: 80 }).map((rest) => [...begin, ...rest])
}
