import { createServer } from 'node:http'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Gateway, GatewayError, type Logger, createGateway } from '../../src/index.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { type ServedGateway, dialects, modelsAt, serveGateway } from '../clients/served-gateway.js'
import { closeServer, listen } from '../support/http-server.js'
import { anyCaller } from '../support/deployment.js'

const providerKey = 'zz9-planted-provider-key-0123456789'
const headerKey = 'zz9-planted-header-key-0123456789'
const masterKey = 'zz9-planted-master-key-0123456789'

let upstream: FakeUpstream
let served: ServedGateway
let gateway: Gateway
let evilOrigin: string
const log: unknown[] = []
const evilRequests: unknown[] = []

const note = (...line: unknown[]): void => void log.push(line)
const logger: Logger = { debug: note, info: note, warn: note, error: note }
const evil = createServer((request, response) => {
  evilRequests.push([request.url, request.headers])
  response.end('{}')
})

beforeAll(async () => {
  upstream = await startFakeUpstream()
  evilOrigin = await listen(evil)
  const own = { apiKey: providerKey, headers: { 'x-tenant-token': headerKey } }
  gateway = createGateway({ models: modelsAt(upstream.url, own), masterKey, retries: 0, env: {}, logger })
  served = await serveGateway(gateway)
})

beforeEach(() => {
  upstream.reset()
  log.length = 0
  evilRequests.length = 0
})

afterAll(async () => {
  await served.close()
  await upstream.close()
  await closeServer(evil)
})

interface Reply {
  readonly status: number
  readonly text: string
  readonly headers: string
}

async function post(body: object, headers: Readonly<Record<string, string>> = {}, query = ''): Promise<Reply> {
  const response = await fetch(`${served.origin}/v1/chat/completions${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${masterKey}`, ...headers },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], ...body }),
  })
  return { status: response.status, text: await response.text(), headers: JSON.stringify([...response.headers]) }
}

const secrets = [providerKey, headerKey, masterKey]

function expectNoSecret(...values: readonly unknown[]): void {
  for (const value of values) {
    const text = typeof value === 'string' ? value : inspect(value, { depth: 20, showHidden: true })
    for (const secret of secrets) expect(text).not.toContain(secret)
  }
}

// Everything but these would be the client's, or nobody's.
const allowedHeaders = [
  'accept',
  'accept-encoding',
  'anthropic-beta',
  'anthropic-version',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'host',
  'user-agent',
  'x-api-key',
  'x-goog-api-key',
  'x-tenant-token',
]

