import type { ZodType } from 'zod'
import type { GatewayError } from '../errors.js'
import type { Caller } from '../ports.js'
import type { JsonObject } from '../wire/json.js'
import type { HttpRequest, HttpResponse } from './message.js'
import type { DocumentedFailure } from './openapi/failure-notes.js'

/** Who may call a route. */
export type Access = 'public' | 'caller' | 'admin'

/** What a handler gets: the request, its parsed parts, and who calls. */
export interface RouteContext<Body, Query = unknown> {
  readonly request: HttpRequest
  readonly requestId: string
  /** Who calls; on public routes nobody is asked. */
  readonly caller: Caller
  /** Decoded path parameters by name. */
  readonly params: Readonly<Record<string, string>>
  readonly body: Body
  /** The body as it came; for routes that `recall`, where the adapter has it. */
  readonly bytes?: Uint8Array | undefined
  /** What `Route.query` made of the query. */
  readonly query: Query
}

/** A request for a route that came to nothing: it failed before its handler, or in it before anything was done. */
export interface RefusedRequest {
  readonly request: HttpRequest
  readonly requestId: string
  /** Undefined where nobody knows who calls. */
  readonly caller: Caller | undefined
  /** The body with its path parameters as far as it was read: unchecked, or undefined. */
  readonly body: unknown
  readonly error: GatewayError
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

/**
 * A request that works, as the documentation shows it. `test/endpoints/contract.test.ts` sends it to a running gateway
 * and holds the answer against `Route.response`; what must exist before is made by the examples that `story.ts` lists.
 */
export interface RouteExample {
  /** What it shows, in a few words. */
  readonly summary: string
  /** Path parameters by name. */
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: JsonObject
  /** What may be answered. @default made from the fields of `Route.response` and their examples in the glossary */
  readonly answer?: unknown
  /** The events of a streamed answer, as they come. */
  readonly events?: string
}

/** What is known of a request before its body is parsed. */
export type RawContext = Omit<RouteContext<unknown>, 'body' | 'query' | 'params'> & { readonly bytes: Uint8Array }

/** Answers requests by their very bytes. */
export interface Recall {
  /** Of a longer body the bytes are not kept until it is answered. */
  readonly maxBytes: number
  /** Undefined, at once, for bytes that were not answered before. */
  answer(context: RawContext): Promise<HttpResponse> | HttpResponse | undefined
}

/** One endpoint as data: adapters, authentication, documentation and tests all follow from it. */
export interface Route<Body = unknown, Query = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The first is the one that is documented. `{name}` is one segment, `{name+}` one or more. */
  readonly paths: readonly string[]
  readonly access: Access
  readonly summary: string
  /** What else there is to know, in sentences. */
  readonly description?: string
  /** Shape of the JSON body; a route without one reads none. */
  readonly body?: ZodType<Body>
  /** Shape of the query, each name once; a route without one ignores it. */
  readonly query?: ZodType<Query>
  /** A quick yes to common bodies, at less than the schema's cost; true only where `body` says the same. */
  readonly acceptsAtOnce?: (body: JsonObject) => boolean
  /** Path parameters that stand for a member of the body (`model`). */
  readonly pathIntoBody?: readonly string[]
  /** Shape of the answer, of status 200; `stream` is that of each event where it is streamed. */
  readonly response?: ZodType
  readonly stream?: ZodType
  readonly recall?: Recall | undefined
  /** Requests and answers to show, by name; every documented route has one. */
  readonly examples?: Readonly<Record<string, RouteExample>>
  /** Failures beside those that follow from `access`, `body` and `query`. */
  readonly errors?: readonly DocumentedFailure[]
  /** Headers that mean something here, and what; of the request, and of the answer. */
  readonly requestHeaders?: Readonly<Record<string, string>>
  readonly answerHeaders?: Readonly<Record<string, string>>
  handle(context: RouteContext<Body, Query>): Promise<HttpResponse> | HttpResponse
  /** Told once of every request that `handle` was not asked about, or threw at. Must not throw. */
  refused?(refused: RefusedRequest): void
}

/** Names a route's types of body and query to the compiler while the table forgets them. */
export function defineRoute<Body, Query = unknown>(route: Route<Body, Query>): Route {
  return route as Route
}

/** A route and the parameters that its path gave. */
export interface RouteMatch {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/** Finds routes by raw path; nothing is normalised, so no two spellings reach one route by accident. */
export interface RouteTable {
  /** The match, the methods that the path would allow, or undefined for a path that is not ours. */
  find(method: string, path: string): RouteMatch | { readonly allow: readonly string[] } | undefined
}

interface Pattern {
  readonly route: Route
  readonly segments: readonly string[]
}

const none: Readonly<Record<string, string>> = Object.freeze({})

/** Indexes the routes: fixed paths by look-up, those with parameters in order. */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const fixed = new Map<string, Map<string, RouteMatch>>()
  const patterns: Pattern[] = []
  for (const route of routes) {
    for (const path of route.paths) {
      if (path.includes('{')) {
        patterns.push({ route, segments: path.split('/') })
        continue
      }
      const methods = fixed.get(path) ?? new Map<string, RouteMatch>()
      methods.set(route.method, { route, params: none })
      fixed.set(path, methods)
    }
  }
  return {
    find(method, path) {
      const wanted = method === 'HEAD' ? 'GET' : method
      const methods = fixed.get(path)
      if (methods) return methods.get(wanted) ?? { allow: [...methods.keys()] }
      return findPattern(patterns, wanted, path)
    },
  }
}

function findPattern(patterns: readonly Pattern[], method: string, path: string): ReturnType<RouteTable['find']> {
  const segments = path.split('/')
  const allow = new Set<string>()
  for (const pattern of patterns) {
    const params = matchSegments(pattern.segments, segments)
    if (!params) continue
    if (pattern.route.method === method) return { route: pattern.route, params }
    allow.add(pattern.route.method)
  }
  return allow.size > 0 ? { allow: [...allow] } : undefined
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  // How many segments a `{name+}` stands for; every other place is one segment.
  const rest = segments.length - pattern.length + 1
  const params: Record<string, string> = {}
  let at = 0
  for (const expected of pattern) {
    const [, name, many] = /^\{(\w+)(\+?)\}$/.exec(expected) ?? []
    const end = at + (many ? rest : 1)
    if (end <= at || end > segments.length) return undefined
    const taken = segments.slice(at, end)
    const raw = taken.join('/')
    at = end
    if (name === undefined) {
      if (raw !== expected) return undefined
      continue
    }
    const value = taken.includes('') ? undefined : decode(raw)
    if (value === undefined) return undefined
    params[name] = value
  }
  return at === segments.length ? params : undefined
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
