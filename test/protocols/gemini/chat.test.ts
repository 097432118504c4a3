import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/errors.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { expectValid } from '../../oracle/openai-schema.js'
import { assemble, decodeChat, decodeStream, eventOf, flatten, responseOf, startStream, thrownBy } from './fixtures.js'

const call = { functionCall: { id: 'c1', name: 'sun', args: { city: 'Oslo' } } }
const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 7, totalTokenCount: 12 }

/** Decodes one answer whole and as a stream of one event, checks both against OpenAI's schemas, and gives the message. */
function both(body: JsonObject, fields: JsonObject = {}) {
  const answer = decodeChat(body, fields)
  expectValid('CreateChatCompletionResponse', answer)
  const chunks = decodeStream([body], fields)
  for (const chunk of chunks) expectValid('CreateChatCompletionStreamResponse', chunk)
  const whole = flatten(answer)
  expect(assemble(chunks)).toEqual(whole)
  return whole
}

describe('an answer', () => {
  it('has identity, text, reasoning and usage', () => {
    const parts = [{ text: 'hm ', thought: true }, { text: 'Hel' }, { text: 'lo' }]
    const answer = decodeChat(responseOf(parts, {}, { usageMetadata: { ...usageMetadata, serviceTier: 'flex' } }))
    expect(answer).toMatchObject({
      id: 'response-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gemini-2.5-flash',
      service_tier: 'flex',
      choices: [{ index: 0, finish_reason: 'stop', message: { content: 'Hello', reasoning_content: 'hm ' } }],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    })
    expect(both(responseOf(parts)).content).toBe('Hello')
  })

  it.each(['NO_IMAGE', 'MALFORMED_FUNCTION_CALL', 'MAX_TOKENS', 'OTHER', 'NEW_REASON'])(
    'without content that ended with %s is one empty choice (case 19, B7)',
    (finishReason) => {
      for (const content of [undefined, {}, { role: 'model' }, { parts: [] }]) {
        const message = both({ candidates: [{ finishReason, content }], usageMetadata })
        expect(message).toMatchObject({ content: '', finish: [finishReason === 'MAX_TOKENS' ? 'length' : 'stop'] })
        expect(message.fields).toMatchObject({ native_finish_reason: finishReason })
      }
    },
  )

  it('without candidates is one empty choice', () => {
    expect(decodeChat({ usageMetadata }).choices).toMatchObject([
      { index: 0, finish_reason: 'stop', message: { content: null } },
    ])
  })

  it('keeps a tool call that ended with SAFETY (case 20)', () => {
    expect(both(responseOf([call], { finishReason: 'SAFETY' }))).toMatchObject({
      calls: [{ name: 'sun' }],
      finish: ['content_filter'],
    })
  })

  it('is filtered where the prompt was blocked, not where the reason is empty (case 20)', () => {
    const blocked = both({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } })
    expect(blocked).toMatchObject({
      content: '',
      finish: ['content_filter'],
      fields: { native_finish_reason: 'PROHIBITED_CONTENT' },
    })
    expect(both(responseOf([{ text: 'ok' }], {}, { promptFeedback: { blockReason: '' } }))).toMatchObject({
      content: 'ok',
      finish: ['stop'],
    })
  })

  it('that stopped with a function call finished with tool_calls (case 22)', () => {
    expect(both(responseOf([{ text: 'a' }, call]))).toMatchObject({ content: 'a', finish: ['tool_calls'] })
  })

  it('keeps its candidates apart (case 26)', () => {
    const candidates = [
      { content: { parts: [{ text: 'a' }] }, finishReason: 'STOP' },
      { content: { parts: [call] }, finishReason: 'STOP', index: 1, groundingMetadata: { webSearchQueries: ['q'] } },
      { content: { parts: [{ text: 'c' }] }, finishReason: 'MAX_TOKENS', index: 2 },
    ]
    const answer = decodeChat({ candidates }, { n: 3 })
    const chunks = decodeStream([{ candidates }], { n: 3 })
    const expected = [
      { content: 'a', calls: [], finish: ['stop'], fields: {} },
      { content: '', calls: [{ id: 'c1' }], finish: ['tool_calls'] },
      { content: 'c', calls: [], finish: ['length'] },
    ]
    expected.forEach((message, index) => {
      expect(flatten(answer, index)).toMatchObject(message)
      expect(assemble(chunks, index)).toEqual(flatten(answer, index))
    })
  })

  it('has images, sound and the parts of hosted tools', () => {
    const executableCode = { language: 'PYTHON', code: '1' }
    const message = both(
      responseOf([
        { executableCode },
        { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
        { inlineData: { mimeType: 'image/png', data: 'BBBB' }, thought: true },
        { inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: 'AQ==' } },
        { inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: 'Ag==' } },
      ]),
    )
    expect(message).toMatchObject({
      images: [{ type: 'image_url', index: 0, image_url: { url: 'data:image/png;base64,AAAA' } }],
      audio: 'AQI=',
      fields: { server_tool_parts: [{ executableCode }] },
    })
  })

  it('cites its sources by characters, where Google counts bytes', () => {
    const text = 'Nürnberg liegt hier.'
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a.test/x y', title: 'A' } }],
      groundingSupports: [{ segment: { startIndex: 10, endIndex: 15, text: 'liegt' }, groundingChunkIndices: [0, 9] }],
    }
    const citationMetadata = { citationSources: [{ startIndex: 0, endIndex: 9, uri: 'https://b.test/' }] }
    const message = both(responseOf([{ text }], { groundingMetadata, citationMetadata }))
    expect(message.annotations).toEqual([
      {
        type: 'url_citation',
        url_citation: { start_index: 9, end_index: 14, url: 'https://a.test/x%20y', title: 'A' },
      },
      {
        type: 'url_citation',
        url_citation: { start_index: 0, end_index: 8, url: 'https://b.test/', title: 'https://b.test/' },
      },
    ])
    expect(message.fields).toMatchObject({ grounding_metadata: groundingMetadata })
  })

  it('has log probabilities', () => {
    const chosen = { token: 'é', logProbability: -0.5 }
    const logprobsResult = { chosenCandidates: [chosen], topCandidates: [{ candidates: [chosen] }] }
    const body = responseOf([{ text: 'é' }], { logprobsResult })
    const token = { token: 'é', logprob: -0.5, bytes: [195, 169] }
    both(body)
    expect(decodeChat(body).choices[0]?.logprobs).toEqual({
      content: [{ ...token, top_logprobs: [token] }],
      refusal: null,
    })
    expect(decodeStream([body]).flatMap(({ choices }) => choices[0]?.logprobs?.content ?? [])).toHaveLength(1)
  })

  it.each([
    [null],
    ['text'],
    [[]],
    [{}],
    [{ candidates: 'x' }],
    [{ candidates: [1] }],
    [responseOf([], { content: { parts: 'x' } })],
    [responseOf([], { content: 'x' })],
  ])('is refused where it is none: %j', (body) => {
    expect(thrownBy(() => decodeChat(body))).toMatchObject({ kind: 'upstream_invalid', status: 502 })
    expect(thrownBy(() => startStream().push(eventOf(`[${JSON.stringify(body)}]`)))).toMatchObject({
      kind: 'upstream_invalid',
    })
  })

  it('is an error where it holds one', () => {
    const error = { code: 429, message: 'Slow down', status: 'RESOURCE_EXHAUSTED' }
    for (const body of [{ error }, [{ error }]]) {
      expect(thrownBy(() => decodeChat(body))).toMatchObject({
        kind: 'rate_limited',
        status: 429,
        message: 'Slow down',
      })
    }
  })
})

