import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import { version } from '../version.js'
import type { AddressGuard } from './address-guard.js'
import { CallSignal } from './call-signal.js'
import type { UpstreamClient, UpstreamResponse } from './client.js'
import { mediaTypeOf } from './framing.js'
import { sniffMediaType } from './sniff-media-type.js'

/** Gets media that callers name by URL, for providers that take none. */
export interface MediaFetcher {
  /**
   * Every URL with its `data:` URL. One call gets the same URL once, however often it is attempted.
   * @throws GatewayError invalid_request naming the URL that is refused or cannot be had, or why the call ended
   */
  fetch(urls: readonly string[], signal: CallSignal): Promise<ReadonlyMap<string, string>>
  close(): Promise<void>
}

/** What fetching is bounded by. */
export interface MediaFetcherParts {
  /** Must make its connections under the same guard. */
  readonly client: UpstreamClient
  readonly guard: AddressGuard
  readonly clock: Clock
  /** Of all media of one attempt together. */
  readonly maxBytes: number
}

const totalMs = 15_000
const timeouts = { connect: 5_000, headers: 10_000 }
const mostRedirects = 3
const mostUrls = 32

/** Builds a fetcher. It sends no credential, and follows a redirect only as if the caller had named its address. */
export function createMediaFetcher(parts: MediaFetcherParts): MediaFetcher {
  const fetched = new WeakMap<CallSignal, Map<string, string>>()
  return {
    async fetch(urls, signal) {
      const known = fetched.get(signal) ?? new Map<string, string>()
      fetched.set(signal, known)
      const missing = urls.filter((url) => !known.has(url))
      if (missing.length > mostUrls) throw failure(`A request may hold at most ${mostUrls} media URLs.`)
      const entries = await fetchAll(missing, signal, parts)
      for (const [url, data] of entries) known.set(url, data)
      return known
    },
    close: () => parts.client.close(),
  }
}

type Entry = readonly [url: string, data: string]

/** All at once under one deadline; the first failure ends the others. */
async function fetchAll(
  urls: readonly string[],
  call: CallSignal,
  parts: MediaFetcherParts,
): Promise<readonly Entry[]> {
  const signals = urls.map(() => new CallSignal(parts.clock, totalMs))
  const endAll = (error: GatewayError): void => signals.forEach((signal) => signal.end(error))
  call.listen(endAll)
  // Keeps the whole call's own deadline running.
  call.enter('connect', 0)
  const budget = { left: parts.maxBytes }
  try {
    return await Promise.all(
      signals.map(async (signal, position) => {
        const url = urls[position] ?? ''
        return [url, await fetchOne(url, signal, budget, parts)] as const
      }),
    )
  } catch (thrown) {
    const error = call.ended ?? thrown
    endAll(new GatewayError('client_closed', 'Another of the media failed.'))
    throw error
  } finally {
    call.listen(undefined)
    for (const signal of signals) signal.dispose()
  }
}

async function fetchOne(
  url: string,
  signal: CallSignal,
  budget: { left: number },
  parts: MediaFetcherParts,
): Promise<string> {
  try {
    const response = await follow(url, signal, parts)
    const bytes = await readMedia(response, budget, parts.maxBytes)
    const type = typeOf(response.headers['content-type'], bytes)
    if (type === undefined) throw failure('It is neither an image, audio, video, PDF nor plain text.')
    return `data:${type};base64,${bytes.toString('base64')}`
  } catch (thrown) {
    throw failure(`The media at ${shorten(url)} could not be fetched. ${reasonOf(thrown)}`, thrown)
  }
}

async function follow(url: string, signal: CallSignal, parts: MediaFetcherParts): Promise<UpstreamResponse> {
  let next = url
  for (let hop = 0; hop <= mostRedirects; hop += 1) {
    const checked = parts.guard.check(next)
    if (typeof checked === 'string') throw failure(checked)
    const response = await send(checked, signal, parts)
    const { location } = response.headers
    if (response.status >= 200 && response.status <= 299) return response
    await leave(response)
    if (response.status < 300 || response.status > 399 || location === undefined) {
      throw failure(`Its host answered with status ${response.status}.`)
    }
    if (!URL.canParse(location, checked.href)) throw failure('Its host redirects to no address.')
    next = new URL(location, checked.href).href
    if (checked.protocol === 'https:' && next.startsWith('http:'))
      throw failure('Its host redirects from https to http.')
  }
  throw failure('Its host redirects too often.')
}

function send(url: URL, signal: CallSignal, { client }: MediaFetcherParts): Promise<UpstreamResponse> {
  const headers = {
    accept: 'image/*, audio/*, video/*, application/pdf, text/plain',
    'accept-encoding': 'identity',
    'user-agent': `sluice/${version}`,
  }
  return client.send(
    { origin: url.origin, path: url.pathname + url.search, method: 'GET', headers, body: null },
    signal,
    timeouts,
  )
}

async function leave(response: UpstreamResponse): Promise<void> {
  await response.body[Symbol.asyncIterator]().return?.()
}

async function readMedia(response: UpstreamResponse, budget: { left: number }, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): GatewayError => failure(`It is larger than ${maxBytes} bytes, alone or with the other media.`)
  if (Number(response.headers['content-length'] ?? 0) > budget.left) {
    await leave(response)
    throw tooLarge()
  }
  const chunks: Buffer[] = []
  for await (const chunk of response.body) {
    budget.left -= chunk.length
    if (budget.left < 0) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const known = /^(?:(?:image|audio|video)\/[\w.+-]+|application\/pdf|text\/(?:plain|csv|markdown))$/
// What servers say of files that they know nothing about.
const unknown = new Set(['', 'application/octet-stream', 'binary/octet-stream'])

function typeOf(contentType: string | undefined, bytes: Buffer): string | undefined {
  const declared = mediaTypeOf(contentType)
  if (known.test(declared)) return declared
  return unknown.has(declared) ? sniffMediaType(bytes) : undefined
}

function failure(message: string, cause?: unknown): GatewayError {
  return new GatewayError('invalid_request', message, { code: 'media_fetch_failed', cause })
}

/** Without the query, which may be a signature. */
function shorten(url: string): string {
  const plain = url.split(/[?#]/, 1)[0] ?? ''
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain
}

/** Our own words only: what a connection error says could describe the network that we stand in. */
function reasonOf(thrown: unknown): string {
  if (!GatewayError.isInstance(thrown)) return ''
  if (thrown.kind === 'invalid_request') return thrown.message
  return thrown.kind === 'timeout' ? 'It took too long.' : 'The connection failed.'
}
