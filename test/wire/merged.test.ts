import fc from 'fast-check'
import { expect, test } from 'vitest'
import { merged } from '../../src/wire/merged.js'

const headers = fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,3}$/), fc.string())

test('gives what spreading both gives, in the same order, and changes neither', () => {
  fc.assert(
    fc.property(headers, headers, (first, second) => {
      const before = structuredClone([first, second])
      expect(Object.entries(merged(first, second))).toEqual(Object.entries({ ...first, ...second }))
      expect([first, second]).toEqual(before)
    }),
  )
})