describe('a stream', () => {
  it('knows what was said of its tokens while it is open, for one that breaks off', () => {
    const decoder = startStream()
    expect(decoder.usage).toBeUndefined()
    const said = { promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 }
    decoder.push(eventOf({ ...responseOf([{ text: 'a' }], { finishReason: undefined }), usageMetadata: said }))
    expect(decoder.progress).toBe('open')
    expect(decoder.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 })
  })

  it('is events of one identity: role once, finish last, then the last usage (cases 21, 22)', () => {
    const chunks = decodeStream([
      {
        ...responseOf([{ text: 'a' }], { finishReason: undefined }),
        usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 },
      },
      responseOf(
        [call],
        { finishReason: 'STOP' },
        { responseId: 'other', usageMetadata: { ...usageMetadata, candidatesTokenCount: 3, totalTokenCount: 8 } },
      ),
      responseOf([], { content: undefined }, { usageMetadata }),
    ])
    expect(new Set(chunks.map(({ id, model }) => `${id} ${model}`))).toEqual(new Set(['response-1 gemini-2.5-flash']))
    expect(chunks.filter(({ choices }) => choices[0]?.delta.role)).toHaveLength(1)
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, null, 'tool_calls', undefined])
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    })
    expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([
      { index: 0, id: 'c1', type: 'function', function: { name: 'sun', arguments: '' } },
      { index: 0, function: { arguments: '{"city":"Oslo"}' } },
    ])
  })

  it('may come as the pieces of a JSON array', () => {
    const [first, last] = [
      JSON.stringify(responseOf([{ text: 'a' }], { finishReason: undefined })),
      JSON.stringify(responseOf([{ text: 'b' }])),
    ]
    for (const events of [
      [`[${first},${last}]`],
      [`[${first}`, `,${last}`, ']'],
      ['[', `${first},`, last, ']'],
      [first, last, '[DONE]', ''],
    ]) {
      expect(assemble(decodeStream(events))).toMatchObject({ content: 'ab', finish: ['stop'] })
    }
  })

  it('that ends without a finish reason is an error, also for one candidate of several', () => {
    const open = responseOf([{ text: 'a' }], { finishReason: undefined })
    const half = { candidates: [{ finishReason: 'STOP' }, { index: 1, content: { parts: [{ text: 'b' }] } }] }
    for (const events of [[], [open], [half], [{ usageMetadata }]]) {
      expect(thrownBy(() => decodeStream(events))).toMatchObject({ kind: 'stream_truncated', status: 502 })
    }
  })

  it('that was blocked on the way is finished', () => {
    const open = responseOf([{ text: 'a' }], { finishReason: undefined })
    const message = assemble(decodeStream([open, { promptFeedback: { blockReason: 'SAFETY' } }]))
    expect(message).toMatchObject({
      content: 'a',
      finish: ['content_filter'],
      fields: { native_finish_reason: 'SAFETY' },
    })
  })

  it('throws an error that comes in an event', () => {
    const decoder = startStream()
    decoder.push(eventOf(responseOf([{ text: 'a' }], { finishReason: undefined })))
    const error = thrownBy(() =>
      decoder.push(eventOf({ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } })),
    )
    expect(error).toBeInstanceOf(GatewayError)
    expect(error).toMatchObject({ kind: 'overloaded', status: 503, message: 'The model is overloaded.' })
  })

  it('skips a broken event, but not two of them, nor one after a call', () => {
    const decoder = startStream()
    expect(decoder.push(eventOf('{"candidates"'))).toEqual([])
    expect(thrownBy(() => decoder.push(eventOf('{"candidates"')))).toMatchObject({ kind: 'upstream_invalid' })
    const calling = startStream()
    calling.push(eventOf(responseOf([{ functionCall: { name: 'f', args: {} } }], { finishReason: undefined })))
    expect(thrownBy(() => calling.push(eventOf('{"candidates"')))).toMatchObject({ kind: 'upstream_invalid' })
  })

  it('tells that it is finished once every choice is', () => {
    const decoder = startStream({ n: 2 })
    expect(decoder.progress).toBe('open')
    decoder.push(eventOf({ candidates: [{ finishReason: 'STOP' }] }))
    expect(decoder.progress).toBe('open')
    expect(thrownBy(() => decoder.end())).toMatchObject({ kind: 'stream_truncated' })
    decoder.push(eventOf({ candidates: [{ index: 1, finishReason: 'STOP' }] }))
    expect(decoder.progress).toBe('finished')
  })

  it('gives the same message however the parts are split over events', () => {
    const signature = fc.option(fc.constant({ thoughtSignature: 'AAAA' }), { nil: {} })
    const base64 = fc.uint8Array({ minLength: 1, maxLength: 7 }).map((bytes) => Buffer.from(bytes).toString('base64'))
    const content = fc.oneof<fc.Arbitrary<JsonObject>[]>(
      fc.record({ text: fc.string({ unit: 'grapheme' }) }),
      fc.record({ text: fc.string(), thought: fc.constant(true) }),
      fc.record({
        functionCall: fc.record({ name: fc.constantFrom('a', 'b'), args: fc.dictionary(fc.string(), fc.jsonValue()) }),
      }),
      fc.record({ functionCall: fc.record({ id: fc.string({ minLength: 1 }), name: fc.constantFrom('a', 'b') }) }),
      fc.record({ inlineData: fc.record({ mimeType: fc.constantFrom('image/png', 'audio/L16'), data: base64 }) }),
      fc.record({ codeExecutionResult: fc.record({ output: fc.string() }) }),
      fc.constant({}),
    )
    const part = fc.tuple(content, signature).map(([data, extra]): JsonObject => ({ ...data, ...extra }))
    const candidate = fc.tuple(
      fc.array(fc.tuple(part, fc.boolean()), { maxLength: 12 }),
      fc.constantFrom('STOP', 'MAX_TOKENS', 'SAFETY'),
    )
    fc.assert(
      fc.property(fc.array(candidate, { minLength: 1, maxLength: 3 }), (list) => {
        const candidates = list.map(([parts, finishReason], index) => ({
          index,
          finishReason,
          content: { parts: parts.map(([data]) => data) },
        }))
        const events = list.flatMap(([parts, finishReason], index) => {
          const groups: JsonObject[][] = [[]]
          for (const [data, cut] of parts) {
            if (cut) groups.push([])
            groups.at(-1)?.push(data)
          }
          const pieces = groups.map((group) => ({ candidates: [{ index, content: { parts: group } }] }))
          return [...pieces, { candidates: [{ index, finishReason }] }]
        })
        const answer = decodeChat({ candidates }, { n: list.length })
        const chunks = decodeStream(events, { n: list.length })
        list.forEach((_, index) => expect(assemble(chunks, index)).toEqual(flatten(answer, index)))
      }),
    )
  })
})

describe('answers of proxies that write enums as numbers', () => {
  it('are understood', () => {
    expect(both(responseOf([call], { finishReason: 1 })).finish).toEqual(['tool_calls'])
    expect(both(responseOf([], { finishReason: 3 })).finish).toEqual(['content_filter'])
    expect(isObject(both(responseOf([], { finishReason: 99 })).fields)).toBe(true)
  })
})
