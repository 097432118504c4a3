import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startFakeUpstream, type FakeUpstream } from '../../src/testing/index.js'
import { expectValid, openAiSchemaAvailable } from '../oracle/openai-schema.js'
import { collect, eventsOf, post } from './client.js'

let upstream: FakeUpstream
let openai: OpenAI
let anthropic: Anthropic
let gemini: GoogleGenAI

beforeAll(async () => {
  upstream = await startFakeUpstream({ models: ['demo', 'other'] })
  openai = new OpenAI({ apiKey: 'k', baseURL: `${upstream.url}/v1`, maxRetries: 0 })
  anthropic = new Anthropic({ apiKey: 'k', baseURL: upstream.url, maxRetries: 0 })
  gemini = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: upstream.url } })
})
beforeEach(() => upstream.reset())
afterAll(() => upstream.close())

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
}
const hello = [{ role: 'user' as const, content: 'Hello there  world' }]
const callWeather = [{ role: 'user' as const, content: 'please call weather' }]

describe('OpenAI dialect', () => {
  const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: schema } }]

  it('says what the user said, with one token per word', async () => {
    const answer = await openai.chat.completions.create({ model: 'demo', messages: hello })
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: 'You said: Hello there  world' },
    })
    expect(answer.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 })
  })

  it('gives the same bytes for the same request, and others for another', async () => {
    const ask = (content: string) =>
      post(`${upstream.url}/v1/chat/completions`, { model: 'demo', messages: [{ role: 'user', content }] })
    const [first, again, other] = [await ask('a'), await ask('a'), await ask('b')]
    expect(first.text).toBe(again.text)
    expect(first.text).not.toBe(other.text)
  })

  it('streams the same words one by one, with usage only when asked for', async () => {
    const stream = await openai.chat.completions.create({
      model: 'demo',
      messages: hello,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await collect(stream)
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('You said: Hello there  world')
    expect(chunks.filter((chunk) => chunk.usage)).toHaveLength(1)
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 8 } })
    const plain = await openai.chat.completions.create({ model: 'demo', messages: hello, stream: true })
    expect((await collect(plain)).some((chunk) => 'usage' in chunk)).toBe(false)
  })

  it('calls the tool that the user asks for, whole and streamed', async () => {
    const whole = await openai.chat.completions.create({ model: 'demo', messages: callWeather, tools })
    const call = whole.choices[0]?.message.tool_calls?.[0]
    expect(whole.choices[0]?.finish_reason).toBe('tool_calls')
    expect(call).toMatchObject({ type: 'function', function: { name: 'weather' } })
    const streamed = await openai.chat.completions
      .stream({ model: 'demo', messages: callWeather, tools })
      .finalChatCompletion()
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({ id: call?.id })
    const parsed: unknown = JSON.parse(call?.type === 'function' ? call.function.arguments : '')
    expect(parsed).toEqual({ city: 'please call weather', days: 7 })
  })

  it('obeys tool_choice and answers a tool result in words', async () => {
    const create = (extra: object) =>
      openai.chat.completions.create({ model: 'demo', messages: hello, tools, ...extra })
    const forced = await create({ tool_choice: { type: 'function', function: { name: 'weather' } } })
    if (!('choices' in forced)) throw new Error('not whole')
    expect(forced.choices[0]?.message.tool_calls).toHaveLength(1)
    const answer = await openai.chat.completions.create({
      model: 'demo',
      tools,
      messages: [
        ...callWeather,
        { role: 'assistant', content: null, tool_calls: forced.choices[0]?.message.tool_calls ?? [] },
        { role: 'tool', tool_call_id: 'x', content: 'sunny' },
      ],
    })
    expect(answer.choices[0]?.message.content).toBe('The tool said: sunny')
    const none = await openai.chat.completions.create({
      model: 'demo',
      messages: callWeather,
      tools,
      tool_choice: 'none',
    })
    expect(none.choices[0]?.message.tool_calls).toBeUndefined()
  })

  it('honours max_tokens, stop, n, logprobs, images and JSON schema', async () => {
    const short = await openai.chat.completions.create({ model: 'demo', messages: hello, max_tokens: 2 })
    expect(short.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'You said:' } })
    const stopped = await openai.chat.completions.create({ model: 'demo', messages: hello, stop: ' there' })
    expect(stopped.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'You said: Hello' } })
    const several = await openai.chat.completions.create({
      model: 'demo',
      messages: hello,
      n: 3,
      logprobs: true,
      top_logprobs: 2,
    })
    expect(several.choices.map((choice) => choice.index)).toEqual([0, 1, 2])
    expect(several.choices[0]?.logprobs?.content?.[0]).toMatchObject({ token: 'You', bytes: [89, 111, 117] })
    expect(several.choices[0]?.logprobs?.content?.[0]?.top_logprobs).toHaveLength(2)
    const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA' } }
    const seen = await openai.chat.completions.create({ model: 'demo', messages: [{ role: 'user', content: [image] }] })
    expect(seen.usage?.prompt_tokens).toBe(85)
    const json = await openai.chat.completions.create({
      model: 'demo',
      messages: hello,
      response_format: { type: 'json_schema', json_schema: { name: 'trip', schema } },
    })
    expect(JSON.parse(json.choices[0]?.message.content ?? '')).toEqual({ city: 'Hello there  world', days: 7 })
  })

  it('answers text completions, for each prompt', async () => {
    const answer = await openai.completions.create({ model: 'demo', prompt: ['a', 'b'], echo: true })
    expect(answer.choices.map((choice) => choice.text)).toEqual(['aYou said: a', 'bYou said: b'])
    const stream = await openai.completions.create({ model: 'demo', prompt: 'a', stream: true })
    const chunks = await collect(stream)
    expect(chunks.map((chunk) => chunk.choices[0]?.text).join('')).toBe('You said: a')
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
  })

  it('answers unit vectors, the same as floats and as base64, of the dimensions asked for', async () => {
    const url = `${upstream.url}/v1/embeddings`
    const floats: unknown = JSON.parse((await post(url, { model: 'e', input: ['a', 'b'], dimensions: 5 })).text)
    const decoded = await openai.embeddings.create({ model: 'e', input: ['a', 'b'], dimensions: 5 })
    expect(upstream.requests[1]?.body).toMatchObject({ encoding_format: 'base64' })
    expect(floats).toMatchObject({ data: decoded.data.map(({ embedding }) => ({ embedding: [...embedding] })) })
    const lengths = decoded.data.map(({ embedding }) => Math.hypot(...embedding))
    for (const length of lengths) expect(length).toBeCloseTo(1, 5)
    expect(decoded.data[0]?.embedding).not.toEqual(decoded.data[1]?.embedding)
  })

  it('answers images that are PNG files', async () => {
    const whole = await openai.images.generate({ model: 'i', prompt: 'a cat', n: 2 })
    const bytes = whole.data?.map(({ b64_json }) => Buffer.from(b64_json ?? '', 'base64')) ?? []
    expect(bytes.map((file) => file.subarray(1, 4).toString())).toEqual(['PNG', 'PNG'])
    const url = await openai.images.generate({ model: 'i', prompt: 'a cat', response_format: 'url' })
    expect(url.data?.[0]?.url).toMatch(/^data:image\/png;base64,/)
  })

  it('lists its models', async () => {
    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['demo', 'other'])
    expect((await openai.models.retrieve('x/y')).id).toBe('x/y')
  })

  it.skipIf(!openAiSchemaAvailable)('answers what the OpenAPI document of OpenAI describes', async () => {
    const base = `${upstream.url}/v1`
    const chat = { model: 'demo', messages: callWeather, tools, logprobs: true }
    expectValid('CreateChatCompletionResponse', JSON.parse((await post(`${base}/chat/completions`, chat)).text))
    const stream = await post(`${base}/chat/completions`, { ...chat, messages: hello, stream: true })
    for (const event of eventsOf(stream.text)) expectValid('CreateChatCompletionStreamResponse', event)
    expectValid(
      'CreateCompletionResponse',
      JSON.parse((await post(`${base}/completions`, { model: 'm', prompt: 'a' })).text),
    )
    expectValid(
      'CreateEmbeddingResponse',
      JSON.parse((await post(`${base}/embeddings`, { model: 'm', input: 'a' })).text),
    )
  })

  it('refuses what OpenAI refuses', async () => {
    const url = `${upstream.url}/v1/chat/completions`
    for (const body of ['{', { messages: hello }, { model: 'm' }, { model: 'm', messages: [] }]) {
      expect((await post(url, body)).status).toBe(400)
    }
    expect((await post(`${upstream.url}/v1/nothing`, {})).status).toBe(404)
  })
})

