import type { Caller, HttpResponse, Mountable } from '../src/index.js'
import { failureAnswer, notFoundAnswer } from './failure.js'
import { FetchHttpRequest } from './fetch-request.js'
import type { FetchSource } from './fetch-request.js'
import { FetchCall, toResponse } from './fetch-response.js'
import type { SignalOwner } from './fetch-response.js'
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
  gateway: Mountable<Request>,
  options: FetchGatewayOptions = {},
): (request: Request) => Promise<Response> {
  const prefix = mountPrefix(options.path)
  return async (request) => {
    const call = new FetchCall(request)
    return toResponse(call, request.method, await ask(gateway, call, request, prefix, request))
  }
}

/**
 * A `fetch` that never leaves the process, for any SDK: `new OpenAI({ apiKey: 'unused', baseURL: 'http://sluice/v1',
 * fetch: gatewayFetch(gateway, caller) })`. The origin of a URL is ignored, credentials too: every call is `caller`'s.
 * Rejects as `fetch` does when its signal aborts.
 */
export function gatewayFetch(gateway: Mountable, caller: Caller): typeof fetch {
  return async (input, init) => {
    const client: SignalOwner = !init?.signal && input instanceof Request ? input : { signal: init?.signal }
    client.signal?.throwIfAborted()
    const source = toSource(input, init)
    const call = new FetchCall(client)
    const answer = ask(gateway, call, source, '', null, caller)
    const response = answer.then((value) => toResponse(call, source.method, value))
    return new Promise((resolve, reject) => {
      call.whenOver(() => {
        // Also over when the answer failed; then the response tells.
        if (client.signal?.aborted) reject(call.reason)
      })
      response.then(resolve, reject)
    })
  }
}

async function ask<Host>(
  gateway: Mountable<Host>,
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
