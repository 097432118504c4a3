import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Auth, Codec, Logger, Protocol, Provider, StreamDecoder } from '../../src/index.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'
import { chat, expectNothingUnhandled, faultyProvider, startHost } from './faulty-host.js'

let upstream: FakeUpstream

expectNothingUnhandled()

beforeAll(async () => {
  upstream = await startFakeUpstream()
})

beforeEach(() => upstream.reset())

afterAll(() => upstream.close())

const secret = 'the inside of the host'
const fail = (): never => {
  throw new Error(secret)
}
const intact = (protocol: Protocol): Protocol => protocol

function withChat(change: (codec: Codec<'chat'>) => Partial<Codec<'chat'>>): (protocol: Protocol) => Protocol {
  return (protocol) => {
    const codec = protocol.codecs.chat
    if (!codec) throw new Error('The dialect has no chat.')
    return { ...protocol, codecs: { ...protocol.codecs, chat: { ...codec, ...change(codec) } } }
  }
}

/** A decoder that throws in one of its methods, `push` from its n-th event on. */
function withDecoder(method: 'push' | 'end' | 'progress', from = 1): (protocol: Protocol) => Protocol {
  return withChat((codec) => ({
    decodeStream(exchange) {
      const inner = codec.decodeStream?.(exchange)
      if (!inner) return fail()
      let count = 0
      const decoder: StreamDecoder<never> = {
        get progress() {
          return method === 'progress' && count >= from ? fail() : inner.progress
        },
        push(event) {
          count += 1
          if (method === 'push' && count >= from) fail()
          return inner.push(event) as []
        },
        end: () => (method === 'end' ? fail() : (inner.end() as [])),
      }
      return decoder
    },
  }))
}

/** The error that an answer ends with: its body, or the last event of its stream. */
async function errorOf(response: Response): Promise<{ status: number; error: unknown; text: string }> {
  const text = await response.text()
  const last = text.startsWith('data:') ? (text.trimEnd().split('\n\n').at(-1) ?? '').slice('data: '.length) : text
  const { error } = JSON.parse(last) as { error?: unknown }
  return { status: response.status, error, text }
}

const asOpenai = { message: expect.any(String), type: 'server_error', param: null, code: 'internal_error' }

interface Fault {
  readonly model?: string
  readonly stream: boolean
  readonly protocol?: (protocol: Protocol) => Protocol
  readonly authorize?: Provider['authorize']
  readonly auth?: Auth
  /** The upstream is still sending when it happens, and must be left. */
  readonly left?: true
  /** Whether the status has left when it happens. */
  readonly status: number
}

const faults: Readonly<Record<string, Fault>> = {
  'encode throws': { stream: false, protocol: withChat(() => ({ encode: fail })), status: 500 },
  'encode throws, for a stream': { stream: true, protocol: withChat(() => ({ encode: fail })), status: 500 },
  'decode throws': { stream: false, protocol: withChat(() => ({ decode: fail })), status: 500 },
  'decodeStream throws': { stream: true, left: true, protocol: withChat(() => ({ decodeStream: fail })), status: 500 },
  'push throws at once': { stream: true, left: true, protocol: withDecoder('push'), status: 500 },
  'push throws in the middle': { stream: true, left: true, protocol: withDecoder('push', 8), status: 200 },
  'end throws': { stream: true, protocol: withDecoder('end'), status: 200 },
  'progress throws': { stream: true, left: true, protocol: withDecoder('progress', 8), status: 200 },
  'failure throws': {
    model: 'status-503',
    stream: false,
    protocol: (protocol) => ({ ...protocol, failure: fail }),
    status: 500,
  },
  'failure throws, for a stream': {
    model: 'status-503',
    stream: true,
    protocol: (protocol) => ({ ...protocol, failure: fail }),
    status: 500,
  },
  'authorize throws': { stream: false, authorize: fail, status: 500 },
  'authorize rejects': { stream: true, authorize: () => Promise.reject(new Error(secret)), status: 500 },
  'identify throws': { stream: false, auth: { identify: fail }, status: 500 },
  'identify rejects': { stream: true, auth: { identify: () => Promise.reject(new Error(secret)) }, status: 500 },
}

