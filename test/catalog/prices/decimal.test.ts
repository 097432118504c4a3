import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toScaledInteger } from '../../../src/catalog/prices/index.js'

describe('toScaledInteger', () => {
  it.each([
    ['1.5e-7', 12, 150_000n],
    [1.5e-7, 12, 150_000n],
    ['0.00000015', 12, 150_000n],
    [2.5, 6, 2_500_000n],
    ['3', 6, 3_000_000n],
    [0.0375, 6, 37_500n],
    ['1E+2', 0, 100n],
    [0, 12, 0n],
    ['0.000001', 6, 1n],
    [1e21, 0, 10n ** 21n],
    ['12345678901234567890.123456', 6, 12_345_678_901_234_567_890_123_456n],
  ])('reads %s with %i digits exactly', (value, digits, integer) => {
    expect(toScaledInteger(value, digits)).toEqual({ integer, exact: true })
  })

  it.each([
    ['0.0000005', 6, 1n],
    ['0.00000049', 6, 0n],
    [0.08333333333333334, 6, 83_333n],
    [0.18000000000000002, 6, 180_000n],
  ])('rounds %s at %i digits half up, and says so', (value, digits, integer) => {
    expect(toScaledInteger(value, digits)).toEqual({ integer, exact: false })
  })

  it.each(['', 'free', '-1', '1,5', '0x10', '1e', 'Infinity', '1e9999', '9'.repeat(401), `0.${'1'.repeat(401)}`])(
    'takes "%s" for no decimal',
    (value) => {
      expect(toScaledInteger(value, 6)).toBeUndefined()
    },
  )

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('takes %d for no decimal', (value) => {
    expect(toScaledInteger(value, 6)).toBeUndefined()
  })

  it('is the inverse of writing a decimal with as many digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.integer({ min: 1, max: 15 }), (integer, digits) => {
        const padded = String(integer).padStart(digits + 1, '0')
        const text = `${padded.slice(0, -digits)}.${padded.slice(-digits)}`
        expect(toScaledInteger(text, digits)).toEqual({ integer, exact: true })
      }),
    )
  })
})
