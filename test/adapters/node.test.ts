import express from 'express'
import Koa from 'koa'
import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { nodeGateway, wrapServer } from '../../adapters/node.js'
import { eventStream, fakeGateway, FedStream, json } from '../contracts/fake-gateway.js'
import type { GatewayError } from '../../src/errors.js'
import type { FakeRoute } from '../contracts/fake-gateway.js'
import { send, until } from '../contracts/http-client.js'
import { describeHttpContract } from '../contracts/http-contract.js'
import type { HostServer } from '../contracts/http-contract.js'
import { answerAsHost, listen } from './hosts.js'

const features = { mounts: ['/', '/llm', '/outer/llm'], parsesBody: false, compresses: false } as const

describeHttpContract('nodeGateway', features, (gateway, { mount }) => {
  const handler = nodeGateway(gateway, { path: mount })
  return listen((request, response) => handler(request, response, () => answerAsHost(request, response)), mount)
})

describeHttpContract('wrapServer over Express', features, (gateway, { mount }) => {
  const app = express()
  app.use(answerAsHost)
  return listen(wrapServer(gateway, app, { path: mount }), mount)
})

describeHttpContract('wrapServer over Koa', features, (gateway, { mount }) => {
  const app = new Koa()
  app.use((context) => {
    context.status = 418
    context.body = `host: ${context.originalUrl}`
  })
  return listen(wrapServer(gateway, app.callback(), { path: mount }), mount)
})

