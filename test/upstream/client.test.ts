import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { GatewayError } from '../../src/errors.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { type OutgoingRequest, type UpstreamClient, createUpstreamClient } from '../../src/upstream/client.js'
import { readBody } from '../../src/upstream/response-body.js'

const open: { server: Server; client: UpstreamClient }[] = []

afterEach(async () => {
  for (const { server, client } of open.splice(0)) {
    await client.close()
    server.closeAllConnections()
    server.close()
  }
})

async function serve(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ client: UpstreamClient; request: OutgoingRequest; server: Server }> {
  const server = createServer(handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = createUpstreamClient({ connectTimeoutMs: 1_000 })
  open.push({ server, client })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { client, server, request: { origin, path: '/x', method: 'POST', headers: {}, body: '{}' } }
}

const noTimeouts = { connect: 0, headers: 0 }
const newSignal = (): CallSignal => new CallSignal(systemClock, 0)

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!GatewayError.isInstance(error)) throw new Error(`expected a GatewayError, got ${String(error)}`)
  return error
}

describe('createUpstreamClient', () => {
  it('sends a request and gives status, headers and body', async () => {
    const { client, request } = await serve((incoming, response) => {
      response.writeHead(201, { 'x-a': '1', 'x-b': ['2', '3'] })
      incoming.pipe(response)
    })
    const response = await client.send({ ...request, body: '{"a":1}' }, newSignal(), noTimeouts)
    expect(response.status).toBe(201)
    expect(response.headers).toMatchObject({ 'x-a': '1', 'x-b': '2, 3' })
    expect((await readBody(response.body, 100)).toString()).toBe('{"a":1}')
  })

  it('uses connections again', async () => {
    const { client, request, server } = await serve((_, response) => response.end('ok'))
    let connections = 0
    server.on('connection', () => (connections += 1))
    for (let call = 0; call < 10; call += 1) {
      await readBody((await client.send(request, newSignal(), noTimeouts)).body, 100)
    }
    // The pool may open a second one while the first is being freed.
    expect(connections).toBeLessThanOrEqual(2)
  })

  it('does not follow redirects, which would carry the key elsewhere', async () => {
    const paths: (string | undefined)[] = []
    const { client, request } = await serve((incoming, response) => {
      paths.push(incoming.url)
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect((await client.send(request, newSignal(), noTimeouts)).status).toBe(307)
    expect(paths).toEqual(['/x'])
  })

  it('undoes an encoding that nobody asked for, within the size limit', async () => {
    const { client, request } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a'.repeat(5_000)))
    })
    const response = await client.send(request, newSignal(), noTimeouts)
    expect((await readBody(response.body, 5_000)).toString()).toBe('a'.repeat(5_000))
    const bomb = await client.send(request, newSignal(), noTimeouts)
    expect((await failureOf(readBody(bomb.body, 4_999))).kind).toBe('upstream_invalid')
  })

  it('reports broken data of an encoding', async () => {
    const { client, request } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip')
    })
    const response = await client.send(request, newSignal(), noTimeouts)
    expect((await failureOf(readBody(response.body, 1_000))).kind).toBe('upstream_invalid')
  })

  it('tells of a refused connection without naming the address', async () => {
    const { client, request, server } = await serve(() => undefined)
    server.close()
    const error = await failureOf(client.send(request, newSignal(), noTimeouts))
    expect(error.kind).toBe('upstream_connection')
    expect(JSON.stringify(error.toBody())).not.toContain('127.0.0.1')
  })

  it('fails when the connection is reset before the headers', async () => {
    const { client, request } = await serve((incoming) => incoming.socket.resetAndDestroy())
    expect((await failureOf(client.send(request, newSignal(), noTimeouts))).kind).toBe('upstream_connection')
  })

  it('fails the body when the connection breaks in the middle', async () => {
    const { client, request } = await serve((incoming, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => incoming.socket.destroy())
    })
    const response = await client.send(request, newSignal(), noTimeouts)
    expect((await failureOf(readBody(response.body, 1_000))).kind).toBe('upstream_connection')
  })

  it('gives up when no headers come in time, and closes the connection', async () => {
    const events: string[] = []
    const { client, request } = await serve((incoming) => incoming.socket.on('close', () => events.push('closed')))
    const error = await failureOf(client.send(request, newSignal(), { connect: 0, headers: 30 }))
    expect([error.kind, error.code, error.status]).toEqual(['timeout', 'headers_timeout', 504])
    await expect.poll(() => events).toEqual(['closed'])
  })

  it('stops at once when the call ends while waiting for headers', async () => {
    const events: string[] = []
    const { client, request } = await serve((incoming) => incoming.socket.on('close', () => events.push('closed')))
    const signal = newSignal()
    const sending = client.send(request, signal, noTimeouts)
    setTimeout(() => signal.end(new GatewayError('client_closed', 'gone')), 20)
    expect((await failureOf(sending)).kind).toBe('client_closed')
    await expect.poll(() => events, { timeout: 100, interval: 5 }).toEqual(['closed'])
  })

  it('stops at once when the call ends in the middle of the body', async () => {
    const events: string[] = []
    const { client, request } = await serve((incoming, response) => {
      incoming.socket.on('close', () => events.push('closed'))
      response.write('piece')
    })
    const signal = newSignal()
    const response = await client.send(request, signal, noTimeouts)
    const reading = readBody(response.body, 1_000)
    setTimeout(() => signal.end(new GatewayError('client_closed', 'gone')), 20)
    expect((await failureOf(reading)).kind).toBe('client_closed')
    await expect.poll(() => events, { timeout: 100, interval: 5 }).toEqual(['closed'])
  })

  it('sends nothing for a call that has already ended', async () => {
    let asked = 0
    const { client, request } = await serve((_, response) => response.end(String((asked += 1))))
    const signal = newSignal()
    signal.end(new GatewayError('client_closed', 'gone'))
    expect((await failureOf(client.send(request, signal, noTimeouts))).kind).toBe('client_closed')
    expect(asked).toBe(0)
  })

  it('closes the connection when a body is left', async () => {
    const events: string[] = []
    const { client, request } = await serve((incoming, response) => {
      incoming.socket.on('close', () => events.push('closed'))
      response.write('piece')
    })
    const response = await client.send(request, newSignal(), noTimeouts)
    for await (const piece of response.body) {
      expect(piece.toString()).toBe('piece')
      break
    }
    await expect.poll(() => events, { timeout: 100, interval: 5 }).toEqual(['closed'])
  })

  it('holds back the upstream while nobody reads', async () => {
    let written = 0
    const piece = Buffer.alloc(64 * 1024)
    const { client, request } = await serve((_, response) => {
      const write = (): void => {
        while (written < 100 * 1024 * 1024) {
          written += piece.length
          if (!response.write(piece)) return void response.once('drain', write)
        }
        response.end()
      }
      write()
    })
    const response = await client.send(request, newSignal(), noTimeouts)
    let before = -1
    await expect.poll(() => before === (before = written), { interval: 100, timeout: 5_000 }).toBe(true)
    expect(written).toBeLessThan(30 * 1024 * 1024)
    await response.body[Symbol.asyncIterator]().return?.()
  })
})
