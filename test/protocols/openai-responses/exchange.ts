import { expect } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { createResponsesCodec } from '../../../src/protocols/openai-responses/chat.js'
import type { ResponsesOptions } from '../../../src/protocols/openai-responses/options.js'
import type { Exchange, StreamDecoder, StreamPart } from '../../../src/protocols/protocol.js'
import type { UpstreamRequest } from '../../../src/upstream/message.js'
import { ChatChunk, ChatCompletion, ChatRequest } from '../../../src/wire/chat.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { deepFreeze, deploymentOf } from '../openai/exchange.js'
import { refusals } from './strict-rules.js'

const openai: ResponsesOptions = { modelRules: true }

/** One frozen exchange with a model that reasons. */
export function exchangeOf(fields: JsonObject = {}, changes: Partial<Deployment> = {}): Exchange<'chat'> {
  const request = ChatRequest.parse({ model: 'fast', messages: [{ role: 'user', content: 'hi' }], ...fields })
  return {
    request: deepFreeze(request),
    deployment: deepFreeze(deploymentOf({ provider: 'openai', model: 'gpt-5.5', ...changes })),
    id: 'abcdefghijklmnopqrstuvwx',
    created: 1_750_000_000,
  }
}

/** What is sent, and its body, which the real API would take. */
export function encode(
  fields: JsonObject,
  changes: Partial<Deployment> = {},
  options: ResponsesOptions = openai,
): { readonly sent: UpstreamRequest; readonly body: JsonObject } {
  const sent = createResponsesCodec(options).encode(exchangeOf(fields, changes))
  const body: unknown = JSON.parse(String(sent.body))
  if (!isObject(body)) throw new Error('no object')
  const model = String(changes.info?.['base_model'] ?? body['model'])
    .split('/')
    .at(-1)
  expect(refusals({ ...body, model })).toEqual([])
  return { sent, body }
}

/** A response as the API gives it. */
export function responseOf(output: readonly JsonObject[], rest: JsonObject = {}): JsonObject {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_750_000_001.5,
    status: 'completed',
    error: null,
    incomplete_details: null,
    model: 'gpt-5.5-2026-05-01',
    output,
    usage: {
      input_tokens: 11,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 7,
      output_tokens_details: { reasoning_tokens: 3 },
      total_tokens: 18,
    },
    ...rest,
  }
}

export const messageItem = (text: string, rest: JsonObject = {}): JsonObject => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  ...rest,
})

export const callItem = (id: string, name: string, args: string): JsonObject => ({
  id: `fc_${id}`,
  type: 'function_call',
  status: 'completed',
  call_id: id,
  name,
  arguments: args,
})

export const reasoningItem = (texts: readonly string[], encrypted = 'gAAAA-sealed'): JsonObject => ({
  id: 'rs_1',
  type: 'reasoning',
  summary: texts.map((text) => ({ type: 'summary_text', text })),
  encrypted_content: encrypted,
})

/** A whole answer, in the shape that OpenAI's clients expect. */
export function decode(body: unknown, fields: JsonObject = {}): ChatCompletion {
  return ChatCompletion.parse(createResponsesCodec(openai).decode(body, exchangeOf(fields)))
}

export function stream(fields: JsonObject = {}): StreamDecoder<ChatChunk> {
  const decoder = createResponsesCodec(openai).decodeStream?.(exchangeOf({ stream: true, ...fields }))
  if (!decoder) throw new Error('cannot stream')
  return decoder
}

/** Pushes events of these bodies; gives the chunks. */
export function push(decoder: StreamDecoder<ChatChunk>, ...events: readonly JsonObject[]): ChatChunk[] {
  return events.flatMap((event) =>
    decoder.push({ event: '', data: JSON.stringify(event), frame: undefined }).map(chunkOf),
  )
}

const chunkOf = ({ chunk }: StreamPart<ChatChunk>): ChatChunk => ChatChunk.parse(chunk)

/** The events that the API streams a response as, with every item announced, told in pieces and finished. */
export function eventsOf(response: JsonObject, pieceLength = 3): readonly JsonObject[] {
  const { output, ...head } = response
  const items = Array.isArray(output) ? output.filter(isObject) : []
  return [
    { type: 'response.created', response: { ...head, status: 'in_progress', output: [], usage: null } },
    ...items.flatMap((item, index) => itemEvents(item, index, pieceLength)),
    { type: response['status'] === 'incomplete' ? 'response.incomplete' : 'response.completed', response },
  ]
}

function itemEvents(item: JsonObject, output_index: number, length: number): readonly JsonObject[] {
  const place = { output_index, item_id: item['id'] }
  const cut = (text: unknown) => String(text).match(new RegExp(`[\\s\\S]{1,${length}}`, 'g')) ?? []
  const list = (value: unknown) => (Array.isArray(value) ? value.filter(isObject) : [])
  const { content: _content, arguments: _arguments, input: _input, summary: _summary, ...start } = item
  const pieces = [
    ...list(item['summary']).flatMap((part, summary_index) =>
      cut(part['text']).map((delta) => ({
        type: 'response.reasoning_summary_text.delta',
        ...place,
        summary_index,
        delta,
      })),
    ),
    ...list(item['content']).flatMap((part, content_index): JsonObject[] => {
      const type = part['type'] === 'refusal' ? 'response.refusal.delta' : 'response.output_text.delta'
      const deltas = cut(part['text'] ?? part['refusal']).map((delta) => ({ type, ...place, content_index, delta }))
      const annotations = list(part['annotations']).map((annotation) => ({
        type: 'response.output_text.annotation.added',
        ...place,
        content_index,
        annotation,
      }))
      return [...deltas, ...annotations]
    }),
    ...(typeof item['arguments'] === 'string'
      ? cut(item['arguments']).map((delta) => ({ type: 'response.function_call_arguments.delta', ...place, delta }))
      : []),
    ...(typeof item['input'] === 'string'
      ? cut(item['input']).map((delta) => ({ type: 'response.custom_tool_call_input.delta', ...place, delta }))
      : []),
  ]
  return [
    { type: 'response.output_item.added', ...place, item: { ...start, status: 'in_progress' } },
    ...pieces,
    { type: 'response.output_item.done', ...place, item },
  ]
}

/** Everything that a stream of these events gives. */
export function readStream(events: readonly JsonObject[], fields: JsonObject = {}): readonly ChatChunk[] {
  const decoder = stream(fields)
  return [...push(decoder, ...events), ...decoder.end().map(chunkOf)]
}
