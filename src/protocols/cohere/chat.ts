import { GatewayError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { ChatCompletion, ChatResponseMessage, ToolCall } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { writeJson } from '../../wire/write-json.js'
import { errorInside, readErrorText } from '../failure.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { isJsonTool } from '../structured-output.js'
import { madeCallId, toArgumentsText } from '../tool-calls.js'
import { toAnnotations, toEnding, toLogprobs, toUsage } from './answer.js'
import { createChatStream } from './chat-stream.js'
import { toCohereMessages } from './messages.js'
import { thinks } from './model.js'
import { chatTable, planPenalties, planThinking, toResponseFormat } from './parameters.js'
import { planTools, usesJsonTool } from './tools.js'

/** Chat over `/v2/chat`: https://docs.cohere.com/reference/chat */
export const chatCodec: Codec<'chat'> = { encode, decode, decodeStream: createChatStream }

const handled = [
  'frequency_penalty',
  'function_call',
  'functions',
  'presence_penalty',
  'reasoning_effort',
  'response_format',
  'thinking',
  'tool_choice',
  'tools',
]

function encode({ request: asked, deployment }: Exchange<'chat'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const canThink = thinks(deployment)
  const parameters = translateParameters('chat', request, policy, chatTable, handled)
  const plans = [planPenalties(request), planThinking(request, canThink), planTools(request)]
  const body = {
    model: deployment.model,
    messages: toCohereMessages(request.messages, { provider: deployment.provider, thinks: canThink }),
    stream: request.stream === true,
    ...parameters.members,
    ...toResponseFormat(request),
    ...Object.assign({}, ...plans.map(({ members }) => members)),
    ...parameters.extra,
  }
  const unsupported = [...parameters.unsupported, ...plans.flatMap((plan) => plan.unsupported)]
  return {
    method: 'POST',
    path: '/v2/chat',
    headers: { 'content-type': 'application/json' },
    body: writeJson(body),
    droppedParams: settleUnsupported(deployment, policy, unsupported, ignoredIn(request, { detail: true })),
  }
}

function decode(body: unknown, exchange: Exchange<'chat'>): ChatCompletion {
  const { deployment, id, created } = exchange
  const answer = isObject(body) ? body : {}
  const { message } = answer
  if (!isObject(message)) throw notAnAnswer(answer, deployment.provider)
  const calls = toToolCalls(message, id)
  const unwraps = usesJsonTool(settleRequest(exchange.request, deployment).request)
  const kept = unwraps ? calls.filter((call) => !isJsonTool(call.function?.name)) : calls
  const json = unwraps ? calls.filter((call) => isJsonTool(call.function?.name)) : []
  const ending = toEnding(answer, kept.length > 0, deployment.provider)
  const usage = toUsage(answer['usage'])
  return {
    id: stringOf(answer['id']) ?? `chatcmpl-${id}`,
    object: 'chat.completion',
    created,
    model: deployment.model,
    choices: [
      {
        index: 0,
        message: toMessage(message, kept, json, ending.native),
        finish_reason: json.length > 0 && kept.length === 0 ? 'stop' : ending.reason,
        logprobs: toLogprobs(answer['logprobs']) ?? null,
      },
    ],
    ...(usage && { usage }),
  }
}

function notAnAnswer(answer: JsonObject, provider: string): GatewayError {
  if (readErrorText(answer)) return errorInside(answer, 500, provider)
  return new GatewayError('upstream_invalid', `${provider} sent something that is no answer.`, {
    upstream: { provider, status: 200 },
  })
}

function toToolCalls({ tool_calls: list }: JsonObject, exchangeId: string): readonly ToolCall[] {
  if (!Array.isArray(list)) return []
  return list.filter(isObject).map((call, position): ToolCall => {
    const called = isObject(call['function']) ? call['function'] : {}
    return {
      id: stringOf(call['id']) ?? madeCallId(exchangeId, 0, position),
      type: 'function',
      function: { name: stringOf(called['name']) ?? '', arguments: toArgumentsText(called['arguments']) },
    }
  })
}

function toMessage(
  message: JsonObject,
  calls: readonly ToolCall[],
  json: readonly ToolCall[],
  native: string | undefined,
): ChatResponseMessage {
  const items: readonly unknown[] = Array.isArray(message['content']) ? message['content'] : [message['content']]
  const offsets = new Map<number, number>()
  let text = ''
  let reasoning = stringOf(message['tool_plan']) ?? ''
  for (const [index, item] of items.entries()) {
    offsets.set(index, text.length)
    if (typeof item === 'string') text += item
    else if (isObject(item)) {
      text += stringOf(item['text']) ?? ''
      reasoning += stringOf(item['thinking']) ?? ''
    }
  }
  text += json.map((call) => call.function?.arguments ?? '').join('')
  const citations = Array.isArray(message['citations']) ? message['citations'].filter(isObject) : []
  const annotations = toAnnotations(citations, offsets)
  const fields = {
    ...(native !== undefined && { native_finish_reason: native }),
    ...(citations.length > 0 && { citations }),
  }
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    refusal: null,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: [...calls] }),
    ...(annotations.length > 0 && { annotations: annotations.map((annotation) => ({ ...annotation })) }),
    ...(Object.keys(fields).length > 0 && { provider_specific_fields: fields }),
  }
}
