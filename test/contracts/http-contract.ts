import { Agent } from 'node:http'
import { brotliCompressSync, createGunzip, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import type { Gateway } from '../../src/gateway.js'
import type { HttpRequest, HttpResponse } from '../../src/http/message.js'
import { FedStream, eventStream, fakeGateway, json, withResolvers } from './fake-gateway.js'
import type { FakeRoute } from './fake-gateway.js'
import { open, readReply, responseOf, send, sendJson, until } from './http-client.js'

/** How a host is to be set up around the gateway. */
export interface HostSettings {
  /** At the root, below `/llm`, or below `/outer/llm` by two nested routers. */
  readonly mount: '/' | '/llm' | '/outer/llm'
  /** The host parses JSON bodies before the gateway sees them. */
  readonly parsesBody: boolean
  /** The host compresses what it answers. */
  readonly compresses: boolean
}

/** A host that listens; `url` is where the gateway's paths start, without a trailing slash. */
export interface HostServer {
  readonly origin: string
  readonly url: string
  close(): Promise<void>
}

/** Starts a host with a gateway; it answers every path that is not the gateway's with 418 and `host: <raw URL>`. */
export type StartServer = (gateway: Gateway, settings: HostSettings) => Promise<HostServer>

/** What a kind of host has. */
export interface HostFeatures {
  readonly mounts: readonly HostSettings['mount'][]
  readonly parsesBody: boolean
  readonly compresses: boolean
  /** The host's own router takes a second slash after a mount path for part of the mount. */
  readonly mountTakesSlash?: boolean
  /** The host itself writes what we answer, so when the connection of a refused upload ends is not ours to say. */
  readonly writesByItself?: boolean
}

const limitBytes = 20 * 1024 * 1024

/** What every way of serving a gateway over HTTP must do, over a real socket. */
export function describeHttpContract(name: string, features: HostFeatures, startServer: StartServer): void {
  const bodyReaders = features.parsesBody ? ([false, true] as const) : ([false] as const)
  let running: HostServer[] = []
  afterEach(async () => {
    await Promise.all(running.map((server) => server.close()))
    running = []
  })
  const start = async (
    routes: Record<string, FakeRoute>,
    settings: Partial<HostSettings> = {},
  ): Promise<HostServer> => {
    const complete: HostSettings = { mount: '/llm', parsesBody: false, compresses: false, ...settings }
    const server = await startServer(fakeGateway(routes), complete)
    running.push(server)
    return server
  }

  describe(`${name}: requests`, () => {
    for (const mount of features.mounts) {
      for (const parsesBody of bodyReaders) {
        it(`gives the gateway a JSON request below ${mount}${parsesBody ? ', parsed by the host' : ''}`, async () => {
          const { url } = await start({ '/v1/echo': echo }, { mount, parsesBody })
          const headers = { 'x-two': 'a, b', authorization: 'Bearer k' }
          const reply = await sendJson(`${url}/v1/echo?api=1&name=%C3%A9`, { text: 'Grüße 🙂' }, { headers })
          expect(reply.status).toBe(200)
          expect(JSON.parse(reply.body)).toEqual({
            method: 'POST',
            path: '/v1/echo',
            query: [
              ['api', '1'],
              ['name', 'é'],
            ],
            authorization: 'Bearer k',
            two: 'a, b',
            body: { text: 'Grüße 🙂' },
          })
          expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(reply.body)))
        })
      }

      it(`leaves every other path below ${mount} to the host`, async () => {
        const { url, origin } = await start({ '/v1/echo': echo }, { mount })
        const others = ['/v1/other', '/v1//echo', '//v1/echo', '/v1/echo/', '/v1/%65cho', '/v1/x/..;/echo', '/V1/echo']
        for (const path of others) {
          if (features.mountTakesSlash && mount !== '/' && path.startsWith('//')) continue
          const reply = await send(url + path, { method: 'GET' })
          expect([path, reply.status, reply.body]).toEqual([path, 418, `host: ${(url + path).slice(origin.length)}`])
        }
      })
    }

    it('serves a path only below its mount, cut at a whole segment', async () => {
      const { origin } = await start({ '/v1/echo': echo, 'x/v1/echo': echo })
      for (const path of ['/llmx/v1/echo', '/v1/echo', '/llm', '/']) {
        expect([path, (await send(origin + path, { method: 'GET' })).status]).toEqual([path, 418])
      }
    })

    it('answers two requests on one connection', async () => {
      const { url } = await start({ '/v1/echo': echo })
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      for (const text of ['first', 'second']) {
        const reply = await sendJson(`${url}/v1/echo`, { text }, { agent })
        expect(JSON.parse(reply.body)).toMatchObject({ body: { text } })
      }
      agent.destroy()
    })

    it('answers a hundred requests at once, each with its own', async () => {
      const { url } = await start({ '/v1/echo': echo })
      const numbers = Array.from({ length: 100 }, (_, index) => index)
      const replies = await Promise.all(numbers.map((number) => sendJson(`${url}/v1/echo`, { number })))
      expect(replies.map((reply) => (JSON.parse(reply.body) as { body: unknown }).body)).toEqual(
        numbers.map((number) => ({ number })),
      )
    })
  })

  describe(`${name}: bodies`, () => {
    const jsonType = { 'content-type': 'application/json' }
    const refusals: Record<string, { body?: string | Uint8Array; headers?: Record<string, string>; status: number }> = {
      'that is not JSON': { body: '{"a": nope}', status: 400 },
      'that is cut': { body: '{"a": [1, 2', status: 400 },
      'that is empty': { body: '', status: 400 },
      'that is not UTF-8': { body: Buffer.from([0x22, 0xff, 0xfe, 0x22]), status: 400 },
      'of a form': { body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' }, status: 415 },
      'of plain text': { body: '{}', headers: { 'content-type': 'text/plain;charset=UTF-8' }, status: 415 },
      // As another site's page can send in the name of whoever is logged in here.
      'without a type from a browser': { body: '{}', headers: { origin: 'https://evil.example' }, status: 415 },
      'in an unknown encoding': { body: '{}', headers: { ...jsonType, 'content-encoding': 'zstd' }, status: 415 },
      'in a broken encoding': { body: '{}', headers: { ...jsonType, 'content-encoding': 'gzip' }, status: 400 },
      'that inflates beyond the limit': {
        body: gzipSync(Buffer.alloc(limitBytes + 1, 0x20)),
        headers: { ...jsonType, 'content-encoding': 'gzip' },
        status: 413,
      },
    }
    for (const [what, { body = '', headers = jsonType, status }] of Object.entries(refusals)) {
      it(`refuses a body ${what} with ${status}`, async () => {
        const { url } = await start({ '/v1/echo': echo })
        const reply = await send(`${url}/v1/echo`, { body, headers })
        expect(reply.status).toBe(status)
        expect(JSON.parse(reply.body)).toMatchObject({ error: { type: 'invalid_request_error' } })
        expect(reply.body).not.toContain('nope')
      })
    }

    const encodings = {
      gzip: gzipSync,
      deflate: deflateSync,
      br: brotliCompressSync,
      identity: (bytes: Uint8Array) => bytes,
    }
    for (const [encoding, encode] of Object.entries(encodings)) {
      it(`reads a body encoded as ${encoding}`, async () => {
        const { url } = await start({ '/v1/echo': echo })
        const headers = { ...jsonType, 'content-encoding': encoding }
        const reply = await send(`${url}/v1/echo`, { body: encode(Buffer.from('{"text":"packed"}')), headers })
        expect(JSON.parse(reply.body)).toMatchObject({ body: { text: 'packed' } })
      })
    }

    it('takes JSON without a content-type and with a parameter', async () => {
      const { url } = await start({ '/v1/echo': echo })
      for (const headers of [{}, { 'content-type': 'application/json; charset=utf-8' }]) {
        const reply = await send(`${url}/v1/echo`, { body: '{"text":"bare"}', headers })
        expect(JSON.parse(reply.body)).toMatchObject({ body: { text: 'bare' } })
      }
    })

    it('takes a body of exactly the limit', async () => {
      const { url } = await start({ '/v1/size': size })
      const body = JSON.stringify('x'.repeat(limitBytes - 2))
      expect((await send(`${url}/v1/size`, { body, headers: jsonType })).body).toBe(String(limitBytes - 2))
    })

    it('takes a body that arrives byte by byte', async () => {
      const { url } = await start({ '/v1/size': size })
      const request = open(`${url}/v1/size`, { headers: jsonType })
      const response = responseOf(request)
      for (const byte of JSON.stringify('y'.repeat(5_000))) request.write(byte)
      request.end()
      expect((await readReply(await response)).body).toBe('5000')
    })

    it('refuses a chunked body one byte above the limit while it is still sent', async () => {
      const { url } = await start({ '/v1/size': size })
      const request = open(`${url}/v1/size`, { headers: jsonType })
      const response = responseOf(request)
      request.write(Buffer.alloc(limitBytes + 1, 0x20))
      const reply = await readReply(await response)
      expect(reply.status).toBe(413)
      expect(JSON.parse(reply.body)).toMatchObject({ error: { code: 'request_too_large' } })
      if (!features.writesByItself) expect(reply.headers.connection).toBe('close')
      request.destroy()
    })

    if (!features.writesByItself) {
      it('lets a client that listens only after sending read the refusal', async () => {
        const { url } = await start({ '/v1/size': size })
        const request = open(`${url}/v1/size`, { headers: jsonType })
        const response = responseOf(request)
        for (let sent = 0; sent < 2 * limitBytes; sent += 1 << 20) {
          await new Promise((resolve) => request.write(Buffer.alloc(1 << 20, 0x20), resolve))
        }
        request.end()
        expect((await readReply(await response)).status).toBe(413)
      })
    }

    it('refuses an announced length above the limit at once, also under Expect: 100-continue', async () => {
      const { url } = await start({ '/v1/size': size })
      for (const expectation of [{}, { expect: '100-continue' }]) {
        const headers = { ...jsonType, 'content-length': String(limitBytes + 1), ...expectation }
        const request = open(`${url}/v1/size`, { headers })
        const response = responseOf(request)
        request.flushHeaders()
        expect((await readReply(await response)).status).toBe(413)
        request.destroy()
      }
    })

    it('ends the call of a client that leaves while it uploads', async () => {
      const failed = withResolvers<unknown>()
      const entered = withResolvers<void>()
      const upload: FakeRoute = async (request) => {
        entered.resolve()
        failed.resolve(await request.json(limitBytes).catch((error: unknown) => error))
        return json(200, {})
      }
      const { url } = await start({ '/v1/upload': upload })
      const request = open(`${url}/v1/upload`, { headers: { ...jsonType, 'content-length': '1000' } })
      request.write('{"half":')
      await entered.promise
      request.destroy()
      const error = await failed.promise
      expect(GatewayError.isInstance(error) && error.kind).toBe('client_closed')
    })

    if (features.parsesBody) {
      it('parses a body that the host was to parse and did not', async () => {
        const { url } = await start({ '/v1/echo': echo }, { parsesBody: true })
        const headers = { 'content-type': 'application/vnd.api+json' }
        const reply = await send(`${url}/v1/echo`, { body: '{"text":"unread"}', headers })
        expect(JSON.parse(reply.body)).toMatchObject({ body: { text: 'unread' } })
      })

      it('takes an empty object that the host parsed', async () => {
        const { url } = await start({ '/v1/echo': echo }, { parsesBody: true })
        expect(JSON.parse((await sendJson(`${url}/v1/echo`, {})).body)).toMatchObject({ body: {} })
      })
    }
  })

  describe(`${name}: whole answers`, () => {
    const answers: Record<string, { answer: HttpResponse; body: string; length: string | undefined }> = {
      text: { answer: { status: 200, headers: {}, body: 'é' }, body: 'é', length: '2' },
      bytes: { answer: { status: 201, headers: {}, body: new Uint8Array([104, 105]) }, body: 'hi', length: '2' },
      'an unusual status': { answer: { status: 529, headers: {}, body: 'busy' }, body: 'busy', length: '4' },
      'what was changed since its length was told': {
        answer: { status: 200, headers: { 'content-length': '99' }, body: 'é' },
        body: 'é',
        length: '2',
      },
      nothing: { answer: { status: 202, headers: {}, body: null }, body: '', length: '0' },
      'no content': { answer: { status: 204, headers: {}, body: null }, body: '', length: undefined },
    }
    for (const [what, { answer, body, length }] of Object.entries(answers)) {
      it(`writes ${what} with its length`, async () => {
        const { url } = await start({ '/v1/whole': () => answer })
        const reply = await send(`${url}/v1/whole`, { method: 'GET' })
        expect([reply.status, reply.body]).toEqual([answer.status, body])
        expect(reply.headers['content-length']).toBe(length)
      })
    }

    it('answers HEAD with the headers alone', async () => {
      const { url } = await start({ '/v1/whole': () => json(200, { a: 1 }, { 'x-request-id': 'r1' }) })
      const reply = await send(`${url}/v1/whole`, { method: 'HEAD' })
      expect(reply).toMatchObject({ status: 200, body: '', headers: { 'x-request-id': 'r1' } })
    })

    it('answers HEAD to a stream without reading it, and stops it', async () => {
      const stream = new FedStream()
      const { url } = await start({ '/v1/stream': () => eventStream(stream) })
      expect(await send(`${url}/v1/stream`, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
      await until(() => stream.returnedAt !== undefined)
      expect(stream.pulls).toBe(0)
    })

    for (const [what, value] of Object.entries({ 'line breaks': 'a\r\nx-evil: 1\r\n\r\nb', 'a null byte': 'a\0b' })) {
      it(`turns a header with ${what} into a 500`, async () => {
        const { url } = await start({
          '/v1/whole': () => json(200, { secret: 1 }, { 'x-model': value, 'x-after': '1' }),
        })
        const reply = await send(`${url}/v1/whole`, { method: 'GET' })
        expect(reply.status).toBe(500)
        expect(JSON.parse(reply.body)).toMatchObject({ error: { type: 'server_error' } })
        expect(reply.headers).not.toHaveProperty('x-evil')
        expect(reply.headers).not.toHaveProperty('x-model')
      })
    }

    it("answers 500 in OpenAI's shape, telling nothing, when the gateway fails", async () => {
      const { url } = await start({ '/v1/broken': () => Promise.reject(new Error('password=1234')) })
      const reply = await send(`${url}/v1/broken`, { method: 'GET' })
      expect(reply.status).toBe(500)
      expect(JSON.parse(reply.body)).toMatchObject({ error: { type: 'server_error', code: 'internal_error' } })
      expect(reply.body).not.toContain('1234')
    })

    if (features.compresses) {
      it('leaves a whole answer to the host to compress', async () => {
        const { url } = await start({ '/v1/whole': () => json(200, { text: 'x'.repeat(5_000) }) }, { compresses: true })
        const response = open(`${url}/v1/whole`, { method: 'GET', headers: { 'accept-encoding': 'gzip' } })
        const incoming = responseOf(response)
        response.end()
        const packed = (await incoming).pipe(createGunzip()).setEncoding('utf8')
        const pieces: string[] = []
        for await (const piece of packed) pieces.push(String(piece))
        expect((await incoming).headers['content-encoding']).toBe('gzip')
        expect(JSON.parse(pieces.join(''))).toEqual({ text: 'x'.repeat(5_000) })
      })
    }
  })

  describe(`${name}: streams`, () => {
    for (const compresses of features.compresses ? [false, true] : [false]) {
      it(`delivers each piece before the next is made${compresses ? ', compressed' : ''}`, async () => {
        const stream = new FedStream()
        const { url } = await start({ '/v1/stream': () => eventStream(stream) }, { compresses })
        const request = open(`${url}/v1/stream`, { headers: compresses ? { 'accept-encoding': 'gzip' } : {} })
        const responding = responseOf(request)
        request.end()
        stream.feed('data: 0\n\n')
        const response = await responding
        expect(response.headers['content-type']).toBe('text/event-stream')
        expect(response.headers['content-encoding']).toBe(compresses ? 'gzip' : undefined)
        const reader = compresses ? response.pipe(createGunzip()) : response
        let received = ''
        reader.on('data', (data: Buffer) => (received += data.toString()))
        for (let number = 1; number <= 3; number += 1) {
          await until(() => received.endsWith(`data: ${number - 1}\n\n`))
          stream.feed(`data: ${number}\n\n`)
        }
        stream.end()
        await new Promise((resolve) => reader.on('end', resolve))
        expect(received).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n')
        expect(stream.returnedAt).toBeUndefined()
      })

      it(`holds the stream back for a slow reader, and goes on with it${compresses ? ', compressed' : ''}`, async () => {
        const counter = { made: 0, returned: false }
        const { url } = await start({ '/v1/stream': () => eventStream(endless(counter)) }, { compresses })
        const request = open(`${url}/v1/stream`, { headers: compresses ? { 'accept-encoding': 'gzip' } : {} })
        const responding = responseOf(request)
        request.end()
        const response = await responding
        response.pause()
        const heldAt = await settled(() => counter.made)
        // What the kernel's socket buffers of a local connection take, and no more.
        expect(heldAt).toBeLessThan(400)
        response.on('data', () => {})
        response.resume()
        await until(() => counter.made > heldAt + 200)
        request.destroy()
        await until(() => counter.returned)
      })
    }

    it('answers 500 when the stream fails before its first piece', async () => {
      const stream = new FedStream()
      const { url } = await start({ '/v1/stream': () => eventStream(stream) })
      stream.fail(new Error('password=1234'))
      const reply = await send(`${url}/v1/stream`)
      expect(reply.status).toBe(500)
      expect(reply.body).not.toContain('1234')
    })

    it('cuts the connection when the stream fails later, so that no client takes it for whole', async () => {
      const stream = new FedStream()
      const { url } = await start({ '/v1/stream': () => eventStream(stream) })
      const request = open(`${url}/v1/stream`)
      const responding = responseOf(request)
      request.end()
      stream.feed('data: 0\n\n')
      const response = await responding
      stream.fail(new Error('upstream broke'))
      await expect(readReply(response)).rejects.toThrow('aborted')
    })

    it('writes an empty stream', async () => {
      const stream = new FedStream()
      stream.end()
      const { url } = await start({ '/v1/stream': () => eventStream(stream) })
      expect(await send(`${url}/v1/stream`)).toMatchObject({ status: 200, body: '' })
    })
  })

  describe(`${name}: clients that leave`, () => {
    it('stops a call that has not answered yet', async () => {
      const left = watchSignal()
      const never: FakeRoute = async (request) => {
        left.watch(request)
        await left.aborted
        return json(499, {})
      }
      const { url } = await start({ '/v1/slow': never })
      const request = open(`${url}/v1/slow`)
      request.end('{}')
      await left.entered
      const leftAt = performance.now()
      request.destroy()
      expect((await left.aborted) - leftAt).toBeLessThan(100)
    })

    it('stops a call that has read its body', async () => {
      const left = watchSignal()
      const never: FakeRoute = async (request) => {
        await request.json(limitBytes)
        left.watch(request)
        await left.aborted
        return json(499, {})
      }
      const { url } = await start({ '/v1/slow': never }, { parsesBody: features.parsesBody })
      const request = open(`${url}/v1/slow`, { headers: { 'content-type': 'application/json' } })
      request.end('{"a":1}')
      await left.entered
      const leftAt = performance.now()
      request.destroy()
      expect((await left.aborted) - leftAt).toBeLessThan(100)
    })

    it('lets a stream go that is answered after the client left', async () => {
      const left = watchSignal()
      const stream = new FedStream()
      const late: FakeRoute = async (request) => {
        left.watch(request)
        await left.aborted
        return eventStream(stream)
      }
      const { url } = await start({ '/v1/late': late })
      const request = open(`${url}/v1/late`)
      request.end()
      await left.entered
      request.destroy()
      await until(() => stream.returnedAt !== undefined)
    })

    const phases = { 'between two pieces': 1, 'while waiting for the first piece': 0 }
    for (const [phase, pieces] of Object.entries(phases)) {
      it(`stops a stream ${phase}`, async () => {
        const left = watchSignal()
        const stream = new FedStream()
        const route: FakeRoute = (request) => {
          left.watch(request)
          return eventStream(stream)
        }
        const { url } = await start({ '/v1/stream': route })
        const request = open(`${url}/v1/stream`)
        const responding = responseOf(request)
        // Nobody waits for it where no piece is sent.
        responding.catch(() => {})
        request.end()
        for (let piece = 0; piece < pieces; piece += 1) stream.feed('data: 0\n\n')
        if (pieces > 0) await responding
        await until(() => stream.pulls === pieces + 1)
        const leftAt = performance.now()
        request.destroy()
        expect((await left.aborted) - leftAt).toBeLessThan(100)
        await until(() => stream.returnedAt !== undefined)
        expect((stream.returnedAt ?? Infinity) - leftAt).toBeLessThan(100)
      })
    }

    it('stops a stream that waits for its reader', async () => {
      const left = watchSignal()
      const counter = { made: 0, returned: false }
      const route: FakeRoute = (request) => {
        left.watch(request)
        return eventStream(endless(counter))
      }
      const { url } = await start({ '/v1/stream': route })
      const request = open(`${url}/v1/stream`)
      const responding = responseOf(request)
      request.end()
      ;(await responding).pause()
      await settled(() => counter.made)
      const leftAt = performance.now()
      request.destroy()
      expect((await left.aborted) - leftAt).toBeLessThan(100)
      await until(() => counter.returned, 100)
    })

    it('leaves the signal alone after a whole answer and after a whole stream', async () => {
      const signals: AbortSignal[] = []
      const stream = new FedStream()
      stream.feed('data: 0\n\n')
      stream.end()
      const { url } = await start({
        '/v1/whole': (request) => {
          signals.push(request.signal)
          return json(200, {})
        },
        '/v1/stream': (request) => {
          signals.push(request.signal)
          return eventStream(stream)
        },
      })
      await send(`${url}/v1/whole`)
      await send(`${url}/v1/stream`)
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(signals.map((signal) => signal.aborted)).toEqual([false, false])
    })
  })
}

const echo: FakeRoute = async (request) =>
  json(200, {
    method: request.method,
    path: request.path,
    query: [...request.query],
    authorization: request.headers.authorization,
    two: request.headers['x-two'],
    body: await request.json(limitBytes),
  })

const size: FakeRoute = async (request) => {
  const body = await request.json(limitBytes)
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: String(String(body).length) }
}

interface SignalWatch {
  watch(request: HttpRequest): void
  readonly entered: Promise<void>
  /** Resolves to the moment of the abort. */
  readonly aborted: Promise<number>
}

function watchSignal(): SignalWatch {
  const entered = withResolvers<void>()
  const aborted = withResolvers<number>()
  return {
    watch(request) {
      request.signal.addEventListener('abort', () => aborted.resolve(performance.now()))
      entered.resolve()
    },
    entered: entered.promise,
    aborted: aborted.promise,
  }
}

// Random bytes, so that compression does not make them small.
const noise = crypto.getRandomValues(new Uint8Array(65_536))

async function* endless(counter: { made: number; returned: boolean }): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      counter.made += 1
      yield noise
    }
  } finally {
    counter.returned = true
  }
}

/** The value of a counter once it has stood still for a while. */
async function settled(read: () => number): Promise<number> {
  for (let last = -1; ;) {
    await new Promise((resolve) => setTimeout(resolve, 60))
    const now = read()
    if (now === last && now > 0) return now
    last = now
  }
}
