import { createServer } from 'node:http'
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type NodeRequest, nodeGateway } from '../../adapters/node.js'
import type { Gateway } from '../../src/index.js'
import type { FakeUpstream } from '../../src/testing/index.js'
import { clientKey, dialects, gatewayOf, modelsAt } from '../clients/served-gateway.js'
import { closeServer, listen } from '../support/http-server.js'
import { expectNothingUnhandled } from '../faults/faulty-host.js'
import { startAgreeableUpstream } from './agreeable-upstream.js'

let upstream: FakeUpstream
let gateway: Gateway<NodeRequest>
let origin: string
let port: number

expectNothingUnhandled()

beforeAll(async () => {
  upstream = await startAgreeableUpstream()
  gateway = gatewayOf(modelsAt(upstream.url))
  const serve = nodeGateway(gateway)
  // What is not the gateway's is the host's, whose answer is 418.
  server.on('request', (request, response) => serve(request, response, () => response.writeHead(418).end()))
  origin = await listen(server)
  port = Number(new URL(origin).port)
})

const server = createServer()

afterAll(async () => {
  // Nothing of all this may have left the process unwell.
  expect(await statusOf(raw('POST', '/v1/chat/completions', chat()))).toBe(200)
  expect(Object.keys(Object.prototype)).toEqual([])
  await gateway.close({ drainMs: 5_000 })
  await closeServer(server)
  await upstream.close()
})

const chat = (own: object = {}): string =>
  JSON.stringify({ model: 'openai/demo', messages: [{ role: 'user', content: 'Hi' }], ...own })

/** A chat request with a JSON text in place of a member. */
const chatWith = (name: string, text: string, model = 'openai/demo'): string =>
  `{"model":"${model}","messages":[{"role":"user","content":"Hi"}],"${name}":${text}}`

/** A request as bytes; header lines replace the standard ones. */
function raw(method: string, target: string, body: string | Buffer = '', lines?: readonly string[]): Buffer {
  const bytes = Buffer.from(body)
  const standard = [
    `authorization: Bearer ${clientKey}`,
    'content-type: application/json',
    `content-length: ${bytes.length}`,
  ]
  const head = [`${method} ${target} HTTP/1.1`, 'host: x', 'connection: close', ...(lines ?? standard)]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes])
}

/** What came back for bytes on a socket of their own. */
function exchange(bytes: Buffer | Iterable<Buffer>): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (data) => (text += data.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    if (Buffer.isBuffer(bytes)) return void socket.write(bytes)
    const pieces = bytes[Symbol.iterator]()
    const send = (): void => {
      for (let piece = pieces.next(); !piece.done; piece = pieces.next()) {
        if (socket.destroyed) return
        if (!socket.write(piece.value)) return void socket.once('drain', send)
      }
    }
    send()
  })
}

/** The status of the first answer; 0 where the connection was just closed. */
async function statusOf(bytes: Buffer | Iterable<Buffer>): Promise<number> {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await exchange(bytes))?.[1] ?? 0)
}

const nested = (levels: number, open = '[', close = ']', core = ''): string =>
  `${open.repeat(levels)}${core}${close.repeat(levels)}`

