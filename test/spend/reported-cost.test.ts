import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CostReport, reportedCost } from '../../src/spend/index.js'

const dollars: CostReport = { amount: 'cost' }
const inTotal: CostReport = { amount: 'cost.total_cost' }
const ticks: CostReport = { amount: 'cost_in_usd_ticks', decimals: 10 }
const withUpstream: CostReport = { amount: 'cost', upstream: { when: 'is_byok', amount: 'cost_details.upstream' } }

const picoOf = (usages: Parameters<typeof reportedCost>[0], report: CostReport) => {
  const cost = reportedCost(usages, report)
  return typeof cost === 'object' ? cost.pico : cost
}

describe('reportedCost', () => {
  it.each([
    [{ cost: 0.00014 }, dollars, 140_000_000n],
    [{ cost: 1.5e-7 }, dollars, 150_000n],
    [{ cost: '0.00014' }, dollars, 140_000_000n],
    [{ cost: 0 }, dollars, 0n],
    [{ cost: -0 }, dollars, 0n],
    // What floating point makes of 0.0001 + 0.0002.
    [{ cost: 0.00030000000000000003 }, dollars, 300_000_000n],
    [{ cost: { input_cost: 0.1, total_cost: 0.25 } }, inTotal, 250_000_000_000n],
    [{ cost_in_usd_ticks: 37_756_000 }, ticks, 3_775_600_000n],
    [{ cost: 10_000 }, dollars, 10_000_000_000_000_000n],
  ])('reads %o', (usage, report, pico) => expect(picoOf([usage], report)).toBe(pico))

  it.each([
    [{ prompt_tokens: 1 }, dollars],
    [{ cost: null }, dollars],
    [{ cost: 0.1 }, inTotal],
    [undefined, dollars],
  ])('is not told in %o', (usage, report) => expect(picoOf([usage], report)).toBeUndefined())

  it.each([
    { cost: -1e-9 },
    { cost: Number.NaN },
    { cost: Infinity },
    { cost: '' },
    { cost: 'NaN' },
    { cost: '-1' },
    { cost: true },
    { cost: { total_cost: 1 } },
    { cost: 10_000.01 },
    { cost: 1e300 },
    { cost: '1e999' },
  ])('does not believe %o', (usage) => expect(picoOf([usage], dollars)).toBe('unbelievable'))

  it('adds what is billed elsewhere only where the host has its own key there', () => {
    const usage = { cost: 0.01, cost_details: { upstream: 0.2 } }
    expect(picoOf([{ ...usage, is_byok: false }], withUpstream)).toBe(10_000_000_000n)
    expect(picoOf([usage], withUpstream)).toBe(10_000_000_000n)
    expect(reportedCost([{ ...usage, is_byok: true }], withUpstream)).toMatchObject({
      pico: 210_000_000_000n,
      priced: true,
      lines: [
        { bucket: 'reported', quantity: 1, per: 1, pico: 10_000_000_000n },
        { bucket: 'upstream', quantity: 1, per: 1, pico: 200_000_000_000n },
      ],
    })
  })

  it('is not told where only a part of it is', () => {
    expect(picoOf([{ cost: 0.01, is_byok: true }], withUpstream)).toBeUndefined()
    expect(picoOf([{ cost: 0.01, is_byok: true, cost_details: { upstream: null } }], withUpstream)).toBeUndefined()
    expect(picoOf([{ cost: 0.01 }, { prompt_tokens: 1 }], dollars)).toBeUndefined()
    expect(picoOf([{ cost: 0.01 }, undefined], dollars)).toBeUndefined()
  })

  it('is exact for every decimal that JSON can name, in any notation, and adds up without drift', () => {
    const amounts = fc.array(fc.bigInt({ min: 0n, max: 10n ** 15n }), { minLength: 1, maxLength: 50 })
    const exponents = fc.integer({ min: -12, max: 6 })
    fc.assert(
      fc.property(amounts, exponents, (picos, exponent) => {
        // The same amount as `123e-12` or moved by powers of ten.
        const texts = picos.map((pico) => `{"cost":${pico * 10n ** BigInt(exponent + 12)}e${-24 - exponent}}`)
        const usages = texts.map((text) => JSON.parse(text) as { cost: number })
        expect(picoOf(usages, dollars)).toBe(picos.reduce((sum, pico) => sum + pico, 0n))
      }),
    )
  })

  it('has lines that add up to its amount', () => {
    const amount = fc.double({ min: 0, max: 100, noNaN: true })
    fc.assert(
      fc.property(amount, amount, fc.boolean(), (cost, other, own) => {
        const found = reportedCost([{ cost, is_byok: own, cost_details: { upstream: other } }], withUpstream)
        if (typeof found !== 'object') throw new Error('an amount was not believed')
        const sum = found.lines.reduce((total, { pico }) => total + pico, 0n)
        expect(found.pico).toBe(sum)
        expect(found.lines).toHaveLength(own ? 2 : 1)
      }),
    )
  })
})
