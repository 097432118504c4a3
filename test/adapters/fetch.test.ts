import { describe, expect, it } from 'vitest'
import { fetchGateway } from '../../adapters/fetch.js'
import { eventStream, fakeGateway, FedStream, json } from '../contracts/fake-gateway.js'
import { until } from '../contracts/http-client.js'
import { describeHttpContract } from '../contracts/http-contract.js'
import { fetchBridge } from './fetch-bridge.js'
import { listen } from './hosts.js'

const features = {
  mounts: ['/', '/llm', '/outer/llm'],
  parsesBody: false,
  compresses: false,
  writesByItself: true,
} as const

describeHttpContract('fetchGateway', features, (gateway, { mount }) =>
  listen(fetchBridge(fetchGateway(gateway, { path: mount })), mount),
)

describe('fetchGateway', () => {
  const post = (path: string, init: RequestInit = {}): Request =>
    new Request(`http://any.example${path}`, { method: 'POST', ...init })

  it("answers 404 in OpenAI's shape for any other path", async () => {
    const response = await fetchGateway(fakeGateway({}), { path: '/llm' })(post('/v1/none?a=1'))
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(await response.json()).toMatchObject({ error: { code: 'not_found', param: null } })
  })

  it('leaves the length to whoever serves the Response, whose body hosts may change', async () => {
    const gateway = fakeGateway({ '/v1/x': () => json(200, {}, { 'content-length': '2' }) })
    const { headers } = await fetchGateway(gateway)(post('/v1/x'))
    expect(headers.get('content-length')).toBeNull()
  })

  it('gives the gateway the Request', async () => {
    const seen: unknown[] = []
    const route = ({ host }: { host: unknown }) => {
      seen.push(host)
      return json(200, {})
    }
    const request = post('/v1/x')
    await fetchGateway(fakeGateway({ '/v1/x': route }))(request)
    expect(seen).toEqual([request])
  })

  it('tells the host that its body was swallowed, instead of waiting for it', async () => {
    const handler = fetchGateway(fakeGateway({ '/v1/x': async (request) => json(200, await request.json(1000)) }))
    const request = post('/v1/x', { body: '{}', headers: { 'content-type': 'application/json' } })
    await request.text()
    const response = await handler(request)
    expect(response.status).toBe(500)
    expect(await response.text()).toContain('was read before the gateway')
  })

  it('makes no piece that nobody reads', async () => {
    const stream = new FedStream()
    for (let number = 0; number < 5; number += 1) stream.feed(`data: ${number}\n\n`)
    const { body } = await fetchGateway(fakeGateway({ '/v1/x': () => eventStream(stream) }))(post('/v1/x'))
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(stream.pulls).toBe(1)
    const reader = body?.getReader()
    await reader?.read()
    await reader?.read()
    expect(stream.pulls).toBe(2)
  })

  it('stops the gateway when the body is cancelled', async () => {
    const stream = new FedStream()
    const signals: AbortSignal[] = []
    const gateway = fakeGateway({
      '/v1/x': (request) => {
        signals.push(request.signal)
        return eventStream(stream)
      },
    })
    stream.feed('data: 0\n\n')
    const { body } = await fetchGateway(gateway)(post('/v1/x'))
    await body?.cancel('enough')
    expect(stream.returnedAt).toBeDefined()
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
  })

  it('breaks the body and stops the gateway when the request is aborted', async () => {
    const stream = new FedStream()
    const client = new AbortController()
    const handler = fetchGateway(fakeGateway({ '/v1/x': () => eventStream(stream) }))
    stream.feed('data: 0\n\n')
    const response = await handler(post('/v1/x', { signal: client.signal }))
    const reading = response.text()
    client.abort()
    await expect(reading).rejects.toThrow('aborted')
    await until(() => stream.returnedAt !== undefined, 100)
  })

  it('breaks the body when the stream fails', async () => {
    const stream = new FedStream()
    stream.feed('data: 0\n\n')
    const response = await fetchGateway(fakeGateway({ '/v1/x': () => eventStream(stream) }))(post('/v1/x'))
    stream.fail(new Error('upstream broke'))
    await expect(response.text()).rejects.toThrow('upstream broke')
  })
})
