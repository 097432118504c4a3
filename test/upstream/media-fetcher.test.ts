import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { GatewayError } from '../../src/errors.js'
import type { Clock } from '../../src/ports.js'
import { createAddressGuard } from '../../src/upstream/address-guard.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { createUpstreamClient } from '../../src/upstream/client.js'
import { type Resolve, createGuardedConnector } from '../../src/upstream/guarded-connector.js'
import { type MediaFetcher, createMediaFetcher } from '../../src/upstream/media-fetcher.js'
import { FakeClock } from '../support/fake-clock.js'
import { refusedUrls } from './address-corpus.js'

const png = Buffer.from('89504e470d0a1a0a0000', 'hex')
const pngUrl = `data:image/png;base64,${png.toString('base64')}`
const open: { server?: Server; fetcher?: MediaFetcher }[] = []

afterEach(async () => {
  for (const { server, fetcher } of open.splice(0)) {
    await fetcher?.close()
    server?.closeAllConnections()
    server?.close()
  }
})

interface Site {
  readonly url: string
  readonly port: number
  readonly requests: IncomingMessage[]
}

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Site> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({ server })
  const { port } = server.address() as AddressInfo
  return { url: `http://media.example:${port}`, port, requests }
}

const image = (_: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'image/png' }).end(png)
}

const toLoopback: Resolve = (_host, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])

interface FetcherOptions {
  readonly hosts?: readonly string[] | 'any'
  readonly maxBytes?: number
  readonly clock?: Clock
  readonly privateNetworks?: readonly string[]
  readonly resolve?: Resolve
}

function fetcherOf(options: FetcherOptions): MediaFetcher {
  const { hosts = 'any', maxBytes = 1_000, clock = systemClock, resolve = toLoopback } = options
  const guard = createAddressGuard({ hosts, privateNetworks: options.privateNetworks ?? ['127.0.0.1/32'] })
  const connector = createGuardedConnector(guard, 1_000, resolve)
  const client = createUpstreamClient({ connectTimeoutMs: 1_000, connector })
  const fetcher = createMediaFetcher({ client, guard, clock, maxBytes })
  open.push({ fetcher })
  return fetcher
}

const newSignal = (): CallSignal => new CallSignal(systemClock, 0)

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!GatewayError.isInstance(error)) throw new Error(`expected a GatewayError, got ${String(error)}`)
  return error
}