describe.each(Object.entries(faults))('a host whose %s', (_, fault) => {
  it('gets an error in OpenAI’s shape that tells nothing of the inside, and lives on', async () => {
    const lines: unknown[] = []
    const note = (...line: unknown[]): void => void lines.push(line)
    const logger: Logger = { debug: note, info: note, warn: note, error: note }
    const provider = faultyProvider(upstream.url, fault.protocol ?? intact, fault.authorize)
    const model = `faulty/${fault.model ?? (fault.left ? 'words-500+trickle-10ms' : 'words-20+trickle-1ms')}`
    const host = await startHost(provider, {
      models: [{ modelName: 'fast', model }],
      logger,
      ...(fault.auth && { auth: fault.auth }),
    })
    const { status, error, text } = await errorOf(await chat(host, { stream: fault.stream }))
    expect(status).toBe(fault.status)
    expect(error).toEqual(asOpenai)
    expect(text).not.toContain(secret)
    expect(text).not.toContain('[DONE]')
    // The host finds the cause where it looks for it, once.
    expect(lines).toHaveLength(1)
    expect(lines[0]).toEqual([
      expect.objectContaining({ error: expect.objectContaining({ message: secret }) }),
      expect.any(String),
    ])
    await Promise.all(upstream.requests.map((request) => request.closed))
    // A stream takes 5 s upstream, unless it is left.
    expect(upstream.requests.map((request) => request.aborted)).toEqual(
      fault.left ? [true] : upstream.requests.map(() => false),
    )
    await host.close()
  })
})

describe('a host whose hook', () => {
  // No `instanceof Promise`, as those of other libraries.
  const never: unknown = runInNewContext('new Promise(() => {})')

  it.each([
    ['identify hangs', { identify: () => new Promise<null>(() => {}) }],
    ['identify gives a promise of another realm that hangs', { identify: () => never as Promise<null> }],
  ])('%s gets 503 when its time is up', async (_, auth) => {
    const clock = new FakeClock()
    const host = await startHost(faultyProvider(upstream.url, intact), { auth, clock })
    const answer = chat(host)
    await expect.poll(() => clock.pending, { timeout: 5_000 }).toBeGreaterThan(0)
    clock.advance(20_000)
    expect((await answer).status).toBe(503)
    await host.close()
  })

  it.each([
    ['a promise', (): Promise<never> => new Promise(() => {})],
    ['a promise of another realm', () => never as Promise<never>],
  ])('authorize hangs with %s gets 504 when its time is up', async (_, authorize) => {
    const clock = new FakeClock()
    const host = await startHost(faultyProvider(upstream.url, intact, authorize), { clock })
    const answer = chat(host)
    await expect.poll(() => clock.pending, { timeout: 5_000 }).toBeGreaterThan(0)
    clock.advance(20_000)
    expect((await answer).status).toBe(504)
    await host.close()
  })

  it('authorize hangs lets the client leave', async () => {
    const host = await startHost(faultyProvider(upstream.url, intact, () => new Promise(() => {})))
    const client = new AbortController()
    const answer = chat(host, {}, client.signal)
    setTimeout(() => client.abort(), 50)
    await expect(answer).rejects.toThrow()
    await host.close()
  })

  it('authorize rejects after its time is up gets one answer', async () => {
    const clock = new FakeClock()
    let reject: (error: Error) => void = fail
    const authorize = (): Promise<never> => new Promise((_resolve, refuse) => (reject = refuse))
    const host = await startHost(faultyProvider(upstream.url, intact, authorize), { clock })
    const answer = chat(host)
    await expect.poll(() => clock.pending, { timeout: 5_000 }).toBeGreaterThan(0)
    clock.advance(20_000)
    reject(new Error(secret))
    expect((await answer).status).toBe(504)
    await host.close()
  })

  it.each([null, 1, 'x', [], {}].map((value) => [JSON.stringify(value), value]))(
    'identify gives %s in place of a caller gets an error, never a way in',
    async (_, value) => {
      const auth: Auth = { identify: () => value as never }
      const host = await startHost(faultyProvider(upstream.url, intact), { auth })
      expect((await chat(host)).status).toBeGreaterThanOrEqual(400)
      expect(upstream.requests).toHaveLength(0)
      await host.close()
    },
  )
})