describe('a body', () => {
  const text = (content: string): string => `{"role":"user","content":${content}}`
  const places: Readonly<Record<string, (deep: string, model: string) => string>> = {
    'in an unknown member': (deep, model) => chatWith('x', deep, model),
    'in metadata': (deep, model) => chatWith('metadata', `{"a":${deep}}`, model),
    'in the schema of a tool': (deep, model) =>
      chatWith('tools', `[{"type":"function","function":{"name":"f","parameters":{"properties":${deep}}}}]`, model),
    'in the schema of the answer': (deep, model) =>
      chatWith('response_format', `{"type":"json_schema","json_schema":{"name":"a","schema":{"x":${deep}}}}`, model),
    'in a message': (deep, model) =>
      `{"model":"${model}","messages":[${text(`[{"type":"text","text":"x","y":${deep}}]`)}]}`,
    'in place of content': (deep, model) => `{"model":"${model}","messages":[${text(deep)}]}`,
  }
  describe.each(dialects)('before %s', (dialect) => {
    it.each(Object.entries(places))('nested 10,000 and 100,000 levels deep %s is no 5xx', async (_, place) => {
      for (const levels of [10_000, 100_000]) {
        for (const deep of [nested(levels), nested(levels, '{"a":', '}', '1')]) {
          const status = await statusOf(raw('POST', '/v1/chat/completions', place(deep, `${dialect}/demo`)))
          expect([200, 400]).toContain(status)
        }
      }
    })

    it('with 100,000 messages, parts or tools is no 5xx', async () => {
      const message = { role: 'user', content: 'Hi' }
      const part = { type: 'text', text: 'Hi' }
      const tools = Array.from({ length: 20_000 }, (_, index) => ({
        type: 'function',
        function: { name: `f${index}` },
      }))
      const many = [
        { messages: Array.from({ length: 100_000 }, () => message) },
        { messages: [{ role: 'user', content: Array.from({ length: 100_000 }, () => part) }] },
        { tools },
      ]
      for (const own of many) {
        const status = await statusOf(raw('POST', '/v1/chat/completions', chat({ model: `${dialect}/demo`, ...own })))
        expect([200, 400]).toContain(status)
      }
    })

    it('with half characters, zeros and line breaks in its texts is passed on or refused', async () => {
      for (const odd of ['\ud800', '\udc00x', '\u0000', 'a\r\nx: y', '\u2028', '\ufffe']) {
        const bodies = [
          { model: `${dialect}/${odd}` },
          { messages: [{ role: 'user', content: odd }] },
          { metadata: { [odd]: odd }, user: odd, stop: odd },
          { [odd]: odd, drop_params: true },
        ]
        for (const own of bodies) {
          const answer = await exchange(raw('POST', '/v1/chat/completions', chat({ model: `${dialect}/demo`, ...own })))
          expect(answer).toMatch(/^HTTP\/1\.1 (?:200|400|404) /)
          // A line break of the client's never starts a header of ours.
          expect(answer.split('\r\n\r\n')[0]).not.toMatch(/^x: y/m)
        }
      }
    })
  })

  it.each([
    ['empty', ''],
    ['blank', '   '],
    ['null', 'null'],
    ['a list', '[]'],
    ['a string', '"x"'],
    ['a number', '1e999'],
    ['cut', chat().slice(0, -5)],
    ['not JSON', '{model: x}'],
    ['JSON with a comment', `/* x */${chat()}`],
    ['NaN', chatWith('temperature', 'NaN')],
    ['Infinity', chatWith('temperature', '-Infinity')],
    ['too large a number', chatWith('temperature', '1e999')],
    ['two values', `${chat()}{}`],
    ['UTF-16', Buffer.from(chat(), 'utf16le')],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xff, 0xfe, 0xc0, 0x80]), Buffer.from('"}')]),
    ],
    ['a raw zero', Buffer.from(chat().replace('Hi', 'H\u0000i'))],
  ])('that is %s is a 400 that tells so', async (_, body) => {
    const answer = await exchange(raw('POST', '/v1/chat/completions', body))
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('"type":"invalid_request_error"')
  })

  it('with a name twice counts once, the same for us and for the provider', async () => {
    const body = '{"model":"unknown","model":"openai/demo","messages":[{"role":"user","content":"Hi"}],"n":1,"n":2}'
    expect(await statusOf(raw('POST', '/v1/chat/completions', body))).toBe(200)
    expect(upstream.requests.at(-1)?.body).toMatchObject({ model: 'demo', n: 2 })
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'x',
  ])('sent as %s is a 415', async (type) => {
    const lines = [`authorization: Bearer ${clientKey}`, `content-type: ${type}`, `content-length: ${chat().length}`]
    expect(await statusOf(raw('POST', '/v1/chat/completions', chat(), lines))).toBe(415)
  })

  it('of 100 MB in pieces is a 413, and takes no memory', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const measure = (): number => {
      collect()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const piece = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1024 * 1024, 0x20), Buffer.from('\r\n')])
    const lines = [`authorization: Bearer ${clientKey}`, 'content-type: application/json', 'transfer-encoding: chunked']
    function* upload(): Generator<Buffer> {
      yield raw('POST', '/v1/chat/completions', '', lines)
      for (let sent = 0; sent < 100; sent += 1) yield piece
      yield Buffer.from('0\r\n\r\n')
    }
    const before = measure()
    expect(await statusOf(upload())).toBe(413)
    expect(measure() - before).toBeLessThan(24 * 1024 * 1024)
    // Bodies that are read and refused leave nothing either.
    for (let round = 0; round < 10; round += 1) {
      expect(await statusOf(raw('POST', '/v1/chat/completions', chatWith('n', `"${'x'.repeat(5_000_000)}"`)))).toBe(400)
    }
    expect(measure() - before).toBeLessThan(24 * 1024 * 1024)
  })

  it('declared as 1 TB is refused unread', async () => {
    const lines = [
      `authorization: Bearer ${clientKey}`,
      'content-type: application/json',
      'content-length: 1099511627776',
    ]
    const status = new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.write(raw('POST', '/v1/chat/completions', '', lines))
      socket.once('data', (data) => {
        resolve(data.toString('latin1'))
        socket.destroy()
      })
    })
    expect(await status).toMatch(/^HTTP\/1\.1 413 /)
  })
})

