import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/errors.js'
import type { Quirks } from '../../../src/protocols/openai/quirks.js'
import { ChatChunk, type ChatRequest } from '../../../src/wire/chat.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { createSseDecoder } from '../../../src/upstream/sse-decoder.js'
import { expectValid } from '../../oracle/openai-schema.js'
import { chatStream, chunkEvent, codecOf, eventOf, exchangeOf, gather, readAll } from './exchange.js'

const role = chunkEvent({ role: 'assistant', content: '' })
const text = (content: string) => chunkEvent({ content })
const finish = (reason: string | null = 'stop') => chunkEvent({}, {}, { finish_reason: reason })
const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
const tools = (...calls: object[]) => chunkEvent({ tool_calls: calls })

const read = (events: readonly unknown[], quirks: Quirks = {}, fields: Partial<ChatRequest> = {}) => {
  const chunks = readAll(
    chatStream(quirks, fields),
    events.map((event) => eventOf(event)),
  )
  for (const chunk of chunks) {
    expect(ChatChunk.safeParse(chunk).error).toBeUndefined()
    expectValid('CreateChatCompletionStreamResponse', chunk)
  }
  return chunks
}

const readOne = (events: readonly unknown[], quirks: Quirks = {}) => gather(read(events, quirks)).get(0)

const failure = (events: readonly unknown[], quirks: Quirks = {}): GatewayError => {
  try {
    read(events, quirks)
  } catch (error) {
    if (GatewayError.isInstance(error)) return error
    throw error
  }
  throw new Error('no failure')
}

describe('plain content', () => {
  it('is forwarded as the event it came in', () => {
    const decoder = chatStream()
    decoder.push(eventOf(role))
    for (const content of [
      'Hel',
      'lo',
      '\n"{}\\',
      '北🎈',
      '"error":{"message":"x"}',
      '"finish_reason":"stop"',
      '[DONE]',
    ]) {
      const event = eventOf(text(content))
      expect(decoder.push(event)).toEqual([{ chunk: undefined, forward: event }])
      expect(decoder.push(event)[0]?.forward).toBe(event)
    }
  })

  it('is forwarded with padding, logprobs and members that we do not know', () => {
    const decoder = chatStream()
    const event = (content: string, obfuscation: string) =>
      eventOf(
        chunkEvent(
          { content },
          { system_fingerprint: 'fp', usage: null, obfuscation },
          { logprobs: { content: [], refusal: null } },
        ),
      )
    decoder.push(eventOf(role))
    for (const [content, padding] of [
      ['a', 'x'],
      ['b', 'yyyy'],
      ['c', ''],
    ] as const) {
      expect(decoder.push(event(content, padding))[0]?.forward).toBeDefined()
    }
  })

  it('is not forwarded before the role is out, without its bytes, or under another identity', () => {
    const decoder = chatStream()
    const [first] = decoder.push(eventOf(text('a')))
    expect(first?.chunk?.choices[0]?.delta).toEqual({ role: 'assistant', content: 'a' })
    expect(decoder.push(eventOf(text('b'), false))[0]?.chunk?.choices[0]?.delta).toEqual({ content: 'b' })
    expect(decoder.push(eventOf(text('c')))[0]?.forward).toBeDefined()
    for (const change of [{ id: 'other' }, { created: 1 }, { model: 'other' }, { object: 'chat.completion' }]) {
      const [part] = decoder.push(eventOf(chunkEvent({ content: 'd' }, change)))
      expect(part?.chunk).toMatchObject({
        id: 'chatcmpl-1',
        created: 1_740_000_000,
        model: 'acme-large',
        object: 'chat.completion.chunk',
      })
    }
  })

  it.each([
    ['a finish reason', chunkEvent({ content: 'x' }, {}, { finish_reason: 'stop' })],
    ['usage', chunkEvent({ content: 'x' }, { usage })],
    ['a role', chunkEvent({ role: 'assistant', content: 'x' })],
    ['reasoning', chunkEvent({ content: 'x', reasoning_content: 'y' })],
    [
      'tool calls',
      chunkEvent({ content: 'x', tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }] }),
    ],
    ['nothing in it', chunkEvent({ content: '' })],
    ['no finish reason at all', { ...text('x'), choices: [{ index: 0, delta: { content: 'x' } }] }],
  ])('is not forwarded with %s', (_what, event) => {
    const decoder = chatStream()
    decoder.push(eventOf(role))
    decoder.push(eventOf(text('a')))
    expect(decoder.push(eventOf(event)).flatMap(({ forward }) => forward ?? [])).toEqual([])
  })

  it.each(['a\\x', 'a\\u12g4', 'a"b', 'a\tb', 'a\\'])('is not taken for valid where its JSON is not: %j', (broken) => {
    const decoder = chatStream()
    decoder.push(eventOf(role))
    decoder.push(eventOf(text('abc')))
    const event = (inside: string) => eventOf(JSON.stringify(text('abc')).replace('abc', () => inside))
    expect(decoder.push(event(broken))).toEqual([])
    expect(decoder.push(event('\\u00e9\\n\\"'))[0]?.forward).toBeDefined()
  })
})

