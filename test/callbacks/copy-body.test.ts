import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyBody } from '../../src/callbacks/index.js'

describe('the copy of a body', () => {
  it('is the same, and shares nothing with it that can be changed', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (body) => {
        const copy = copyBody(body)
        expect(copy).toEqual(body)
        const shared = new Set(objectsOf(body))
        expect(objectsOf(copy).filter((object) => shared.has(object))).toEqual([])
      }),
    )
  })

  it('has all of its texts as they are to be, whatever they stand beside', () => {
    const body = { prompt: [1, 'secret', ['secret']], vector: [1, 2], nothing: null }
    expect(copyBody(body, () => '***')).toEqual({ prompt: [1, '***', ['***']], vector: [1, 2], nothing: null })
  })

  it('ends somewhere, also where the body does not, or would be without end beside itself', () => {
    const wide: Record<string, unknown> = {}
    Object.assign(wide, { left: wide, right: wide })
    expect(JSON.stringify(copyBody(wide)).length).toBeLessThan(1_000_000)
    const endless: Record<string, unknown> = {}
    endless['again'] = endless
    expect(JSON.stringify(copyBody(endless))).toMatch(/^(\{"again":){41}"\(left out\)"\}+$/)
  })
})

function objectsOf(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return []
  return [value, ...Object.values(value).flatMap(objectsOf)]
}
