import type { ChatCompletion, ChatRequest } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf } from '../../wire/json.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { baseModelOf } from '../base-model.js'
import { lostInMessages } from '../message-fields.js'
import type { Codec, Exchange } from '../protocol.js'
import { hasHead, invalidAnswer, readChoices, toHead } from './answer.js'
import { createChatStream } from './chat-stream.js'
import { nativeFinish, toChatFinish } from './finish.js'
import { toLogprobs } from './logprobs.js'
import { type MessageReading, toMessage } from './message.js'
import { type MessageRules, toUpstreamMessages } from './messages.js'
import { applyChatModelRules } from './model-rules.js'
import {
  applyNames,
  applyRules,
  createDraft,
  type Draft,
  knownParameters,
  noteIgnored,
  type ParameterRules,
} from './parameters.js'
import type { Quirks } from './quirks.js'
import { applyReasoning } from './reasoning.js'
import { applyResponseFormat, usesJsonTool } from './response-format.js'
import { applyTools } from './tools.js'
import { applyStream, toParameterRules, toUpstreamRequest, upstreamModel } from './upstream-request.js'
import { toUsage } from './usage.js'

/** Chat completions in OpenAI's dialect. */
export function createChatCodec(quirks: Quirks): Codec<'chat'> {
  const isControlled = quirks.reasoning !== undefined && quirks.reasoning !== 'none'
  const rules = toParameterRules('chat', quirks, isControlled ? ['reasoning_effort', 'thinking'] : [])
  return {
    encode: (exchange) => encodeChat(exchange, quirks, rules),
    decode: (body, exchange) => decodeChat(body, exchange, quirks),
    decodeStream: (exchange) => createChatStream(exchange, quirks),
  }
}

function encodeChat({ request, deployment }: Exchange<'chat'>, quirks: Quirks, rules: ParameterRules): UpstreamRequest {
  const draft = createDraft(request, deployment, knownParameters.chat, { ...quirks, under: quirks.extraBody })
  const model = upstreamModel(deployment, quirks)
  const keepCacheControl = quirks.messages?.keepCacheControl?.test(model) ?? false
  applyReasoning(draft, quirks, deployment)
  applyRules(draft, rules)
  noteIgnored(draft, quirks.ignored)
  const modelRules = quirks.modelRules
    ? applyChatModelRules(draft, baseModelOf(deployment, model), deployment)
    : undefined
  const knowsDeveloper = quirks.modelRules || quirks.messages?.developerRole === true
  const instructions = modelRules?.instructions ?? (knowsDeveloper ? 'as_given' : 'system')
  const messageRules: MessageRules = { quirks: quirks.messages ?? {}, instructions, keepCacheControl }
  writeMessages(draft, request, messageRules)
  applyResponseFormat(draft, quirks, deployment)
  applyTools(draft, quirks, keepCacheControl)
  applyNames(draft.body, quirks.rename, quirks.clamp)
  applyStream(draft.body, request.stream === true, quirks)
  draft.body['model'] = model
  if (!keepCacheControl) delete draft.body['cache_control']
  return toUpstreamRequest('chat', draft, deployment, quirks)
}

function writeMessages(draft: Draft, request: ChatRequest, rules: MessageRules): void {
  // `additional_drop_params` may have reached into the messages already.
  const messages = Array.isArray(draft.body['messages'])
    ? (draft.body['messages'] as ChatRequest['messages'])
    : request.messages
  draft.body['messages'] = toUpstreamMessages(messages, rules)
  if (rules.quirks.dropName) draft.dropped.push(...lostInMessages(messages, { detail: true }))
}

function decodeChat(body: unknown, exchange: Exchange<'chat'>, quirks: Quirks): ChatCompletion {
  const { answer, choices } = readChoices(body, exchange.deployment, quirks)
  const reading: MessageReading = {
    exchangeId: exchange.id,
    thinkTags: quirks.thinkTags === true,
    jsonTool: usesJsonTool(exchange.request, exchange.deployment, quirks),
  }
  const decoded = choices.map((choice, position) => decodeChoice(choice, position, exchange, reading))
  const head = toHead(answer, 'chat.completion', 'chatcmpl', exchange)
  const usage = toUsage(answer['usage'])
  const isSame =
    hasHead(answer, head) &&
    usage === answer['usage'] &&
    answer['system_fingerprint'] !== null &&
    decoded.every((choice, position) => choice === choices[position])
  if (isSame) return answer as ChatCompletion
  const { usage: _usage, system_fingerprint: fingerprint, ...rest } = answer
  return {
    ...rest,
    ...head,
    object: 'chat.completion',
    choices: decoded as ChatCompletion['choices'],
    ...(typeof fingerprint === 'string' && { system_fingerprint: fingerprint }),
    ...(usage && { usage }),
  }
}

/** One choice in OpenAI's shape; the same object where it already is. */
function decodeChoice(
  choice: JsonObject,
  position: number,
  exchange: Exchange<'chat'>,
  reading: MessageReading,
): JsonObject {
  const raw = messageOf(choice)
  if (!raw) throw invalidAnswer(exchange.deployment, 'a choice without a message')
  const index = numberOf(choice['index']) ?? position
  const native = nativeFinish(choice)
  const message = toMessage(raw, index, native, reading)
  const called = { tools: (message.tool_calls?.length ?? 0) > 0, functionCall: message.function_call !== undefined }
  const finish = toChatFinish(reading.jsonTool && !called.tools && native === 'tool_calls' ? 'stop' : native, called)
  const isSame =
    message === choice['message'] &&
    index === choice['index'] &&
    finish === choice['finish_reason'] &&
    choice['logprobs'] !== undefined &&
    !('delta' in choice)
  if (isSame) return choice
  const { delta: _delta, ...rest } = choice
  return { ...rest, index, message, finish_reason: finish, logprobs: toLogprobs(choice['logprobs']) }
}

function messageOf(choice: JsonObject): JsonObject | undefined {
  if (isObject(choice['message'])) return choice['message']
  if (isObject(choice['delta'])) return choice['delta']
  return typeof choice['text'] === 'string' ? { content: choice['text'] } : undefined
}