describe('the role', () => {
  // Cases 38 and 39.
  it('comes once per choice, on its first chunk, whatever the server repeats', () => {
    const chunks = read([
      chunkEvent({ role: '', content: 'a' }),
      chunkEvent({ role: 'assistant', content: 'b' }),
      chunkEvent({ role: null, content: 'c', tool_calls: null, function_call: null, refusal: null }),
      finish(),
      '[DONE]',
    ])
    expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: 'a' },
      { content: 'b' },
      { content: 'c' },
      {},
    ])
  })

  it('comes also where an answer has nothing but an end', () => {
    expect(readOne([role, finish('length'), '[DONE]'])).toMatchObject({ roles: 1, content: '', finishes: ['length'] })
  })
})

// Case 32.
describe('Azure’s extra chunks', () => {
  it('are not forwarded, and do not name the stream', () => {
    const chunks = read([
      { choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results: [{ prompt_index: 0 }] },
      role,
      text('a'),
      {
        ...role,
        choices: [{ content_filter_offsets: { start: 1 }, content_filter_results: {}, finish_reason: null, index: 0 }],
      },
      finish(),
      '[DONE]',
    ])
    expect(chunks).toHaveLength(3)
    expect(new Set(chunks.map((chunk) => chunk.id))).toEqual(new Set(['chatcmpl-1']))
  })
})

describe('a stream of a server that names nothing', () => {
  it('gets one identity', () => {
    const chunks = read([
      { choices: [{ delta: { content: 'a' } }] },
      { choices: [{ delta: {}, finish_reason: 'stop' }] },
      '[DONE]',
    ])
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: 'chatcmpl-abcdefghijklmnopqrstuvwx',
        created: 1_750_000_000,
        model: 'acme-large',
      })
    }
  })
})

