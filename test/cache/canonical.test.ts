import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCanonicalText } from '../../src/cache/canonical.js'

/** The same value with the members of every object in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]) => [name, reversed(inner)] as const)
      .toReversed(),
  )
}

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { a: value }
  return value
}

// JSON.parse gives what arrives over the network, `__proto__` as a member included.
const json = fc.json().map((text): unknown => JSON.parse(text))

describe('the canonical text', () => {
  it('does not depend on the order of members', () => {
    fc.assert(fc.property(json, (value) => toCanonicalText(value) === toCanonicalText(reversed(value))))
  })

  it('differs wherever values differ', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const areSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
        return (toCanonicalText(one) === toCanonicalText(other)) === areSame
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    [
      [1, 2],
      [2, 1],
    ],
    [[[1], 2], [[1, 2]]],
    ['1', 1],
    [null, 'null'],
    [{}, []],
    [{ a: null }, {}],
    [{ a: { b: 1 } }, { 'a:{b': 1 }],
    ['\ud800', '\ufffd'],
    [1e308, null],
    [['a,b'], ['a', 'b']],
    [JSON.parse('{"__proto__":1}'), {}],
  ])('keeps %j apart from %j', (one, other) => {
    expect(toCanonicalText(one)).not.toBe(toCanonicalText(other))
  })

  it('leaves out members that are undefined', () => {
    expect(toCanonicalText({ a: 1, b: undefined })).toBe(toCanonicalText({ a: 1 }))
  })

  it('does not exist for values that are no JSON', () => {
    for (const value of [undefined, Infinity, NaN, 1n, () => 1, Symbol('s'), new Date(), { a: [new Date()] }]) {
      expect(toCanonicalText(value)).toBeUndefined()
    }
  })

  it('does not exist for what is nested too deeply, and never overflows the stack', () => {
    expect(toCanonicalText(nested(199))).toBeTypeOf('string')
    expect(toCanonicalText(nested(201))).toBeUndefined()
    expect(toCanonicalText(nested(1_000_000))).toBeUndefined()
  })

  it('does not exist for objects with more members than are worth sorting', () => {
    const wide = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at]))
    expect(toCanonicalText({ a: wide(40_000) })).toBeTypeOf('string')
    expect(toCanonicalText({ a: wide(30_000), b: wide(30_000) })).toBeUndefined()
  })
})

/** An order made another way, for comparison. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value === 0 ? 0 : value
  const entries = Object.entries(value).map(([name, inner]) => [name, sorted(inner)] as const)
  return { members: entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) }
}
