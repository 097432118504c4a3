import { createServer, type IncomingMessage } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { createGateway } from '../../../src/index.js'
import { signAwsRequest } from '../../../src/upstream/sigv4.js'
import { parseJson } from '../../../src/wire/json.js'
import { awsEvent, awsException } from '../../support/aws-event-stream.js'
import { anyCaller } from '../../support/deployment.js'
import { closeServer, listen } from '../../support/http-server.js'

const keys = { accessKeyId: 'AKID', secretAccessKey: 'very-secret-key', region: 'eu-west-1' }

interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** A server that checks signatures as the service does, and answers in turn. */
async function startBedrock(replies: readonly Reply[]) {
  const seen: { path: string; body: unknown; valid: boolean }[] = []
  const server = createServer((incoming, outgoing) => {
    void read(incoming).then((body) => {
      seen.push({ path: incoming.url ?? '', body: parseJson(body), valid: isValid(incoming, body) })
      const reply = replies[seen.length - 1] ?? { status: 500, body: '{}' }
      outgoing.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers }).end(reply.body)
    })
  })
  const baseUrl = await listen(server)
  closers.push(() => closeServer(server))
  return { baseUrl, seen }
}

async function read(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of incoming as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}

function isValid({ method = '', url = '', headers }: IncomingMessage, body: string): boolean {
  const date = String(headers['x-amz-date'])
  const now = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  const request = { method, url: `http://${headers.host}${url}`, headers: { 'content-type': 'application/json' }, body }
  const expected = signAwsRequest(request, keys, { service: 'bedrock', region: keys.region, now })
  return headers.authorization === expected['authorization'] && Math.abs(Date.now() - now) < 60_000
}

function start(baseUrl: string, model = 'amazon.nova-lite-v1:0') {
  const settings = { ...keys }
  const gateway = createGateway({
    models: [{ modelName: 'm', model: `bedrock/${model}`, baseUrl, settings }],
    auth: 'none',
    retries: 0,
    env: {},
  })
  closers.push(() => gateway.close({ drainMs: 0 }))
  return gateway
}

const messages = [{ role: 'user' as const, content: 'Hi' }]

describe('Bedrock through a gateway', () => {
  it('gets signed requests and gives answers', async () => {
    const answer = {
      output: { message: { role: 'assistant', content: [{ text: 'Hello' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
    }
    const { baseUrl, seen } = await startBedrock([{ body: JSON.stringify(answer) }])
    const completion = await start(baseUrl).call('chat', { model: 'm', messages }, anyCaller)
    expect(completion).toMatchObject({ choices: [{ message: { content: 'Hello' } }], usage: { total_tokens: 3 } })
    expect(seen).toEqual([
      {
        path: '/model/amazon.nova-lite-v1%3A0/converse',
        body: { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
        valid: true,
      },
    ])
  })

  it('streams, and turns an exception before any content into the error that it is', async () => {
    const stream = { headers: { 'content-type': 'application/vnd.amazon.eventstream' } }
    const whole = Buffer.concat([
      awsEvent('messageStart', { role: 'assistant' }),
      awsEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hello' } }),
      awsEvent('messageStop', { stopReason: 'end_turn' }),
      awsEvent('metadata', { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } }),
    ])
    const { baseUrl } = await startBedrock([
      { ...stream, body: whole },
      {
        ...stream,
        body: Buffer.concat([awsEvent('messageStart', {}), awsException('throttlingException', 'Too many tokens.')]),
      },
    ])
    const gateway = start(baseUrl)
    const read = async () => {
      const said: string[] = []
      for await (const chunk of gateway.stream('chat', { model: 'm', messages }, anyCaller)) {
        said.push(chunk.choices[0]?.delta.content ?? '')
      }
      return said.join('')
    }
    expect(await read()).toBe('Hello')
    await expect(read()).rejects.toMatchObject({ status: 429, message: 'Too many tokens.' })
  })

  it('tells what the service refuses by the type in its header', async () => {
    const headers = { 'x-amzn-errortype': 'ServiceQuotaExceededException:http://x', 'x-amzn-requestid': 'r-1' }
    const { baseUrl } = await startBedrock([{ status: 400, headers, body: '{"message":"Enough for today."}' }])
    await expect(start(baseUrl).call('chat', { model: 'm', messages }, anyCaller)).rejects.toMatchObject({
      kind: 'rate_limited',
      message: 'Enough for today.',
      upstream: { provider: 'bedrock', status: 400, request_id: 'r-1' },
    })
  })

  it('embeds many texts with a model that takes one at a time, every call signed', async () => {
    const body = (value: number) => JSON.stringify({ embedding: [value], inputTextTokenCount: 1 })
    const { baseUrl, seen } = await startBedrock([1, 2, 3].map((value) => ({ body: body(value) })))
    const gateway = start(baseUrl, 'amazon.titan-embed-text-v2:0')
    const answer = await gateway.call('embeddings', { model: 'm', input: ['a', 'b', 'c'] }, anyCaller)
    expect(answer.data.map(({ embedding }) => embedding)).toEqual([[1], [2], [3]])
    expect(answer.usage.prompt_tokens).toBe(3)
    expect(seen.map(({ body: sent, valid }) => [sent, valid])).toEqual(
      ['a', 'b', 'c'].map((inputText) => [{ inputText }, true]),
    )
  })
})