describe('the end', () => {
  it('is one finish reason per choice, after everything else, then usage', () => {
    const chunks = read([
      role,
      chunkEvent({ content: 'a' }, { usage }, { finish_reason: 'stop' }),
      text('b'),
      finish('length'),
      '[DONE]',
      text('c'),
    ])
    expect(chunks.map((chunk) => [chunk.choices[0]?.delta.content, chunk.choices[0]?.finish_reason])).toEqual([
      ['', null],
      ['a', null],
      ['b', null],
      [undefined, 'length'],
      [undefined, undefined],
    ])
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage })
  })

  it('takes usage from wherever it is, the last one', () => {
    const twice = read([
      role,
      chunkEvent({ content: 'a' }, { usage: { ...usage, completion_tokens: 1, total_tokens: 4 } }),
      finish(),
      { ...role, choices: [], usage },
    ])
    expect(twice.filter((chunk) => chunk.usage)).toEqual([expect.objectContaining({ choices: [], usage })])
    const groq = read([role, chunkEvent({}, { x_groq: { id: 'r', usage } }, { finish_reason: 'stop' }), '[DONE]'])
    expect(groq.at(-1)).toMatchObject({ choices: [], usage })
    expect(JSON.stringify(groq)).not.toContain('x_groq')
    const { choices: _choices, ...bare } = role
    expect(read([role, finish(), { ...bare, usage }, '[DONE]']).at(-1)).toMatchObject({ choices: [], usage })
  })

  it('may lack [DONE] but not the finish reason of any choice', () => {
    expect(readOne([role, text('a'), finish()])).toMatchObject({ content: 'a', finishes: ['stop'] })
    for (const events of [
      [],
      ['[DONE]'],
      [role, text('a')],
      [role, text('a'), '[DONE]'],
      [role, finish(''), text('a')],
    ]) {
      expect(failure(events)).toMatchObject({ kind: 'stream_truncated', status: 502 })
    }
    const second = chunkEvent({ content: 'b' }, {}, { index: 1 })
    expect(failure([role, second, finish(), '[DONE]'])).toMatchObject({ kind: 'stream_truncated' })
  })

  it('owes every choice that was asked for, by the request or its deployment', () => {
    const asked = (fields: Partial<ChatRequest>, params: JsonObject = {}) => {
      const request = { model: 'fast', messages: [{ role: 'user' as const, content: 'hi' }], stream: true, ...fields }
      const decoder = codecOf('chat').decodeStream?.(exchangeOf<'chat'>(request, { params }))
      for (const event of [role, text('a'), finish(), '[DONE]']) decoder?.push(eventOf(event))
      return () => decoder?.end()
    }
    expect(asked({ n: 2 })).toThrow(/before the answer was complete/)
    expect(asked({}, { n: 2 })).toThrow(/before the answer was complete/)
    expect(asked({ n: 1 }, { n: 2 })()).toHaveLength(1)
  })

  it('is told by how far the decoder has come', () => {
    const decoder = chatStream()
    const seen = [role, text('a'), finish(), { ...role, choices: [], usage }, '[DONE]'].map((event) => {
      decoder.push(eventOf(event))
      return decoder.progress
    })
    expect(seen).toEqual(['open', 'open', 'finished', 'finished', 'terminated'])
    const two = chatStream({}, { n: 2 })
    two.push(eventOf(finish()))
    expect(two.progress).toBe('open')
  })

  it('keeps what came with the finish reason, and a foreign word for it', () => {
    const chunks = read([
      role,
      text('a'),
      chunkEvent({ content: '' }, { citations: ['https://x'] }, { finish_reason: 'eos', stop_reason: 7 }),
      '[DONE]',
    ])
    expect(chunks.at(-1)).toMatchObject({
      citations: ['https://x'],
      choices: [
        { stop_reason: 7, finish_reason: 'stop', delta: { provider_specific_fields: { native_finish_reason: 'eos' } } },
      ],
    })
  })

  it('may be an empty reason, once the server says that it is done (xAI)', () => {
    expect(readOne([role, text('a'), finish(''), '[DONE]'])?.finishes).toEqual(['stop'])
    expect(
      readOne([tools({ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }), finish(''), '[DONE]'])?.finishes,
    ).toEqual(['tool_calls'])
  })
})

describe('events that are not JSON', () => {
  it('may be one while the answer goes on', () => {
    expect(readOne([role, '{"choices":[{"index"', text('a'), '', finish(), '[DONE]'])).toMatchObject({
      content: 'a',
      finishes: ['stop'],
    })
  })

  it('are an error when there are two', () => {
    expect(failure([role, 'a', text('x'), 'b', finish(), '[DONE]'])).toMatchObject({ kind: 'upstream_invalid' })
  })

  it.each([
    ['a named call', tools({ index: 0, id: 'c', function: { name: 'f', arguments: '{"a"' } })],
    ['a call that has no name yet', tools({ index: 0, id: 'c' })],
    ['a function call', chunkEvent({ function_call: { name: 'f', arguments: '' } })],
  ])('are an error after %s, however few', (_, call) => {
    expect(failure([role, call, 'a', finish('tool_calls'), '[DONE]'])).toMatchObject({ kind: 'upstream_invalid' })
  })
})

