import { getEventListeners } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { gatewayFetch } from '../../adapters/fetch.js'
import type { Auth, GatewayOptions } from '../../src/index.js'
import { type FakeUpstream, fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import { open, readReply, responseOf, until } from '../contracts/http-client.js'
import { anyCaller } from '../support/deployment.js'
import { type FaultyHost, chat, expectNothingUnhandled, startHost } from './faulty-host.js'
import { startStreamServer } from './stream-server.js'

let upstream: FakeUpstream

expectNothingUnhandled()

beforeAll(async () => {
  upstream = await startFakeUpstream()
})

beforeEach(() => upstream.reset())

afterAll(() => upstream.close())

const dialects = ['openai', 'anthropic', 'gemini'] as const

function hostOf(protocol: (typeof dialects)[number], model: string, own: Partial<GatewayOptions> = {}) {
  return startHost(fakeProvider(upstream.url, { protocol }), {
    models: [{ modelName: 'fast', model: `fake/${model}` }],
    ...own,
  })
}

/** Sends a chat on a socket of its own, which the test then destroys. */
function openChat(host: FaultyHost, body: object = {}) {
  const request = open(`${host.origin}/llm/v1/chat/completions`, { headers: { 'content-type': 'application/json' } })
  request.end(JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'Hello there' }], ...body }))
  return request
}

/** When the client left, and how long the upstream went on after it. */
async function closedAfter(leave: () => void): Promise<number> {
  const request = await upstream.received(1)
  const leftAt = Date.now()
  leave()
  await request.closed
  return (request.abortedAt ?? Number.POSITIVE_INFINITY) - leftAt
}

// Other work on the machine may hold up one try; it cannot hold up three.
describe.each(dialects)('a client that destroys its socket, before %s', { retry: 2 }, (dialect) => {
  it.each([
    ['waiting for headers', 'hang', false],
    ['waiting for the headers of a stream', 'hang', true],
    ['waiting for the first content', 'first-token-5000ms', true],
    ['reading a whole answer', 'words-50+slowloris-5ms', false],
  ])('while %s closes the upstream within 100 ms, and nothing is tried again', async (_, fault, stream) => {
    const host = await hostOf(dialect, fault, { retries: 2 })
    const request = openChat(host, { stream })
    expect(await closedAfter(() => request.destroy())).toBeLessThan(100)
    await host.close()
    expect(upstream.requests).toHaveLength(1)
  })

  it('in the middle of a stream closes the upstream within 100 ms', async () => {
    const host = await hostOf(dialect, 'words-500+trickle-5ms', { retries: 2 })
    const response = await responseOf(openChat(host, { stream: true }))
    await new Promise((resolve) => response.once('data', resolve))
    expect(await closedAfter(() => response.destroy())).toBeLessThan(100)
    await host.close()
    expect(upstream.requests).toHaveLength(1)
  })

  it('while a stream stalls closes the upstream within 100 ms', async () => {
    const host = await hostOf(dialect, 'words-20+stall-6')
    const response = await responseOf(openChat(host, { stream: true }))
    await new Promise((resolve) => response.once('data', resolve))
    expect(await closedAfter(() => response.destroy())).toBeLessThan(100)
    await host.close()
  })
})

describe('a client that destroys its socket', () => {
  it('before it is known sends nothing upstream', async () => {
    const asked: (() => void)[] = []
    const auth: Auth = { identify: () => new Promise((resolve) => asked.push(() => resolve(anyCaller))) }
    const host = await hostOf('openai', 'demo', { auth })
    const request = openChat(host)
    await until(() => asked.length > 0)
    request.destroy()
    await sleep(50)
    asked[0]?.()
    await sleep(50)
    await host.close()
    expect(upstream.requests).toHaveLength(0)
  })

  it('in the middle of its upload sends nothing upstream', async () => {
    const host = await hostOf('openai', 'demo')
    const headers = { 'content-type': 'application/json', 'content-length': '1000' }
    const request = open(`${host.origin}/llm/v1/chat/completions`, { headers })
    request.write('{"model":"fast","messages":[')
    await sleep(50)
    request.destroy()
    await sleep(50)
    await host.close()
    expect(upstream.requests).toHaveLength(0)
  })

  it('while the connection is made ends the call at once, and the request is never sent', async () => {
    const received: Buffer[] = []
    // Accepts and says nothing, so that the TLS handshake of the gateway never ends.
    const sockets: Socket[] = []
    const silent = createServer((socket) => {
      sockets.push(socket)
      socket.on('data', (data) => received.push(data)).on('error', () => {})
    })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const host = await startHost(fakeProvider(upstream.url), {
      models: [{ modelName: 'fast', model: 'fake/demo', baseUrl: `https://127.0.0.1:${port}/v1` }],
      retries: 2,
    })
    const request = openChat(host)
    await until(() => received.length > 0)
    request.destroy()
    await sleep(50)
    // Waits for calls that still run.
    await host.close()
    expect(Buffer.concat(received).toString('latin1')).not.toContain('Hello there')
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => silent.close(() => resolve()))
  })

  it('during the wait before a retry makes it the last try', async () => {
    const host = await hostOf('openai', 'status-503', { retries: 2, random: () => 0 })
    const request = openChat(host)
    const first = await upstream.received(1)
    await first.closed
    request.destroy()
    // The first wait is 125 ms.
    await sleep(300)
    expect(upstream.requests).toHaveLength(1)
    await host.close()
  })
})

