import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { gatewayFetch } from '../../adapters/fetch.js'
import type { HttpRequest } from '../../src/http/message.js'
import type { Caller } from '../../src/ports.js'
import { eventStream, fakeGateway, FedStream, json } from '../contracts/fake-gateway.js'
import type { FakeRoute } from '../contracts/fake-gateway.js'
import { until } from '../contracts/http-client.js'

const caller: Caller = { id: 'u1', role: 'member', models: 'all', scopes: [] }

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'fast',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Hello', refusal: null },
      finish_reason: 'stop',
      logprobs: null,
    },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
} satisfies OpenAI.ChatCompletion

const chunk = (content: string, finish_reason: 'stop' | null = null): string => {
  const choices = [{ index: 0, delta: { content }, finish_reason }]
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'fast', choices })}\n\n`
}

const sdk = (routes: Record<string, FakeRoute>): OpenAI =>
  new OpenAI({
    apiKey: 'unused',
    baseURL: 'http://sluice/v1',
    maxRetries: 0,
    fetch: gatewayFetch(fakeGateway(routes), caller),
  })

describe('gatewayFetch under the openai SDK', () => {
  const messages = [{ role: 'user' as const, content: 'Hi 🙂' }]

  it('answers a chat, in the name of the caller', async () => {
    const seen: unknown[] = []
    const client = sdk({
      '/v1/chat/completions': async (request, by) => {
        seen.push(by, await request.json(1000), request.method)
        return json(200, completion, { 'x-request-id': 'r1' })
      },
    })
    const reply = await client.chat.completions.create({ model: 'fast', messages })
    expect(reply.choices[0]?.message.content).toBe('Hello')
    expect(reply._request_id).toBe('r1')
    expect(seen).toEqual([caller, { model: 'fast', messages }, 'POST'])
  })

  it('streams a chat piece by piece', async () => {
    const stream = new FedStream()
    const client = sdk({ '/v1/chat/completions': () => eventStream(stream) })
    stream.feed(chunk('Hel'))
    const text: string[] = []
    for await (const event of await client.chat.completions.create({ model: 'fast', messages, stream: true })) {
      const content = event.choices[0]?.delta.content ?? ''
      text.push(content)
      if (content === 'Hel') stream.feed(chunk('lo', 'stop'))
      if (content === 'lo') {
        stream.feed('data: [DONE]\n\n')
        stream.end()
      }
    }
    expect(text).toEqual(['Hel', 'lo'])
  })

  it('stops the gateway when the loop over a stream is left', async () => {
    const stream = new FedStream()
    const client = sdk({ '/v1/chat/completions': () => eventStream(stream) })
    stream.feed(chunk('Hel'))
    for await (const _event of await client.chat.completions.create({ model: 'fast', messages, stream: true })) break
    await until(() => stream.returnedAt !== undefined, 100)
  })

  it('turns an error answer into the error class of its status', async () => {
    const client = sdk({ '/v1/chat/completions': () => json(429, { error: { message: 'slow down', type: 'x' } }) })
    await expect(client.chat.completions.create({ model: 'fast', messages })).rejects.toThrow(OpenAI.RateLimitError)
    await expect(client.models.list()).rejects.toThrow(OpenAI.NotFoundError)
  })

  it('stops the gateway when the SDK gives up waiting', async () => {
    const signals: AbortSignal[] = []
    const client = sdk({
      '/v1/chat/completions': (request) => {
        signals.push(request.signal)
        return new Promise(() => {})
      },
    })
    const call = client.chat.completions.create({ model: 'fast', messages }, { timeout: 20 })
    await expect(call).rejects.toThrow(OpenAI.APIConnectionTimeoutError)
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
  })
})

describe('gatewayFetch', () => {
  const echo: FakeRoute = async (request) => json(200, { path: request.path, body: await request.json(100) })
  const call = gatewayFetch(fakeGateway({ '/v1/echo': echo, '/v1/a%20b': echo }), caller)
  const method = 'POST'
  const headers = { 'content-type': 'application/json' }
  const url = 'http://sluice/v1/echo'

  const forms: Record<string, () => Promise<Response>> = {
    'a string': () => call(url, { method, body: '{"a":1}' }),
    'a relative string': () => call('/v1/echo#part', { method, body: '{"a":1}' }),
    'a URL': () => call(new URL(url), { method, headers, body: new TextEncoder().encode('{"a":1}') }),
    'a Request': () => call(new Request(url, { method, headers, body: '{"a":1}' })),
    'a Request with other options': () => call(new Request(url, { method, headers, body: '{}' }), { body: '{"a":1}' }),
    'a stream': () => call(url, { method, headers, body: new Blob(['{"a":1}']).stream(), duplex: 'half' }),
    'a Blob': () => call(url, { method, body: new Blob(['{"a":1}'], { type: 'application/json' }) }),
  }
  for (const [form, send] of Object.entries(forms)) {
    it(`takes ${form}`, async () => {
      const response = await send()
      expect(await response.json()).toEqual({ path: '/v1/echo', body: { a: 1 } })
    })
  }

  it('encodes a path as fetch does', async () => {
    expect(await (await call('http://sluice/v1/a b', { method, body: '{}' })).json()).toMatchObject({
      path: '/v1/a%20b',
    })
  })

  it('applies the limit to text and to streams', async () => {
    const text = JSON.stringify('x'.repeat(100))
    expect((await call(url, { method, body: text })).status).toBe(413)
    const stream = new Blob([text], { type: 'application/json' })
    expect((await call(url, { method, body: stream })).status).toBe(413)
  })

  it("answers 404 in OpenAI's shape for any other path", async () => {
    const response = await call('http://sluice/v1/none')
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
  })

  it('answers 500, telling nothing, when the gateway fails', async () => {
    const broken = gatewayFetch(fakeGateway({ '/x': () => Promise.reject(new Error('password=1234')) }), caller)
    const response = await broken('http://sluice/x')
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('1234')
  })

  it('rejects as fetch does when its signal has aborted or aborts', async () => {
    const requests: HttpRequest[] = []
    const never = gatewayFetch(
      fakeGateway({
        '/x': (request) => {
          requests.push(request)
          return new Promise(() => {})
        },
      }),
      caller,
    )
    await expect(never('http://sluice/x', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(requests).toEqual([])
    const client = new AbortController()
    const pending = never('http://sluice/x', { signal: client.signal })
    client.abort()
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' })
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true])
    const reason = new Error('own reason')
    const own = new AbortController()
    const request = never(new Request('http://sluice/x', { signal: own.signal }))
    own.abort(reason)
    await expect(request).rejects.toBe(reason)
  })

  it('breaks the body when its signal aborts, and lets go of the signal after the end', async () => {
    const stream = new FedStream()
    const streaming = gatewayFetch(fakeGateway({ '/x': () => eventStream(stream) }), caller)
    const client = new AbortController()
    stream.feed('one')
    const response = await streaming('http://sluice/x', { signal: client.signal })
    const reading = response.text()
    client.abort()
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
    expect(stream.returnedAt).toBeDefined()
  })

  it('returns a stream that is answered after the caller left', async () => {
    const stream = new FedStream()
    const client = new AbortController()
    const late: FakeRoute = async (request) => {
      await until(() => request.signal.aborted)
      return eventStream(stream)
    }
    const pending = gatewayFetch(fakeGateway({ '/x': late }), caller)('http://sluice/x', { signal: client.signal })
    client.abort()
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' })
    await until(() => stream.returnedAt !== undefined)
  })
})
