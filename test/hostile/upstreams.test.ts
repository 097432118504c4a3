import { type Server, type Socket, createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, createGateway } from '../../src/index.js'
import { type FakeUpstream, fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import { requestOf } from '../support/http-request.js'
import { expectNothingUnhandled } from '../faults/faulty-host.js'

const key = 'zz9-planted-provider-key'
const sockets = new Set<Socket>()
const gateways: Gateway[] = []
let server: Server
let port: number
let upstream: FakeUpstream
/** What the raw server does with a socket once a request's head has arrived. */
let behave: (socket: Socket) => void = (socket) => socket.destroy()

expectNothingUnhandled()

beforeAll(async () => {
  upstream = await startFakeUpstream()
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', () => behave(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  port = typeof address === 'object' && address ? address.port : 0
})

afterEach(async () => {
  // Also shows that no call is left running.
  const closing = Promise.all(gateways.splice(0).map((gateway) => gateway.close({ drainMs: 10_000 })))
  const startedAt = performance.now()
  await closing
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  for (const socket of sockets) socket.destroy()
})

afterAll(async () => {
  await upstream.close()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

interface Told {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
}

/** Asks a gateway before the raw server, or before a model of the fake one. */
async function ask(stream: boolean, model = '', timeouts = {}): Promise<Told> {
  const baseUrl = model === '' ? `http://127.0.0.1:${port}/v1` : `${upstream.url}/v1`
  const gateway = createGateway({
    models: [{ modelName: 'fast', model: `fake/${model || 'demo'}`, baseUrl, apiKey: key }],
    providers: [fakeProvider(upstream.url)],
    auth: 'none',
    retries: 0,
    env: {},
    timeouts,
  })
  gateways.push(gateway)
  const body = { model: 'fast', messages: [{ role: 'user', content: 'Hi' }], stream }
  const response = await gateway.handle(requestOf('POST', '/v1/chat/completions', body))
  if (!response) throw new Error('not served')
  const { status, headers } = response
  if (!('stream' in response)) return { status, headers, text: Buffer.from(response.body ?? '').toString() }
  let text = ''
  for await (const piece of response.stream) text += Buffer.from(piece).toString()
  return { status, headers, text }
}

function expectError(told: Told, status: number): void {
  expect([told.status, told.text]).toEqual([status, expect.stringMatching(/^\{"error":\{"message":"/)])
  expect(told.text + JSON.stringify(told.headers)).not.toMatch(/zz9|127\.0\.0\.1|<html|\bat .*\.ts:/)
}

const head = (status: string, ...lines: string[]): string => `HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\n\r\n`
const json = 'content-type: application/json'
const sse = 'content-type: text/event-stream'
const answer = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
})
const length = `content-length: ${Buffer.byteLength(answer)}`

const both = [false, true]

describe('an upstream that', () => {
  const broken: Readonly<Record<string, string>> = {
    'closes at once': '',
    'speaks another protocol': 'SSH-2.0-OpenSSH_9.6\r\n',
    'sends half a head': 'HTTP/1.1 200 OK\r\ncontent-ty',
    'has a head of 100 KB': head('200 OK', json, `x: ${'y'.repeat(100_000)}`) + answer,
    'has 10,000 headers':
      head('200 OK', json, ...Array.from({ length: 10_000 }, (_, index) => `x${index}: y`)) + answer,
    'switches protocols': head('101 Switching Protocols', 'upgrade: websocket', 'connection: upgrade'),
    'sends less than it said': head('200 OK', json, 'content-length: 100000') + answer,
    'sends two lengths': head('200 OK', json, length, 'content-length: 5') + answer,
    'sends broken pieces': `${head('200 OK', json, 'transfer-encoding: chunked')}zz\r\n${answer}`,
    'answers nothing with 200': head('200 OK', json, 'content-length: 0'),
    'answers 204': head('204 No Content'),
    'answers 304': head('304 Not Modified'),
    'answers text with 200': head('200 OK', 'content-type: text/plain', 'content-length: 5') + 'hello',
    'answers HTML with 200': head('200 OK', 'content-type: text/html', 'content-length: 13') + '<html></html>',
    'answers HTML with 502':
      head('502 Bad Gateway', 'content-type: text/html', 'content-length: 45') +
      '<html><body><h1>nginx at zz9</h1></body></html>'.slice(0, 45),
    'answers half of its JSON': head('200 OK', json, 'content-length: 20') + answer.slice(0, 20),
    'answers a number': head('200 OK', json, 'content-length: 1') + '1',
    'answers null': head('200 OK', json, 'content-length: 4') + 'null',
    'answers an empty object': head('200 OK', json, 'content-length: 2') + '{}',
    'answers no choices': head('200 OK', json, 'content-length: 14') + '{"choices":[]}',
    'sends broken gzip': head('200 OK', json, 'content-encoding: gzip', length) + answer,
    'sends an unknown encoding': head('200 OK', json, 'content-encoding: zz9', length) + answer,
    'sends an encoding of an object': head('200 OK', json, 'content-encoding: constructor', length) + answer,
    'has a status of 999': head('999 Odd', json, length) + answer,
  }
  describe.each(Object.entries(broken))('%s', (_, text) => {
    it.each(both)('is a 502, stream %s', async (stream) => {
      behave = (socket) => socket.end(text)
      expectError(await ask(stream), 502)
    })
  })

  const brokenStreams: Readonly<Record<string, string>> = {
    'sends only comments': ': hi\n\n: hi\n\n',
    'sends only [DONE]': 'data: [DONE]\n\n',
    'sends events that are no JSON': 'data: hello\n\ndata: world\n\n',
    'sends other JSON': 'data: 1\n\ndata: null\n\ndata: []\n\ndata: {}\n\n',
    'sends prototypes': 'data: {"__proto__":{"choices":[]},"choices":{"__proto__":[]}}\n\n',
  }
  it.each(Object.entries(brokenStreams))('%s and ends is a 502', async (_, text) => {
    behave = (socket) => socket.end(head('200 OK', sse) + text)
    expectError(await ask(true), 502)
  })

  it('nests an event of a stream too deeply to be written ends it with an error, and the connection', async () => {
    const event = (delta: string): string =>
      `data: {"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":${delta},"finish_reason":null}]}\n\n`
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    let closed = false
    behave = (socket) => {
      socket.on('close', () => (closed = true))
      socket.write(head('200 OK', sse) + event('{"role":"assistant","content":"Hello"}') + event(`{"x":${deep}}`))
    }
    const { status, text } = await ask(true)
    expect([status, text]).toEqual([200, expect.stringMatching(/Hello[^]*\ndata: \{"error":.*\n\n$/)])
    await expect.poll(() => closed).toBe(true)
  })

  it.each(both)('is slow with its head is a 504, stream %s', async (stream) => {
    const timer: NodeJS.Timeout[] = []
    behave = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      timer.push(setInterval(() => socket.write('x: y\r\n'), 20))
    }
    expectError(await ask(stream, '', { headers: 300 }), 504)
    timer.forEach(clearInterval)
  })

  it('sends comments for ever is a 504', async () => {
    const timer: NodeJS.Timeout[] = []
    behave = (socket) => {
      socket.write(head('200 OK', sse))
      timer.push(setInterval(() => socket.write(': hi\n\n'), 20))
    }
    expectError(await ask(true, '', { firstToken: 300 }), 504)
    timer.forEach(clearInterval)
  })

  it.each(both)('sends more than it said has the rest ignored, stream %s', async (stream) => {
    behave = (socket) => socket.end(`${head('200 OK', json, length) + answer}{"error":"more"}HTTP/1.1 500 x\r\n\r\n`)
    const told = await ask(stream)
    expect(told.status).toBe(200)
    expect(told.text).toContain('Hello')
    expect(told.text).not.toContain('more')
  })

  it('sends early hints and trailers is understood, and none of its headers reach the client', async () => {
    const chunked = ['transfer-encoding: chunked', 'trailer: x-zz9', 'set-cookie: zz9=1', 'server: zz9', 'x-zz9: 1']
    const pieces = `${Buffer.byteLength(answer).toString(16)}\r\n${answer}\r\n0\r\nx-zz9: 2\r\n\r\n`
    behave = (socket) => socket.end(head('103 Early Hints', 'link: zz9') + head('200 OK', json, ...chunked) + pieces)
    const told = await ask(false)
    expect([told.status, JSON.parse(told.text)]).toMatchObject([200, JSON.parse(answer)])
    expect(JSON.stringify(told.headers)).not.toContain('zz9')
  })
})

/** Runs a step and gives by how many bytes the process's memory grew at most meanwhile. */
async function peakOf(step: () => Promise<void>): Promise<number> {
  const { rss } = process.memoryUsage()
  let peak = rss
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10)
  await step()
  clearInterval(timer)
  return Math.max(peak, process.memoryUsage.rss()) - rss
}

const megabyte = 1024 * 1024

describe('an upstream that sends too much', () => {
  // A gigabyte of zeros or of empty lines in a hundred kilobytes: gzip members may follow each other.
  const bomb = (character: string): Buffer => {
    const member = gzipSync(Buffer.alloc(8 * megabyte, character))
    return Buffer.concat(Array.from({ length: 128 }, () => member))
  }
  const options = { timeout: 60_000 }

  it('in one line of a stream that never ends is a 502', options, async () => {
    expect(
      await peakOf(async () => {
        expectError(await ask(true, 'endless-line'), 502)
      }),
    ).toBeLessThan(300 * megabyte)
  })

  it('as a bomb of gzip in a stream is a 502', options, async () => {
    const bytes = bomb('x')
    behave = (socket) => socket.end(Buffer.concat([Buffer.from(head('200 OK', sse, 'content-encoding: gzip')), bytes]))
    expect(
      await peakOf(async () => {
        expectError(await ask(true), 502)
      }),
    ).toBeLessThan(300 * megabyte)
  })

  it('as a bomb of gzip in place of an answer, or of a refusal, is a 502', options, async () => {
    const bytes = bomb(' ')
    for (const status of ['200 OK', '500 Oops']) {
      behave = (socket) => socket.end(Buffer.concat([Buffer.from(head(status, json, 'content-encoding: gzip')), bytes]))
      expect(
        await peakOf(async () => {
          expectError(await ask(false), 502)
        }),
      ).toBeLessThan(900 * megabyte)
    }
  })

  it('as an answer of 100 MB that is none is a 502', options, async () => {
    expectError(await ask(false, 'huge-line-100mb'), 502)
  })

  it('as events without content that never end is a 504 when the time for content is up', options, async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 0, total_tokens: 1 }
    const frames = `data: ${JSON.stringify({ id: 'c', created: 1, model: 'm', choices: [], usage })}\n\n`.repeat(500)
    behave = (socket) => {
      socket.write(head('200 OK', sse))
      const send = (): void => {
        while (!socket.destroyed) if (!socket.write(frames)) return void socket.once('drain', send)
      }
      send()
    }
    expect(
      await peakOf(async () => {
        expectError(await ask(true, '', { firstToken: 1_000 }), 504)
      }),
    ).toBeLessThan(200 * megabyte)
  })
})
