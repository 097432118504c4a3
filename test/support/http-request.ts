import type { HttpRequest } from '../../src/http/message.js'

/** A request as an adapter would hand it over. */
export function requestOf(method: string, target: string, body?: unknown, own: Partial<HttpRequest> = {}): HttpRequest {
  const [path = '', query = ''] = target.split('?')
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers: {},
    signal: new AbortController().signal,
    host: undefined,
    json: () => Promise.resolve(body),
    ...own,
  }
}
