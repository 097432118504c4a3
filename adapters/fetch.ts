import type { Gateway } from '../src/gateway.js'
import type { HttpResponse } from '../src/http/message.js'
import type { Caller } from '../src/ports.js'
import { closeIterator, failureAnswer, notFoundAnswer } from './failure.js'
import { FetchHttpRequest } from './fetch-request.js'
import type { FetchSource } from './fetch-request.js'
import { FetchCall, toResponse } from './fetch-response.js'
import { mountPrefix, splitTarget } from './mount.js'

/** Where a gateway is served. */
export interface FetchGatewayOptions {
  /** Path that the gateway's paths are below, such as `/llm`. @default '/' */
  readonly path?: string
}

/**
 * Serves a gateway as `Request → Response`, for Hono, Next, Bun and the like. Any other path is a 404 in OpenAI's shape.
 * `host` of a request is the Request. Never rejects.
 */
export function fetchGateway(
  gateway: Gateway<Request>,
  options: FetchGatewayOptions = {},
): (request: Request) => Promise<Response> {
  const prefix = mountPrefix(options.path)
  return async (request) => {
    const call = new FetchCall(request.signal)
    const answer = await ask(gateway, call, request, prefix, request)
    return toResponse(call, request.method, answer)
  }
}

/**
 * A `fetch` that never leaves the process, for any SDK: `new OpenAI({ apiKey: 'unused', baseURL: 'http://sluice/v1',
 * fetch: gatewayFetch(gateway, caller) })`. The origin of a URL is ignored, credentials too: every call is `caller`'s.
 * Rejects as `fetch` does when its signal aborts.
 */
export function gatewayFetch(gateway: Gateway, caller: Caller): typeof fetch {
  return async (input, init) => {
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
    signal?.throwIfAborted()
    const source = toSource(input, init)
    const call = new FetchCall(signal)
    const answer = await untilLeft(call, ask(gateway, call, source, '', null, caller))
    return toResponse(call, source.method, answer)
  }
}

async function ask<Host>(
  gateway: Gateway<Host>,
  call: FetchCall,
  source: FetchSource,
  prefix: string,
  host: Host,
  caller?: Caller,
): Promise<HttpResponse> {
  const { pathname, search } = new URL(source.url)
  const target = splitTarget(pathname + search, prefix)
  try {
    const request = target && new FetchHttpRequest(source, target, host, call.signal)
    return (await (request && gateway.handle(request, caller))) ?? notFoundAnswer(source.method, pathname)
  } catch (error) {
    return failureAnswer(error)
  }
}

/** Rejects with the reason of the client's signal as soon as it aborts; an answer that comes later is let go. */
function untilLeft(call: FetchCall, answer: Promise<HttpResponse>): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let left = false
    call.whenLeft((reason) => {
      left = true
      reject(reason)
    })
    void answer.then((value) => {
      if (!left) return resolve(value)
      if ('stream' in value) closeIterator(value.stream[Symbol.asyncIterator]())
    })
  })
}

// Gives a relative URL something to be relative to; no name is ever looked up.
const anyOrigin = 'http://sluice'

function toSource(input: string | URL | Request, init: RequestInit = {}): FetchSource {
  const { signal: _signal, ...rest } = init
  if (input instanceof Request) return new Request(input, rest)
  const url = new URL(input, anyOrigin).href
  const { method = 'GET', headers, body = null } = rest
  if (body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    return new Request(url, { ...rest, duplex: 'half' })
  }
  return { method: method.toUpperCase(), url, headers: new Headers(headers), body, bodyUsed: false }
}
