import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Gateway, type GatewayOptions, type ModelOptions, createGateway } from '../src/index.js'
import type { HttpBodyResponse, HttpResponse, HttpStreamResponse } from '../src/http/message.js'
import { type FakeUpstream, startFakeUpstream } from '../src/testing/index.js'
import { anyCaller } from './support/deployment.js'
import { requestOf } from './support/http-request.js'

let upstream: FakeUpstream
const gateways: Gateway[] = []

beforeAll(async () => {
  upstream = await startFakeUpstream()
})

beforeEach(() => upstream.reset())

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close({ drainMs: 0 })))
  await upstream.close()
})

const key = 'sk-provider-secret-0123456789'
const dialects = ['openai', 'anthropic', 'gemini'] as const

/** One model group for each dialect, every model name of the fake upstream reachable as `<dialect>/<name>`. */
function models(own: Partial<ModelOptions> = {}): ModelOptions[] {
  const base = { openai: `${upstream.url}/v1`, anthropic: upstream.url, gemini: upstream.url }
  return dialects.map((dialect) => ({
    modelName: `${dialect}/*`,
    model: `${dialect}/*`,
    apiKey: key,
    baseUrl: base[dialect],
    ...own,
  }))
}

function start(options: Partial<GatewayOptions> = {}, own: Partial<ModelOptions> = {}): Gateway {
  const gateway = createGateway({ models: models(own), auth: { identify: () => anyCaller }, retries: 0, ...options })
  gateways.push(gateway)
  return gateway
}

const hello = [{ role: 'user', content: 'Hello there, gateway' }]

async function post(gateway: Gateway, path: string, body: unknown, signal?: AbortSignal): Promise<HttpResponse> {
  const response = gateway.handle(requestOf('POST', path, body, signal ? { signal } : {}))
  if (!response) throw new Error(`${path} is not the gateway's`)
  return response
}

function isStream(response: HttpResponse): response is HttpStreamResponse {
  return 'stream' in response
}

function jsonOf(response: HttpResponse): { error?: Record<string, unknown> } & Record<string, unknown> {
  if (isStream(response)) throw new Error('a stream, not a body')
  return JSON.parse(Buffer.from((response as HttpBodyResponse).body ?? '').toString())
}

async function textOf(response: HttpResponse): Promise<string> {
  if (!isStream(response)) throw new Error(`not a stream: ${JSON.stringify(jsonOf(response))}`)
  let text = ''
  for await (const piece of response.stream) text += typeof piece === 'string' ? piece : Buffer.from(piece).toString()
  return text
}

const eventsOf = (text: string): string[] =>
  text
    .split('\n\n')
    .filter(Boolean)
    .map((event) => event.replace(/^data: /, ''))

// A stream that was never begun, and a broken event in a stream, which is skipped: see below.
const streamOnly = ['cut-0', 'no-finish+words-0']
const wholeOnly = ['malformed-1']

