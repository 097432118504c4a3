import { expect, it } from 'vitest'
import { mergeQuirks } from '../../../src/providers/openai-compatible/merge-quirks.js'

it('adds lists of unsupported parameters up', () => {
  const merged = mergeQuirks(
    { unsupported: ['a'], images: { unsupported: ['x'] } },
    { unsupported: ['b'], images: { unsupported: ['y'], rename: { n: 'count' } } },
  )
  expect(merged).toEqual({ unsupported: ['a', 'b'], images: { unsupported: ['x', 'y'], rename: { n: 'count' } } })
})

it('merges tables by name and replaces the rest', () => {
  const merged = mergeQuirks(
    { rename: { a: 'b' }, messages: { flattenText: true }, supported: ['a'], reasoning: 'none' },
    { rename: { c: 'd' }, messages: { dropNulls: true }, supported: ['b'] },
  )
  expect(merged).toEqual({
    rename: { a: 'b', c: 'd' },
    messages: { flattenText: true, dropNulls: true },
    supported: ['b'],
    reasoning: 'none',
  })
})

it('keeps what only one side has', () => {
  expect(mergeQuirks({ unsupported: ['a'] }, {})).toEqual({ unsupported: ['a'] })
  expect(mergeQuirks({}, { embeddings: { base64: false } })).toEqual({ embeddings: { base64: false } })
})

it('runs both adjustments in order', () => {
  const merged = mergeQuirks(
    { adjust: (body) => ({ ...body, steps: 'first' }) },
    { adjust: (body) => ({ ...body, steps: `${String(body['steps'])} second` }) },
  )
  expect(merged.adjust?.({}, 'chat')).toEqual({ steps: 'first second' })
})
