import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import type { AuthorizeContext } from '../../../src/providers/provider.js'
import { createRegistry } from '../../../src/providers/registry.js'
import { resolveTarget } from '../../../src/providers/target.js'
import { vertexAi } from '../../../src/providers/vertex-ai/index.js'
import { Secret } from '../../../src/secret.js'
import { createTokenCache } from '../../../src/upstream/token-cache.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { codecIn, encode, exchange, stream, thrownBy } from '../../protocols/further-exchange.js'
import { refusals } from '../../protocols/anthropic/strict-rules.js'
import { FakeClock } from '../../support/fake-clock.js'
import { deploymentOf, noTokens } from '../deployments.js'

const settings = { project: 'my-project', location: 'europe-west4' }
const root = '/v1/projects/my-project/locations/europe-west4'
const chat = codecIn(vertexAi.protocol, 'chat')
const completions = codecIn(vertexAi.protocol, 'completions')
const embeddings = codecIn(vertexAi.protocol, 'embeddings')
const images = codecIn(vertexAi.protocol, 'images')

const send = (model: string, fields: JsonObject = {}, changes: Partial<Deployment> = {}) =>
  encode(chat, 'chat', fields, { provider: 'vertex_ai', model, settings, ...changes })

describe('Vertex AI', () => {
  it('is registered under both of its prefixes', () => {
    const registry = createRegistry([])
    expect(registry.resolve('vertex_ai/gemini-2.5-flash')?.provider).toBe(vertexAi)
    expect(registry.resolve('vertex_ai_beta/claude-opus-4-1@20250805')?.model).toBe('claude-opus-4-1@20250805')
  })

  it('lives at a host of its location', () => {
    const at = (model: string, location?: string) =>
      resolveTarget(vertexAi, deploymentOf({ provider: 'vertex_ai', model, settings: { project: 'p', location } }))
        .origin
    expect(at('gemini-2.5-flash')).toBe('https://us-central1-aiplatform.googleapis.com')
    expect(at('gemini-2.5-flash', 'europe-west4')).toBe('https://europe-west4-aiplatform.googleapis.com')
    expect(at('gemini-2.5-flash', 'global')).toBe('https://aiplatform.googleapis.com')
    expect(at('claude-sonnet-4-5', 'eu')).toBe('https://aiplatform.eu.rep.googleapis.com')
    expect(at('gemini-3-pro-preview')).toBe('https://aiplatform.googleapis.com')
    expect(thrownBy(() => at('gemini-2.5-flash', 'evil.test/#')).message).toMatch(/location/)
  })

  it('has a path for every kind of model', () => {
    const pathOf = (model: string, fields: JsonObject = {}) => send(model, fields).sent.path
    const google = `${root}/publishers/google/models`
    expect(pathOf('gemini-2.5-flash')).toBe(`${google}/gemini-2.5-flash:generateContent`)
    expect(pathOf('gemini-2.5-flash', { stream: true })).toBe(
      `${google}/gemini-2.5-flash:streamGenerateContent?alt=sse`,
    )
    expect(pathOf('google/gemini-2.5-pro')).toBe(`${google}/gemini-2.5-pro:generateContent`)
    expect(pathOf('1234567890')).toBe(`${root}/endpoints/1234567890:generateContent`)
    expect(pathOf('gemini/1234567890')).toBe(`${root}/endpoints/1234567890:generateContent`)
    expect(pathOf('projects/1/locations/us/endpoints/2')).toBe(
      '/v1/projects/1/locations/us/endpoints/2:generateContent',
    )
    const claude = `${root}/publishers/anthropic/models/claude-haiku-4-5%4020251001`
    expect(pathOf('claude-haiku-4-5@20251001')).toBe(`${claude}:rawPredict`)
    expect(pathOf('claude-haiku-4-5@20251001', { stream: true })).toBe(`${claude}:streamRawPredict`)
    expect(pathOf('mistral-large-2411@001')).toBe(
      `${root}/publishers/mistralai/models/mistral-large-2411%40001:rawPredict`,
    )
    expect(pathOf('jamba-1.5-large', { stream: true })).toBe(
      '/v1beta1/projects/my-project/locations/europe-west4/publishers/ai21/models/jamba-1.5-large:streamRawPredict',
    )
    for (const model of [
      'meta/llama-4-maverick',
      'deepseek-ai/deepseek-r1',
      'openai/gpt-oss-120b-maas',
      'qwen/qwen3',
    ]) {
      expect(pathOf(model)).toBe(`${root}/endpoints/openapi/chat/completions`)
      expect(send(model).body['model']).toBe(model)
    }
    expect(pathOf('openai/987')).toBe(
      '/v1beta1/projects/my-project/locations/europe-west4/endpoints/987/chat/completions',
    )
    expect(pathOf('gemma/987')).toBe(`${root}/endpoints/987:predict`)
  })

  it('needs no project in express mode', () => {
    const apiKey = new Secret('express-key')
    const path = send('gemini-2.5-flash', {}, { apiKey, settings: {} }).sent.path
    expect(path).toBe('/v1/publishers/google/models/gemini-2.5-flash:generateContent')
  })
})