describe('an error inside the stream', () => {
  it.each([
    [{ error: { type: 'BadRequestError', code: 400, message: 'no' } }, 'invalid_request'],
    [{ error: { message: 'The server had an error', type: 'server_error', code: null } }, 'upstream_error'],
    [{ error: { message: 'Rate limit', code: 'rate_limit_exceeded' } }, 'rate_limited'],
    [
      { error: { message: 'x', code: 'tool_use_failed', type: 'invalid_request_error' }, status_code: 400 },
      'invalid_request',
    ],
    [
      chunkEvent({ content: '' }, { error: { code: 502, message: 'gone' } }, { finish_reason: 'error' }),
      'upstream_error',
    ],
    [chunkEvent({ content: '' }, {}, { finish_reason: 'error' }), 'upstream_error'],
    [chunkEvent({}, { x_groq: { error: 'over capacity' } }), 'upstream_error'],
  ])('%j is thrown, first or after content', (event, kind) => {
    expect(failure([event, '[DONE]'])).toMatchObject({ kind })
    expect(failure([role, text('a'), text('b'), event, '[DONE]'])).toMatchObject({
      kind,
      upstream: { provider: 'acme' },
    })
  })

  it('may be named by the event alone', () => {
    const decoder = chatStream()
    expect(() => decoder.push({ event: 'error', data: '{"message":"bad","code":422}', frame: undefined })).toThrow(
      'bad',
    )
  })
})

describe('reasoning', () => {
  // Case 37.
  it('has one name, whichever the server uses', () => {
    const chunks = read([
      chunkEvent({ role: 'assistant', content: '', reasoning: 'a' }),
      chunkEvent({ content: null, reasoning_content: 'b' }),
      chunkEvent({ content: '', reasoning: 'c', reasoning_content: 'c', reasoning_details: [{ type: 'x' }] }),
      chunkEvent({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'd' }] }] }),
      chunkEvent({ content: [{ type: 'text', text: 'hi' }] }),
      finish(),
      '[DONE]',
    ])
    expect(gather(chunks).get(0)).toMatchObject({ reasoning: 'abcd', content: 'hi' })
    expect(JSON.stringify(chunks)).not.toContain('"reasoning":')
    expect(chunks[2]?.choices[0]?.delta).toEqual({ reasoning_content: 'c', reasoning_details: [{ type: 'x' }] })
  })

  it('is taken out of think tags however they are cut', () => {
    const whole = ' <think>hm</think>\n\nhello <think>'
    for (let cut = 1; cut < whole.length; cut++) {
      const events = [role, text(whole.slice(0, cut)), text(whole.slice(cut)), finish(), '[DONE]']
      expect(readOne(events, { thinkTags: true })).toMatchObject({ reasoning: 'hm', content: 'hello <think>' })
    }
    expect(readOne([role, text('<thi'), finish(), '[DONE]'], { thinkTags: true })).toMatchObject({ content: '<thi' })
    expect(readOne([role, text('<think>hm'), finish('length'), '[DONE]'], { thinkTags: true })).toMatchObject({
      reasoning: 'hm',
    })
  })

  it('does not keep later content from being forwarded', () => {
    const decoder = chatStream({ thinkTags: true })
    for (const content of ['<think>a', '</think>b']) decoder.push(eventOf(text(content)))
    expect(decoder.push(eventOf(text('c')))[0]?.forward).toBeDefined()
    expect(decoder.push(eventOf(text('d')))[0]?.forward).toBeDefined()
  })
})

