import { type Server, createServer } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Gateway, type GatewayOptions, createGateway } from '../../src/index.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'
import { closeServer, listen } from '../support/http-server.js'

let upstream: FakeUpstream
let media: Server
let mediaUrl: string
let fetched: (string | undefined)[] = []
const gateways: Gateway[] = []

beforeAll(async () => {
  upstream = await startFakeUpstream()
  media = createServer((request, response) => {
    fetched.push(request.url)
    response.writeHead(200, { 'content-type': 'image/png' }).end('png')
  })
  mediaUrl = await listen(media)
})

beforeEach(() => {
  upstream.reset()
  fetched = []
})

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close({ drainMs: 0 })))
  await upstream.close()
  await closeServer(media)
})

function start(options: Partial<GatewayOptions> = {}): Gateway {
  const apiKey = 'sk-platform-0123456789'
  const gateway = createGateway({
    models: [
      { modelName: 'gemini/*', model: 'gemini/*', apiKey, baseUrl: upstream.url },
      { modelName: 'anthropic/*', model: 'anthropic/*', apiKey, baseUrl: upstream.url },
    ],
    auth: { identify: () => anyCaller },
    retries: 0,
    ...options,
  })
  gateways.push(gateway)
  return gateway
}

const open = () => ({ fetchMedia: { allowHosts: [mediaUrl], privateNetworks: ['127.0.0.1/32'] } })

function ask(gateway: Gateway, model: string) {
  const content = [
    { type: 'text' as const, text: 'look' },
    { type: 'image_url' as const, image_url: { url: `${mediaUrl}/a.png` } },
    { type: 'file' as const, file: { file_data: `${mediaUrl}/b.png` } },
    { type: 'image_url' as const, image_url: { url: 'https://www.youtube.com/watch?v=1' } },
  ]
  return gateway.call('chat', { model, messages: [{ role: 'user', content }], max_tokens: 10 }, anyCaller)
}

describe('a gateway that may fetch media', () => {
  it('puts into the request what the model cannot fetch', async () => {
    await ask(start(open()), 'gemini/gemini-2.0-flash')
    expect(new Set(fetched)).toEqual(new Set(['/a.png', '/b.png']))
    expect(fetched).toHaveLength(2)
    const body = JSON.stringify(upstream.requests[0]?.body)
    expect(body.split('"data":"cG5n"')).toHaveLength(3)
    expect(body).toContain('youtube.com/watch')
    expect(body).not.toContain(mediaUrl)
  })

  it('fetches nothing for models that take URLs', async () => {
    await ask(start(open()), 'gemini/gemini-2.5-flash')
    expect(JSON.stringify(upstream.requests[0]?.body)).toContain(mediaUrl)
    expect(fetched).toEqual([])
  })

  it('refuses such a request with a clear 400 where it may not', async () => {
    for (const options of [{}, { fetchMedia: false }]) {
      await expect(ask(start(options), 'gemini/gemini-2.0-flash')).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('cannot fetch URLs'),
      })
    }
    expect([...fetched, ...upstream.requests]).toEqual([])
  })

  it('fetches from public addresses only, unless told otherwise', async () => {
    await expect(ask(start({ fetchMedia: true }), 'gemini/gemini-2.0-flash')).rejects.toMatchObject({
      status: 400,
      code: 'media_fetch_failed',
    })
    expect([...fetched, ...upstream.requests]).toEqual([])
  })
})