describe('Anthropic dialect', () => {
  const tools = [{ name: 'weather', input_schema: { ...schema, type: 'object' as const } }]

  it('says what the user said, whole and streamed', async () => {
    const ask = { model: 'demo', max_tokens: 100, system: 'be brief', messages: hello }
    const whole = await anthropic.messages.create(ask)
    expect(whole).toMatchObject({
      stop_reason: 'end_turn',
      content: [{ type: 'text', text: 'You said: Hello there  world' }],
    })
    expect(whole.usage).toMatchObject({ input_tokens: 5, output_tokens: 5 })
    const streamed = await anthropic.messages.stream(ask).finalMessage()
    expect(streamed.content).toMatchObject(whole.content)
    expect(streamed.usage.output_tokens).toBe(5)
  })

  it('calls tools, thinks, and stops where it is told', async () => {
    const ask = { model: 'demo', max_tokens: 100, tools, messages: callWeather }
    const called = await anthropic.messages.stream(ask).finalMessage()
    expect(called).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ type: 'tool_use', name: 'weather', input: { city: 'please call weather', days: 7 } }],
    })
    const answered = await anthropic.messages.create({
      ...ask,
      messages: [
        ...callWeather,
        { role: 'assistant', content: called.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: 'sunny' }] },
      ],
    })
    expect(answered.content).toMatchObject([{ text: 'The tool said: sunny' }])
    const thought = await anthropic.messages
      .stream({ model: 'demo', max_tokens: 9000, thinking: { type: 'enabled', budget_tokens: 1024 }, messages: hello })
      .finalMessage()
    expect(thought.content.map((block) => block.type)).toEqual(['thinking', 'text'])
    const cut = await anthropic.messages.create({ model: 'demo', max_tokens: 2, messages: hello })
    expect(cut.stop_reason).toBe('max_tokens')
    const stopped = await anthropic.messages.create({
      model: 'demo',
      max_tokens: 9,
      stop_sequences: ['there'],
      messages: hello,
    })
    expect(stopped).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'there' })
  })

  it('refuses what Anthropic refuses, in its shape', async () => {
    const url = `${upstream.url}/v1/messages`
    const version = { 'anthropic-version': '2023-06-01' }
    expect((await post(url, { model: 'm', max_tokens: 1, messages: hello })).status).toBe(400)
    const answer = await post(url, { model: 'm', messages: hello }, version)
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  })
})

