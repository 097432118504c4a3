import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBasisPoints, fromDollars, multiply, toDollars, toFactor, toNano } from '../../src/spend/index.js'

describe('money', () => {
  it.each([
    ['0.054399', 54_399_000_000n],
    ['0.1', 100_000_000_000n],
    [1e-12, 1n],
    ['12', 12_000_000_000_000n],
    [0, 0n],
  ])('reads $%s as pico-dollars', (dollars, pico) => expect(fromDollars(dollars)).toBe(pico))

  it.each(['-1', '0.0000000000001', 'ten'])('refuses %s', (dollars) => {
    expect(() => fromDollars(dollars)).toThrow(RangeError)
  })

  it.each([
    [0n, '0'],
    [1n, '0.000000000001'],
    [54_399_000_000n, '0.054399'],
    [10n ** 12n, '1'],
    [-2_500_000_000_000n, '-2.5'],
  ])('writes %s pico-dollars as a decimal', (pico, dollars) => expect(toDollars(pico)).toBe(dollars))

  it('reads back every amount that it writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), (pico) => {
        expect(fromDollars(toDollars(pico))).toBe(pico)
      }),
    )
  })

  it('never counts a part of a nano-dollar as nothing', () => {
    expect([0n, 1n, 999n, 1000n, 1001n].map(toNano)).toEqual([0, 1, 1, 1, 2])
  })
})

describe('a mark-up', () => {
  it.each([
    [fromBasisPoints(2000), 1_200_000n],
    [fromBasisPoints(0), 1_000_000n],
    [fromBasisPoints(-500), 950_000n],
    [fromBasisPoints(-10_000), 0n],
    [toFactor(1.2), 1_200_000n],
    [toFactor('1.0825'), 1_082_500n],
    [toFactor('0'), 0n],
  ])('multiplies exactly (%o)', (factor, pico) => expect(multiply(1_000_000n, factor)).toBe(pico))

  it('rounds half a pico-dollar up', () => {
    expect([1n, 3n, 4n].map((pico) => multiply(pico, toFactor('0.5')))).toEqual([1n, 2n, 2n])
    expect(multiply(1n, toFactor('0.499999999999'))).toBe(0n)
  })

  it('never turns a larger amount into a smaller one', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 18n })
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: -10_000, max: 100_000 }), (a, b, points) => {
        const factor = fromBasisPoints(points)
        const [less, more] = a < b ? [a, b] : [b, a]
        expect(multiply(less, factor) <= multiply(more, factor)).toBe(true)
      }),
    )
  })

  it.each([0.5, -10_001, Number.NaN])('refuses %d basis points', (points) => {
    expect(() => fromBasisPoints(points)).toThrow(RangeError)
  })

  it.each(['-1', '1e-13', 'much'])('refuses the factor %s', (factor) =>
    expect(() => toFactor(factor)).toThrow(RangeError),
  )
})