describe('Gemini on Vertex AI', () => {
  const loop = {
    messages: [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
    ],
  }

  it('sends no ids of calls, but labels and addresses', () => {
    expect(JSON.stringify(send('gemini-2.5-flash', loop).body)).not.toContain('call_1')
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    const fields = { labels: { team: 'a' }, messages: [{ role: 'user', content: [image] }] }
    expect(send('gemini-2.0-flash', fields).body).toMatchObject({
      labels: { team: 'a' },
      contents: [{ parts: [{ fileData: { fileUri: 'https://example.com/a.png' } }, { text: ' ' }] }],
    })
  })

  it('reads arguments that come in pieces', () => {
    const piece = (functionCall: JsonObject, more: JsonObject = {}) => ({
      candidates: [{ content: { role: 'model', parts: [{ functionCall }] }, ...more }],
    })
    const partial = (jsonPath: string, value: JsonObject, more: JsonObject = {}) =>
      piece({ partialArgs: [{ jsonPath, ...value }], willContinue: true, ...more })
    const chunks = stream(chat, exchange('chat', { stream: true }, { model: 'gemini-3-pro-preview' }), [
      piece({ name: 'book', willContinue: true }),
      partial('$.city', { stringValue: 'New ', willContinue: true }),
      partial('$.city', { stringValue: 'York' }),
      partial('$.guests[0].name', { stringValue: 'Ann' }),
      partial('$.guests[0].age', { numberValue: 7 }),
      partial("$['late arrival']", { boolValue: true }),
      partial('$.note', { nullValue: 'NULL_VALUE' }),
      piece({}),
      piece({ name: 'now', args: {} }, { finishReason: 'STOP' }),
    ])
    const deltas = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
    const written = (at: number): unknown =>
      JSON.parse(
        deltas
          .filter(({ index }) => index === at)
          .map(({ function: called }) => called?.arguments ?? '')
          .join(''),
      )
    expect(deltas.flatMap(({ function: called }) => called?.name ?? [])).toEqual(['book', 'now'])
    expect(written(0)).toEqual({
      city: 'New York',
      guests: [{ name: 'Ann', age: 7 }],
      'late arrival': true,
      note: null,
    })
    expect(written(1)).toEqual({})
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['tool_calls'])
  })

  it('ends a call that the end of the answer cut, and pollutes nothing', () => {
    const parts = [
      { functionCall: { name: 'f', willContinue: true } },
      { functionCall: { partialArgs: [{ jsonPath: '$.__proto__.bad', stringValue: 'x' }], willContinue: true } },
    ]
    const answer = { candidates: [{ content: { parts }, finishReason: 'MAX_TOKENS' }] }
    const message = chat.decode(answer, exchange('chat', {}, { model: 'gemini-3-pro' })).choices[0]?.message
    expect(message?.tool_calls).toMatchObject([{ function: { name: 'f', arguments: '{}' } }])
    expect({}).not.toHaveProperty('bad')
  })
})