describe('Gemini dialect', () => {
  it('says what the user said, whole and streamed', async () => {
    const whole = await gemini.models.generateContent({ model: 'demo', contents: 'Hello there' })
    expect(whole.text).toBe('You said: Hello there')
    expect(whole.usageMetadata).toMatchObject({ promptTokenCount: 2, candidatesTokenCount: 4, totalTokenCount: 6 })
    const stream = await gemini.models.generateContentStream({ model: 'demo', contents: 'Hello there' })
    const chunks = await collect(stream)
    expect(chunks.map((chunk) => chunk.text).join('')).toBe('You said: Hello there')
    expect(chunks.at(-1)?.candidates?.[0]?.finishReason).toBe('STOP')
  })

  it('calls functions and answers their results', async () => {
    const config = { tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: schema }] }] }
    const called = await gemini.models.generateContent({ model: 'demo', contents: 'please call weather', config })
    expect(called.functionCalls).toMatchObject([{ name: 'weather', args: { city: 'please call weather', days: 7 } }])
    const json = await gemini.models.generateContent({
      model: 'demo',
      contents: 'x',
      config: { responseMimeType: 'application/json', responseJsonSchema: schema },
    })
    expect(JSON.parse(json.text ?? '')).toEqual({ city: 'x', days: 7 })
  })

  it('embeds one text and several', async () => {
    const answer = await gemini.models.embedContent({
      model: 'e',
      contents: ['a', 'b'],
      config: { outputDimensionality: 4 },
    })
    expect(answer.embeddings?.map(({ values }) => values?.length)).toEqual([4, 4])
    const one = await post(`${upstream.url}/v1beta/models/e:embedContent`, { content: { parts: [{ text: 'a' }] } })
    expect(JSON.parse(one.text)).toMatchObject({ embedding: { values: expect.any(Array) } })
  })

  it('streams a JSON array where alt=sse is not asked for', async () => {
    const answer = await post(`${upstream.url}/v1beta/models/demo:streamGenerateContent`, {
      contents: [{ parts: [{ text: 'a b' }] }],
    })
    const list: unknown = JSON.parse(answer.text)
    expect(list).toHaveLength(4)
  })
})

