import { describe, expect, it } from 'vitest'
import { countOf, readNativeMembers } from '../../src/spend/native-members.js'

const nothing = { outputTokens: 0, answers: 1, speaks: false, searches: false }

describe('what a request says in the words of a provider', () => {
  it.each([
    ['nothing that OpenAI documents', { max_tokens: 5, n: 3, modalities: ['audio'], metadata: { n: 9 } }, {}],
    ['its limit of output', { maxOutputTokens: 7 }, { outputTokens: 7 }],
    ['the highest of several limits', { num_predict: 3, parameters: { max_new_tokens: '8' } }, { outputTokens: 8 }],
    ['how many answers', { generationConfig: { candidateCount: 4 } }, { answers: 4 }],
    ['how many images', { parameters: { sampleCount: 3 }, num_images: 2 }, { answers: 3 }],
    ['that it speaks', { generationConfig: { responseModalities: ['AUDIO'] } }, { speaks: true }],
    ['that it searches', { search_domain_filter: ['a.test'] }, { searches: true }],
    ['that a plugin searches', { plugins: [{ id: 'web' }] }, { searches: true }],
    ['another plugin', { plugins: [{ id: 'file-parser' }] }, {}],
    ['that it does not search', { disable_search: true, enable_search: false, search_mode: null }, {}],
    ['what nobody nests so deep', { a: { a: { a: { a: { a: { a: { max_tokens: 5 } } } } } } }, {}],
  ])('%s', (_label, request, expected) => {
    expect(readNativeMembers(request)).toEqual({ ...nothing, ...expected })
  })
})

it('counts in whole numbers from 0 on, also numbers in quotes', () => {
  expect([1.2, -3, '17', 1e300, ' ', 'many', Number.NaN, null].map(countOf)).toEqual([
    2,
    0,
    17,
    1e15,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