describe('createMediaFetcher', () => {
  it('gives every URL as a data URL, and sends nothing that tells who asks', async () => {
    const site = await serve(image)
    const fetcher = fetcherOf({ hosts: [site.url] })
    const urls = [`${site.url}/a.png`, `${site.url}/b?x=1`]
    expect(await fetcher.fetch(urls, newSignal())).toEqual(new Map(urls.map((url) => [url, pngUrl])))
    expect(new Set(site.requests.map(({ url }) => url))).toEqual(new Set(['/a.png', '/b?x=1']))
    expect(new Set(Object.keys(site.requests[0]?.headers ?? {}))).toEqual(
      new Set(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']),
    )
  })

  it('gets a URL once for all attempts of a call, and anew for another call', async () => {
    const site = await serve(image)
    const fetcher = fetcherOf({ hosts: [site.url] })
    const call = newSignal()
    await fetcher.fetch([`${site.url}/a`], call)
    await fetcher.fetch([`${site.url}/a`], call)
    expect(site.requests).toHaveLength(1)
    await fetcher.fetch([`${site.url}/a`], newSignal())
    expect(site.requests).toHaveLength(2)
  })

  it.each([
    ['image/jpeg; charset=binary', 'image/jpeg'],
    ['application/pdf', 'application/pdf'],
    ['audio/mpeg', 'audio/mpeg'],
    ['text/plain; charset=utf-8', 'text/plain'],
    ['application/octet-stream', 'image/png'],
  ])('takes %s for %s', async (contentType, type) => {
    const site = await serve((_, response) => response.writeHead(200, { 'content-type': contentType }).end(png))
    const url = `${site.url}/x`
    const fetched = await fetcherOf({ hosts: [site.url] }).fetch([url], newSignal())
    expect(fetched.get(url)).toBe(`data:${type};base64,${png.toString('base64')}`)
  })

  it.each([
    ['text/html', '<html>'],
    ['application/json', '{"AccessKeyId":"x"}'],
    ['application/octet-stream', 'root:x:0:0'],
    ['image', 'secret'],
  ])('refuses %s', async (contentType, body) => {
    const site = await serve((_, response) => response.writeHead(200, { 'content-type': contentType }).end(body))
    const error = await failureOf(fetcherOf({ hosts: [site.url] }).fetch([`${site.url}/x?signature=1`], newSignal()))
    expect(error).toMatchObject({ status: 400, code: 'media_fetch_failed' })
    expect(error.message).toContain(`${site.url}/x could not be fetched. It is neither`)
    expect(error.message).not.toContain('signature')
    expect(error.message).not.toContain(body)
  })

  it('stops at the size that is allowed for all media together, announced or not', async () => {
    const site = await serve((request, response) => {
      const length = request.url === '/announced' ? { 'content-length': '60' } : {}
      response.writeHead(200, { 'content-type': 'image/png', ...length }).end(Buffer.alloc(60))
    })
    const fetcher = fetcherOf({ hosts: [site.url], maxBytes: 100 })
    expect((await fetcher.fetch([`${site.url}/announced`], newSignal())).size).toBe(1)
    for (const urls of [
      ['/1', '/2'],
      ['/announced', '/2'],
    ]) {
      const error = await failureOf(
        fetcher.fetch(
          urls.map((path) => site.url + path),
          newSignal(),
        ),
      )
      expect(error.message).toContain('larger than 100 bytes')
    }
    const small = fetcherOf({ hosts: [site.url], maxBytes: 50 })
    expect((await failureOf(small.fetch([`${site.url}/announced`], newSignal()))).message).toContain('larger than')
  })

  it('gives up after 15 seconds', async () => {
    const clock = new FakeClock()
    const site = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'image/png' }).write(png)
    })
    const call = fetcherOf({ hosts: [site.url], clock }).fetch([`${site.url}/slow`], newSignal())
    while (site.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(15_000)
    expect((await failureOf(call)).message).toContain('It took too long.')
  })

  it('ends with the call', async () => {
    const site = await serve(() => {})
    const signal = newSignal()
    const call = fetcherOf({ hosts: [site.url] }).fetch([`${site.url}/slow`], signal)
    while (site.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const closed = new Promise((resolve) => site.requests[0]?.socket.once('close', resolve))
    signal.end(new GatewayError('client_closed', 'gone'))
    expect((await failureOf(call)).kind).toBe('client_closed')
    await closed
  })

  it('tells which status a host answered with', async () => {
    const site = await serve((_, response) => response.writeHead(404).end())
    const error = await failureOf(fetcherOf({ hosts: [site.url] }).fetch([`${site.url}/x`], newSignal()))
    expect(error.message).toContain('status 404')
  })

  it('takes no more than 32 URLs', async () => {
    const urls = Array.from({ length: 33 }, (_, index) => `https://media.example/${index}`)
    expect((await failureOf(fetcherOf({}).fetch(urls, newSignal()))).message).toContain('at most 32')
  })
})

describe('createMediaFetcher before hostile URLs', () => {
  it.each(refusedUrls)('does not fetch %j', async (url) => {
    const fetcher = fetcherOf({
      privateNetworks: [],
      resolve: () => {
        throw new Error('looked up')
      },
    })
    expect(await failureOf(fetcher.fetch([url], newSignal()))).toMatchObject({ code: 'media_fetch_failed' })
  })

  it('follows redirects to allowed addresses only, at most three', async () => {
    const inner = await serve(image)
    const outer = await serve((request, response) => {
      const targets: Readonly<Record<string, string>> = {
        '/relative': '/image',
        '/loop': '/loop',
        '/inner': `http://127.0.0.1:${inner.port}/`,
        '/metadata': 'http://169.254.169.254/latest/meta-data/',
        '/file': 'file:///etc/passwd',
        '/broken': 'http://[',
      }
      const location = targets[request.url ?? '']
      if (location === undefined) return image(request, response)
      response.writeHead(302, { location }).end()
    })
    const fetcher = fetcherOf({ hosts: [outer.url] })
    const url = `${outer.url}/relative`
    expect((await fetcher.fetch([url], newSignal())).get(url)).toBe(pngUrl)
    for (const path of ['/loop', '/inner', '/metadata', '/file', '/broken']) {
      expect(await failureOf(fetcher.fetch([outer.url + path], newSignal()))).toMatchObject({ status: 400 })
    }
    expect(outer.requests.filter(({ url: path }) => path === '/loop')).toHaveLength(4)
    expect(inner.requests).toEqual([])
  })

  it('connects to no private address that a public name resolves to, and does not tell which it was', async () => {
    const site = await serve(image)
    const fetcher = fetcherOf({ hosts: [site.url], privateNetworks: [] })
    const error = await failureOf(fetcher.fetch([`${site.url}/x`], newSignal()))
    expect(error.message).toContain('not publicly reachable')
    expect(error.message).not.toContain('127.0.0.1')
    expect(site.requests).toEqual([])
  })
})
