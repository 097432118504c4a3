import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pauseFor } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createGateway, defineProvider, type Gateway } from '../../src/index.js'
import { replicateProtocol } from '../../src/protocols/replicate/index.js'
import type { Codec, Protocol } from '../../src/protocols/protocol.js'
import { parseJson } from '../../src/wire/json.js'
import { at } from '../recordings/exchange.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'

interface Upstream {
  readonly url: string
  /** `METHOD path authorization`, in order. */
  readonly seen: string[]
}

const servers: Server[] = []
const gateways: Gateway[] = []

/** Answers the requests in order; the last answer again and again. */
async function startUpstream(answers: readonly unknown[]): Promise<Upstream> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)]
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  servers.push(server)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close({ drainMs: 0 })))
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

function start(protocol: Protocol, baseUrl: string): Gateway {
  const provider = defineProvider({ name: 'jobs', protocol, baseUrl, apiKeyEnv: 'JOBS_KEY' })
  const gateway = createGateway({
    providers: [provider],
    models: [{ modelName: 'slow', model: 'jobs/acme/own', apiKey: 'sk-job' }],
    auth: { identify: () => anyCaller },
    retries: 0,
  })
  gateways.push(gateway)
  return gateway
}

async function ask(gateway: Gateway, body: object, signal?: AbortSignal) {
  const request = requestOf('POST', '/v1/chat/completions', body, signal ? { signal } : {})
  const response = await gateway.handle(request)
  if (!response) throw new Error('not served')
  if (!('stream' in response)) return { status: response.status, text: String(response.body) }
  let text = ''
  for await (const piece of response.stream) text += Buffer.from(piece).toString()
  return { status: response.status, text }
}

const chat = { model: 'slow', messages: [{ role: 'user', content: 'hi' }] }
const starting = { id: 'abc', status: 'starting' }
const running = { id: 'abc', status: 'processing', output: ['Hel'], started_at: '2026-01-01T00:00:00Z' }
const done = { id: 'abc', status: 'succeeded', output: ['Hel', 'lo'] }

describe('a job', () => {
  it('is asked for until it is done, with the credential', async () => {
    const upstream = await startUpstream([starting, running, done])
    const { status, text } = await ask(start(replicateProtocol, `${upstream.url}/v1`), chat)
    expect(status).toBe(200)
    expect(at(parseJson(text), 'choices', 0, 'message', 'content')).toBe('Hello')
    expect(upstream.seen).toEqual([
      'POST /v1/models/acme/own/predictions Bearer sk-job',
      'GET /v1/predictions/abc Bearer sk-job',
      'GET /v1/predictions/abc Bearer sk-job',
    ])
  })

  it('is streamed once it is done', async () => {
    const upstream = await startUpstream([done])
    const { text } = await ask(start(replicateProtocol, upstream.url), { ...chat, stream: true })
    expect(text).toContain('"content":"Hello"')
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  })

  it('is asked for no more once the client has left', async () => {
    const upstream = await startUpstream([starting])
    const client = new AbortController()
    const answer = ask(start(replicateProtocol, upstream.url), chat, client.signal)
    while (upstream.seen.length < 1) await pauseFor(5)
    client.abort()
    const { status } = await answer
    expect(status).toBe(499)
    const asked = upstream.seen.length
    await pauseFor(700)
    expect(upstream.seen).toHaveLength(asked)
  })

  it('may live on another host, whose path is all of the address', async () => {
    const region = await startUpstream([done])
    const upstream = await startUpstream([starting])
    const { chat: base } = replicateProtocol.codecs
    if (!base) throw new Error('no chat')
    const codec: Codec<'chat'> = {
      ...base,
      next: (body, exchange) => {
        const follow = base.next?.(body, exchange)
        return follow && { ...follow, delayMs: 0, origin: region.url }
      },
    }
    const protocol: Protocol = { ...replicateProtocol, codecs: { chat: codec } }
    const { status } = await ask(start(protocol, `${upstream.url}/prefix`), chat)
    expect(status).toBe(200)
    expect(upstream.seen).toEqual(['POST /prefix/models/acme/own/predictions Bearer sk-job'])
    expect(region.seen).toEqual(['GET /predictions/abc Bearer sk-job'])
  })
})
