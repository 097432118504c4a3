import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { createGateway, defineProvider, type Gateway } from '../../src/index.js'
import { replicateProtocol } from '../../src/protocols/replicate/index.js'
import { closeServer, listen } from '../support/http-server.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'

const servers: Server[] = []
const gateways: Gateway[] = []

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close({ drainMs: 0 })))
  await Promise.all(servers.splice(0).map(closeServer))
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  return listen(server)
}

/** Creates a prediction whose stream is at an address, streams it at its own, and has it ready at the first look. */
async function startUpstream(streamAt: (own: string) => string, stream: RequestListener) {
  const seen: string[] = []
  let own = ''
  own = await serve((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${request.headers.accept}`)
    request.resume()
    if (request.url === '/streams/abc') {
      stream(request, response)
      return
    }
    const created = { id: 'abc', status: 'starting', urls: { stream: streamAt(own) } }
    const answer = request.method === 'POST' ? created : { id: 'abc', status: 'succeeded', output: ['by ', 'look'] }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  return { url: own, seen }
}

async function openStream(baseUrl: string, signal?: AbortSignal) {
  const provider = defineProvider({ name: 'jobs', protocol: replicateProtocol, baseUrl, apiKeyEnv: 'JOBS_KEY' })
  const gateway = createGateway({
    providers: [provider],
    models: [{ modelName: 'slow', model: 'jobs/acme/own', apiKey: 'sk-job', baseUrl }],
    auth: { identify: () => anyCaller },
    retries: 0,
  })
  gateways.push(gateway)
  const body = { model: 'slow', stream: true, messages: [{ role: 'user', content: 'hi' }] }
  const response = await gateway.handle(requestOf('POST', '/v1/chat/completions', body, signal ? { signal } : {}))
  if (!response || !('stream' in response)) throw new Error(`no stream: ${JSON.stringify(response)}`)
  return response.stream
}

async function textOf(stream: AsyncIterable<string | Uint8Array>): Promise<string> {
  let text = ''
  for await (const piece of stream) text += Buffer.from(piece).toString()
  return text
}

const sse = { 'content-type': 'text/event-stream; charset=utf-8' }

describe('a job that has a stream', () => {
  it('is streamed from where its answer says, with the credential', async () => {
    const upstream = await startUpstream(
      (own) => `${own}/streams/abc`,
      (_request, response) => {
        response.writeHead(200, sse)
        response.end('event: output\ndata: Hel\n\nevent: output\ndata: lo\ndata: you\n\nevent: done\ndata: {}\n\n')
      },
    )
    const text = await textOf(await openStream(`${upstream.url}/v1`))
    expect(text).toContain('"content":"Hel"')
    expect(text).toContain(String.raw`"content":"lo\nyou"`)
    expect(text.match(/"finish_reason":"stop"/g)).toHaveLength(1)
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
    expect(upstream.seen).toEqual([
      expect.stringMatching(/^POST \/v1\/models\/acme\/own\/predictions Bearer sk-job /),
      'GET /streams/abc Bearer sk-job text/event-stream',
    ])
  })

  it('tells the client where the stream breaks off', async () => {
    const upstream = await startUpstream(
      (own) => `${own}/streams/abc`,
      (_request, response) => void response.writeHead(200, sse).end('event: output\ndata: Hel\n\n'),
    )
    const text = await textOf(await openStream(upstream.url))
    expect(text).toContain('"error"')
    expect(text).not.toContain('[DONE]')
  })

  it("is asked for until it is done where the stream is on a stranger's host", async () => {
    const visitors: string[] = []
    const stranger = await serve((request, response) => {
      visitors.push(String(request.url))
      response.writeHead(200, sse).end('event: output\ndata: theirs\n\nevent: done\ndata: {}\n\n')
    })
    const upstream = await startUpstream(
      () => `${stranger}/streams/abc`,
      (_request, response) => void response.writeHead(500).end(),
    )
    const text = await textOf(await openStream(`${upstream.url}/v1`))
    expect(text).toContain('"content":"by look"')
    expect(visitors).toEqual([])
    expect(upstream.seen).toHaveLength(2)
    expect(upstream.seen[1]).toMatch(/^GET \/v1\/predictions\/abc Bearer sk-job /)
  })

  it('is streamed no more once the client has left', async () => {
    let close = (): void => {}
    const closed = new Promise<void>((resolve) => {
      close = resolve
    })
    const upstream = await startUpstream(
      (own) => `${own}/streams/abc`,
      (_request, response) => {
        response.on('close', close)
        response.writeHead(200, sse).write('event: output\ndata: Hel\n\n')
      },
    )
    const client = new AbortController()
    const stream = await openStream(upstream.url, client.signal)
    const rest = textOf(stream).catch(() => 'left')
    client.abort()
    await closed
    expect(await rest).not.toContain('[DONE]')
  })
})
