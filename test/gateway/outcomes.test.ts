import { type AddressInfo, createServer } from 'node:net'
import express from 'express'
import * as prom from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expressGateway } from '../../adapters/express.js'
import { nodeGateway } from '../../adapters/node.js'
import { systemClock } from '../../src/clock.js'
import {
  type AttemptRecord,
  type Callback,
  type Caller,
  type CallOutcome,
  type CallRecord,
  type Gateway,
  GatewayError,
  type GatewayOptions,
  type HttpRequest,
} from '../../src/index.js'
import { callOutcomes } from '../../src/ports/callback.js'
import type { Clock } from '../../src/ports.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { listen } from '../adapters/hosts.js'
import { open, responseOf, send, sendJson, until } from '../contracts/http-client.js'
import type { HostServer } from '../contracts/http-contract.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, chat, startGatewayLab } from '../support/gateway.js'

const chatPath = '/v1/chat/completions'

/** The four minutes that a body may take are over in a second or two: a timer of about that long sees a time of its own. */
function createHastyClock(): Clock {
  let aheadMs = 0
  return {
    now: () => systemClock.now() + aheadMs,
    setTimeout(callback, ms) {
      if (ms < 230_000 || ms > 240_000) return systemClock.setTimeout(callback, ms)
      const early = (): void => {
        aheadMs = ms - 500
        try {
          callback()
        } finally {
          aheadMs = 0
        }
      }
      return systemClock.setTimeout(early, 1_000)
    },
  }
}

const callers: Readonly<Record<string, Partial<Caller>>> = {
  poor: { scopes: [{ kind: 'user', id: 'poor', budget: { maxBudget: 0.000_000_1 } }] },
  busy: { scopes: [{ kind: 'user', id: 'busy', tpm: 1 }] },
  picky: { models: ['main'] },
}

/** Who calls: whom `x-user` names, nobody without it. */
function identify({ headers }: HttpRequest): Caller | null {
  const name = headers['x-user']
  if (name === undefined) return null
  if (name === 'blocked') throw new GatewayError('permission', 'Blocked.')
  if (name === 'faulty') throw new TypeError('no such table')
  return { ...anyCaller, id: name, ...callers[name] }
}

const price = { prices: { input: 1, output: 1 } }
const fake = (modelName: string, model = `fake/${modelName}`) => ({ modelName, model, ...price })
const models: GatewayOptions['models'] = [
  fake('main'),
  ...['context-window', 'content-policy', 'status-401', 'status-402', 'status-429', 'status-500', 'status-503'].map(
    (name) => fake(name),
  ),
  ...['reset', 'hang', 'slow-150ms', 'cut-3', 'error-in-200', 'error-mid-stream-3', 'trickle-20ms'].map((name) =>
    fake(name),
  ),
  { ...fake('no-headers', 'fake/hang'), timeouts: { headers: 40 } },
  { ...fake('no-first-token', 'fake/first-token-5000ms'), timeouts: { firstToken: 40 } },
  { ...fake('no-next-token', 'fake/stall-3'), timeouts: { idle: 40 } },
  { ...fake('no-time', 'fake/slow-5000ms'), timeouts: { total: 40 } },
  { modelName: 'strict', model: 'anthropic/claude-haiku-4-5', apiKey: 'sk-never-sent' },
  { ...fake('nobody-there'), baseUrl: 'http://127.0.0.1:1/v1' },
]

const hooks: GatewayOptions['hooks'] = {
  beforeCall(request) {
    if (request['metadata'] !== undefined && JSON.stringify(request['metadata']).includes('throw')) {
      throw new TypeError('a bug of the host')
    }
  },
}

interface Case {
  readonly outcome: CallOutcome
  readonly what: string
  readonly status: number | undefined
  /** Makes the call; resolves with the status that the client got, undefined where it left. */
  readonly call: (base: string, headers: Record<string, string>) => Promise<number | undefined>
}

const post = async (
  base: string,
  body: object,
  headers: Record<string, string>,
  path = chatPath,
): Promise<number | undefined> => (await sendJson(base + path, body, { headers })).status

