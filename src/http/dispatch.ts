import { type ZodError, type ZodType, z } from 'zod'
import { GatewayError, InvalidRequestError, toGatewayError } from '../errors.js'
import type { Auth, Caller, Clock } from '../ports.js'
import { merged } from '../wire/merged.js'
import { isObject, type JsonObject } from '../wire/json.js'
import { Deadlines } from './deadlines.js'
import { JsonAnswer, errorAnswer } from './answer.js'
import { isCaller } from './caller.js'
import type { HttpRequest, HttpResponse } from './message.js'
import { createNextTurn } from './next-turn.js'
import type { Recall, RefusedRequest, Route, RouteContext, RouteMatch, RouteTable } from './route.js'

/** What the dispatcher needs besides the routes. */
export interface DispatchParts {
  readonly routes: RouteTable
  readonly auth: Auth
  readonly clock: Clock
  readonly createId: () => string
  readonly maxBodyBytes: number
  /** Told of failures that are the gateway's or the host's own, never the client's. */
  readonly onFault: (error: GatewayError, requestId: string) => void
}

/** Answers requests of known paths; null, at once, for all others. */
export type Dispatch = (request: HttpRequest, caller?: Caller) => Promise<HttpResponse> | null

const anyone: Caller = Object.freeze({
  id: 'anonymous',
  role: 'member',
  models: Object.freeze([]),
  scopes: Object.freeze([]),
})

const identifyMs = 10_000
// Before node:http itself closes a connection whose request is not complete after 5 minutes.
const bodyMs = 240_000

/** The parts with what bounds the waits for others. */
interface BoundedParts extends DispatchParts {
  readonly nextTurn: () => Promise<void>
  readonly identifying: Deadlines
  readonly reading: Deadlines
}

function withDeadlines(parts: DispatchParts): BoundedParts {
  const unidentified = () => new GatewayError('unavailable', 'The caller could not be identified in time.')
  const unread = () => new GatewayError('request_timeout', 'The request did not arrive in time.')
  return {
    ...parts,
    nextTurn: createNextTurn(),
    identifying: new Deadlines(parts.clock, identifyMs, unidentified),
    reading: new Deadlines(parts.clock, bodyMs, unread),
  }
}

/** Builds the line from a request to its handler: find, identify, parse, handle; every failure becomes an answer. */
export function createDispatch(given: DispatchParts): Dispatch {
  const parts = withDeadlines(given)
  return (request, caller) => {
    const found = parts.routes.find(request.method, request.path)
    // Preflight requests belong to the host's CORS middleware.
    if (!found || (!('route' in found) && request.method === 'OPTIONS')) return null
    return answer(found, request, caller, parts)
  }
}

async function answer(
  found: RouteMatch | { readonly allow: readonly string[] },
  request: HttpRequest,
  knownCaller: Caller | undefined,
  parts: BoundedParts,
): Promise<HttpResponse> {
  const requestId = requestIdOf(request, parts)
  if (!('route' in found)) {
    const error = new GatewayError('method_not_allowed', `${request.method} is not allowed here.`)
    return withId(errorAnswer(error, { allow: found.allow.join(', ') }), requestId)
  }
  const reading: Reading = { request, requestId, caller: knownCaller, body: undefined, startedAt: parts.clock.now() }
  try {
    // What need not be waited for is not: a request that is answered from the cache waits for its body alone.
    const identified = knownCaller ?? identify(found.route, request, requestId, parts)
    const caller = identified instanceof Promise ? await identified : identified
    reading.caller = caller
    checkRole(found.route, caller)
    const { recall, body } = found.route
    // Most bodies come along with their head: a turn later they are there at once, and nobody has to be told of them.
    if ((recall || body) && request.isArriving === true) await parts.nextTurn()
    const given = recall && parts.reading.bound(request.bytes?.(parts.maxBodyBytes))
    const bytes = recall && kept(recall, given instanceof Promise ? await given : given)
    const recalled = bytes && recall?.answer({ request, requestId, caller, bytes })
    const answered = recalled ?? handle(found, reading, { caller, bytes }, parts)
    return withId(answered instanceof Promise ? await answered : answered, requestId)
  } catch (thrown) {
    const error = toGatewayError(thrown)
    if (error.kind === 'internal' && !GatewayError.isInstance(thrown)) parts.onFault(error, requestId)
    found.route.refused?.({ ...reading, error })
    return withId(errorAnswer(error), requestId)
  }
}

function withId(response: HttpResponse, requestId: string): HttpResponse {
  if (!(response instanceof JsonAnswer)) {
    return { ...response, headers: merged(response.headers, { 'x-request-id': requestId }) }
  }
  response.headers['x-request-id'] = requestId
  return response
}

/** What is known of a request so far. */
type Reading = { -readonly [Member in keyof Omit<RefusedRequest, 'error'>]: RefusedRequest[Member] }