describe('Claude on Vertex AI', () => {
  const claude = (fields: JsonObject) => send('claude-haiku-4-5@20251001', fields)

  it('has its version in the body and its model in the path', () => {
    const { body } = claude({ max_tokens: 5, stream: true })
    expect(body).toEqual({
      anthropic_version: 'vertex-2023-10-16',
      max_tokens: 5,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
      stream: true,
    })
    const { anthropic_version: _version, ...rest } = body
    expect(refusals({ ...rest, model: 'claude-sonnet-4-5' })).toEqual([])
  })

  it('refuses pictures by address, which Vertex does not fetch', () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    const messages = [{ role: 'user', content: [image] }]
    expect(thrownBy(() => claude({ messages }))).toMatchObject({ status: 400 })
    expect(chat.mediaToFetch?.(exchange('chat', { messages }, { model: 'claude-haiku-4-5' }))).toHaveLength(1)
    const input = '{"source":{"type":"url","url":"https://example.com"}}'
    const call = { id: 'toolu_1', type: 'function', function: { name: 'f', arguments: input } }
    const loop = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'toolu_1', content: 'ok' },
    ]
    expect(claude({ messages: loop }).body['messages']).toHaveLength(3)
  })

  it('answers and fails in its own form, others in theirs', () => {
    const message = { type: 'message', content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn', usage: {} }
    const of = exchange('chat', {}, { model: 'claude-haiku-4-5' })
    expect(chat.decode(message, of).choices[0]?.message.content).toBe('Hi')
    const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
    expect(vertexAi.protocol.failure(529, overloaded)).toMatchObject({ kind: 'overloaded', type: 'overloaded_error' })
    const exhausted = [{ error: { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED' } }]
    expect(vertexAi.protocol.failure(429, exhausted)).toMatchObject({ kind: 'rate_limited' })
  })
})

describe('open models on Vertex AI', () => {
  it('are sent the name that each place wants', () => {
    expect(send('mistral-large-2411@001').body['model']).toBe('mistral-large-2411')
    expect(send('openai/987').body['model']).toBe('987')
    expect(send('meta/llama-4', { max_completion_tokens: 5 }).body).toMatchObject({ max_tokens: 5 })
  })

  it('complete text around a hole', () => {
    const { sent, body } = encode(
      completions,
      'completions',
      { prompt: 'def f', suffix: 'return' },
      { model: 'codestral-2501', settings },
    )
    expect(sent.path).toBe(`${root}/publishers/mistralai/models/codestral-2501:rawPredict`)
    expect(body).toMatchObject({ model: 'codestral-2501', prompt: 'def f', suffix: 'return' })
    const of = exchange('completions', {}, { model: 'codestral-2501' })
    const answer = { choices: [{ index: 0, message: { content: '(x):' }, finish_reason: 'stop' }] }
    expect(completions.decode(answer, of).choices[0]?.text).toBe('(x):')
  })

  it('of the host are instances of a prediction, and cannot stream', () => {
    const { body } = send('gemma/987', { stream: true, max_tokens: 5 })
    expect(body).toEqual({
      instances: [{ '@requestFormat': 'chatCompletions', messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 }],
    })
    const of = exchange('chat', {}, { model: 'gemma/987' })
    const answer = { choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }] }
    for (const predictions of [answer, [answer]]) {
      expect(chat.decode({ predictions }, of).choices[0]?.message.content).toBe('Hi')
    }
  })
})