/** A call of a model whose whole answer, or whole stream, is read. */
const asks = (outcome: CallOutcome, status: number, body: object, what = 'whole'): Case => ({
  outcome,
  what,
  status,
  call: (base, headers) => post(base, body, headers),
})
const both = (outcome: CallOutcome, status: number, model: string, own: object = {}): readonly Case[] => [
  asks(outcome, status, chat(model, own), `${model}, whole`),
  asks(outcome, status, chat(model, { ...own, stream: true }), `${model}, stream`),
]
const as = (user: string | undefined, { outcome, what, status, call }: Case): Case => ({
  outcome,
  what: `${what}, called by ${user ?? 'nobody'}`,
  status,
  call: (base, headers) =>
    call(base, { 'x-request-id': headers['x-request-id'] ?? '', ...(user && { 'x-user': user }) }),
})
const raw = (outcome: CallOutcome, status: number, what: string, body: string, type = 'application/json'): Case => ({
  outcome,
  what,
  status,
  call: async (base, headers) =>
    (await send(base + chatPath, { body, headers: { ...headers, 'content-type': type } })).status,
})

/** The client goes away once `when` says so. */
const leaves = (outcome: CallOutcome, what: string, body: object, afterContent: boolean): Case => ({
  outcome,
  what,
  status: undefined,
  async call(base, headers) {
    const request = open(base + chatPath, { headers: { ...headers, 'content-type': 'application/json' } })
    const response = responseOf(request)
    request.end(JSON.stringify(body))
    if (afterContent) {
      const incoming = await response
      await new Promise((resolve) => incoming.once('data', resolve))
    } else {
      void response.catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    request.destroy()
    return undefined
  },
})

const words = { role: 'user', content: 'swordfish' }
const cases: readonly Case[] = [
  asks('answered', 200, chat('main')),
  {
    outcome: 'answered',
    what: 'embeddings',
    status: 200,
    call: (base, headers) => post(base, { model: 'main', input: 'text' }, headers, '/v1/embeddings'),
  },
  asks('streamed', 200, chat('main', { stream: true }), 'stream'),
  raw('invalid_request', 400, 'no JSON', '{'),
  raw('invalid_request', 400, 'no object', '[]'),
  raw('invalid_request', 413, 'too large', JSON.stringify(chat('main', { pad: 'x'.repeat(40_000) }))),
  raw('invalid_request', 415, 'no type of ours', '{}', 'text/html'),
  asks('invalid_request', 400, { model: 'main', messages: 'none' }, 'wrong shape'),
  asks('invalid_request', 400, chat('main', { guardrails: ['unknown'] }), 'unknown guardrail'),
  {
    outcome: 'invalid_request',
    what: 'a stream of images',
    status: 400,
    call: (base, headers) =>
      post(base, { model: 'main', prompt: 'x', stream: true }, headers, '/v1/images/generations'),
  },
  ...both('unsupported_parameter', 400, 'strict', { logit_bias: { 1: 1 } }),
  ...both('context_window', 400, 'context-window'),
  ...both('content_policy', 400, 'content-policy'),
  ...both('model_not_found', 404, 'nowhere'),
  ...both('upstream_refused', 401, 'status-401'),
  ...both('upstream_refused', 402, 'status-402'),
  ...both('rate_limited', 429, 'status-429'),
  ...both('upstream_error', 502, 'status-500'),
  ...both('upstream_error', 502, 'error-in-200'),
  ...both('unavailable', 503, 'status-503'),
  ...both('upstream_unreachable', 502, 'reset'),
  ...both('upstream_unreachable', 502, 'nobody-there'),
  ...both('upstream_timeout', 504, 'no-connection'),
  asks('upstream_timeout', 504, chat('no-headers', { stream: true }), 'no headers'),
  asks('upstream_timeout', 504, chat('no-first-token', { stream: true }), 'no first token'),
  asks('upstream_timeout', 504, chat('no-time'), 'no time in all'),
  asks('stream_broken', 200, chat('no-next-token', { stream: true }), 'no next token'),
  asks('stream_broken', 200, chat('cut-3', { stream: true }), 'cut'),
  asks('stream_broken', 200, chat('error-mid-stream-3', { stream: true }), 'error in the middle'),
  ...both('guardrail_blocked', 400, 'main', { messages: [words] }),
  ...both('internal', 500, 'main', { metadata: { hook: 'throw' } }),
  as(undefined, asks('unauthenticated', 401, chat('main'))),
  as(undefined, asks('unauthenticated', 401, chat('main', { stream: true }))),
  as('blocked', asks('not_allowed', 403, chat('main'))),
  as('faulty', asks('internal', 500, chat('main'))),
  as('picky', asks('not_allowed', 403, chat('hang'))),
  as('picky', asks('not_allowed', 403, chat('hang', { stream: true }))),
  as('poor', asks('budget_exceeded', 429, chat('main', { max_tokens: 100 }))),
  as('poor', asks('budget_exceeded', 429, chat('main', { max_tokens: 100, stream: true }))),
  as('busy', asks('limit_exceeded', 429, chat('main'))),
  as('busy', asks('limit_exceeded', 429, chat('main', { stream: true }))),
  leaves('client_left', 'before a whole answer', chat('hang'), false),
  leaves('client_left', 'before a stream', chat('hang', { stream: true }), false),
  leaves('client_left_mid_stream', 'in a stream', chat('trickle-20ms', { stream: true }), true),
  {
    outcome: 'client_left',
    what: 'while it sends',
    status: undefined,
    async call(base, headers) {
      const request = open(base + chatPath, { headers: { ...headers, 'content-type': 'application/json' } })
      request.write('{"model":')
      await new Promise((resolve) => setTimeout(resolve, 20))
      request.destroy()
      return undefined
    },
  },
  {
    outcome: 'request_timeout',
    what: 'half a request',
    status: 408,
    async call(base, headers) {
      const request = open(base + chatPath, { headers: { ...headers, 'content-type': 'application/json' } })
      const response = responseOf(request)
      request.write('{"model":')
      const { statusCode } = await response
      request.destroy()
      return statusCode
    },
  },
]

const watching: { gateway: Gateway; server: HostServer }[] = []
const records: CallRecord[] = []
const attempts: AttemptRecord[] = []
const callback: Callback = {
  onCall: (record) => void records.push(record),
  onAttempt: (attempt) => void attempts.push(attempt),
}
let lab: GatewayLab
let calls = 0

/** Takes connections and says nothing, so that no handshake of TLS comes to its end. */
const silent = createServer()
const slowToConnect = () => {
  const { port } = silent.address() as AddressInfo
  return { ...fake('no-connection'), baseUrl: `https://127.0.0.1:${port}/v1`, timeouts: { connect: 40 } }
}

beforeAll(async () => {
  lab = await startGatewayLab()
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  silent.close()
  await Promise.all(watching.map(({ server }) => server.close()))
  await lab.close()
})

async function serve(adapter: 'node:http' | 'Express', own: Partial<GatewayOptions> = {}): Promise<string> {
  const gateway = lab.start([...models, slowToConnect()], {
    auth: { identify },
    retries: 0,
    maxBodyBytes: 30_000,
    clock: createHastyClock(),
    hooks,
    guardrails: [{ name: 'words', type: 'words', words: ['swordfish'] }],
    stores: { ledger: createMemoryLedger() },
    routing: { cooldown: false },
    callbacks: { sinks: [{ type: 'callback', callback }] },
    ...own,
  })
  const server = await listen(
    adapter === 'node:http' ? nodeGateway(gateway) : express().use('/llm', expressGateway(gateway)),
    adapter === 'node:http' ? '/' : '/llm',
  )
  watching.push({ gateway, server })
  return server.url
}

/** The records of one call, once there is one, and time for a second has passed. */
async function recordsOf(callId: string): Promise<readonly CallRecord[]> {
  const found = (): readonly CallRecord[] => records.filter((record) => record.callId === callId)
  await until(() => found().length > 0)
  await new Promise((resolve) => setTimeout(resolve, 10))
  return found()
}

describe.each(['node:http', 'Express'] as const)('a call over %s', (adapter) => {
  let base: string
  beforeAll(async () => {
    base = await serve(adapter)
  })

  it.concurrent.each(cases)('is told of once: $outcome ($what)', async ({ outcome, status, call }) => {
    calls += 1
    const callId = `call-${calls}`
    const got = await call(base, { 'x-request-id': callId, 'x-user': 'ada' })
    expect(got).toBe(status)
    const told = await recordsOf(callId)
    expect(told.map((record) => record.outcome)).toEqual([outcome])
    const failed = callOutcomes[outcome] === 'failure'
    expect(told[0]).toMatchObject({ status: callOutcomes[outcome] })
    expect(told[0]?.error === undefined).toBe(!failed)
    if (failed && status !== undefined && status !== 200) expect(told[0]?.error?.status).toBe(status)
  })
})

describe('a call that need not be made', () => {
  const twice = async (
    own: Partial<GatewayOptions>,
    body: object,
    headers: object = {},
  ): Promise<readonly string[]> => {
    const base = await serve('node:http', own)
    const ids = [`call-${(calls += 1)}`, `call-${(calls += 1)}`]
    for (const id of ids) expect(await post(base, body, { ...headers, 'x-request-id': id, 'x-user': 'ada' })).toBe(200)
    const told = await Promise.all(ids.map(recordsOf))
    return told.flat().map(({ outcome }) => outcome)
  }

  it.each([false, true])('is told of as such, with stream: %s', async (stream) => {
    const body = chat('main', { stream })
    const first = stream ? 'streamed' : 'answered'
    expect(await twice({ cache: true }, body)).toEqual([first, 'cached'])
    expect(await twice({}, body, { 'idempotency-key': `key-${stream}` })).toEqual([first, 'replayed'])
  })

  it('is told of also where it waited for another one', async () => {
    const base = await serve('node:http', { cache: { coalesce: true } })
    const ids = [`call-${(calls += 1)}`, `call-${(calls += 1)}`]
    const ask = (id: string) => post(base, chat('slow-150ms'), { 'x-request-id': id, 'x-user': 'ada' })
    expect(await Promise.all(ids.map(ask))).toEqual([200, 200])
    const told = await Promise.all(ids.map(recordsOf))
    expect(told.flat().map(({ outcome }) => outcome)).toEqual(expect.arrayContaining(['answered', 'cached']))
    expect(told.map(({ length }) => length)).toEqual([1, 1])
  })
})

describe('a call', () => {
  it('is told of once where two attempts raced, with both of them', async () => {
    const gateway = lab.start([fake('race', 'fake/slow-5000ms'), fake('race', 'fake/words-3')], {
      random: () => 0,
      routing: { hedging: { afterMs: 20 } },
      callbacks: { sinks: [{ type: 'callback', callback }] },
    })
    const before = records.length
    await gateway.call('chat', { model: 'race', messages: [words] } as never, anyCaller)
    await until(() => records.length > before)
    expect(records.slice(before).map(({ outcome, attempts: made }) => [outcome, made.map((a) => a.outcome)])).toEqual([
      ['answered', ['cancelled', 'answered']],
    ])
  })

  it('of this process is told of too where its request is not valid, and where the gateway is closed', async () => {
    const own: CallRecord[] = []
    const gateway = lab.start(models, {
      callbacks: { sinks: [{ type: 'callback', callback: { onCall: (record) => void own.push(record) } }] },
    })
    await expect(gateway.call('chat', { model: 'main' } as never, anyCaller)).rejects.toMatchObject({ status: 400 })
    const stream = gateway.stream('chat', { model: 'main' } as never, anyCaller)
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ status: 400 })
    const closing = gateway.close({ drainMs: 0 })
    await expect(gateway.call('chat', chat('main') as never, anyCaller)).rejects.toMatchObject({ status: 503 })
    await closing
    expect(own.map(({ outcome, stream: streamed }) => [outcome, streamed])).toEqual([
      ['invalid_request', false],
      ['invalid_request', true],
      ['unavailable', false],
    ])
  })
})