describe('tool calls', () => {
  const fragment = (index: number, text_: string) => ({ index, function: { arguments: text_ } })

  it('are announced once, then only fragments', () => {
    const chunks = read([
      chunkEvent({
        role: 'assistant',
        content: null,
        tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }],
      }),
      tools({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"x"' } }),
      tools(fragment(0, ':1}')),
      finish('tool_calls'),
      '[DONE]',
    ])
    expect(chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])).toEqual([
      { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } },
      { index: 0, function: { arguments: '{"x"' } },
      { index: 0, function: { arguments: ':1}' } },
    ])
    expect(gather(chunks).get(0)?.finishes).toEqual(['tool_calls'])
  })

  // B3.
  it('are told apart in hostile order', () => {
    const one = readOne([
      role,
      tools({ index: 0, id: 'a', function: { arguments: '{"q' } }),
      tools({ id: 'b', type: 'function', function: { name: 'fb', arguments: '{"r"' } }),
      tools({ index: 0, function: { name: 'fa', arguments: '":1' } }),
      tools({ id: 'b', function: { arguments: ':2}' } }),
      tools({ index: 0, function: { arguments: '}' } }),
      tools({ index: 2, id: 'c', type: 'function', function: { name: 'fc', arguments: '{"s":3}' } }),
      finish('stop'),
      '[DONE]',
    ])
    expect(one?.calls).toEqual([
      { id: 'a', name: 'fa', arguments: '{"q":1}' },
      { id: 'b', name: 'fb', arguments: '{"r":2}' },
      { id: 'c', name: 'fc', arguments: '{"s":3}' },
    ])
    expect(one?.finishes).toEqual(['tool_calls'])
  })

  it('are distinct where ids are, though the index repeats', () => {
    const whole = (id: string) => ({ index: 0, id, type: 'function', function: { name: 'f', arguments: '{}' } })
    expect(readOne([tools(whole('a')), tools(whole('b')), finish(), '[DONE]'])?.calls.map(({ id }) => id)).toEqual([
      'a',
      'b',
    ])
  })

  it('are one where the server makes up an id per fragment', () => {
    const piece = (id: string, name: string, text_: string) => ({
      index: 0,
      id,
      type: 'function',
      function: { name, arguments: text_ },
    })
    const events = [
      tools(piece('a', 'f', '')),
      tools(piece('b', '', '{"x":')),
      tools(piece('c', '', '1}')),
      finish('tool_calls'),
      '[DONE]',
    ]
    expect(readOne(events)?.calls).toEqual([{ id: 'a', name: 'f', arguments: '{"x":1}' }])
  })

  it('without ids and indexes are told apart by their names', () => {
    const whole = (name: string, args: unknown) => ({ function: { name, arguments: args } })
    const one = readOne([
      tools(whole('f', { x: 1 }), whole('f', '{"x":2}')),
      tools(whole('g', null)),
      finish(''),
      '[DONE]',
    ])
    expect(one?.calls).toEqual([
      { id: 'call_abcdefghijklmnopqrstuvwx_0', name: 'f', arguments: '{"x":1}' },
      { id: 'call_abcdefghijklmnopqrstuvwx_1', name: 'f', arguments: '{"x":2}' },
      { id: 'call_abcdefghijklmnopqrstuvwx_2', name: 'g', arguments: '{}' },
    ])
  })

  it('without arguments end with an empty object', () => {
    const call = { index: 0, id: 'a', function: { name: 'f', arguments: '' } }
    expect(readOne([tools(call), finish('tool_calls'), '[DONE]'])?.calls).toEqual([
      { id: 'a', name: 'f', arguments: '{}' },
    ])
  })

  it('without a name are an error, unless they are empty', () => {
    expect(
      failure([role, tools({ index: 0, id: 'a', function: { arguments: '{"x":1}' } }), finish('tool_calls'), '[DONE]']),
    ).toMatchObject({
      kind: 'upstream_invalid',
    })
    expect(
      readOne([role, tools({ index: 0, function: { arguments: '' } }), finish('tool_calls'), '[DONE]']),
    ).toMatchObject({
      calls: [],
      finishes: ['stop'],
    })
  })

  it('keep the provider’s own members', () => {
    const signed = {
      index: 0,
      id: 'a',
      function: { name: 'f', arguments: '{}' },
      extra_content: { google: { thought_signature: 's' } },
    }
    const [chunk] = read([tools(signed), finish(), '[DONE]'])
    expect(chunk?.choices[0]?.delta.tool_calls?.[0]).toMatchObject({
      extra_content: { google: { thought_signature: 's' } },
    })
  })

  it('of the stand-in for a JSON schema are content', () => {
    const fields: Partial<ChatRequest> = {
      response_format: { type: 'json_schema', json_schema: { name: 's', schema: {} } },
    }
    const events = [
      tools({ index: 0, id: 'a', function: { name: 'json_tool_call', arguments: '{"a"' } }),
      tools(fragment(0, ':1}')),
      finish('tool_calls'),
      '[DONE]',
    ]
    expect(gather(read(events, { jsonSchema: 'synthetic_tool' }, fields)).get(0)).toMatchObject({
      content: '{"a":1}',
      calls: [],
      finishes: ['stop'],
    })
  })
})

