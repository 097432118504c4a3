import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBase64Vector, toBase64Vector, toEncoding, vectorWidth } from '../../src/protocols/embedding-encoding.js'

describe('a vector in base64', () => {
  it('is little-endian float32, as OpenAI’s client reads it', () => {
    expect(toBase64Vector([1])).toBe('AACAPw==')
    expect(toBase64Vector([])).toBe('')
  })

  it('gives back every float32', () => {
    const float = fc.float({ noNaN: true })
    fc.assert(
      fc.property(fc.array(float), (vector) => {
        expect(fromBase64Vector(toBase64Vector(vector))).toEqual(vector)
      }),
    )
  })

  it('that was cut is no vector', () => {
    expect(fromBase64Vector('AACA')).toBeUndefined()
    expect(toEncoding('AACA', 'float')).toBeUndefined()
  })

  it('is as wide as its numbers', () => {
    expect([vectorWidth('AACAPw=='), vectorWidth([1, 2])]).toEqual([1, 2])
  })

  it('is left alone where it already is what was asked for', () => {
    const vector = [1, 2]
    expect(toEncoding(vector, 'float')).toBe(vector)
    expect(toEncoding('AACAPw==', 'base64')).toBe('AACAPw==')
  })
})
