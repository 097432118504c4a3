import type { UpstreamRequest } from '../../upstream/message.js'
import type { ChatCompletion, ChatRequest } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { writeJson } from '../../wire/write-json.js'
import { isForeignFinishReason, toFinishReason } from '../finish-reason.js'
import { mediaUrlsIn } from '../media-urls.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { splitThought } from '../think-tags.js'
import { toolChoiceOf, toolsOf } from '../tool-calls.js'
import { createdOf, toAnswerObject, toLogprobs, toToolCalls, toUsage } from './answer.js'
import { createChatStream } from './chat-stream.js'
import { toOllamaMessages } from './messages.js'
import { samplingTable, toFormat, toOptions, toThink } from './options.js'

/** Chat over `/api/chat`: https://docs.ollama.com/api/chat */
export const chatCodec: Codec<'chat'> = {
  encode,
  decode,
  decodeStream: createChatStream,
  mediaToFetch: ({ request }) => mediaUrlsIn(request.messages),
}

// Written below from more than one parameter each.
const handled = [
  'function_call',
  'functions',
  'reasoning_effort',
  'response_format',
  'thinking',
  'tool_choice',
  'tools',
] as const

const table = {
  ...samplingTable,
  logprobs: (value: unknown) => ({ logprobs: value }),
  top_logprobs: (value: unknown) => ({ top_logprobs: value }),
}

function encode({ request: asked, deployment }: Exchange<'chat'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const parameters = translateParameters('chat', request, policy, table, handled)
  const { logprobs, top_logprobs: topLogprobs, ...sampling } = parameters.members
  const tools = planTools(request)
  const body = {
    model: deployment.model,
    messages: toOllamaMessages(request.messages, deployment.provider),
    // The server streams where it is not told otherwise.
    stream: request.stream === true,
    ...(tools.tools.length > 0 && { tools: tools.tools }),
    ...toFormat(request.response_format),
    ...toThink(request, deployment.model),
    ...(logprobs === true && { logprobs }),
    ...(logprobs === true && topLogprobs !== undefined && { top_logprobs: topLogprobs }),
    ...toOptions(sampling, parameters.extra),
  }
  return {
    method: 'POST',
    path: '/api/chat',
    headers: { 'content-type': 'application/json' },
    body: writeJson(body),
    droppedParams: settleUnsupported(
      deployment,
      policy,
      [...parameters.unsupported, ...tools.unsupported],
      ignoredIn(request),
    ),
  }
}

interface ToolPlan {
  readonly tools: readonly JsonObject[]
  readonly unsupported: readonly string[]
}

/** The API knows no choice among tools; to call none of them, they are not offered. */
function planTools(request: ChatRequest): ToolPlan {
  const tools = toolsOf(request)
  const choice = toolChoiceOf(request)
  const hosted = tools.flatMap((tool, position) => (tool.function ? [] : [`tools[${position}]`]))
  const free = choice === undefined || choice === 'auto' || choice === 'none'
  return {
    tools: choice === 'none' ? [] : tools.flatMap(({ function: declared }) => (declared ? [toTool(declared)] : [])),
    unsupported: [...hosted, ...(free || tools.length === 0 ? [] : ['tool_choice'])],
  }
}

function toTool({ strict: _strict, ...declared }: NonNullable<ReturnType<typeof toolsOf>[number]['function']>) {
  return { type: 'function', function: declared }
}

function decode(body: unknown, { id, created, deployment }: Exchange<'chat'>): ChatCompletion {
  const answer = toAnswerObject(body, 'message', deployment.provider)
  const message = isObject(answer['message']) ? answer['message'] : {}
  const thought = splitThought(stringOf(message['content']) ?? '')
  const reasoning = (stringOf(message['thinking']) ?? '') + thought.reasoning
  const calls = toToolCalls(message, id, 0)
  const native = stringOf(answer['done_reason'])
  const usage = toUsage(answer)
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: createdOf(answer) ?? created,
    model: stringOf(answer['model']) ?? deployment.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: thought.text === '' && calls.length > 0 ? null : thought.text,
          refusal: null,
          ...(reasoning !== '' && { reasoning_content: reasoning }),
          ...(calls.length > 0 && { tool_calls: [...calls] }),
          ...(native !== undefined &&
            isForeignFinishReason(native) && { provider_specific_fields: { native_finish_reason: native } }),
        },
        finish_reason: toFinishReason(native, calls.length > 0),
        logprobs: toLogprobs(answer['logprobs']) ?? null,
      },
    ],
    ...(usage && { usage }),
  }
}