describe('several choices', () => {
  it('keep their content, logprobs and refusals apart', () => {
    const at = (index: number, delta: object, choice: object = {}) => chunkEvent({ ...delta }, {}, { index, ...choice })
    const logprobs = { content: [{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }], refusal: null }
    const chunks = read(
      [
        at(0, { role: 'assistant', content: '' }),
        at(1, { role: 'assistant', content: '' }),
        at(0, { content: 'a' }, { logprobs }),
        at(1, { refusal: 'no' }),
        at(0, { content: 'b' }),
        at(1, { content: 'c' }),
        at(1, {}, { finish_reason: 'length' }),
        at(0, {}, { finish_reason: 'stop' }),
        '[DONE]',
      ],
      {},
      { n: 2 },
    )
    const both = gather(chunks)
    expect(both.get(0)).toMatchObject({ roles: 1, content: 'ab', refusal: '', finishes: ['stop'] })
    expect(both.get(1)).toMatchObject({ roles: 1, content: 'c', refusal: 'no', finishes: ['length'] })
    expect(chunks.flatMap((chunk) => chunk.choices).find((choice) => choice.logprobs)).toMatchObject({
      index: 0,
      logprobs,
    })
  })
})

describe('a whole answer in place of a stream’s chunks', () => {
  it('is read as one', () => {
    const message = {
      role: 'assistant',
      content: 'hello',
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
    }
    const one = readOne([
      { ...role, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] },
    ])
    expect(one).toMatchObject({ roles: 1, content: 'hello', calls: [{ name: 'f' }], finishes: ['tool_calls'] })
  })
})

// B1.
describe('a soup of framings', () => {
  it('decodes to a clean stream wherever the bytes are cut', () => {
    const soup = Buffer.from(
      `: PROCESSING\n\ndata:${JSON.stringify({ choices: [{ index: 0, delta: { role: '', content: '北' } }] })}\r\n\r\n` +
        `data: ${JSON.stringify({ choices: [], prompt_filter_results: [] })}\n\n` +
        `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: '京' }, finish_reason: 'stop' }], usage })}`,
    )
    for (let cut = 0; cut <= soup.length; cut++) {
      const sse = createSseDecoder()
      const events = [...sse.push(soup.subarray(0, cut)), ...sse.push(soup.subarray(cut)), ...sse.end()]
      const chunks = readAll(chatStream(), events)
      expect(gather(chunks).get(0)).toMatchObject({ roles: 1, content: '北京', finishes: ['stop'] })
      expect(chunks.filter((chunk) => chunk.usage)).toEqual([chunks.at(-1)])
    }
  })
})

// B2.
describe('an error as the first event', () => {
  it('is thrown before anything was given, as the failure it names', () => {
    const error = failure([{ error: { type: 'BadRequestError', code: 400, message: 'too hot' } }, '[DONE]'])
    expect(error).toMatchObject({ kind: 'invalid_request', status: 400, message: 'too hot' })
    expect(error.rule.unhealthy).toBe(false)
  })
})