describe('embeddings on Vertex AI', () => {
  const embed = (model: string, fields: JsonObject) => encode(embeddings, 'embeddings', fields, { model, settings })

  it('of text are predictions, as many as the model takes', () => {
    const { sent, body } = embed('text-embedding-005', {
      input: ['a', 'b'],
      dimensions: 64,
      input_type: 'search_query',
      auto_truncate: false,
    })
    expect(sent.path).toBe(`${root}/publishers/google/models/text-embedding-005:predict`)
    expect(body).toEqual({
      instances: [
        { content: 'a', task_type: 'RETRIEVAL_QUERY' },
        { content: 'b', task_type: 'RETRIEVAL_QUERY' },
      ],
      parameters: { outputDimensionality: 64, autoTruncate: false },
    })
  })

  it('of newer models are contents, one at a time', () => {
    const { sent, body } = embed('gemini-embedding-2', { input: 'a', dimensions: 64 })
    expect(sent.path).toBe(`${root}/publishers/google/models/gemini-embedding-2:embedContent`)
    expect(body).toEqual({ content: { parts: [{ text: 'a' }] }, outputDimensionality: 64 })
    expect(thrownBy(() => embed('gemini-embedding-2', { input: [[1], [2]] }))).toMatchObject({ param: 'input' })
  })

  it('of pictures are instances of their own kind', () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } }
    const instancesOf = (input: unknown) => embed('multimodalembedding@001', { input, dimensions: 128 }).body
    expect(instancesOf([image])).toEqual({
      instances: [{ image: { bytesBase64Encoded: 'QUJD' } }],
      parameters: { dimension: 128 },
    })
    expect(instancesOf('gs://a/b.png')).toMatchObject({ instances: [{ image: { gcsUri: 'gs://a/b.png' } }] })
    expect(instancesOf('a cat')).toMatchObject({ instances: [{ text: 'a cat' }] })
  })

  it('are read from every form of prediction', () => {
    const of = exchange('embeddings', {}, { model: 'text-embedding-005' })
    const embedding = { values: [1, 2], statistics: { token_count: 3 } }
    expect(embeddings.decode({ predictions: [{ embeddings: embedding }] }, of)).toMatchObject({
      data: [{ embedding: [1, 2] }],
      usage: { prompt_tokens: 3 },
    })
    expect(embeddings.decode({ predictions: [{ imageEmbedding: [1] }] }, of).data[0]?.embedding).toEqual([1])
    const content = exchange('embeddings', {}, { model: 'gemini-embedding-2' })
    const answer = { embedding: { values: [1] }, usageMetadata: { promptTokenCount: 4 } }
    expect(embeddings.decode(answer, content).usage.prompt_tokens).toBe(4)
    expect(thrownBy(() => embeddings.decode({ hello: 1 }, of))).toMatchObject({ kind: 'upstream_invalid' })
  })
})

describe('images on Vertex AI', () => {
  it("are Gemini's; Imagen's address answers where to go", () => {
    const path = encode(images, 'images', {}, { model: 'gemini-2.5-flash-image', settings }).sent.path
    expect(path).toBe(`${root}/publishers/google/models/gemini-2.5-flash-image:generateContent`)
    const imagen = { model: 'imagen-4.0-generate-001', settings }
    expect(thrownBy(() => encode(images, 'images', {}, imagen))).toMatchObject({ status: 410, kind: 'gone' })
    const elsewhere = { ...imagen, baseUrl: 'http://images.internal' }
    expect(encode(images, 'images', { n: 2, size: '1792x1024' }, elsewhere).body).toEqual({
      instances: [{ prompt: 'a cat' }],
      parameters: { sampleCount: 2, aspectRatio: '16:9' },
    })
    const of = exchange('images', {}, elsewhere)
    const predictions = [{ bytesBase64Encoded: 'QUJD' }, { raiFilteredReason: 'filtered' }]
    expect(images.decode({ predictions }, of).data).toEqual([{ b64_json: 'QUJD' }])
    expect(thrownBy(() => images.decode({ predictions: predictions.slice(1) }, of))).toMatchObject({
      kind: 'content_policy',
      message: 'filtered',
    })
  })
})

