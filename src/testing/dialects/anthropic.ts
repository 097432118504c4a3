import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'
import { argumentsOf, compose, type ComposedChoice, type Composition } from '../compose.js'
import type { Conversation } from '../conversation.js'
import { RefusedRequest, type Dialect, type FakeCall, type FakeEvent, type Rendered } from './dialect.js'
import { objectOf, objectsOf, requireList, textOf, textsOf, tokensOf } from './read.js'

const errorTypes: Readonly<Record<number, string | undefined>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}
const stopReasons = { stop: 'end_turn', stop_sequence: 'stop_sequence', length: 'max_tokens', tool_calls: 'tool_use' }
// Any text will do as long as it comes back as it was.
const signature = 'ZmFrZS1zaWduYXR1cmU='

function errorBody(status: number, message: string): JsonObject {
  return { type: 'error', error: { type: errorTypes[status] ?? 'api_error', message }, request_id: 'req_fake' }
}

/** Anthropic's dialect: `POST /v1/messages`. */
export const anthropicDialect: Dialect = {
  name: 'anthropic',
  idHeader: 'request-id',
  routes: [
    {
      method: 'POST',
      pattern: /^(?:\/v1)?\/messages$/,
      modelOf: (body) => stringOf(body['model']) ?? '',
      answer: answerMessages,
    },
  ],
  keyOf: (headers) => headers['x-api-key'] ?? /^Bearer (.+)$/i.exec(headers['authorization'] ?? '')?.[1],
  error: errorBody,
  errorFrame: (status, message) => frame('error', errorBody(status, message)),
}

function answerMessages({ body, headers, plan, script }: FakeCall): Rendered {
  if (!headers['anthropic-version']) throw new RefusedRequest('anthropic-version: header is required')
  const composition = compose(readConversation(body), plan, script)
  if (body['stream'] !== true) return { body: wholeAnswer(composition, plan), tokens: composition }
  const events = eventsOf(composition, plan)
  return { events, contentType: 'text/event-stream; charset=utf-8', tokens: composition }
}

function readConversation(body: JsonObject): Conversation {
  const model = stringOf(body['model'])
  if (model === undefined) throw new RefusedRequest('model: Field required')
  const maxTokens = numberOf(body['max_tokens'])
  if (maxTokens === undefined) throw new RefusedRequest('max_tokens: Field required')
  const messages = requireList(body, 'messages').filter(isObject)
  const result = objectsOf(messages.at(-1)?.['content']).find((block) => block['type'] === 'tool_result')
  const spoken = messages.findLast((message) => message['role'] === 'user' && textOf(message['content']) !== '')
  const format = objectOf(objectOf(body, 'output_config'), 'format')
  return {
    model,
    userText: textOf(spoken?.['content']),
    toolResult: result && textOf(result['content']),
    promptTokens: messages.reduce((sum, message) => sum + tokensOf(message['content']), tokensOf(body['system'])),
    tools: objectsOf(body['tools']).flatMap((tool) =>
      typeof tool['name'] === 'string' ? [{ name: tool['name'], schema: objectOf(tool, 'input_schema') }] : [],
    ),
    toolChoice: readToolChoice(objectOf(body, 'tool_choice')),
    maxTokens,
    stop: textsOf(body['stop_sequences']),
    jsonSchema: format['type'] === 'json_schema' ? objectOf(format, 'schema') : undefined,
    reasoning: ['enabled', 'adaptive'].includes(String(objectOf(body, 'thinking')['type'])),
    choices: 1,
  }
}

function readToolChoice(choice: JsonObject): Conversation['toolChoice'] {
  if (choice['type'] === 'none') return 'none'
  if (choice['type'] === 'any') return 'required'
  return choice['type'] === 'tool' && typeof choice['name'] === 'string' ? { name: choice['name'] } : 'auto'
}

function wholeAnswer(
  composition: Composition,
  plan: { readonly noFinish?: true; readonly noUsage?: true },
): JsonObject {
  const choice = composition.choices[0]
  const text = choice?.pieces.join('') ?? ''
  return {
    id: `msg_${composition.id}`,
    type: 'message',
    role: 'assistant',
    model: composition.model,
    content: [
      ...(composition.reasoning.length > 0
        ? [{ type: 'thinking', thinking: composition.reasoning.join(''), signature }]
        : []),
      ...(text === '' ? [] : [{ type: 'text', text }]),
      ...(choice?.toolCalls ?? []).map((call) => ({
        type: 'tool_use',
        id: `toolu_${call.id}`,
        name: call.name,
        input: argumentsOf(call),
      })),
    ],
    stop_reason: plan.noFinish || !choice ? null : stopReasons[choice.finish],
    stop_sequence: choice?.stopSequence ?? null,
    ...(!plan.noUsage && { usage: toUsage(composition.promptTokens, composition.completionTokens) }),
  }
}

function toUsage(input: number, output: number): JsonObject {
  return {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: output,
    service_tier: 'standard',
  }
}

function frame(event: string, data: JsonObject): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

function* eventsOf(composition: Composition, plan: { readonly noUsage?: true }): Generator<FakeEvent> {
  const choice = composition.choices[0]
  if (!choice) return
  const usage = plan.noUsage ? {} : { usage: toUsage(composition.promptTokens, 1) }
  const message = { id: `msg_${composition.id}`, type: 'message', role: 'assistant', model: composition.model }
  const empty = { ...message, content: [], stop_reason: null, stop_sequence: null, ...usage }
  yield { kind: 'start', frame: frame('message_start', { type: 'message_start', message: empty }) }
  yield* blocksOf(composition, choice)
  const delta = { stop_reason: stopReasons[choice.finish], stop_sequence: choice.stopSequence ?? null }
  const output = plan.noUsage ? {} : { usage: { output_tokens: composition.completionTokens } }
  yield { kind: 'finish', frame: frame('message_delta', { type: 'message_delta', delta, ...output }) }
  yield { kind: 'done', frame: frame('message_stop', { type: 'message_stop' }) }
}

function* blocksOf(composition: Composition, choice: ComposedChoice): Generator<FakeEvent> {
  let index = 0
  const thinking = composition.reasoning.map((piece) => ({ type: 'thinking_delta', thinking: piece }))
  if (thinking.length > 0) {
    const deltas = [...thinking, { type: 'signature_delta', signature }]
    yield* blockOf(index++, { type: 'thinking', thinking: '', signature: '' }, deltas)
  }
  const text = choice.pieces.map((piece) => ({ type: 'text_delta', text: piece }))
  if (text.length > 0) yield* blockOf(index++, { type: 'text', text: '' }, text)
  for (const call of choice.toolCalls) {
    const deltas = call.pieces.map((piece) => ({ type: 'input_json_delta', partial_json: piece }))
    yield* blockOf(index++, { type: 'tool_use', id: `toolu_${call.id}`, name: call.name, input: {} }, deltas)
  }
}

function* blockOf(index: number, block: JsonObject, deltas: readonly JsonObject[]): Generator<FakeEvent> {
  const start = { type: 'content_block_start', index, content_block: block }
  yield { kind: 'start', frame: frame('content_block_start', start) }
  if (index === 0) yield { kind: 'start', frame: frame('ping', { type: 'ping' }) }
  for (const delta of deltas) {
    yield { kind: 'content', frame: frame('content_block_delta', { type: 'content_block_delta', index, delta }) }
  }
  yield { kind: 'start', frame: frame('content_block_stop', { type: 'content_block_stop', index }) }
}
