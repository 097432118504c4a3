import { describe, expect, it } from 'vitest'
import { simpleShuffle } from '../../src/router/strategies/simple-shuffle.js'
import { candidateOf } from '../support/deployment.js'

const view = { now: 0, random: () => 0, stream: false, inputTokens: 0 }

/** How often each candidate is picked when `random` runs evenly over [0, 1). */
function shares(weights: readonly number[], draws = 1_000): number[] {
  const candidates = weights.map((weight, index) => candidateOf({ id: String(index), weight }))
  const counts = weights.map(() => 0)
  for (let draw = 0; draw < draws; draw += 1) {
    const picked = simpleShuffle.pick(candidates, { ...view, random: () => draw / draws }).deployment
    counts[Number(picked.id)] = (counts[Number(picked.id)] ?? 0) + 1
  }
  return counts.map((count) => count / draws)
}

describe('simpleShuffle', () => {
  it('splits evenly among equals', () => {
    expect(shares([1, 1, 1, 1])).toEqual([0.25, 0.25, 0.25, 0.25])
  })

  it('splits by weight, whichever deployment has one', () => {
    expect(shares([1, 0, 3])).toEqual([0.25, 0, 0.75])
  })

  it('splits evenly when all weights are zero', () => {
    expect(shares([0, 0])).toEqual([0.5, 0.5])
  })

  it('picks the only candidate', () => {
    expect(shares([0])).toEqual([1])
  })

  it('picks the last one when chance is at its very end', () => {
    const candidates = [candidateOf({ id: 'a', weight: 0.1 }), candidateOf({ id: 'b', weight: 0.2 })]
    expect(simpleShuffle.pick(candidates, { ...view, random: () => 1 - Number.EPSILON / 2 }).deployment.id).toBe('b')
  })
})