describe.each(dialects)('a gateway before %s', (dialect) => {
  it('answers a chat whole', async () => {
    const response = await post(start(), '/v1/chat/completions', {
      model: `${dialect}/demo`,
      messages: hello,
      max_tokens: 100,
    })
    expect(response.status).toBe(200)
    expect(jsonOf(response)).toMatchObject({
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: { role: 'assistant', content: expect.stringContaining('Hello there') },
        },
      ],
      usage: {
        prompt_tokens: expect.any(Number),
        completion_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
      },
    })
  })

  it('streams a chat that ends with one finish reason and [DONE], and without the usage that nobody asked for', async () => {
    const body = { model: `${dialect}/words-20`, messages: hello, stream: true }
    const response = await post(start(), '/v1/chat/completions', body)
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': expect.stringMatching(/^req_/),
    })
    const events = eventsOf(await textOf(response))
    expect(events.at(-1)).toBe('[DONE]')
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event))
    expect(chunks.filter((chunk) => chunk.choices[0]?.delta.role)).toHaveLength(1)
    expect(chunks.filter((chunk) => chunk.choices[0]?.finish_reason)).toHaveLength(1)
    expect(chunks.every((chunk) => chunk.choices.length === 1)).toBe(true)
    expect(new Set(chunks.map((chunk) => `${chunk.id} ${chunk.created} ${chunk.model}`)).size).toBe(1)
  })

  it('gives the same text and the same usage streamed as whole', async () => {
    const request = { model: `${dialect}/words-50`, messages: hello, max_tokens: 1_000 }
    const gateway = start()
    const whole = jsonOf(await post(gateway, '/v1/chat/completions', request)) as {
      choices: { message: { content: string } }[]
      usage: object
    }
    const streamed = { ...request, stream: true, stream_options: { include_usage: true } }
    const chunks = eventsOf(await textOf(await post(gateway, '/v1/chat/completions', streamed)))
      .slice(0, -1)
      .map((event) => JSON.parse(event))
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(
      whole.choices[0]?.message.content,
    )
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { total_tokens: (whole.usage as { total_tokens: number }).total_tokens },
    })
  })

  it('sends the key only to the provider', async () => {
    await post(start(), '/v1/chat/completions', { model: `${dialect}/demo`, messages: hello })
    const { headers } = upstream.requests[0] ?? {}
    expect(JSON.stringify(headers)).toContain(key)
    expect(upstream.requests[0]?.path).not.toContain(key)
  })

  it.each([
    ['status-400', 400],
    ['status-401', 401],
    ['status-403', 403],
    ['status-404', 404],
    ['status-422', 422],
    ['status-429', 429],
    ['status-500', 502],
    ['status-503', 503],
    ['reset', 502],
    ['error-in-200', 502],
    ['malformed-1', 502],
    ['cut-0', 502],
    ['no-finish+words-0', 502],
  ])('answers %s with an HTTP error in OpenAI’s shape, streamed or not', async (fault, status) => {
    const gateway = start()
    for (const stream of streamOnly.includes(fault) ? [true] : wholeOnly.includes(fault) ? [false] : [false, true]) {
      const response = await post(gateway, '/v1/chat/completions', {
        model: `${dialect}/${fault}`,
        messages: hello,
        stream,
      })
      if (isStream(response)) throw new Error(`streamed: ${await textOf(response)}`)
      expect(Math.floor(response.status / 100), `${fault} stream ${stream}: ${JSON.stringify(jsonOf(response))}`).toBe(
        Math.floor(status / 100),
      )
      expect(jsonOf(response)).toMatchObject({
        error: {
          message: expect.any(String),
          type: expect.any(String),
          param: null,
          code: expect.toBeOneOf([null, expect.any(String)]),
        },
      })
      expect(JSON.stringify(response)).not.toContain(key)
    }
  })

  it.each(['cut-5', 'no-finish', 'error-mid-stream-5'])(
    'ends a stream that fails after content (%s) with an error and no [DONE]',
    async (fault) => {
      const response = await post(start(), '/v1/chat/completions', {
        model: `${dialect}/words-20+${fault}+trickle-1ms`,
        messages: hello,
        stream: true,
      })
      const events = eventsOf(await textOf(response))
      expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({ error: { message: expect.any(String) } })
      expect(events).not.toContain('[DONE]')
    },
  )

  it.each(['no-done', 'crlf', 'comments', 'bytes-3', 'malformed-5'])(
    'gets the whole answer from a stream with %s',
    async (shape) => {
      const response = await post(start(), '/v1/chat/completions', {
        model: `${dialect}/words-20+${shape}`,
        messages: hello,
        stream: true,
      })
      const events = eventsOf(await textOf(response))
      expect(events.at(-1)).toBe('[DONE]')
      expect(events.slice(0, -1).filter((event) => JSON.parse(event).choices[0].finish_reason)).toHaveLength(1)
    },
  )

  it.each([
    ['connect to first byte', 'hang', { headers: 80 }, 'headers_timeout'],
    ['first content', 'first-token-5000ms', { firstToken: 80 }, 'first_token_timeout'],
    ['the whole call', 'slow-5000ms', { total: 400 }, 'total_timeout'],
  ])('gives up at the deadline for %s with 504, and closes the connection', async (_, fault, timeouts, code) => {
    const response = await post(start({}, { timeouts }), '/v1/chat/completions', {
      model: `${dialect}/${fault}`,
      messages: hello,
      stream: true,
    })
    expect(response.status).toBe(504)
    expect(jsonOf(response)).toMatchObject({ error: { type: 'timeout_error', code } })
    await expect.poll(() => upstream.requests[0]?.aborted, { timeout: 5_000 }).toBe(true)
  })

  it('gives up on a stream that stalls, with an error event', async () => {
    const response = await post(start({}, { timeouts: { idle: 80 } }), '/v1/chat/completions', {
      model: `${dialect}/words-20+stall-6`,
      messages: hello,
      stream: true,
    })
    expect(JSON.parse(eventsOf(await textOf(response)).at(-1) ?? '')).toMatchObject({ error: { code: 'idle_timeout' } })
  })

  it.each([
    ['waiting for headers', 'hang', false],
    ['waiting for content', 'first-token-5000ms', true],
    ['a whole answer', 'slow-5000ms', false],
  ])(
    'closes the provider’s connection within 100 ms of the client leaving while %s',
    { retry: 3 },
    async (_, fault, stream) => {
      const controller = new AbortController()
      const answering = post(
        start(),
        '/v1/chat/completions',
        { model: `${dialect}/${fault}`, messages: hello, stream },
        controller.signal,
      )
      const request = await upstream.received(1)
      const leftAt = Date.now()
      controller.abort()
      await expect.poll(() => request.aborted, { interval: 5, timeout: 1_000 }).toBe(true)
      expect((request.abortedAt ?? 0) - leftAt).toBeLessThan(100)
      expect((await answering).status).toBe(499)
    },
  )

  it('closes the provider’s connection when the reader of a stream leaves', async () => {
    const response = await post(start(), '/v1/chat/completions', {
      model: `${dialect}/words-500+trickle-5ms`,
      messages: hello,
      stream: true,
    })
    if (!isStream(response)) throw new Error('no stream')
    for await (const piece of response.stream) {
      expect(piece.length).toBeGreaterThan(0)
      break
    }
    await expect.poll(() => upstream.requests[0]?.aborted, { interval: 5, timeout: 500 }).toBe(true)
  })

  it('answers in process, whole and as chunks', async () => {
    const gateway = start()
    const request = { model: `${dialect}/words-10`, messages: [{ role: 'user' as const, content: 'hi' }] }
    const whole = await gateway.call('chat', request, anyCaller)
    let streamed = ''
    for await (const chunk of gateway.stream('chat', request, anyCaller))
      streamed += chunk.choices[0]?.delta.content ?? ''
    expect(streamed).toBe(whole.choices[0]?.message.content)
  })

  it('completes a text', async () => {
    const body = { model: `${dialect}/words-5`, prompt: 'Once upon', max_tokens: 50 }
    const whole = jsonOf(await post(start(), '/v1/completions', body))
    expect(whole).toMatchObject({
      object: 'text_completion',
      choices: [{ index: 0, text: expect.any(String), finish_reason: 'stop' }],
    })
    const events = eventsOf(await textOf(await post(start(), '/v1/completions', { ...body, stream: true })))
    const texts = events.slice(0, -1).map((event) => JSON.parse(event).choices[0].text)
    expect(texts.join('')).toBe((whole['choices'] as { text: string }[])[0]?.text)
  })
})

