import type { ChatCompletion, ChatResponseMessage, ThinkingBlock, ToolCall } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import type { Exchange } from '../protocol.js'
import { notAnAnswer } from './failure.js'
import { finishOf, identityOf, responseFields } from './finish.js'
import {
  type Annotation,
  hostedFields,
  type Image,
  isCommentary,
  markedCitations,
  objectsOf,
  textOfPart,
  toAnnotation,
  toImage,
  toToolCall,
} from './output.js'
import { reasoningText, toThinkingBlock } from './reasoning.js'
import { toUsage } from './usage.js'

interface Answer {
  text: string
  refusal: string
  readonly reasoning: string[]
  readonly thinking: ThinkingBlock[]
  readonly calls: ToolCall[]
  readonly annotations: Annotation[]
  readonly images: Image[]
  readonly logprobs: JsonObject[]
  /** Items that are neither text, reasoning nor calls for the client. */
  readonly hosted: JsonObject[]
}

/**
 * Reads a whole response into one choice.
 * @throws GatewayError for one that failed, or a body that is not a response
 */
export function toCompletion(body: unknown, exchange: Exchange<'chat'>): ChatCompletion {
  const { deployment, id, created } = exchange
  if (!isObject(body)) throw notAnAnswer(deployment.provider)
  const finish = finishOf(body, false, deployment.provider)
  if (!Array.isArray(body['output'])) throw notAnAnswer(deployment.provider)
  const answer = readOutput(objectsOf(body['output']), id)
  const usage = toUsage(body['usage'], body['output'])
  const tier = stringOf(body['service_tier'])
  const logprobs = answer.logprobs.length > 0 ? { content: answer.logprobs, refusal: null } : null
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created,
    model: deployment.model,
    ...identityOf(body),
    choices: [
      {
        index: 0,
        message: toMessage(answer, body),
        finish_reason: finish === 'stop' && answer.calls.length > 0 ? 'tool_calls' : finish,
        logprobs,
      },
    ],
    ...(usage && { usage }),
    ...(tier !== undefined && { service_tier: tier }),
  }
}

function readOutput(items: readonly JsonObject[], exchangeId: string): Answer {
  const answer: Answer = {
    text: '',
    refusal: '',
    reasoning: [],
    thinking: [],
    calls: [],
    annotations: [],
    images: [],
    logprobs: [],
    hosted: [],
  }
  for (const item of items) readItem(answer, item, exchangeId)
  if (answer.annotations.length === 0) answer.annotations.push(...markedCitations(answer.text, answer.hosted))
  return answer
}

function readItem(answer: Answer, item: JsonObject, exchangeId: string): void {
  if (item['type'] === 'message') {
    readMessage(answer, item)
    return
  }
  if (item['type'] === 'reasoning') {
    const block = toThinkingBlock(item)
    answer.reasoning.push(reasoningText(item))
    if (block) answer.thinking.push(block)
    return
  }
  const call = toToolCall(item, `call_${exchangeId}_${answer.calls.length}`)
  const image = toImage(item, answer.images.length)
  if (call) answer.calls.push(call)
  else if (image) answer.images.push(image)
  else answer.hosted.push(item)
}

function readMessage(answer: Answer, item: JsonObject): void {
  for (const part of objectsOf(item['content'])) {
    const text = textOfPart(part)
    if (text === undefined) answer.refusal += stringOf(part['refusal']) ?? ''
    else if (isCommentary(item)) answer.reasoning.push(text)
    else {
      const offset = answer.text.length
      answer.annotations.push(...objectsOf(part['annotations']).flatMap((one) => toAnnotation(one, offset) ?? []))
      answer.logprobs.push(...objectsOf(part['logprobs']))
      answer.text += text
    }
  }
}

function toMessage(answer: Answer, body: JsonObject): ChatResponseMessage {
  const { text, refusal, thinking, calls, annotations, images, hosted } = answer
  const reasoning = answer.reasoning.filter(Boolean).join('\n\n')
  const isSilent = text === '' && (calls.length > 0 || images.length > 0 || refusal !== '')
  const fields = { ...responseFields(body), ...hostedFields(hosted) }
  return {
    role: 'assistant',
    content: isSilent ? null : text,
    refusal: refusal === '' ? null : refusal,
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(thinking.length > 0 && { thinking_blocks: thinking }),
    ...(annotations.length > 0 && { annotations }),
    ...(images.length > 0 && { images }),
    ...(Object.keys(fields).length > 0 && { provider_specific_fields: fields }),
  }
}