describe('a request line', () => {
  it.each([
    '//v1//chat/completions',
    '/v1//chat/completions',
    '/v1/chat/completions/',
    '/v1/chat%2fcompletions',
    '/v1%2Fchat%2Fcompletions',
    '/v1/..;/v1/chat/completions',
    '/v1/../v1/chat/completions',
    '/v1/%2e%2e/v1/chat/completions',
    '/v1/chat/completions;x=y',
    '/v1/./chat/completions',
    '/V1/chat/completions',
    '/v1/chat/completions%00',
    '/v1/chat/completions%0d%0ax:y',
    '/v1/chat/completions%',
    '/v1/models/%',
    '/v1/models/%ff',
    '/openai/deployments/%/chat/completions',
    '/openai/deployments//chat/completions',
    '/__proto__',
    '/v1/__proto__/completions',
    '/constructor',
    '/?',
    '/',
    '?',
  ])('for %s is the host’s', async (target) => {
    expect([418, 400]).toContain(await statusOf(raw('POST', target, chat())))
    expect([418, 400]).toContain(await statusOf(raw('GET', target)))
  })

  it.each([
    ['POST', '/v1/chat/completions?api-version=1&x[__proto__]=y', 200],
    ['POST', 'http://elsewhere.example/v1/chat/completions', 200],
    ['GET', '/v1/models/..%2f..%2fetc%2fpasswd', 404],
    ['GET', '/v1/models/__proto__', 404],
    ['GET', '/v1/models/%00', 404],
    ['GET', '/v1/models/openai/%ED%A0%80', 418],
    ['PUT', '/v1/chat/completions', 405],
    ['TRACE', '/v1/chat/completions', 405],
    ['DELETE', '/v1/models', 405],
  ])('%s %s is %i', async (method, target, status) => {
    expect(await statusOf(raw(method, target, method === 'POST' ? chat() : ''))).toBe(status)
  })
})

describe('a head', () => {
  const post = (...lines: string[]): Buffer =>
    raw('POST', '/v1/chat/completions', chat(), ['content-type: application/json', ...lines])
  const length = `content-length: ${chat().length}`
  const good = `authorization: Bearer ${clientKey}`

  it.each([
    ['two lengths', [good, length, 'content-length: 5']],
    ['a length and pieces', [good, length, 'transfer-encoding: chunked']],
    ['a doubled encoding', [good, 'transfer-encoding: chunked, identity']],
    ['a space before the colon', [good, 'transfer-encoding : chunked']],
    ['a negative length', [good, 'content-length: -1']],
    ['a length with a sign', [good, `content-length: +${chat().length}`]],
    ['a hexadecimal length', [good, 'content-length: 0x10']],
    ['a folded line', [good, length, 'x: y\r\n z']],
    ['a zero', [good, length, 'x: a\u0000b']],
    ['a bare carriage return', [good, length, 'x: a\rb']],
    ['20,000 headers', [good, length, ...Array.from({ length: 20_000 }, (_, index) => `x${index}: y`)]],
    ['a header of 1 MB', [good, length, `x: ${'y'.repeat(1_000_000)}`]],
  ])('with %s is refused, and nothing of it is sent on', async (_, lines) => {
    const before = upstream.requests.length
    const status = await statusOf(post(...lines))
    // Node refuses most of them itself; what it lets through must be a refusal of ours.
    expect(status === 0 || (status >= 400 && status < 500)).toBe(true)
    expect(upstream.requests.length).toBe(before)
  })

  it.each([
    ['none', [length], 401],
    ['an empty one', [length, 'authorization:'], 401],
    ['another scheme', [length, `authorization: Basic ${clientKey}`], 401],
    ['a bad and a good one', [length, 'authorization: Bearer bad', good], 401],
    ['both in one line', [length, `authorization: Bearer bad, Bearer ${clientKey}`], 401],
    ['characters beyond ASCII', [length, 'authorization: Bearer \u00fc\u00ff'], 401],
    ['a very long one', [length, `authorization: Bearer ${'x'.repeat(8_000)}`], 401],
  ])('with %s as its credential is %3$i', async (_, lines, status) => {
    expect(await statusOf(post(...lines))).toBe(status)
  })

  it('that hides a second request behind the first’s length gets that one looked at for itself', async () => {
    const hidden = raw('POST', '/v1/chat/completions', chat(), ['content-type: application/json', length])
    const first = Buffer.from(post(good, length).toString('latin1').replace('connection: close', 'x: y'), 'latin1')
    const answer = await exchange(Buffer.concat([first, hidden]))
    expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(['200', '401'])
  })

  it.each(['x\u0000y', 'a'.repeat(500), '../../x', '<script>'])(
    'cannot choose %j as the id of its request',
    async (id) => {
      const answer = await exchange(post(good, length, `x-request-id: ${id}`))
      expect(answer).not.toContain(id)
    },
  )
})
