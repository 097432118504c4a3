import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { CallContext, CallParts } from '../../src/call/context.js'
import { runStream } from '../../src/call/run-stream.js'
import { createParts } from '../../src/gateway/create-parts.js'
import type { HttpStreamResponse } from '../../src/http/message.js'
import { type Gateway, type GatewayOptions, type ModelOptions, createGateway } from '../../src/index.js'
import { type AttemptEntry, CallTrail } from '../../src/router/trail.js'
import { type FakeUpstream, fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import type { ScriptStep } from '../../src/testing/script.js'
import { type JsonObject, isObject } from '../../src/wire/json.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'

/** What a client read of one stream. */
export interface ReadStream {
  /** Everything but the error and `[DONE]`. */
  readonly chunks: readonly JsonObject[]
  readonly error: JsonObject | undefined
  readonly done: boolean
}

/** A fake upstream for the tests of one file, and gateways before it. */
export interface RecoverLab {
  readonly upstream: FakeUpstream
  /** A gateway whose group `fast` has two deployments, asked in their order; nothing waits between attempts. */
  start(midStream: 'error' | 'restart' | 'continue', own?: LabOptions): Gateway
  /** The same without HTTP: what the client gets, and the trail of its attempts. */
  run(midStream: 'error' | 'restart' | 'continue', own?: LabOptions): Promise<LabRun>
}

/** What a test changes. */
export interface LabOptions extends Partial<GatewayOptions> {
  /** The two deployments. */
  readonly deployments?: readonly Partial<ModelOptions>[]
  readonly protocol?: 'openai' | 'anthropic' | 'gemini'
  readonly request?: object
  readonly routing?: GatewayOptions['routing']
}

/** A stream without HTTP. */
export interface LabRun {
  readonly text: string
  readonly error: unknown
  readonly entries: readonly AttemptEntry[]
  readonly parts: CallParts
}

/** Starts an upstream for this file. */
export function recoverLab(): RecoverLab {
  let upstream: FakeUpstream | undefined
  const gateways: Gateway[] = []
  const running = (): FakeUpstream => {
    if (!upstream) throw new Error('the upstream has not been started')
    return upstream
  }
  beforeAll(async () => {
    upstream = await startFakeUpstream()
  })
  beforeEach(() => running().reset())
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close({ drainMs: 0 })))
    await running().close()
  })
  return {
    get upstream() {
      return running()
    },
    start(midStream, own = {}) {
      const gateway = createGateway(optionsOf(running().url, midStream, own))
      gateways.push(gateway)
      return gateway
    },
    async run(midStream, own = {}) {
      const { call: parts } = createParts(optionsOf(running().url, midStream, own) as GatewayOptions)
      const result = await runOnce(parts, { ...question, ...own.request })
      await parts.client.close()
      return result
    },
  }
}

/** A question that the fake upstream answers with its own words: twenty of them. */
export const question = {
  model: 'fast',
  stream: true,
  messages: [
    {
      role: 'user' as const,
      content: 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen',
    },
  ],
}
/** What it answers. */
export const fullText = `You said: ${question.messages[0]?.content ?? ''}`

function optionsOf(url: string, midStream: 'error' | 'restart' | 'continue', own: LabOptions): GatewayOptions {
  const { deployments = [{}, {}], protocol = 'openai', request: _, routing, ...options } = own
  return {
    providers: [fakeProvider(url, { protocol })],
    models: deployments.map((deployment, order) => ({
      modelName: 'fast',
      model: 'fake/demo',
      id: `deployment-${order + 1}`,
      order: order + 1,
      ...deployment,
    })),
    auth: { identify: () => anyCaller },
    random: () => 0,
    env: {},
    ...options,
    routing: { midStream, ...routing },
  }
}

async function runOnce(parts: CallParts, request: JsonObject): Promise<LabRun> {
  const trail = new CallTrail()
  const context: CallContext = { caller: anyCaller, requestId: 'req_1', signal: undefined, headers: {}, trail }
  let text = ''
  try {
    const answer = await runStream('chat', request as typeof question, context, parts)
    for await (const batch of answer.parts)
      for (const part of batch) text += contentOf(part.chunk ?? part.forward?.data)
    return { text, error: undefined, entries: trail.entries, parts }
  } catch (error) {
    return { text, error, entries: trail.entries, parts }
  }
}

function contentOf(chunk: unknown): string {
  const read: unknown = typeof chunk === 'string' ? JSON.parse(chunk) : chunk
  return isObject(read) ? textOf([read]) : ''
}

/** Reads a whole stream as its client does. */
export async function readStream(gateway: Gateway, own: object = {}, signal?: AbortSignal): Promise<ReadStream> {
  const body = { ...question, ...own }
  const response = await gateway.handle(requestOf('POST', '/v1/chat/completions', body, signal ? { signal } : {}))
  if (!response || !('stream' in response)) throw new Error(`no stream: ${JSON.stringify(response)}`)
  return toRead(await wholeText(response))
}

async function wholeText({ stream }: HttpStreamResponse): Promise<string> {
  let text = ''
  for await (const piece of stream) text += typeof piece === 'string' ? piece : Buffer.from(piece).toString()
  return text
}

/** Takes a stream apart. */
export function toRead(text: string): ReadStream {
  const events = text.split('\n\n').filter((event) => event !== '')
  const read = events
    .filter((event) => event !== 'data: [DONE]')
    .map((event) => JSON.parse(event.replace('data: ', '')))
  return {
    chunks: read.filter((chunk) => !('error' in chunk)),
    error: read.find((chunk) => 'error' in chunk)?.error,
    done: events.at(-1) === 'data: [DONE]',
  }
}

/** A member of all deltas of one choice, joined. */
export function textOf(chunks: readonly JsonObject[], index = 0, member = 'content'): string {
  return choicesOf(chunks, index)
    .map(({ delta }) => (isObject(delta) && typeof delta[member] === 'string' ? delta[member] : ''))
    .join('')
}

/** All pieces of one choice. */
export function choicesOf(chunks: readonly JsonObject[], index = 0): readonly JsonObject[] {
  return chunks
    .flatMap(({ choices }) => (Array.isArray(choices) ? choices.filter(isObject) : []))
    .filter((choice) => choice['index'] === index)
}

/** An event of a stream in OpenAI's dialect, of the stream `id`. */
export function event(id: string, choices: readonly object[], members: object = {}): string {
  const chunk = { id, object: 'chat.completion.chunk', created: id.length, model: `model-${id}`, choices, ...members }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

/** An event with one choice. */
export function delta(id: string, added: object, finish: string | null = null, index = 0): string {
  return event(id, [{ index, delta: added, finish_reason: finish }])
}

/** A stream that breaks off after these events. */
export function cutAfter(...events: readonly (string | Uint8Array)[]): ScriptStep {
  return { chunks: events, fault: `cut-${events.length}` }
}

/** A stream that ends as it should. */
export function whole(...events: readonly string[]): ScriptStep {
  return { chunks: [...events, 'data: [DONE]\n\n'] }
}

/** Attempts under way at each deployment, in the order of the model list. */
export async function inFlightOf(gateway: Gateway): Promise<readonly unknown[]> {
  const admin = { ...anyCaller, role: 'admin' as const }
  const response = await gateway.handle(requestOf('GET', '/health/deployments'), admin)
  if (!response || 'stream' in response) throw new Error('no health')
  const { deployments }: { deployments: JsonObject[] } = JSON.parse(String(response.body))
  return deployments.map((deployment) => deployment['in_flight'])
}
