import { expect } from 'vitest'
import { createGateway, type Gateway, type GatewayOptions, type ModelOptions } from '../../src/index.js'
import type { Dialect } from '../../src/testing/dialects/dialect.js'
import { type FakeUpstream, startUpstreamOf } from '../../src/testing/fake-upstream.js'
import type { FakeRequest, ScriptedAnswer, ScriptStep } from '../../src/testing/script.js'
import { isObject, type JsonObject, parseJson } from '../../src/wire/json.js'
import { type Operation } from '../../src/wire/operations.js'
import { converseRefusals } from '../protocols/bedrock-converse/strict-rules.js'
import { refusals } from '../protocols/anthropic/strict-rules.js'
import { brokenRules } from '../protocols/gemini/strict-rules.js'
import { readStream, type ReceivedStream } from '../recordings/client.js'
import { objectsIn, textOf } from '../recordings/exchange.js'
import { send } from '../recordings/replay.js'

/** One case; it is run whole and streamed. */
export interface Case {
  /** Its number in the list of known troubles, or of the vectors on the wire. */
  readonly number: number | `B${number}`
  readonly title: string
  /** The fact for which there is no stream of it; it is run whole alone then. */
  readonly noStream?: string
  run(lab: Lab, stream: boolean): Promise<void>
}

/** How a case is asked. */
export type Mode = 'whole' | 'stream'

/** The ways in which a case is run. */
export const modesOf = ({ noStream }: Case): readonly Mode[] =>
  noStream === undefined ? ['whole', 'stream'] : ['whole']

/** A request as it arrived at the provider. */
export interface Sent {
  readonly path: string
  readonly headers: FakeRequest['headers']
  readonly body: JsonObject
}

/** An answer, of a stream put together as a client does. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The body of a whole answer. */
  readonly body: unknown
  readonly choices: readonly Choice[]
  readonly message: JsonObject
  readonly finish: unknown
  readonly usage: JsonObject
  readonly stream: ReceivedStream
  /** The last request. */
  readonly sent: Sent
}

/** A choice of an answer. */
export interface Choice {
  readonly index: unknown
  readonly message: JsonObject
  readonly finish: unknown
}

/** Where cases are tried: a gateway before an upstream that answers whatever it is told to, by real HTTP. */
export interface Lab {
  readonly upstream: FakeUpstream
  /** Asks for `provider/model`; the upstream answers by the steps. What the real API would refuse fails the test. */
  ask(operation: Operation, body: JsonObject, ...steps: readonly ScriptStep[]): Promise<Reply>
  /** The same for chat. */
  chat(body: JsonObject, stream: boolean, ...steps: readonly ScriptStep[]): Promise<Reply>
  /** A lab at the same upstream whose gateway is set up otherwise. */
  with(options: Partial<GatewayOptions>): Lab
  close(): Promise<void>
}

// Every answer is scripted; the dialect only has to know the paths.
const anything: Dialect = {
  name: 'anything',
  idHeader: 'x-request-id',
  routes: (['GET', 'POST'] as const).map((method) => ({
    method,
    pattern: /^/,
    modelOf: () => '',
    answer: () => ({ body: {} }),
  })),
  keyOf: () => undefined,
  error: (_, message) => ({ error: { message } }),
  errorFrame: (_, message) => `data: ${JSON.stringify({ error: { message } })}\n\n`,
}

const aws = { region: 'us-east-1', accessKeyId: 'AKIATEST', secretAccessKey: 'secret-test' }
const google = { project: 'p', location: 'us-central1', credentials: () => 'google-token' }
const places: Readonly<Record<string, Partial<ModelOptions>>> = {
  anthropic: {},
  azure: {},
  bedrock: { settings: aws },
  deepseek: {},
  gemini: {},
  lm_studio: {},
  mistral: {},
  moonshot: {},
  ollama: {},
  openai: {},
  openrouter: {},
  vertex_ai: { settings: google },
  vllm: {},
  voyage: {},
}

function modelsAt(url: string): ModelOptions[] {
  return Object.entries(places).map(([name, own]) => ({
    modelName: `${name}/*`,
    model: `${name}/*`,
    baseUrl: `${url}/${name}`,
    ...(own.settings ? {} : { apiKey: 'sk-test-0123456789' }),
    ...own,
  }))
}

/** Starts the upstream and a gateway before it. */
export async function startLab(): Promise<Lab> {
  const upstream = await startUpstreamOf([anything])
  const gateways: Gateway[] = []
  const labOf = (options: Partial<GatewayOptions>): Lab => {
    const gateway = createGateway({ models: modelsAt(upstream.url), auth: 'none', retries: 0, env: {}, ...options })
    gateways.push(gateway)
    const ask: Lab['ask'] = async (operation, body, ...steps) => {
      upstream.reset()
      upstream.script(...steps)
      const received = await send(gateway, operation, body, 'caller')
      const sent = toSent(upstream.requests.findLast(({ method }) => method === 'POST'))
      expect(refusedBy(sent, String(body['model']))).toEqual([])
      return toReply(received, sent)
    }
    return {
      upstream,
      ask,
      chat: (body, stream, ...steps) => ask('chat', { ...body, ...(stream && { stream }) }, ...steps),
      with: labOf,
      close: async () => {
        await Promise.all(gateways.map((one) => one.close({ drainMs: 0 })))
        await upstream.close()
      },
    }
  }
  return labOf({})
}

function toSent(request: FakeRequest | undefined): Sent {
  const body = request && isObject(request.body) ? request.body : {}
  return { path: request?.path ?? '', headers: request?.headers ?? {}, body }
}