async function handle(
  { route, params }: RouteMatch,
  reading: Reading,
  { caller, bytes }: Pick<RouteContext<unknown>, 'caller' | 'bytes'>,
  parts: BoundedParts,
): Promise<HttpResponse> {
  const { request, requestId } = reading
  const query = route.query && readQuery(route.query, request.query)
  if (route.body) {
    const body = withParams(route, params, await readBody(request, parts))
    reading.body = body
    checkBody(route, route.body, body)
  }
  return route.handle({ request, requestId, caller, params, body: reading.body, query, bytes })
}

const acceptableId = /^[\w.:-]{1,128}$/

function requestIdOf(request: HttpRequest, parts: BoundedParts): string {
  const given = request.headers['x-request-id']
  return given !== undefined && acceptableId.test(given) ? given : `req_${parts.createId()}`
}

/** Asks the host who calls; a host that throws or hangs must not open the door, nor hold the request for ever. */
function identify(
  route: Route,
  request: HttpRequest,
  requestId: string,
  parts: BoundedParts,
): Caller | Promise<Caller> {
  if (route.access === 'public') return anyone
  const failed = (thrown: unknown): never => {
    if (GatewayError.isInstance(thrown)) throw thrown
    const error = new GatewayError('internal', 'The caller could not be identified.', { cause: thrown })
    parts.onFault(error, requestId)
    throw error
  }
  let given: unknown
  try {
    given = parts.identifying.bound(parts.auth.identify(request))
  } catch (thrown) {
    return failed(thrown)
  }
  if (!(given instanceof Promise)) return toCaller(given, requestId, parts)
  return given.then((caller) => toCaller(caller, requestId, parts), failed)
}

/** @throws GatewayError authentication; internal for what is no caller */
function toCaller(caller: unknown, requestId: string, parts: BoundedParts): Caller {
  if (isCaller(caller)) return caller
  if (caller) {
    const cause = new TypeError('identify must give null or a caller: { id, role, models, scopes }')
    const error = new GatewayError('internal', 'The caller could not be identified.', { cause })
    parts.onFault(error, requestId)
    throw error
  }
  throw new GatewayError(
    'authentication',
    'No valid credential was given. Send it as the host of this gateway asks for.',
  )
}

function checkRole(route: Route, caller: Caller): void {
  if (route.access !== 'admin' || caller.role === 'admin') return
  throw new GatewayError('permission', 'This needs the role admin.')
}

/** The body as it came, where that is worth a look. */
function kept({ maxBytes }: Recall, bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && bytes.byteLength <= maxBytes ? bytes : undefined
}

async function readBody(request: HttpRequest, parts: BoundedParts): Promise<JsonObject> {
  const body = await parts.reading.bound(request.json(parts.maxBodyBytes))
  if (isObject(body)) return body
  throw new InvalidRequestError('The body must be a JSON object.')
}

function withParams({ pathIntoBody = [] }: Route, params: RouteMatch['params'], body: JsonObject): JsonObject {
  return pathIntoBody.length === 0 || Object.keys(params).length === 0 ? body : { ...body, ...params }
}

/** The body itself goes on, not zod's copy of it: nothing is stripped, reordered or built twice. */
function checkBody(route: Route, schema: ZodType, body: JsonObject): void {
  if (route.acceptsAtOnce?.(body)) return
  const result = schema.safeParse(body, { reportInput: false })
  if (!result.success) throw toInvalidRequest(result.error)
}

/** The query as its schema makes it. A name that is given twice would mean whatever suits the reader: it is refused. */
function readQuery(schema: ZodType, query: URLSearchParams): unknown {
  const names = [...query.keys()]
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new InvalidRequestError(`'${twice}' is given more than once.`, twice)
  const result = schema.safeParse(Object.fromEntries(query), { reportInput: false })
  if (result.success) return result.data
  throw toInvalidRequest(result.error)
}

/** The first problem that a schema found, as OpenAI would phrase it: the field in `param` and in the message. */
export function toInvalidRequest(error: ZodError): InvalidRequestError {
  const [issue] = error.issues
  if (!issue) return new InvalidRequestError('The request is not valid.')
  const { path, message } = deepest(issue, [])
  const param = toParam(path)
  if (issue.code === 'unrecognized_keys')
    return new InvalidRequestError(`There is no field '${param}' here.`, param, error)
  return new InvalidRequestError(param === null ? message : `Invalid value for '${param}': ${message}`, param, error)
}

type Issue = z.core.$ZodIssue
interface Place {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** Of the alternatives of a union, the one that got furthest is what the client meant. */
function deepest(issue: Issue, above: readonly PropertyKey[]): Place {
  const path = [...above, ...issue.path, ...(issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [])]
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return { path, message: issue.message }
  const places = issue.errors.flatMap((branch) => branch.slice(0, 1).map((inner) => deepest(inner, path)))
  const furthest = places.toSorted((a, b) => b.path.length - a.path.length)[0]
  if (!furthest || furthest.path.length === path.length) return { path, message: 'has none of the accepted forms' }
  return furthest
}

function toParam(path: readonly PropertyKey[]): string | null {
  if (path.length === 0) return null
  return path
    .map((part, position) => (typeof part === 'number' ? `[${part}]` : `${position === 0 ? '' : '.'}${String(part)}`))
    .join('')
}