describe('a gateway', () => {
  it('takes over to another deployment of the group, unseen by the client', async () => {
    const gateway = createGateway({
      auth: 'none',
      models: [
        { modelName: 'fast', model: 'openai/status-503', apiKey: key, baseUrl: `${upstream.url}/v1`, order: 1 },
        { modelName: 'fast', model: 'openai/demo', apiKey: key, baseUrl: `${upstream.url}/v1`, order: 2 },
      ],
    })
    gateways.push(gateway)
    for (const stream of [false, true]) {
      expect((await post(gateway, '/v1/chat/completions', { model: 'fast', messages: hello, stream })).status).toBe(200)
    }
    expect(upstream.requests).toHaveLength(4)
  })

  it('passes unknown fields on, and gateway-only fields not', async () => {
    const body = {
      model: 'openai/demo',
      messages: hello,
      top_k: 5,
      nested: { a: [1, { b: null }] },
      api_base: 'http://evil.example',
      api_key: 'x',
    }
    await post(start(), '/v1/chat/completions', body)
    expect(upstream.requests[0]?.body).toEqual({
      model: 'demo',
      messages: hello,
      top_k: 5,
      nested: { a: [1, { b: null }] },
    })
  })

  it('refuses what a provider cannot honour, or drops it and says so', async () => {
    const body = { model: 'anthropic/demo', messages: hello, seed: 1, logit_bias: { 1: 2 } }
    const refused = jsonOf(await post(start(), '/v1/chat/completions', body))
    expect(refused.error).toMatchObject({ code: 'unsupported_parameter', message: expect.stringMatching(/seed/) })
    expect(refused.error).toMatchObject({ message: expect.stringMatching(/logit_bias/) })
    const dropped = await post(start({ dropParams: true }), '/v1/chat/completions', body)
    expect(dropped.status).toBe(200)
    expect(dropped.headers['x-sluice-dropped-params']?.split(',').toSorted()).toEqual(['logit_bias', 'seed'])
  })

  it('hands the provider’s wait on as retry-after', async () => {
    const response = await post(start(), '/v1/chat/completions', {
      model: 'openai/status-429+retry-after-7',
      messages: hello,
    })
    expect(response).toMatchObject({ status: 429, headers: { 'retry-after': '7' } })
  })

  it('embeds texts as floats and as base64', async () => {
    const gateway = start()
    const floats = jsonOf(
      await post(gateway, '/v1/embeddings', { model: 'openai/demo', input: ['a', 'b'], dimensions: 8 }),
    ) as {
      data: { embedding: number[] }[]
    }
    expect(floats.data.map((row) => row.embedding.length)).toEqual([8, 8])
    const base64 = jsonOf(
      await post(gateway, '/v1/embeddings', {
        model: 'openai/demo',
        input: ['a', 'b'],
        dimensions: 8,
        encoding_format: 'base64',
      }),
    ) as { data: { embedding: string }[] }
    const bytes = Buffer.from(base64.data[0]?.embedding ?? '', 'base64')
    expect(Array.from({ length: 8 }, (_, index) => bytes.readFloatLE(index * 4))).toEqual(
      floats.data[0]?.embedding.map(Math.fround),
    )
  })

  it('draws images', async () => {
    const response = await post(start(), '/v1/images/generations', { model: 'openai/demo', prompt: 'a cat', n: 2 })
    expect((jsonOf(response) as { data: unknown[] }).data).toHaveLength(2)
  })

  it('refuses to stream images', async () => {
    const response = await post(start(), '/v1/images/generations', {
      model: 'openai/demo',
      prompt: 'a cat',
      stream: true,
    })
    expect(jsonOf(response)).toMatchObject({ error: { param: 'stream' } })
  })

  it('lists models and describes itself', async () => {
    const gateway = start()
    const list = await gateway.handle(requestOf('GET', '/v1/models'))
    expect(list && jsonOf(list)).toMatchObject({ object: 'list', data: [{ id: 'openai/*', object: 'model' }, {}, {}] })
    const one = await gateway.handle(requestOf('GET', '/models/openai/gpt-x'))
    expect(one && jsonOf(one)).toMatchObject({ id: 'openai/gpt-x' })
    const openapi = await gateway.handle(requestOf('GET', '/openapi.json'))
    expect(openapi && jsonOf(openapi)).toMatchObject({
      openapi: '3.1.0',
      paths: { '/v1/chat/completions': { post: {} } },
    })
  })

  it('ends an in-process stream at once, also while it waits for a chunk', async () => {
    const chunks = start().stream(
      'chat',
      { model: 'openai/hang', messages: [{ role: 'user', content: 'x' }] },
      anyCaller,
    )
    const iterator = chunks[Symbol.asyncIterator]()
    const waiting = iterator.next()
    const request = await upstream.received(1)
    await iterator.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await expect.poll(() => request.aborted, { interval: 5, timeout: 500 }).toBe(true)
  })

  it('refuses in-process calls that cannot be meant', async () => {
    const gateway = start()
    const request = { model: 'openai/demo', messages: [{ role: 'user' as const, content: 'x' }] }
    await expect(gateway.call('chat', { ...request, stream: true }, anyCaller)).rejects.toMatchObject({
      param: 'stream',
    })
    await expect(gateway.call('chat', request, Object(undefined))).rejects.toMatchObject({ param: 'caller' })
    await expect(gateway.call(Object('toString'), request, anyCaller)).rejects.toMatchObject({ status: 400 })
  })

  it('gives every deployment of a group its own total time, counted from the start of the call', async () => {
    const entry = { modelName: 'fast', apiKey: key, baseUrl: `${upstream.url}/v1` }
    const gateway = createGateway({
      auth: 'none',
      models: [
        { ...entry, model: 'openai/hang', order: 1, timeouts: { total: 100 } },
        { ...entry, model: 'openai/slow-200ms', order: 2, timeouts: { total: 5_000 } },
      ],
    })
    gateways.push(gateway)
    expect((await post(gateway, '/v1/chat/completions', { model: 'fast', messages: hello })).status).toBe(200)
  })

  it('knows no model whose name climbs about in a provider’s paths', async () => {
    const response = await post(start(), '/v1/chat/completions', { model: 'openai/../../admin', messages: hello })
    expect(response.status).toBe(404)
    expect(upstream.requests).toHaveLength(0)
  })

  it.each(['left unread', 'left to the client, who goes away'])('ends a streamed call that is %s', async (how) => {
    const gateway = start()
    const controller = new AbortController()
    const body = { model: 'openai/words-500+trickle-5ms', messages: hello, stream: true }
    const response = await post(gateway, '/v1/chat/completions', body, controller.signal)
    if (!isStream(response)) throw new Error('no stream')
    if (how === 'left unread') await response.stream[Symbol.asyncIterator]().return?.()
    else controller.abort()
    await expect.poll(() => upstream.requests[0]?.aborted, { interval: 5, timeout: 500 }).toBe(true)
    const closing = Date.now()
    await gateway.close({ drainMs: 5_000 })
    expect(Date.now() - closing).toBeLessThan(2_000)
  })

  it('waits for running calls when it closes, takes no new ones, and ends what takes too long', async () => {
    const gateway = start()
    const running = post(gateway, '/v1/chat/completions', { model: 'openai/slow-100ms', messages: hello })
    const endless = post(gateway, '/v1/chat/completions', { model: 'openai/hang', messages: hello })
    await upstream.received(2)
    const closing = gateway.close({ drainMs: 400 })
    expect((await post(gateway, '/v1/chat/completions', { model: 'openai/demo', messages: hello })).status).toBe(503)
    expect((await running).status).toBe(200)
    expect((await endless).status).toBe(503)
    await closing
  })

  it('refuses at start what cannot work', () => {
    const of =
      (model: ModelOptions): (() => Gateway) =>
      () =>
        createGateway({ models: [model], auth: 'none', env: {} })
    expect(of({ modelName: 'a', model: 'nobody/x', apiKey: 'k' })).toThrow(/nobody/)
    expect(of({ modelName: 'a', model: 'openai/gpt-5' })).toThrow(/OPENAI_API_KEY/)
    expect(of({ modelName: 'a', model: 'openai/gpt-5', apiKey: 'k', baseUrl: 'file:///etc/passwd' })).toThrow(/http/)
  })
})