describe('a reader of 1 KB a second', () => {
  it('holds back the upstream, and memory stays flat', async () => {
    const server = await startStreamServer(16 * 1024)
    const host = await startHost(fakeProvider(server.url))
    const response = await responseOf(openChat(host, { stream: true }))
    response.pause()
    // What the kernel takes for two connections, and then nothing more.
    let before = -1
    while (server.sentBytes !== before) {
      before = server.sentBytes
      await sleep(250)
      response.read(256)
    }
    expect(server.sentBytes).toBeLessThan(50 * 1024 * 1024)
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    for (let step = 0; step < 4; step += 1) {
      await sleep(250)
      response.read(256)
    }
    const after = process.memoryUsage()
    expect(after.arrayBuffers - arrayBuffers).toBeLessThan(4 * 1024 * 1024)
    expect(after.heapUsed - heapUsed).toBeLessThan(16 * 1024 * 1024)
    expect(server.sentBytes - before).toBeLessThan(4 * 1024 * 1024)
    response.destroy()
    await until(() => server.running === 0)
    await host.close()
    await server.close()
  })
})

describe('a thousand', () => {
  it('aborted streams leave no socket, no listener and no running call', async () => {
    const server = await startStreamServer(10, 2)
    const host = await startHost(fakeProvider(server.url))
    const abortOne = async (): Promise<void> => {
      const response = await responseOf(openChat(host, { stream: true }))
      await new Promise((resolve) => response.once('data', resolve))
      response.destroy()
    }
    for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 50 }, abortOne))
    expect(server.requests).toBe(1_000)
    await until(() => server.running === 0)
    // An aborted stream takes its connection along; nothing waits in a pool.
    await until(() => server.openSockets === 0)
    await host.close()
    await server.close()
  })

  it('calls and streams with one signal leave no listener on it', async () => {
    const host = await hostOf('openai', 'words-2')
    const { signal } = new AbortController()
    const request = { model: 'fast', messages: [{ role: 'user' as const, content: 'Hi' }] }
    const inProcess = gatewayFetch(host.gateway, anyCaller)
    const body = JSON.stringify({ ...request, stream: true })
    const kinds: readonly (() => Promise<unknown>)[] = [
      () => host.gateway.call('chat', request, anyCaller, { signal }),
      async () => {
        for await (const chunk of host.gateway.stream('chat', request, anyCaller, { signal })) if (!chunk.id) break
      },
      async () => {
        for await (const _chunk of host.gateway.stream('chat', request, anyCaller, { signal })) break
      },
      async () => (await inProcess('/v1/chat/completions', { method: 'POST', body, signal })).text(),
      async () => (await inProcess('/v1/chat/completions', { method: 'POST', body, signal })).body?.cancel(),
    ]
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(kinds.flatMap((kind) => Array.from({ length: 10 }, kind)))
      expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    }
    await host.close()
  })

  it('refused calls with one signal leave no listener on it', async () => {
    const host = await hostOf('openai', 'status-400')
    const { signal } = new AbortController()
    const request = { model: 'fast', messages: [{ role: 'user' as const, content: 'Hi' }] }
    for (let round = 0; round < 20; round += 1) {
      await expect(host.gateway.call('chat', request, anyCaller, { signal })).rejects.toMatchObject({ status: 400 })
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    await host.close()
  })
})

describe('a host', () => {
  it('answers others while clients come and go', async () => {
    const host = await hostOf('anthropic', 'words-200+trickle-2ms')
    const leaving = Array.from({ length: 20 }, async () => {
      const response = await responseOf(openChat(host, { stream: true }))
      await new Promise((resolve) => response.once('data', resolve))
      response.destroy()
    })
    const staying = chat(host, { stream: true })
    await Promise.all(leaving)
    expect(await (await staying).text()).toMatch(/data: \[DONE\]\n\n$/)
    const reply = await readReply(await responseOf(open(`${host.origin}/ping`, { method: 'GET' }).end()))
    expect(reply.body).toBe('pong')
    await host.close()
  })
})