it('has every one of the outcomes in these tests', () => {
  const tested = new Set<string>([...cases.map(({ outcome }) => outcome), 'cached', 'replayed'])
  expect(tested).toEqual(new Set(Object.keys(callOutcomes)))
})

describe('a flood of calls without a credential', () => {
  it('has a hundred records, and is counted to the last', async () => {
    const registry = new prom.Registry()
    const own: CallRecord[] = []
    const gateway = lab.start(models, {
      auth: { identify: () => null },
      callbacks: {
        sinks: [
          { type: 'callback', callback: { onCall: (record) => void own.push(record) } },
          { type: 'prometheus', client: prom, registry },
        ],
      },
      // Stands still, so that no room for further records comes back.
      clock: { now: () => 1_800_000_000_000, setTimeout: (due, ms) => systemClock.setTimeout(due, ms) },
    })
    const server = await listen(nodeGateway(gateway), '/')
    await Promise.all(Array.from({ length: 500 }, () => post(server.url, chat('main'), {})))
    await gateway.close()
    await server.close()
    expect(own).toHaveLength(100)
    expect(own[0]).toMatchObject({ outcome: 'unauthenticated', caller: '', requestedModel: '', attempts: [] })
    const counted = await registry.getSingleMetric('sluice_requests_total')?.get()
    expect(counted?.values.map(({ value, labels }) => [value, labels['outcome'], labels['status_code']])).toEqual([
      [500, 'unauthenticated', '401'],
    ])
  })
})