describe('a decoder', () => {
  it('that gives chunks without content for ever is left, with 502', async () => {
    const empty = { id: 'c', object: 'chat.completion.chunk' as const, created: 1, model: 'm', choices: [] }
    const many = Array.from({ length: 500 }, () => ({ chunk: empty, forward: undefined }))
    const protocol = withChat(() => ({
      decodeStream: () => ({ progress: 'open', push: () => many, end: () => [] }),
    }))
    const host = await startHost(faultyProvider(upstream.url, protocol), {
      models: [{ modelName: 'fast', model: 'faulty/words-2000+trickle-1ms' }],
    })
    const { status, error } = await errorOf(await chat(host, { stream: true }))
    expect([status, error]).toEqual([502, expect.objectContaining({ code: 'upstream_invalid_response' })])
    await upstream.requests[0]?.closed
    expect(upstream.requests[0]?.aborted).toBe(true)
    await host.close()
  })
})

describe('a logger', () => {
  const loggers: Readonly<Record<string, () => unknown>> = {
    'that throws': fail,
    'that rejects': () => Promise.reject(new Error(secret)),
  }
  it.each(Object.entries(loggers))('%s changes no answer', async (_, log) => {
    const logger = { debug: log, info: log, warn: log, error: log } as Logger
    const cases: readonly (readonly [string, boolean, number, string])[] = [
      ['status-503', false, 503, 'service_unavailable'],
      ['status-400', true, 400, 'invalid_request_error'],
      ['words-20+cut-8+trickle-1ms', true, 200, 'upstream_connection_error'],
    ]
    for (const [model, stream, status, code] of cases) {
      const provider = faultyProvider(upstream.url, intact)
      const host = await startHost(provider, { models: [{ modelName: 'fast', model: `faulty/${model}` }], logger })
      const got = await errorOf(await chat(host, { stream }))
      expect([got.status, JSON.stringify(got.error)]).toEqual([status, expect.stringContaining(code)])
      await host.close()
    }
    const host = await startHost(
      faultyProvider(
        upstream.url,
        withChat(() => ({ encode: fail })),
      ),
      { logger },
    )
    expect((await errorOf(await chat(host))).error).toEqual(asOpenai)
    await host.close()
  })
})

describe('a consumer in the process', () => {
  const request = { model: 'fast', messages: [{ role: 'user' as const, content: 'Hello there' }] }

  it('that throws within a stream stops the upstream', async () => {
    const host = await startHost(faultyProvider(upstream.url, intact), {
      models: [{ modelName: 'fast', model: 'faulty/words-500+trickle-5ms' }],
    })
    const consume = async (): Promise<void> => {
      for await (const _chunk of host.gateway.stream('chat', request, anyCaller)) fail()
    }
    await expect(consume()).rejects.toThrow(secret)
    const first = await upstream.received(1)
    await first.closed
    expect(first.aborted).toBe(true)
    await host.close()
  })

  it('that never begins to read holds nothing', async () => {
    const host = await startHost(faultyProvider(upstream.url, intact))
    host.gateway.stream('chat', request, anyCaller)
    expect(upstream.requests).toHaveLength(0)
    await host.close()
  })

  it('that is handed a stream and leaves before its first piece stops the upstream', async () => {
    const host = await startHost(faultyProvider(upstream.url, intact), {
      models: [{ modelName: 'fast', model: 'faulty/words-500+trickle-5ms' }],
    })
    const response = await host.gateway.handle({
      method: 'POST',
      path: '/v1/chat/completions',
      query: new URLSearchParams(),
      headers: {},
      signal: new AbortController().signal,
      host: undefined,
      json: () => Promise.resolve({ ...request, stream: true }),
    })
    if (!response || !('stream' in response)) throw new Error('no stream')
    await response.stream[Symbol.asyncIterator]().return?.()
    const first = await upstream.received(1)
    await first.closed
    expect(first.aborted).toBe(true)
    await host.close()
  })
})