/** What the real API would say against a request; nothing where none was made. */
function refusedBy({ path, headers, body }: Sent, model: string): readonly string[] {
  if (path === '') return []
  if (model.startsWith('anthropic/')) return refusals(body, headers['anthropic-beta'])
  if (path.includes('/converse')) return converseRefusals(body)
  if (model.startsWith('gemini/')) return brokenRules(path.replace('/gemini', ''), body)
  return []
}

function toReply(received: Awaited<ReturnType<typeof send>>, sent: Sent): Reply {
  const { text, status, headers } = received
  const body = parseJson(text)
  const stream = readStream(isObject(body) ? '' : text)
  const whole = objectsIn(isObject(body) ? body['choices'] : []).map((choice) => ({
    index: choice['index'],
    message: isObject(choice['message']) ? choice['message'] : {},
    finish: choice['finish_reason'],
  }))
  const choices = isObject(body) ? whole : assemble(stream.chunks)
  const usage = isObject(body) ? body['usage'] : stream.chunks.findLast((chunk) => isObject(chunk['usage']))?.['usage']
  const [first] = choices
  return {
    status,
    headers,
    text,
    body,
    choices,
    message: first?.message ?? {},
    finish: first?.finish,
    usage: isObject(usage) ? usage : {},
    stream,
    sent,
  }
}

/** Puts the deltas of a stream together by index, as OpenAI's client does. */
function assemble(chunks: readonly JsonObject[]): readonly Choice[] {
  const choices = new Map<unknown, { message: Record<string, unknown>; finishes: unknown[] }>()
  for (const choice of chunks.flatMap((chunk) => objectsIn(chunk['choices']))) {
    const state = choices.get(choice['index']) ?? { message: {}, finishes: [] }
    choices.set(choice['index'], state)
    const delta = isObject(choice['delta']) ? choice['delta'] : {}
    for (const [name, value] of Object.entries(delta)) state.message[name] = join(state.message[name], value, name)
    if (choice['finish_reason']) state.finishes.push(choice['finish_reason'])
  }
  return [...choices].map(([index, { message, finishes }]) => ({
    index,
    message,
    // A second one would be a fault.
    finish: finishes.length === 1 ? finishes[0] : finishes,
  }))
}

function join(before: unknown, value: unknown, name: string): unknown {
  if (name === 'tool_calls') return joinCalls(objectsIn(before), objectsIn(value))
  if (name === 'thinking_blocks') return [...objectsIn(before), ...objectsIn(value)]
  return typeof before === 'string' && typeof value === 'string' && name !== 'role' ? before + value : value
}

function joinCalls(before: readonly JsonObject[], deltas: readonly JsonObject[]): readonly JsonObject[] {
  const calls = [...before]
  for (const { index, ...delta } of deltas) {
    const at = Number(index)
    const known = calls[at] ?? {}
    const called = { ...(isObject(known['function']) && known['function']) }
    const piece = isObject(delta['function']) ? delta['function'] : {}
    const args = textOf(called['arguments']) + textOf(piece['arguments'])
    calls[at] = { ...known, ...delta, function: { ...called, ...piece, arguments: args } }
  }
  return calls
}

/** The calls of a message, each as its name and arguments. */
export function callsOf(message: JsonObject): readonly (readonly [name: unknown, args: unknown])[] {
  return objectsIn(message['tool_calls']).map((call) => {
    const called = isObject(call['function']) ? call['function'] : {}
    return [called['name'], called['arguments']]
  })
}

/** Only what OpenAI documents of an assistant's message, as its client keeps it. */
export function plain(message: JsonObject): JsonObject {
  const calls = objectsIn(message['tool_calls']).map(({ id, function: called }) => ({
    id,
    type: 'function',
    function: called,
  }))
  return {
    role: 'assistant',
    content: message['content'] ?? null,
    ...(calls.length > 0 && { tool_calls: calls.map((call) => ({ ...call })) }),
  }
}

/** A tool without much to say. */
export function tool(name: string, parameters?: JsonObject): JsonObject {
  return { type: 'function', function: { name, ...(parameters && { parameters }) } }
}

/** A user's message. */
export const user = (content: unknown): JsonObject => ({ role: 'user', content })

/** An assistant's message with calls. */
export function calling(...calls: readonly (readonly [id: string, name: string, args: string])[]): JsonObject {
  const tool_calls = calls.map(([id, name, args]) => ({ id, type: 'function', function: { name, arguments: args } }))
  return { role: 'assistant', content: null, tool_calls }
}

/** The result of a tool. */
export const result = (tool_call_id: string, content: unknown): JsonObject => ({ role: 'tool', tool_call_id, content })

/** A whole body of JSON that comes in pieces, cut wherever they say. */
export function wholeInPieces(pieces: readonly Uint8Array[]): ScriptedAnswer {
  return { headers: { 'content-type': 'application/json' }, chunks: pieces }
}

/** A whole body of JSON that breaks off in the middle of its last text, with a length that says it is all. */
export function cutOff(body: JsonObject, text: string): ScriptedAnswer {
  const whole = JSON.stringify(body)
  const cut = whole.slice(0, whole.lastIndexOf(text) + text.length - 1)
  return { headers: { 'content-type': 'application/json' }, body: cut }
}

/** What a client is told of a body that cannot be read to its end. */
export const unreadable = [502, 'upstream_invalid_response'] as const

/** A server-sent event. */
export function sse(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}
