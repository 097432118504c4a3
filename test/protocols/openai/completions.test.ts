import { describe, expect, it } from 'vitest'
import type { Quirks } from '../../../src/protocols/openai/quirks.js'
import { Completion, CompletionChunk, type CompletionRequest } from '../../../src/wire/completions.js'
import { expectValid } from '../../oracle/openai-schema.js'
import { bodyOf, codecOf, deepFreeze, eventOf, exchangeOf, readAll } from './exchange.js'

const request: CompletionRequest = { model: 'fast', prompt: 'Say' }
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const choice = { index: 0, text: ' hi', logprobs: null, finish_reason: 'stop' }
const answer = { id: 'cmpl-1', object: 'text_completion', created: 5, model: 'm', choices: [choice], usage }

const encode = (fields: object, quirks: Quirks = {}) =>
  bodyOf(codecOf('completions', quirks).encode(exchangeOf<'completions'>({ ...request, ...fields })))
const decode = (body: unknown) => {
  const decoded = codecOf('completions').decode(deepFreeze(body), exchangeOf<'completions'>(request))
  expect(Completion.safeParse(decoded).error).toBeUndefined()
  expectValid('CreateCompletionResponse', decoded)
  return decoded
}
const stream = (fields: Partial<CompletionRequest> = {}) => {
  const asked = exchangeOf<'completions'>({ ...request, stream: true, ...fields })
  const decoder = codecOf('completions').decodeStream?.(asked)
  if (!decoder) throw new Error('no stream')
  return decoder
}
const chunk = (text: string, finish: string | null = null, index = 0) => ({
  ...answer,
  usage: null,
  choices: [{ ...choice, index, text, finish_reason: finish }],
})

describe('a text completion request', () => {
  it('goes out with the deployment’s model and its prompt as it is', () => {
    const { path } = codecOf('completions').encode(exchangeOf<'completions'>(request))
    expect(path).toBe('/completions')
    expect(encode({ prompt: [1, 2], echo: true, top_k: 3 })).toEqual({
      model: 'acme-large',
      prompt: [1, 2],
      echo: true,
      top_k: 3,
    })
    expect(encode({ stream: true })).toMatchObject({ stream: true, stream_options: { include_usage: true } })
  })

  it('is refused where the provider takes one string and gets more', () => {
    const quirks = { completions: { singlePrompt: true } }
    expect(encode({ prompt: ['one'] }, quirks)).toMatchObject({ prompt: 'one' })
    expect(() => encode({ prompt: ['one', 'two'] }, quirks)).toThrow(/one prompt/)
    expect(() => encode({ best_of: 2 }, { unsupported: ['best_of'] })).toThrow(/best_of/)
  })
})

describe('a text completion', () => {
  it('is given back as the object it is', () => {
    expect(decode(answer)).toBe(answer)
  })

  it('is completed, and read where the server answers as chat does', () => {
    expect(decode({ choices: [{ message: { content: ' hi' }, finish_reason: 'eos' }] })).toEqual({
      id: 'cmpl-abcdefghijklmnopqrstuvwx',
      object: 'text_completion',
      created: 1_750_000_000,
      model: 'acme-large',
      choices: [choice],
    })
    expect(() => decode({ error: { code: 429, message: 'slow' } })).toThrow('slow')
    expect(() => decode({})).toThrow(/without choices/)
  })
})

describe('a text completion stream', () => {
  it('is forwarded once it has begun, and ends once, with usage', () => {
    const decoder = stream()
    const [first] = decoder.push(eventOf(chunk('a')))
    expect(first?.chunk?.choices[0]).toMatchObject({ text: 'a', finish_reason: null })
    for (const text of ['b', '"text":"', '\\']) expect(decoder.push(eventOf(chunk(text)))[0]?.forward).toBeDefined()
    expect(decoder.push(eventOf(chunk('', 'length')))).toEqual([])
    expect(decoder.progress).toBe('finished')
    decoder.push(eventOf({ ...answer, choices: [], usage }))
    decoder.push(eventOf('[DONE]'))
    const last = decoder.end().map((part) => part.chunk)
    expect(last).toMatchObject([{ choices: [{ text: '', finish_reason: 'length' }] }, { choices: [], usage }])
    for (const one of last) expect(CompletionChunk.safeParse(one).error).toBeUndefined()
  })

  it('is truncated without a finish reason', () => {
    expect(() => readAll(stream(), [eventOf(chunk('a')), eventOf('[DONE]')])).toThrow(/before the answer was complete/)
    expect(() => readAll(stream(), [])).toThrow(/before the answer was complete/)
  })

  it('is truncated without every choice of every prompt', () => {
    const events = (count: number) => [
      ...Array.from({ length: count }, (_, index) => eventOf(chunk('a', 'stop', index))),
      eventOf('[DONE]'),
    ]
    const ofTwo = () => stream({ prompt: ['a', 'b'], n: 2 })
    expect(() => readAll(ofTwo(), events(3))).toThrow(/before the answer was complete/)
    expect(
      readAll(ofTwo(), events(4))
        .flatMap(({ choices }) => choices)
        .filter((one) => one.finish_reason),
    ).toHaveLength(4)
  })
})
