import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'
import { compose, type ComposedChoice, type ComposedToolCall, type Composition } from '../compose.js'
import type { Conversation, OfferedTool } from '../conversation.js'
import { created, RefusedRequest, type FakeCall, type FakeEvent, type Rendered } from './dialect.js'
import { choicesOf, objectOf, objectsOf, requireList, textOf, textsOf, tokensOf } from './read.js'

/** `POST /v1/chat/completions`. */
export function answerChat({ body, plan, script }: FakeCall): Rendered {
  const composition = compose(readConversation(body), plan, script)
  const logprobs = body['logprobs'] === true ? (numberOf(body['top_logprobs']) ?? 0) : undefined
  if (body['stream'] !== true) return { body: wholeAnswer(composition, logprobs, plan), tokens: composition }
  const includeUsage = objectOf(body, 'stream_options')['include_usage'] === true && !plan.noUsage
  const events = chunksOf(composition, logprobs, includeUsage)
  return { events, contentType: 'text/event-stream; charset=utf-8', tokens: composition }
}

function readConversation(body: JsonObject): Conversation {
  const model = stringOf(body['model'])
  if (model === undefined) throw new RefusedRequest('you must provide a model parameter')
  const messages = requireList(body, 'messages').filter(isObject)
  const last = messages.at(-1)
  const format = objectOf(body, 'response_format')
  const schema = objectOf(objectOf(format, 'json_schema'), 'schema')
  return {
    model,
    userText: textOf(messages.findLast((message) => message['role'] === 'user')?.['content']),
    toolResult: last?.['role'] === 'tool' ? textOf(last['content']) : undefined,
    promptTokens: messages.reduce((sum, message) => sum + tokensOf(message['content']), 0),
    tools: objectsOf(body['tools']).flatMap(readTool),
    toolChoice: readToolChoice(body['tool_choice']),
    maxTokens: numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']),
    stop: textsOf(body['stop']),
    jsonSchema: format['type'] === 'json_schema' ? schema : format['type'] === 'json_object' ? answerSchema : undefined,
    reasoning: typeof body['reasoning_effort'] === 'string' && body['reasoning_effort'] !== 'none',
    choices: choicesOf(body['n']),
  }
}

const answerSchema = { type: 'object', properties: { answer: { type: 'string' } } }

function readTool(tool: JsonObject): OfferedTool[] {
  const declared = objectOf(tool, 'function')
  return typeof declared['name'] === 'string'
    ? [{ name: declared['name'], schema: objectOf(declared, 'parameters') }]
    : []
}

function readToolChoice(choice: unknown): Conversation['toolChoice'] {
  if (choice === 'none' || choice === 'required') return choice
  const name = isObject(choice) ? objectOf(choice, 'function')['name'] : undefined
  return typeof name === 'string' ? { name } : 'auto'
}

function wholeAnswer(
  composition: Composition,
  logprobs: number | undefined,
  plan: { readonly noFinish?: true; readonly noUsage?: true },
): JsonObject {
  const { id, model, choices, reasoning } = composition
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created,
    model,
    choices: choices.map((choice, index) => ({
      index,
      message: {
        role: 'assistant',
        content: choice.pieces.length > 0 || choice.toolCalls.length === 0 ? choice.pieces.join('') : null,
        refusal: null,
        ...(reasoning.length > 0 && { reasoning_content: reasoning.join('') }),
        ...(choice.toolCalls.length > 0 && { tool_calls: choice.toolCalls.map(toToolCall) }),
      },
      logprobs:
        logprobs === undefined ? null : { content: choice.pieces.map((p) => toLogprob(p, logprobs)), refusal: null },
      finish_reason: plan.noFinish ? null : finishReason(choice),
    })),
    ...(!plan.noUsage && { usage: toUsage(composition) }),
    system_fingerprint: 'fp_fake',
  }
}

function toToolCall(call: ComposedToolCall): JsonObject {
  return { id: `call_${call.id}`, type: 'function', function: { name: call.name, arguments: call.pieces.join('') } }
}

function* chunksOf(
  composition: Composition,
  logprobs: number | undefined,
  includeUsage: boolean,
): Generator<FakeEvent> {
  const { id, model, choices, reasoning } = composition
  const head = `data: {"id":"chatcmpl-${id}","object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)},"system_fingerprint":"fp_fake",`
  const usage = includeUsage ? ',"usage":null' : ''
  const frame = (index: number, delta: string, finish: string, logprob = 'null') =>
    `${head}"choices":[{"index":${index},"delta":${delta},"logprobs":${logprob},"finish_reason":${finish}}]${usage}}\n\n`
  for (const [index, choice] of choices.entries()) {
    yield { kind: 'start', frame: frame(index, '{"role":"assistant","content":"","refusal":null}', 'null') }
    for (const piece of reasoning) {
      yield { kind: 'content', frame: frame(index, `{"reasoning_content":${JSON.stringify(piece)}}`, 'null') }
    }
    for (const piece of choice.pieces) {
      const logprob =
        logprobs === undefined ? 'null' : JSON.stringify({ content: [toLogprob(piece, logprobs)], refusal: null })
      yield { kind: 'content', frame: frame(index, `{"content":${JSON.stringify(piece)}}`, 'null', logprob) }
    }
    for (const delta of toolDeltas(choice.toolCalls)) {
      yield { kind: 'content', frame: frame(index, JSON.stringify({ tool_calls: [delta] }), 'null') }
    }
    yield { kind: 'finish', frame: frame(index, '{}', JSON.stringify(finishReason(choice))) }
  }
  if (includeUsage) {
    yield { kind: 'start', frame: `${head}"choices":[],"usage":${JSON.stringify(toUsage(composition))}}\n\n` }
  }
  yield { kind: 'done', frame: 'data: [DONE]\n\n' }
}

function* toolDeltas(calls: readonly ComposedToolCall[]): Generator<JsonObject> {
  for (const [index, call] of calls.entries()) {
    yield { index, id: `call_${call.id}`, type: 'function', function: { name: call.name, arguments: '' } }
    for (const piece of call.pieces) yield { index, function: { arguments: piece } }
  }
}

function finishReason(choice: ComposedChoice): string {
  return choice.finish === 'stop_sequence' ? 'stop' : choice.finish
}

function toLogprob(token: string, top: number): JsonObject {
  const entry = { token, logprob: -0.125, bytes: [...Buffer.from(token)] }
  const others = Array.from({ length: Math.max(0, top - 1) }, (_, i) => ({
    token: `${token}${i}`,
    logprob: -2 - i,
    bytes: null,
  }))
  return { ...entry, top_logprobs: top > 0 ? [entry, ...others] : [] }
}

/** OpenAI's token counts of an answer. */
export function toUsage({ promptTokens, completionTokens, reasoning }: Composition): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning.length, audio_tokens: 0 },
  }
}
