import { isObject } from '../wire/json.js'
import type { Delivery } from './deliver.js'
import { RefusedRequest, type Dialect, type FakeCall, type FakeEvent, type FakeRoute } from './dialects/dialect.js'
import { parseFaults, requireFaults, type FaultPlan } from './faults.js'
import { hashOf, toId } from './hash.js'
import type { FakeRequest, ScriptedAnswer, ScriptedChunk } from './script.js'

/** An answer and how it is to be spoilt. */
export interface Answer {
  readonly delivery: Delivery
  readonly plan: FaultPlan
}

/** What a request hits: the dialect, the route, and the groups of its path. */
export interface RouteMatch {
  readonly dialect: Dialect
  readonly route: FakeRoute
  readonly params: readonly string[]
  readonly query: URLSearchParams
}

/** Finds the route of a request among the dialects. */
export function matchRoute(dialects: readonly Dialect[], request: FakeRequest): RouteMatch | undefined {
  const mark = request.path.indexOf('?')
  const path = mark < 0 ? request.path : request.path.slice(0, mark)
  for (const dialect of dialects) {
    for (const route of dialect.routes) {
      const match = route.method === request.method ? route.pattern.exec(path) : null
      if (!match) continue
      return { dialect, route, params: match.slice(1), query: new URLSearchParams(request.path.slice(path.length)) }
    }
  }
  return undefined
}

/** Decides what a request is answered: by its script, by its faults, by the rules of its dialect. */
export function respond(
  match: RouteMatch,
  request: FakeRequest,
  script: ScriptedAnswer | undefined,
  apiKey: string | undefined,
): Answer {
  const { dialect, route, params, query } = match
  const body = isObject(request.body) ? request.body : {}
  const plan = planOf(route.modelOf(body, params), script)
  const error = (status: number, message: string) => toError(dialect, status, message, plan, script)
  if (script && (script.body !== undefined || script.chunks)) return scripted(dialect, script, plan)
  const status = script?.status ?? plan.status
  if (status !== undefined && status >= 400) {
    return error(status, plan.message ?? `Fake error: status ${status} was asked for.`)
  }
  if (apiKey !== undefined && dialect.keyOf(request.headers, query) !== apiKey) {
    return error(401, 'Incorrect API key provided.')
  }
  if (route.method === 'POST' && !route.form && !isObject(request.body))
    return error(400, 'The body is not valid JSON.')
  const call: FakeCall = { params, query, headers: request.headers, body, plan, script: script?.content ?? {} }
  try {
    return answer(match, call, script)
  } catch (thrown) {
    if (thrown instanceof RefusedRequest) return error(thrown.status, thrown.message)
    throw thrown
  }
}

function planOf(model: string, script: ScriptedAnswer | undefined): FaultPlan {
  requireFaults(script?.fault)
  const plan = parseFaults(script?.fault ?? model)
  return script?.delayMs === undefined ? plan : { ...plan, delayMs: script.delayMs }
}

function answer(match: RouteMatch, call: FakeCall, script: ScriptedAnswer | undefined): Answer {
  const { dialect, route } = match
  const { plan } = call
  const rendered = route.answer(call)
  const errorFrame = dialect.errorFrame(503, 'Fake error inside the answer.')
  const stream = 'events' in rendered
  const headers = {
    'content-type': stream ? rendered.contentType : 'application/json',
    ...(stream && { 'cache-control': 'no-cache' }),
    ...idHeader(dialect, call.body),
    ...script?.headers,
  }
  const spoilt = plan.errorIn200 || (plan.errorAfter !== undefined && !stream)
  const status = script?.status ?? 200
  if (spoilt) {
    const event: FakeEvent = { kind: 'content', frame: errorFrame }
    const text = JSON.stringify(dialect.error(503, 'Fake error inside the answer.'))
    return { delivery: { status, headers, content: stream ? [event] : text, errorFrame }, plan }
  }
  const content = stream ? rendered.events : JSON.stringify(rendered.body)
  return { delivery: { status, headers, content, errorFrame, tokens: rendered.tokens }, plan }
}

function idHeader(dialect: Dialect, body: FakeCall['body']): Record<string, string> {
  return { [dialect.idHeader]: `req_${toId(hashOf(Object.keys(body).join()))}` }
}

function toError(
  dialect: Dialect,
  status: number,
  message: string,
  plan: FaultPlan,
  script: ScriptedAnswer | undefined,
): Answer {
  const headers = {
    'content-type': 'application/json',
    ...(plan.retryAfterSeconds !== undefined && { 'retry-after': String(plan.retryAfterSeconds) }),
    ...script?.headers,
  }
  const content = JSON.stringify(dialect.error(status, message))
  return { delivery: { status, headers, content, errorFrame: dialect.errorFrame(status, message) }, plan }
}

function scripted(dialect: Dialect, script: ScriptedAnswer, plan: FaultPlan): Answer {
  const type = script.chunks ? 'text/event-stream; charset=utf-8' : 'application/json'
  const headers = { 'content-type': type, ...script.headers }
  const errorFrame = dialect.errorFrame(503, 'Fake error inside the answer.')
  const content = script.chunks ? toEvents(script.chunks) : toContent(script.body)
  return { delivery: { status: script.status ?? 200, headers, content, errorFrame }, plan }
}

function toContent(body: unknown): string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
}

async function* toEvents(chunks: Iterable<ScriptedChunk> | AsyncIterable<ScriptedChunk>): AsyncGenerator<FakeEvent> {
  for await (const chunk of chunks) {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) yield { kind: 'content', frame: chunk }
    else await new Promise((resolve) => void setTimeout(resolve, chunk.delayMs))
    // Each chunk is a write of its own on the socket.
    await new Promise((resolve) => void setImmediate(resolve))
  }
}
