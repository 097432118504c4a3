import { describe, expect, it } from 'vitest'
import { reportedCost } from '../../src/spend/index.js'

describe('reportedCost', () => {
  it.each([
    [{ cost: 0.00014 }, 140_000_000n],
    [{ cost: 1.5e-7 }, 150_000n],
    [{ cost: 0 }, 0n],
    [{ cost: { input_tokens_cost: 0.1, total_cost: 0.25 } }, 250_000_000_000n],
    [{ cost_in_usd_ticks: 37_756_000 }, 3_775_600_000n],
    [{ prompt_tokens: 1 }, undefined],
    [{ cost: -1 }, undefined],
    [undefined, undefined],
  ])('reads %o', (usage, pico) => expect(reportedCost(usage)).toBe(pico))
})
