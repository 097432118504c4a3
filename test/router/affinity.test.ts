import { describe, expect, it } from 'vitest'
import { createAffinity } from '../../src/router/affinity.js'
import { addPromptPrefix } from '../../src/router/prompt-prefix.js'
import { TextHash } from '../../src/router/text-hash.js'
import type { JsonObject } from '../../src/wire/json.js'
import { candidateOf } from '../support/deployment.js'
import { chiSquare, chiSquareLimitOfFour } from '../support/seeded-random.js'

const keyOf = (text: string): TextHash => new TextHash().add(text)
const members = (weights: readonly number[]) =>
  weights.map((weight, index) => candidateOf({ id: `deployment-${index}`, weight }))
const sessions = Array.from({ length: 10_000 }, (_, index) => `session-${index}`)

describe('affinity', () => {
  const four = members([1, 1, 1, 1])

  it('sends every call of a key to one deployment, in every process, whatever the order of the list', () => {
    for (const session of sessions.slice(0, 200)) {
      const [here, there] = [createAffinity(), createAffinity()]
      const first = here(keyOf(session))(four)
      expect(here(keyOf(session))(four)).toBe(first)
      expect(there(keyOf(session))(four.toReversed())).toBe(first)
    }
  })

  it.each([[[1, 1, 1, 1]], [[1, 2, 3, 4]], [[10, 1, 1, 10]]])(
    'spreads keys in proportion to the weights %j',
    (weights) => {
      const group = members(weights)
      const counts = weights.map(() => 0)
      for (const session of sessions) {
        const picked = createAffinity()(keyOf(session))(group)
        const position = group.findIndex((member) => member === picked)
        counts[position] = (counts[position] ?? 0) + 1
      }
      expect(chiSquare(counts, weights)).toBeLessThan(chiSquareLimitOfFour)
    },
  )

  it('moves only the keys of a deployment that drops out, and brings them back', () => {
    const [gone, ...rest] = four
    const affinity = createAffinity()
    let moved = 0
    for (const session of sessions) {
      const prefer = affinity(keyOf(session))
      const [before, without] = [prefer(four), prefer(rest)]
      if (before === gone) moved += 1
      else expect(without).toBe(before)
      expect(prefer(four)).toBe(before)
    }
    expect(moved / sessions.length).toBeCloseTo(0.25, 1)
  })

  it('spreads the keys of a deployment that drops out over all others', () => {
    const [gone, ...rest] = four
    const affinity = createAffinity()
    const counts = rest.map(() => 0)
    for (const session of sessions) {
      const prefer = affinity(keyOf(session))
      if (prefer(four) !== gone) continue
      const position = rest.findIndex((member) => member === prefer(rest))
      counts[position] = (counts[position] ?? 0) + 1
    }
    for (const count of counts) expect(count / (sessions.length / 4)).toBeCloseTo(1 / 3, 1)
  })

  it('gives deployments of weight 0 nothing, unless there is no other', () => {
    const [none, some] = members([0, 1])
    if (!none || !some) throw new Error('two members')
    for (const session of sessions.slice(0, 500)) expect(createAffinity()(keyOf(session))([none, some])).toBe(some)
    expect(createAffinity()(keyOf('a'))([none])).toBe(none)
  })
})

describe('the prefix of a prompt', () => {
  const other = new TextHash().add('other')
  const keyFor = (request: JsonObject): number => {
    const hash = new TextHash()
    addPromptPrefix(hash, request)
    return hash.fractionWith(other)
  }
  const user = (content: unknown) => ({ role: 'user', content })
  const system = (content: unknown) => ({ role: 'system', content })
  const text = (words: string, cached = false) => ({
    type: 'text',
    text: words,
    ...(cached && { cache_control: { type: 'ephemeral' } }),
  })
  const chat = (...messages: readonly object[]) => ({ model: 'm', messages }) as unknown as JsonObject

  it('stays the same while the conversation goes on', () => {
    const opening = [system('Be brief.'), user('Hello')]
    const later = [...opening, { role: 'assistant', content: 'Hi' }, user('And now?')]
    expect(keyFor(chat(...later))).toBe(keyFor(chat(...opening)))
  })

  it.each<[string, JsonObject]>([
    ['model', { ...chat(system('Be brief.'), user('Hello')), model: 'n' }],
    ['instructions', chat(system('Be long.'), user('Hello'))],
    ['first question', chat(system('Be brief.'), user('Hello!'))],
    ['tools', { ...chat(system('Be brief.'), user('Hello')), tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['place of the words', chat(system('Be brief.Hello'), user(''))],
  ])('differs by the %s', (_, request) => {
    expect(keyFor(request)).not.toBe(keyFor(chat(system('Be brief.'), user('Hello'))))
  })

  it('ends with the last part that asks to be cached', () => {
    const ask = (question: string, document = 'A book') =>
      chat(system('Be brief.'), user([text(document, true), text(question)]))
    expect(keyFor(ask('Who?'))).toBe(keyFor(ask('Why?')))
    expect(keyFor(ask('Who?', 'A film'))).not.toBe(keyFor(ask('Who?')))
    const byInstructions = (question: string) => chat(system([text('Be brief.', true)]), user(question))
    expect(keyFor(byInstructions('Who?'))).toBe(keyFor(byInstructions('Why?')))
  })

  it('stays the same when the mark of the first turn has moved on', () => {
    const opening = (marked: boolean) => chat(system('Be brief.'), user([text('A book', marked)]))
    expect(keyFor(opening(true))).toBe(keyFor(opening(false)))
  })

  it('reads no more of megabytes than of a page', () => {
    const book = 'word '.repeat(400_000)
    const request = (question: string) => chat(system(book), user(question))
    expect(keyFor(request('Who?'))).not.toBe(keyFor(request('Why?')))
    const startedAt = performance.now()
    for (let round = 0; round < 100; round += 1) keyFor(request('Who?'))
    expect(performance.now() - startedAt).toBeLessThan(500)
  })

  it('comes to an end in a schema as deep as a body may be', () => {
    let deep: JsonObject = {}
    for (let level = 0; level < 100_000; level += 1) deep = { a: deep }
    expect(() => keyFor({ ...chat(user('Hello')), tools: [deep] } as JsonObject)).not.toThrow()
  })

  it('is none for a request without a prompt', () => {
    expect(addPromptPrefix(new TextHash(), { model: 'm', input: 'Hello' })).toBe(false)
    expect(addPromptPrefix(new TextHash(), { model: 'm', prompt: 'Hello' })).toBe(true)
  })
})