describe('nodeGateway', () => {
  let server: HostServer | undefined
  afterEach(() => server?.close())
  const start = async (routes: Record<string, FakeRoute>): Promise<HostServer> => {
    server = await listen(createServer(nodeGateway(fakeGateway(routes))), '/')
    return server
  }
  /** Writes raw bytes to a connection and gives what comes back. */
  const talk = (
    origin: string,
    bytes: string,
  ): { received: () => string; say: (more: string) => void; leave: () => void } => {
    let received = ''
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.on('data', (data) => (received += data.toString()))
    socket.write(bytes)
    return { received: () => received, say: (more) => socket.write(more), leave: () => socket.destroy() }
  }

  it("answers 404 in OpenAI's shape where no host is behind it", async () => {
    const { url } = await start({})
    const reply = await send(`${url}/v1/none?key=secret`)
    expect(reply.status).toBe(404)
    expect(JSON.parse(reply.body)).toEqual({
      error: {
        message: 'Nothing is served at POST /v1/none.',
        type: 'invalid_request_error',
        param: null,
        code: 'not_found',
      },
    })
  })

  it('takes the absolute form of a request target', async () => {
    const { origin } = await start({ '/v1/x': (request) => json(200, request.query.get('a')) })
    const { received, leave } = talk(origin, 'GET http://any.example/v1/x?a=1 HTTP/1.1\r\nhost: any.example\r\n\r\n')
    await until(() => received().includes('\r\n\r\n"1"'))
    leave()
  })

  it('has no bytes for who asks after the JSON was read, as by an identify that needs it', async () => {
    const { url } = await start({
      '/v1/x': async (request) => {
        const asked = await request.json(1_000)
        const bytes = await request.bytes?.(1_000)
        return json(200, { asked, bytes: bytes?.byteLength ?? 'none', again: await request.json(1_000) })
      },
    })
    const headers = { 'content-type': 'application/json' }
    const { body } = await send(`${url}/v1/x`, { headers, body: '{"a":1}' })
    expect(JSON.parse(body)).toEqual({ asked: { a: 1 }, bytes: 'none', again: { a: 1 } })
  })

  describe('the bytes of a request', () => {
    const head = (rest: string): string =>
      `POST /v1/x HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${rest}\r\n\r\n`
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    /** How they were given, a turn after the head came where that is worth it. */
    const asked = async (request: Parameters<FakeRoute>[0]): Promise<ReturnType<typeof json>> => {
      if (request.isArriving === true) await turn()
      const given = request.bytes?.(12)
      const bytes = await given
      return json(200, [given instanceof Promise ? 'later' : 'at once', Buffer.from(bytes ?? []).toString('latin1')])
    }

    it.each([
      ['a length', head('content-length: 7'), '{"a":1}'],
      ['chunks', head('transfer-encoding: chunked'), '3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n'],
    ])('are given at once where all came along with the head, with %s', async (_, start_, body) => {
      const { origin } = await start({ '/v1/x': asked })
      const { received, leave } = talk(origin, start_ + body)
      await until(() => received().endsWith(JSON.stringify(['at once', '{"a":1}'])))
      leave()
    })

    it('are waited for where they come after it, or in parts', async () => {
      const { origin } = await start({ '/v1/x': asked })
      for (const pieces of [
        [head('content-length: 7'), '{"a":1}'],
        [`${head('content-length: 7')}{"a"`, ':1}'],
      ]) {
        const { received, say, leave } = talk(origin, pieces[0] ?? '')
        await new Promise((resolve) => setTimeout(resolve, 20))
        say(pieces[1] ?? '')
        await until(() => received().endsWith(JSON.stringify(['later', '{"a":1}'])))
        leave()
      }
    })

    it('are none of a request without a body, and those of each request that waits in one pipeline', async () => {
      const { origin } = await start({ '/v1/x': asked })
      const { received, leave } = talk(
        origin,
        head('content-length: 0') + `${head('content-length: 7')}{"a":2}`.repeat(2),
      )
      await until(() => received().match(/200 OK/g)?.length === 3)
      expect([...received().matchAll(/\r\n\r\n(\[.*?\])(?:HTTP|$)/gs)].map((match) => match[1])).toEqual([
        '["at once",""]',
        ...Array.from({ length: 2 }, () => expect.stringContaining('{\\"a\\":2}')),
      ])
      leave()
    })

    it.each([
      ['a length', `${head('content-length: 13')}${'x'.repeat(13)}`],
      ['chunks', `${head('transfer-encoding: chunked')}d\r\n${'x'.repeat(13)}\r\n0\r\n\r\n`],
    ])('are refused above the limit, with %s', async (_, request) => {
      const failed = (error: GatewayError): ReturnType<typeof json> => json(200, error.kind)
      const { origin } = await start({ '/v1/x': (given) => asked(given).catch(failed) })
      const { received, leave } = talk(origin, request)
      await until(() => received().endsWith('"payload_too_large"'))
      leave()
    })

    it.each<[string, (request: IncomingMessage, heard: (piece: Buffer | string) => void) => unknown]>([
      ['data', (request, heard) => request.on('data', heard)],
      ['readable', (request, heard) => request.on('readable', () => heard(request.read() ?? ''))],
    ])("come whole also where a host was there first, and listens to '%s'", async (_, hear) => {
      let heard = ''
      const gateway = nodeGateway(fakeGateway({ '/v1/x': asked }))
      server = await listen(
        createServer((request, response) => {
          hear(request, (piece) => (heard += piece.toString()))
          gateway(request, response)
        }),
        '/',
      )
      const { received, leave } = talk(server.origin, `${head('content-length: 7')}{"a":1}`)
      await until(() => received().endsWith(JSON.stringify(['later', '{"a":1}'])))
      expect(heard).toBe('{"a":1}')
      leave()
    })
  })

  it('joins the values of a header that came more than once', async () => {
    const route: FakeRoute = ({ headers }) => json(200, [headers['x-tag'], headers.cookie, headers['set-cookie']])
    const { origin } = await start({ '/v1/x': route })
    const lines = ['x-tag: a', 'x-tag: b', 'cookie: c=1', 'cookie: d=2', 'set-cookie: e', 'set-cookie: f']
    const { received, leave } = talk(origin, `GET /v1/x HTTP/1.1\r\nhost: a\r\n${lines.join('\r\n')}\r\n\r\n`)
    await until(() => received().endsWith('["a, b","c=1; d=2","e, f"]'))
    leave()
  })

  it('stops both calls of a client that leaves while one waits behind the other', async () => {
    const signals: AbortSignal[] = []
    const streams = [new FedStream(), new FedStream()]
    const route: FakeRoute = (request) => {
      const stream = streams[signals.length]
      signals.push(request.signal)
      return eventStream(stream ?? new FedStream())
    }
    const { origin } = await start({ '/v1/x': route })
    const { leave } = talk(origin, 'GET /v1/x HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(2))
    await until(() => streams.every((stream) => stream.pulls === 1))
    leave()
    await until(() => streams.every((stream) => stream.returnedAt !== undefined), 100)
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true])
  })

  it('answers pipelined requests in their order, and leaves no listener on the socket', async () => {
    const sockets: { listenerCount(event: string): number }[] = []
    const server = createServer(
      nodeGateway(
        fakeGateway({
          '/v1/x': async (request) => {
            expect(request.signal.aborted).toBe(false)
            return json(200, request.query.get('n'))
          },
        }),
      ),
    )
    server.on('connection', (socket) => sockets.push(socket))
    const host = await listen(server, '/')
    const numbers = Array.from({ length: 30 }, (_, index) => index)
    const bytes = numbers.map((number) => `GET /v1/x?n=${number} HTTP/1.1\r\nhost: a\r\n\r\n`).join('')
    const { received, leave } = talk(host.origin, bytes)
    await until(() => received().endsWith('"29"'))
    expect([...received().matchAll(/\r\n\r\n"(\d+)"/g)].map((match) => Number(match[1]))).toEqual(numbers)
    await until(() => (sockets[0]?.listenerCount('close') ?? 99) < 5)
    leave()
    await host.close()
  })

  it('gives a signal that has aborted to a route that asks after the client left', async () => {
    const states: boolean[] = []
    let left = false
    const route: FakeRoute = async (request) => {
      await until(() => left)
      await new Promise((resolve) => setTimeout(resolve, 20))
      states.push(request.signal.aborted)
      return json(200, {})
    }
    const { origin } = await start({ '/v1/x': route })
    const { leave } = talk(origin, 'GET /v1/x HTTP/1.1\r\nhost: a\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 20))
    leave()
    left = true
    await until(() => states.length === 1)
    expect(states).toEqual([true])
  })

  it('returns an iterator that cannot be left without throwing', async () => {
    const failing: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false, value: 'x'.repeat(100_000) }),
        return: () => Promise.reject(new Error('cannot leave')),
      }),
    }
    const { origin, url } = await start({ '/v1/x': () => eventStream(failing), '/v1/y': () => json(200, 'alive') })
    const { received, leave } = talk(origin, 'GET /v1/x HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(() => received().length > 1000)
    leave()
    expect((await send(`${url}/v1/y`)).body).toBe('"alive"')
  })

  it('refuses a mount path that does not start with a slash', () => {
    expect(() => nodeGateway(fakeGateway({}), { path: 'llm' })).toThrow('must start with "/"')
  })
})

describe('wrapServer', () => {
  it('hands the request to the host with nothing touched', async () => {
    const gateway = fakeGateway({ '/v1/x': () => json(200, {}) })
    const app = express()
    app.use(express.json())
    app.post('/llm/own', (request, response) => void response.json({ own: request.body as unknown, url: request.url }))
    const host = await listen(wrapServer(gateway, app, { path: '/llm' }), '/')
    const headers = { 'content-type': 'application/json' }
    const reply = await send(`${host.origin}/llm/own?a=1`, { body: '{"a":1}', headers })
    expect(JSON.parse(reply.body)).toEqual({ own: { a: 1 }, url: '/llm/own?a=1' })
    await host.close()
  })
})