describe('credentials for Vertex AI', () => {
  const request = send('gemini-2.5-flash', {}, { settings: {} }).sent
  const sign = async (changes: Partial<Deployment>, context: AuthorizeContext = noTokens) =>
    vertexAi.authorize(request, deploymentOf({ apiKey: undefined, ...changes }), context)

  it('are an API key, an access token, or a header of the host', async () => {
    const path = send('gemini-2.5-flash').sent
    const key = await vertexAi.authorize(path, deploymentOf({ apiKey: new Secret('express-key') }), noTokens)
    expect(key.headers).toMatchObject({ 'x-goog-api-key': 'express-key' })
    await expect(sign({ apiKey: new Secret('express-key') })).rejects.toMatchObject({ status: 400 })
    const token = { apiKey: new Secret('ya29.abc') }
    const signed = await vertexAi.authorize(path, deploymentOf(token), noTokens)
    expect(signed.headers).toMatchObject({ authorization: 'Bearer ya29.abc' })
    expect(signed.headers).not.toHaveProperty('x-goog-api-key')
    const own = await vertexAi.authorize(path, deploymentOf({ headers: { authorization: 'Bearer own' } }), noTokens)
    expect(own.headers['authorization']).toBe('Bearer own')
  })

  it('are a function that gives a token, asked before every call', async () => {
    let asked = 0
    const credentials = () => {
      asked += 1
      return Promise.resolve({ token: `t${asked}`, project: 'from-function' })
    }
    const signed = await sign({ settings: { credentials } })
    expect(signed.headers['authorization']).toBe('Bearer t1')
    expect(signed.path).toContain('/projects/from-function/')
    expect((await sign({ settings: { credentials } })).headers['authorization']).toBe('Bearer t2')
    await expect(sign({ settings: { credentials: () => 'only-a-token' } })).rejects.toThrow(/project/)
    const failing = () => Promise.reject(new Error('vault sealed'))
    await expect(sign({ settings: { credentials: failing } })).rejects.toMatchObject({
      kind: 'upstream_authentication',
    })
    await expect(sign({ settings: { credentials: () => 7 } })).rejects.toMatchObject({ param: 'credentials' })
  })

  it('are fetched once, kept until they near their end, and tell the project', async () => {
    const clock = new FakeClock()
    let exchanges = 0
    const tokens = createTokenCache(clock, () => {
      exchanges += 1
      const text = JSON.stringify({ access_token: `t${exchanges}`, expires_in: 3600 })
      return Promise.resolve({ status: 200, text })
    })
    const context = { clock, tokens, url: 'https://vertex.test' }
    const credentials = { type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c' }
    const withProject = { settings: { credentials: { ...credentials, quota_project_id: 'payer' } } }
    const path = send('gemini-2.5-flash').sent
    const bearer = async () => {
      const { headers } = await vertexAi.authorize(path, deploymentOf({ apiKey: undefined, ...withProject }), context)
      return [headers['authorization'], headers['x-goog-user-project']]
    }
    expect(await Promise.all([bearer(), bearer()])).toEqual([
      ['Bearer t1', 'payer'],
      ['Bearer t1', 'payer'],
    ])
    clock.advance(3_590_000)
    expect(await bearer()).toEqual(['Bearer t2', 'payer'])
    const inline = JSON.stringify({ ...credentials, client_id: 'other' })
    const secret = deploymentOf({ apiKey: undefined, settings: { credentials: new Secret(inline) } })
    const other = await vertexAi.authorize(path, secret, context)
    expect(other.headers['authorization']).toBe('Bearer t3')
    expect(isObject(other) && JSON.stringify(other)).not.toContain('client_secret')
  })
})
