import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { deliver } from './deliver.js'
import { anthropicDialect } from './dialects/anthropic.js'
import type { Dialect } from './dialects/dialect.js'
import { geminiDialect } from './dialects/gemini.js'
import { openaiDialect } from './dialects/openai.js'
import { requireFaults } from './faults.js'
import { receive } from './journal.js'
import { matchRoute, respond } from './respond.js'
import type { FakeRequest, ScriptFunction, ScriptStep } from './script.js'

/** How a fake upstream is started. */
export interface FakeUpstreamOptions {
  /** @default 0: any free port */
  readonly port?: number
  /** @default '127.0.0.1' */
  readonly host?: string
  /** If set, every other key is refused with 401. */
  readonly apiKey?: string
  /** What `GET /v1/models` lists; every other name is answered all the same. */
  readonly models?: readonly string[]
  /** How many requests the journal keeps, the newest. @default 1000 */
  readonly journalSize?: number
}

/** A running fake upstream. */
export interface FakeUpstream {
  /** Without a trailing slash: `http://127.0.0.1:41234`. */
  readonly url: string
  /** The requests that have arrived, oldest first. */
  readonly requests: readonly FakeRequest[]
  /** Answers the next requests, one step each, before anything else does. @throws TypeError for an unknown fault */
  script(...steps: readonly ScriptStep[]): void
  /** Answers every request for which the script has no step left; undefined ends that. */
  onRequest(answer: ScriptFunction | undefined): void
  /** Resolves to the request of that number, counted from 1 since the start, once it has arrived. */
  received(number: number): Promise<FakeRequest>
  /** Forgets the journal, the script and `onRequest`. */
  reset(): void
  /** Drops every connection and stops. */
  close(): Promise<void>
}

/**
 * Starts a real HTTP server that speaks like OpenAI (`/v1/chat/completions`, `/v1/completions`, `/v1/embeddings`,
 * `/v1/images/generations`, `/v1/models`), Anthropic (`/v1/messages`) and Gemini (`/v1beta/models/{model}:…`), for tests,
 * demos and benchmarks. An answer depends on nothing but its request: it says what the user said, one word per token and
 * event, with exact token counts; it calls a tool when the user says `call <tool>`; it fits the JSON schema that is asked
 * for; vectors have length 1; images are one white pixel. The model name asks for faults and latency: see `faults`.
 *
 *     const upstream = await startFakeUpstream()
 *     upstream.script('status-429', { content: { text: 'second try' } })
 *     // ... two calls to upstream.url ...
 *     upstream.requests.map((request) => request.path)
 *     await upstream.close()
 */
export function startFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  return startUpstreamOf([openaiDialect(options.models ?? ['demo']), anthropicDialect, geminiDialect], options)
}

/** Starts a fake upstream that speaks these dialects; the first one that knows a path answers. */
export async function startUpstreamOf(
  dialects: readonly Dialect[],
  options: FakeUpstreamOptions = {},
): Promise<FakeUpstream> {
  const state = createState(options.journalSize ?? 1000)

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = await receive(incoming, response)
    if (!exchange) return
    const { request } = exchange
    state.record(request)
    const match = matchRoute(dialects, request)
    if (!match) return notFound(response, request)
    const { delivery, plan } = respond(match, request, await state.nextAnswer(request), options.apiKey)
    await deliver(exchange, delivery, plan)
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => fail(response, error))
  })
  // A client's pool must not meet a connection that is being closed while it is idle.
  server.keepAliveTimeout = 120_000
  server.requestTimeout = 0
  const host = options.host ?? '127.0.0.1'
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    requests: state.requests,
    script: state.script,
    onRequest: state.onRequest,
    received: state.received,
    reset: state.reset,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function createState(journalSize: number) {
  const requests: FakeRequest[] = []
  const steps: ScriptStep[] = []
  const waiting = new Map<number, ((request: FakeRequest) => void)[]>()
  let handler: ScriptFunction | undefined
  let count = 0
  function record(request: FakeRequest): void {
    count += 1
    requests.push(request)
    if (requests.length > journalSize) requests.shift()
    for (const resolve of waiting.get(count) ?? []) resolve(request)
    waiting.delete(count)
  }
  function nextAnswer(request: FakeRequest): ReturnType<ScriptFunction> {
    const step = steps.shift() ?? handler
    if (typeof step === 'function') return step(request)
    return typeof step === 'string' ? { fault: step } : step
  }
  function script(...more: readonly ScriptStep[]): void {
    for (const step of more) requireFaults(typeof step === 'string' ? step : 'fault' in step ? step.fault : undefined)
    steps.push(...more)
  }
  function onRequest(answer: ScriptFunction | undefined): void {
    handler = answer
  }
  function received(number: number): Promise<FakeRequest> {
    const found = requests[requests.length - 1 - (count - number)]
    if (number <= count && found) return Promise.resolve(found)
    return new Promise((resolve) => void waiting.set(number, [...(waiting.get(number) ?? []), resolve]))
  }
  function reset(): void {
    requests.length = 0
    steps.length = 0
    handler = undefined
    count = 0
  }
  return { requests, record, nextAnswer, script, onRequest, received, reset }
}

function notFound(response: ServerResponse, request: FakeRequest): void {
  const message = `Invalid URL (${request.method} ${request.path})`
  const body = { error: { message, type: 'invalid_request_error', param: null, code: 'unknown_url' } }
  response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function fail(response: ServerResponse, error: unknown): void {
  // A mistake of the test's script; shown to the test through the answer, because nothing else looks.
  const message = `The fake upstream failed: ${error instanceof Error ? error.message : 'unknown error'}`
  if (response.headersSent) response.destroy()
  else response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message } }))
}
