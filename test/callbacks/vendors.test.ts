import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SinkOptions } from '../../src/callbacks/index.js'
import type { CallRecord } from '../../src/ports/callback.js'
import { failedRecord, openCallbacks, sampleRecord, startedAt } from './lab.js'
import { type RecordingServer, startRecordingServer } from './recording-server.js'

let server: RecordingServer

beforeEach(async () => {
  server = await startRecordingServer()
})
afterEach(() => server.close())

/** What a sink sends for some records. */
async function sent(sink: SinkOptions, ...records: readonly CallRecord[]) {
  const lab = openCallbacks([sink])
  for (const record of records) lab.record(record)
  await lab.close()
  return server.requests
}

const iso = (milliseconds: number): string => new Date(startedAt + milliseconds).toISOString()
const messages = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: [{ type: 'text', text: 'What is a sluice?' }] },
]
const answer = { role: 'assistant', content: 'A gate for water.' }

const everyVendor = (url: string): readonly SinkOptions[] => [
  { type: 'langfuse', publicKey: 'pk-lf-1', secretKey: 'sk-lf-1', baseUrl: url },
  { type: 'lunary', publicKey: '11111111-2222-3333-4444-555555555555', baseUrl: url },
  { type: 'mlflow', trackingUri: url },
  { type: 'helicone', apiKey: 'sk-helicone', baseUrl: url },
  { type: 'promptlayer', apiKey: 'pl_1', baseUrl: url },
  { type: 'traceloop', apiKey: 'tl_1', baseUrl: url },
  { type: 'athina', apiKey: 'athina-1', baseUrl: url },
  { type: 'webhook', url: `${url}/hook` },
  { type: 'otlp', url: `${url}/v1/traces` },
  {
    type: 's3',
    bucket: 'logs',
    region: 'eu-west-1',
    endpoint: url,
    credentials: { accessKeyId: 'AKID', secretAccessKey: 's' },
  },
  {
    type: 'dynamodb',
    table: 'calls',
    region: 'eu-west-1',
    endpoint: url,
    credentials: { accessKeyId: 'AKID', secretAccessKey: 's' },
  },
]

describe.each(everyVendor('http://x').map(({ type }) => type))('%s', (type) => {
  const sinkOf = (): SinkOptions[] => everyVendor(server.url).filter((sink) => sink.type === type)

  it('gets a record at the latest when the gateway closes', async () => {
    expect(await sent(sinkOf()[0] as SinkOptions, sampleRecord())).toHaveLength(1)
  })

  it.each([500, 429, 503])('gets it again after a %i', async (status) => {
    server.script.push({ status }, { status })
    const lab = openCallbacks(sinkOf(), { queue: { delayMs: 20 } })
    lab.record(sampleRecord())
    await server.received(3)
    await lab.close()
    const [first, , third] = server.requests
    expect(server.requests).toHaveLength(3)
    expect(third?.bytes.equals(first?.bytes ?? Buffer.of())).toBe(true)
    expect(lab.callbacks.stats[type]).toEqual({ queued: 0, delivered: 1, dropped: 0, failed: 0 })
  })

  it('gets it again after a connection that was cut', async () => {
    server.script.push('cut')
    const lab = openCallbacks(sinkOf(), { queue: { delayMs: 20 } })
    lab.record(sampleRecord())
    await server.received(2)
    await lab.close()
    expect(lab.callbacks.stats[type]).toEqual({ queued: 0, delivered: 1, dropped: 0, failed: 0 })
  })

  it('never gets a credential', async () => {
    const canary = 'sk-canary-0123456789abcdef'
    const messages = [{ role: 'user', content: `my key is ${canary}` }]
    const request = { model: 'fast', messages, api_key: canary, extra_headers: { 'x-key': canary } }
    const lab = openCallbacks(sinkOf())
    lab.record(sampleRecord({ request, metadata: { note: canary }, tags: [canary], endUser: canary }))
    await lab.close()
    expect(server.requests).toHaveLength(1)
    expect(server.requests[0]?.text).not.toContain('canary')
  })

  it('is not asked again after a 400, which is counted', async () => {
    server.standard = { status: 400 }
    const lab = openCallbacks(sinkOf(), { queue: { delayMs: 20 } })
    lab.record(sampleRecord())
    await server.received(1)
    await lab.close()
    expect(server.requests).toHaveLength(1)
    expect(lab.callbacks.stats[type]).toMatchObject({ delivered: 0, failed: 1 })
    expect(lab.log.join('\n')).not.toMatch(/sk-lf-1|sk-helicone|pl_1|tl_1|athina-1/)
  })

  it('loses no more than its queue cannot hold while it is down', async () => {
    server.standard = { status: 500 }
    const lab = openCallbacks(sinkOf(), { queue: { maxQueued: 5, delayMs: 20, maxTries: 1_000 } })
    for (let index = 0; index < 8; index += 1) lab.record(sampleRecord({ id: `rec_${index}` }))
    await server.received(1)
    expect(lab.callbacks.stats[type]).toMatchObject({ queued: 5, dropped: 3 })
    server.standard = { status: 200 }
    await lab.close()
    expect(lab.callbacks.stats[type]).toEqual({ queued: 0, delivered: 5, dropped: 3, failed: 0 })
  })
})