describe.each(dialects)('a client of %s', (dialect) => {
  const model = `${dialect}/demo`

  it('cannot send the call elsewhere, nor pay with another key', async () => {
    const address = `${evilOrigin}/v1`
    const fields = ['api_base', 'base_url', 'baseUrl', 'baseURL', 'api_url', 'endpoint', 'azure_endpoint', 'proxy']
    const body = {
      model,
      drop_params: true,
      ...Object.fromEntries(fields.map((name) => [name, address])),
      api_key: 'client-chosen-key',
      apiKey: 'client-chosen-key',
      organization: 'client-chosen-org',
      api_version: '../../evil',
      headers: { authorization: 'Bearer client-chosen-key', host: 'evil' },
      extra_headers: { authorization: 'Bearer client-chosen-key', 'x-evil': '1' },
      default_headers: { 'x-evil': '1' },
      litellm_params: { api_base: address, api_key: 'client-chosen-key' },
      user_config: { model_list: [{ litellm_params: { api_base: address } }] },
      metadata: { api_base: address },
      custom_llm_provider: 'evil',
    }
    const headers = {
      'x-api-base': address,
      'x-litellm-api-base': address,
      'x-litellm-api-key': 'client-chosen-key',
      'x-forwarded-host': 'evil',
      'api-base': address,
      cookie: 'session=client-chosen-key',
      'openai-organization': 'client-chosen-org',
      'anthropic-beta': 'client-chosen-beta',
      'x-goog-api-key': 'client-chosen-key',
      'x-api-key': 'client-chosen-key',
      'x-custom': 'client-chosen-header',
    }
    for (const stream of [false, true])
      await post({ ...body, stream }, headers, `?api_base=${address}&key=client-chosen-key`)
    expect(upstream.requests.length).toBeGreaterThan(0)
    for (const request of upstream.requests) {
      expect(JSON.stringify(request.headers)).toContain(providerKey)
      expect(JSON.stringify([request.path, request.headers])).not.toMatch(/client-chosen|evil/)
      expect(allowedHeaders).toEqual(expect.arrayContaining(Object.keys(request.headers)))
      expect(request.headers['host']).toBe(new URL(upstream.url).host)
    }
    // One of its own members may reach the body of a provider that takes everything, never what it is paid with.
    expect(evilRequests).toEqual([])
  })

  it('cannot name fallbacks but by the names of models', async () => {
    for (const fallbacks of [[{ model: 'x', api_base: evilOrigin }], 'x', { x: ['y'] }]) {
      expect((await post({ model, fallbacks })).status).toBe(400)
    }
    expect(upstream.requests).toEqual([])
  })

  it('never gets its own credential of the gateway sent to the provider', async () => {
    await post({ model })
    expect(upstream.requests).toHaveLength(1)
    expect(JSON.stringify(upstream.requests.map(({ headers, path, body }) => [headers, path, body]))).not.toContain(
      masterKey,
    )
  })

  it('is not told a key by a provider that quotes it, wherever it does', async () => {
    const quote = `bad key ${providerKey} and ${headerKey}, see http://10.0.0.7:8080/internal`
    const error = { message: quote, type: providerKey, code: headerKey, param: providerKey, status: 'INVALID' }
    const whole = [
      { status: 401, body: { error } },
      { status: 400, body: { type: 'error', error } },
      { status: 500, body: quote, headers: { 'content-type': 'text/plain' } },
      {
        status: 429,
        body: { detail: [{ loc: ['body', providerKey], msg: quote }] },
        headers: { 'x-request-id': providerKey },
      },
      { status: 200, body: { type: 'error', error } },
      { status: 200, body: { error } },
    ]
    const events = [
      [`event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`],
      [`data: ${JSON.stringify({ error })}\n\n`],
    ]
    upstream.script(...whole, ...events.map((chunks) => ({ chunks })))
    const replies: Reply[] = []
    for (const _ of whole) replies.push(await post({ model }))
    for (const _ of events) replies.push(await post({ model, stream: true }))
    for (const reply of replies) {
      expect(reply.status, reply.text).toBeGreaterThanOrEqual(400)
      expectNoSecret(reply)
    }
    expectNoSecret(log)
  })

  it('is not told a key by an error in the middle of a stream', async () => {
    const error = { message: `overloaded ${providerKey}`, type: 'overloaded_error', code: 503 }
    const said: Readonly<Record<string, string>> = {
      openai: `data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n`,
      anthropic: [
        { type: 'message_start', message: { id: 'm', role: 'assistant', content: [], usage: { input_tokens: 1 } } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      ]
        .map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)
        .join(''),
      gemini: `data: {"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Hi"}]}}]}\n\n`,
    }
    upstream.script({
      chunks: [
        said[dialect] ?? '',
        { delayMs: 20 },
        `event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`,
      ],
    })
    const reply = await post({ model, stream: true })
    expect(reply.status).toBe(200)
    expect(reply.text).toContain('Hi')
    expect(reply.text).toMatch(/data: \{"error".*overloaded \*\*\*/)
    expectNoSecret(reply, log)
  })

  it.each(['status-401', 'status-503', 'reset', 'malformed-1', 'cut-0', 'cut-6', 'error-in-200'])(
    'is told neither key nor address after %s, nor is the log',
    async (fault) => {
      for (const stream of [false, true]) {
        const reply = await post({ model: `${dialect}/${fault}`, stream })
        expectNoSecret(reply)
        expect(reply.text + reply.headers).not.toContain(new URL(upstream.url).host)
      }
      expectNoSecret(log)
      const caught = await gateway
        .call('chat', { model: `${dialect}/${fault}`, messages: [{ role: 'user', content: 'Hi' }] }, anyCaller)
        .catch((error: unknown) => error)
      if (GatewayError.isInstance(caught)) expectNoSecret(caught, JSON.stringify(caught), caught.stack)
    },
  )
})

describe('a gateway', () => {
  it('shows no key when it is printed, written as JSON or looked into', () => {
    expectNoSecret(gateway, JSON.stringify(gateway), inspect(gateway, { depth: 20, getters: true }))
    const copy = { gateway, nested: [gateway] }
    expectNoSecret(copy, JSON.stringify(copy))
  })

  it('shows no key when its model list cannot work', () => {
    const wrong = [
      { modelName: 'a', model: 'nobody/x', apiKey: providerKey },
      { modelName: 'a', model: 'openai/x', apiKey: providerKey, baseUrl: `http://user:${headerKey}@x` },
      { modelName: 'a', model: 'openai/x', apiKey: `${providerKey}\n` + 'x' },
      { modelName: 'a', model: 'openai/x', apiKey: providerKey, weight: -1 },
      { modelName: 'a', model: 'openai/x', apiKey: providerKey, headers: { 'bad header': headerKey } },
      { modelName: 'a', model: 'openai/x', apiKey: providerKey, headers: { 'x-key': `${headerKey}\r\n` } },
    ]
    for (const model of wrong) {
      let thrown: unknown
      try {
        createGateway({ models: [model], masterKey, env: {} })
      } catch (error) {
        thrown = error
      }
      expect(thrown, inspect(model)).toBeDefined()
      expectNoSecret(thrown)
    }
  })

  it('refuses a wrong master key without showing the right one', async () => {
    const reply = await post({ model: 'openai/demo' }, { authorization: 'Bearer zz9' })
    expect(reply.status).toBe(401)
    expectNoSecret(reply, log)
    expect(upstream.requests).toHaveLength(0)
  })

  it('does not follow a provider elsewhere, nor send the key there', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      for (const stream of [false, true]) {
        upstream.script({ status, headers: { location: `${evilOrigin}/v1/chat/completions` }, body: '' })
        const reply = await post({ model: 'openai/demo', stream })
        expect(reply.status).toBe(502)
        expect(reply.text).not.toContain(evilOrigin)
      }
    }
    expect(evilRequests).toEqual([])
  })
})