describe('script and journal', () => {
  const chat = (model = 'demo') => post(`${upstream.url}/v1/chat/completions`, { model, messages: hello })

  it('answers the next requests as told, then as always', async () => {
    upstream.script(
      'status-429+retry-after-3',
      { status: 503 },
      { content: { text: 'scripted' } },
      { body: 'plain' },
      () => ({ body: { a: 1 }, status: 418 }),
    )
    const answers = [await chat(), await chat(), await chat(), await chat(), await chat(), await chat()]
    expect(answers.map(({ status }) => status)).toEqual([429, 503, 200, 200, 418, 200])
    expect(answers[0]?.headers['retry-after']).toBe('3')
    expect(answers[2]?.text).toContain('scripted')
    expect(answers[3]?.text).toBe('plain')
    expect(answers[4]?.text).toBe('{"a":1}')
    expect(answers[5]?.text).toContain('You said')
  })

  it('sends scripted chunks each on its own, with pauses and faults', async () => {
    const chunks = ['data: {"a":1}\n\n', { delayMs: 30 }, Buffer.from('data: {"a":2}\n\n'), 'data: {"a":3}\n\n']
    upstream.script({ chunks }, { chunks, fault: 'cut-2', headers: { 'x-own': '1' } })
    const start = performance.now()
    const whole = await chat()
    expect(performance.now() - start).toBeGreaterThan(25)
    expect(eventsOf(whole.text)).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
    expect(whole.headers['content-type']).toContain('text/event-stream')
    const cut = await chat()
    expect(cut).toMatchObject({ end: 'broken', headers: { 'x-own': '1' } })
    expect(eventsOf(cut.text)).toHaveLength(2)
  })

  it('puts scripted content into the shape of the dialect that is asked', async () => {
    const content = { text: 'so be it', toolCalls: [{ name: 'f', arguments: { x: 1 } }] }
    upstream.onRequest(() => ({ content }))
    const message = await anthropic.messages.stream({ model: 'm', max_tokens: 9, messages: hello }).finalMessage()
    expect(message.content).toMatchObject([{ text: 'so be it' }, { type: 'tool_use', name: 'f', input: { x: 1 } }])
    const google = await gemini.models.generateContent({ model: 'm', contents: 'x' })
    expect(google.functionCalls).toMatchObject([{ name: 'f', args: { x: 1 } }])
    upstream.onRequest(undefined)
    expect((await chat()).text).toContain('You said')
  })

  it('refuses a fault that does not exist', () => {
    expect(() => upstream.script('cut-ten')).toThrow(/cut-ten/)
    expect(() => upstream.script({ fault: 'stall-1+nonsense' })).toThrow(/nonsense/)
  })

  it('keeps what it received', async () => {
    await post(`${upstream.url}/v1/chat/completions?a=b`, { model: 'm', messages: hello }, { 'x-mine': 'yes' })
    const entry = await upstream.received(1)
    expect(entry).toMatchObject({
      method: 'POST',
      path: '/v1/chat/completions?a=b',
      body: { model: 'm' },
      aborted: false,
    })
    expect(entry.headers['x-mine']).toBe('yes')
    expect(entry.bytes).toBe(JSON.stringify(entry.body).length)
    await entry.closed
    expect(entry.abortedAt).toBeUndefined()
  })

  it('refuses other keys when it was given one, in every dialect', async () => {
    const locked = await startFakeUpstream({ apiKey: 'right', journalSize: 2 })
    const ask = { model: 'm', max_tokens: 1, messages: hello, contents: [{ parts: [{ text: 'x' }] }] }
    const version = { 'anthropic-version': '2023-06-01' }
    const paths = ['/v1/chat/completions', '/v1/messages', '/v1beta/models/m:generateContent']
    for (const path of paths) {
      expect((await post(locked.url + path, ask, { ...version, authorization: 'Bearer wrong' })).status).toBe(401)
      const keys = { authorization: 'Bearer right', 'x-api-key': 'right', 'x-goog-api-key': 'right' }
      expect((await post(locked.url + path, ask, { ...version, ...keys })).status).toBe(200)
    }
    expect(locked.requests).toHaveLength(2)
    await locked.close()
  })
})