describe('Langfuse', () => {
  it('gets a trace and a generation for every call, in one batch', async () => {
    const options: SinkOptions = {
      type: 'langfuse',
      publicKey: 'pk-lf-1',
      secretKey: 'sk-lf-1',
      baseUrl: server.url,
      environment: 'prod',
      release: 'v7',
    }
    const [request, ...others] = await sent(options, sampleRecord(), failedRecord({ callId: 'req_def' }))
    expect(others).toEqual([])
    expect(request).toMatchObject({ method: 'POST', path: '/api/public/ingestion' })
    expect(request?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('pk-lf-1:sk-lf-1').toString('base64')}`,
      'content-type': 'application/json',
    })
    const [trace, generation, , failed] = request?.json.batch ?? []
    expect(trace).toMatchObject({
      id: 'rec_0001-trace',
      type: 'trace-create',
      timestamp: iso(1_600),
      body: {
        id: 'req_abc',
        name: 'sluice-chat',
        userId: 'customer-7',
        sessionId: 'sess-1',
        tags: ['blue'],
        input: messages,
        output: answer,
        release: 'v7',
        environment: 'prod',
      },
    })
    expect(generation).toMatchObject({
      type: 'generation-create',
      body: {
        id: 'rec_0001',
        traceId: 'req_abc',
        startTime: iso(0),
        completionStartTime: iso(500),
        endTime: iso(1_600),
        model: 'claude-haiku-4-5',
        modelParameters: { temperature: 0.5, max_tokens: 100 },
        usageDetails: { input: 100, input_cached_tokens: 20, output: 40, output_reasoning_tokens: 10, total: 170 },
        costDetails: { total: 0.00035 },
        level: 'DEFAULT',
        metadata: { feature: 'search', scope_team: 'red', caller: 'alice', outcome: 'streamed' },
      },
    })
    expect(failed.body).toMatchObject({ level: 'ERROR', statusMessage: 'The provider sent no content within 5000 ms.' })
  })

  it('gets again what it says it could not keep, and only that', async () => {
    const errors = [
      { id: 'rec_1-generation', status: 500, message: 'later' },
      { id: 'rec_2-trace', status: 400, message: 'never' },
    ]
    server.script.push({ status: 207, body: JSON.stringify({ successes: [], errors }) })
    const lab = openCallbacks([{ type: 'langfuse', publicKey: 'p', secretKey: 's', baseUrl: server.url }])
    for (const id of ['rec_0', 'rec_1', 'rec_2']) lab.record(sampleRecord({ id }))
    await lab.close()
    expect(server.requests[1]?.json.batch.map(({ id }: { id: string }) => id)).toEqual([
      'rec_1-trace',
      'rec_1-generation',
    ])
    expect(lab.callbacks.stats['langfuse']).toMatchObject({ delivered: 2, failed: 1 })
  })
})

describe('Lunary', () => {
  it('that did not take a run is heard, but not where it has it already', async () => {
    const lab = openCallbacks([
      { type: 'lunary', publicKey: '11111111-2222-3333-4444-555555555555', baseUrl: server.url },
    ])
    const ids = ['a', 'b', 'c']
    for (const id of ids) lab.record(sampleRecord({ id }))
    server.answer = ({ json }) => {
      const runs: string[] = json.events.map(({ runId }: { runId: string }) => runId)
      const results = runs.map((id) => {
        if (id === runs[0]) return { id, success: false, error: 'invalid input' }
        if (id === runs[2]) return { id, success: false, error: 'Run with this ID already exists in the database.' }
        return { id, success: true }
      })
      return { status: 200, body: JSON.stringify({ results }) }
    }
    await lab.close()
    server.answer = undefined
    expect(lab.callbacks.stats['lunary']).toMatchObject({ delivered: 2, failed: 1 })
  })

  it('gets the start and the end of a run', async () => {
    const key = '11111111-2222-3333-4444-555555555555'
    const [request] = await sent(
      { type: 'lunary', publicKey: key, baseUrl: server.url },
      sampleRecord(),
      failedRecord(),
    )
    expect(request).toMatchObject({ method: 'POST', path: '/v1/runs/ingest' })
    expect(request?.headers['authorization']).toBe(`Bearer ${key}`)
    const [start, end, , error] = request?.json.events ?? []
    expect(start).toMatchObject({
      type: 'llm',
      event: 'start',
      timestamp: iso(0),
      name: 'claude-haiku-4-5',
      userId: 'customer-7',
      tags: ['blue'],
      input: messages,
      params: { temperature: 0.5 },
    })
    expect(start.runId).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/)
    expect(end).toMatchObject({
      event: 'end',
      runId: start.runId,
      output: answer,
      tokensUsage: { prompt: 120, completion: 50 },
    })
    expect(error).toMatchObject({
      event: 'error',
      error: { message: 'The provider sent no content within 5000 ms.', stack: 'timeout' },
    })
  })
})

describe('Helicone', () => {
  it('gets what was asked and answered, with times and properties', async () => {
    const [request] = await sent({ type: 'helicone', apiKey: 'sk-h', baseUrl: server.url }, sampleRecord())
    expect(request).toMatchObject({ method: 'POST', path: '/custom/v1/log' })
    expect(request?.headers['authorization']).toBe('Bearer sk-h')
    expect(request?.json).toMatchObject({
      providerRequest: {
        url: 'custom-model-nopath',
        json: { model: 'claude-haiku-4-5', messages },
        meta: {
          'Helicone-User-Id': 'customer-7',
          'Helicone-Session-Id': 'sess-1',
          'Helicone-Property-Outcome': 'streamed',
        },
      },
      providerResponse: {
        status: 200,
        headers: {},
        json: {
          choices: [{ message: answer }],
          usage: { prompt_tokens: 120, completion_tokens: 50, total_tokens: 170 },
        },
      },
      timing: {
        startTime: { seconds: startedAt / 1_000, milliseconds: 0 },
        endTime: { seconds: startedAt / 1_000 + 1, milliseconds: 600 },
        timeToFirstToken: 500,
      },
    })
  })
})

describe('PromptLayer', () => {
  const verdict = {
    guardrail: 'pii',
    type: 'pii',
    mode: 'pre_call',
    outcome: 'masked',
    counts: {},
    durationMs: 1,
  } as const

  it('gets a request in its own template format', async () => {
    const [request, failed] = await sent(
      { type: 'promptlayer', apiKey: 'pl_1', baseUrl: server.url },
      sampleRecord({ tags: ['blue', 'long '.repeat(150)], guardrails: [verdict] }),
      failedRecord(),
    )
    expect(request).toMatchObject({ method: 'POST', path: '/log-request' })
    expect(request?.headers['x-api-key']).toBe('pl_1')
    expect(request?.json).toMatchObject({
      provider: 'anthropic',
      model: 'claude-haiku-4-5',
      api_type: 'chat-completions',
      input: {
        type: 'chat',
        messages: [
          { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
          { role: 'user', content: [{ type: 'text', text: 'What is a sluice?' }] },
        ],
      },
      output: {
        type: 'chat',
        messages: [{ role: 'assistant', content: [{ type: 'text', text: 'A gate for water.' }] }],
      },
      request_start_time: iso(0),
      request_end_time: iso(1_600),
      input_tokens: 120,
      output_tokens: 50,
      price: 0.00035,
      tags: ['blue', 'long '.repeat(150).slice(0, 512)],
      status: 'SUCCESS',
      parameters: { temperature: 0.5, max_tokens: 100 },
    })
    expect(Object.values(request?.json.metadata).every((value) => typeof value === 'string')).toBe(true)
    expect(request?.json.metadata.guardrails).toBe('pii=masked')
    expect(failed?.json).toMatchObject({ status: 'ERROR', error_type: 'PROVIDER_TIMEOUT' })
  })
})

describe('Athina', () => {
  it('gets an inference', async () => {
    const [request] = await sent(
      { type: 'athina', apiKey: 'key-1', baseUrl: server.url, environment: 'prod' },
      sampleRecord(),
    )
    expect(request).toMatchObject({ method: 'POST', path: '/api/v1/log/inference' })
    expect(request?.headers['athina-api-key']).toBe('key-1')
    expect(request?.json).toMatchObject({
      language_model_id: 'claude-haiku-4-5',
      prompt: messages,
      response: 'A gate for water.',
      user_query: 'What is a sluice?',
      prompt_tokens: 120,
      completion_tokens: 50,
      total_tokens: 170,
      cost: 0.00035,
      response_time: 1_600,
      session_id: 'sess-1',
      customer_user_id: 'customer-7',
      external_reference_id: 'req_abc',
      environment: 'prod',
    })
  })
})

describe('a webhook', () => {
  it.each([
    ['json_array', 'application/json', 1],
    ['ndjson', 'application/x-ndjson', 1],
    ['single', 'application/json', 2],
  ] as const)('gets records as %s', async (format, type, count) => {
    const options: SinkOptions = { type: 'webhook', url: `${server.url}/hook/?a=b`, headers: { 'X-Key': 'k' }, format }
    const requests = await sent(options, sampleRecord(), failedRecord())
    expect(requests).toHaveLength(count)
    expect(requests[0]).toMatchObject({ path: '/hook/?a=b', headers: { 'content-type': type, 'x-key': 'k' } })
    const records = requests
      .flatMap(({ text }) =>
        format === 'json_array'
          ? JSON.parse(text)
          : text
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line)),
      )
      .toSorted((left: CallRecord, right: CallRecord) => (left.id < right.id ? -1 : 1))
    expect(records).toEqual(JSON.parse(JSON.stringify([sampleRecord(), failedRecord()])))
  })
})

describe('records', () => {
  it('have no bodies where a sink is to get none, or bodies were never given', async () => {
    await sent({ type: 'webhook', url: server.url, bodies: false }, sampleRecord())
    expect(server.requests[0]?.json[0]).not.toHaveProperty('request')
    expect(server.requests[0]?.text).not.toContain('sluice?')
    for (const sink of everyVendor(server.url)) {
      await sent(sink, sampleRecord({ request: undefined, response: undefined }), failedRecord({ request: undefined }))
    }
    expect(server.requests.length).toBeGreaterThan(everyVendor(server.url).length)
    expect(server.requests.filter(({ text }) => text.includes('What is a sluice'))).toEqual([])
  })

  it('go to those sinks that want calls of their kind', async () => {
    const lab = openCallbacks([
      { type: 'webhook', name: 'good', url: `${server.url}/good`, on: 'success' },
      { type: 'webhook', name: 'bad', url: `${server.url}/bad`, on: 'failure' },
    ])
    lab.record(sampleRecord())
    lab.record(failedRecord())
    await lab.close()
    const idsAt = (path: string) =>
      server.requests
        .filter((request) => request.path === path)
        .flatMap(({ json }) => json.map(({ id }: CallRecord) => id))
    expect(idsAt('/good')).toEqual(['rec_0001'])
    expect(idsAt('/bad')).toEqual(['rec_0002'])
  })

  it('reach every other sink where one hangs', async () => {
    const hanging = await startRecordingServer()
    hanging.standard = 'hang'
    const lab = openCallbacks([
      { type: 'webhook', name: 'hangs', url: hanging.url },
      { type: 'webhook', name: 'works', url: server.url },
    ])
    for (let index = 0; index < 250; index += 1) lab.record(sampleRecord({ id: `rec_${index}` }))
    await lab.close(5_000)
    expect(lab.callbacks.stats).toMatchObject({ works: { delivered: 250 }, hangs: { delivered: 0, dropped: 250 } })
    await hanging.close()
  })
})

describe('wrong settings', () => {
  it('are named by their path, without their values', () => {
    const wrong = [
      { type: 'langfuse', publicKey: 'pk', secretKey: '', baseUrl: 'ftp://x' },
      { type: 'nonsense' },
      {
        type: 's3',
        bucket: 'b',
        region: 'eu',
        credentials: { accessKeyId: 'a', secretAccessKey: 'my-secret' },
        prefix: 'a/../b',
      },
    ] as unknown as SinkOptions[]
    expect(() => openCallbacks(wrong)).toThrow(TypeError)
    try {
      openCallbacks(wrong)
    } catch (error) {
      expect(String(error)).toMatch(/sinks\.0\.secretKey/)
      expect(String(error)).toMatch(/sinks\.0\.baseUrl: must be an http or https address/)
      expect(String(error)).toMatch(/sinks\.1\.type: must be one of athina, callback/)
      expect(String(error)).toMatch(/sinks\.2\.bucket/)
      expect(String(error)).toMatch(/sinks\.2\.prefix/)
      expect(String(error)).not.toContain('my-secret')
    }
  })

  it('are two sinks of one name', () => {
    const twice: SinkOptions[] = [
      { type: 'webhook', url: server.url },
      { type: 'webhook', url: server.url },
    ]
    expect(() => openCallbacks(twice)).toThrow(/two are called webhook/)
  })
})
