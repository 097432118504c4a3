import { setTimeout as pauseFor } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { defineProvider, type Gateway } from '../../src/index.js'
import { replicateProtocol } from '../../src/protocols/replicate/index.js'
import type { Codec, Protocol } from '../../src/protocols/protocol.js'
import { parseJson } from '../../src/wire/json.js'
import { at } from '../recordings/exchange.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'
import { type AskedRequest, answerJson, createUpstreamLab, inTurn } from '../support/upstream-lab.js'

const lab = createUpstreamLab()
afterEach(() => lab.close())

/** What a server was asked, in order. */
const linesOf = (asked: readonly AskedRequest[]): string[] =>
  asked.map(({ method, path, authorization }) => `${method} ${path} ${authorization}`)

function start(protocol: Protocol, baseUrl: string): Gateway {
  const provider = defineProvider({ name: 'jobs', protocol, baseUrl, apiKeyEnv: 'JOBS_KEY' })
  return lab.start({
    providers: [provider],
    models: [{ modelName: 'slow', model: 'jobs/acme/own', apiKey: 'sk-job' }],
    auth: { identify: () => anyCaller },
    retries: 0,
  })
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
    const upstream = await lab.serve(inTurn(answerJson(starting), answerJson(running), answerJson(done)))
    const { status, text } = await ask(start(replicateProtocol, `${upstream.url}/v1`), chat)
    expect(status).toBe(200)
    expect(at(parseJson(text), 'choices', 0, 'message', 'content')).toBe('Hello')
    expect(linesOf(upstream.asked)).toEqual([
      'POST /v1/models/acme/own/predictions Bearer sk-job',
      'GET /v1/predictions/abc Bearer sk-job',
      'GET /v1/predictions/abc Bearer sk-job',
    ])
  })

  it('is streamed once it is done', async () => {
    const upstream = await lab.serve(answerJson(done))
    const { text } = await ask(start(replicateProtocol, upstream.url), { ...chat, stream: true })
    expect(text).toContain('"content":"Hello"')
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  })

  it('is asked for no more once the client has left', async () => {
    const upstream = await lab.serve(answerJson(starting))
    const client = new AbortController()
    const answer = ask(start(replicateProtocol, upstream.url), chat, client.signal)
    while (upstream.asked.length < 1) await pauseFor(5)
    client.abort()
    const { status } = await answer
    expect(status).toBe(499)
    const asked = upstream.asked.length
    await pauseFor(700)
    expect(upstream.asked).toHaveLength(asked)
  })

  it('may live on another host, whose path is all of the address', async () => {
    const region = await lab.serve(answerJson(done))
    const upstream = await lab.serve(answerJson(starting))
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
    expect(linesOf(upstream.asked)).toEqual(['POST /prefix/models/acme/own/predictions Bearer sk-job'])
    expect(linesOf(region.asked)).toEqual(['GET /predictions/abc Bearer sk-job'])
  })
})
