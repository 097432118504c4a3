import { InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { ChatCompletion, ChatMessage } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, type Take, translateParameters } from '../parameter-table.js'
import { toPlainTurns } from '../plain-text.js'
import { labelled } from '../prompt-template.js'
import type { Codec, Exchange } from '../protocol.js'
import { countsToUsage, stopList } from '../text-answer.js'
import { createPrediction, nextLook } from './prediction.js'
import { createPredictionStream, streamOf } from './stream.js'

// Every model has an input schema of its own; these are the names that families of them use.
const tokenLimits: readonly (readonly [RegExp, string])[] = [
  [/vicuna|flan/i, 'max_length'],
  [/llama-2-|mistral-|mixtral/i, 'max_new_tokens'],
  [/^openai\//i, 'max_completion_tokens'],
]

/** Chat over a prediction whose output is text: https://replicate.com/docs/reference/http#predictions.create */
export const chat: Codec<'chat'> = {
  encode,
  streamAt: (body, { deployment }) => streamOf(body, deployment),
  next: (body, { deployment }) => nextLook(body, deployment),
  decode,
  decodeStream: createPredictionStream,
}

function encode({ request: asked, deployment }: Exchange<'chat'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const limit = tokenLimits.find(([pattern]) => pattern.test(deployment.model))?.[1] ?? 'max_tokens'
  const { members, extra, unsupported } = translateParameters('chat', request, policy, namesFor(limit))
  const { input, ...rest } = extra
  const written = {
    ...rest,
    ...members,
    ...toInput(request.messages, deployment.model, deployment.provider),
    ...(isObject(input) && input),
  }
  const dropped = settleUnsupported(deployment, policy, unsupported, ignoredIn(request))
  return createPrediction(deployment, written, dropped, request.stream === true)
}

function namesFor(limit: string): Readonly<Record<string, Take>> {
  return {
    frequency_penalty: 'frequency_penalty',
    max_completion_tokens: limit,
    max_tokens: limit,
    presence_penalty: 'presence_penalty',
    reasoning_effort: 'reasoning_effort',
    seed: 'seed',
    stop: (stop) => ({ stop_sequences: stopList(stop).join(',') }),
    temperature: 'temperature',
    top_p: 'top_p',
    verbosity: 'verbosity',
  }
}

/** The models put their own template around `prompt`, so that longer conversations are told in it as a transcript. */
function toInput(messages: readonly ChatMessage[], model: string, provider: string): JsonObject {
  const images = messages.flatMap(imagesIn)
  const turns = toPlainTurns(messages.map(withoutImages), provider)
  const system = turns.filter(({ role }) => role === 'system').map(({ text }) => text)
  const said = turns.filter(({ role }) => role !== 'system')
  const [only] = said
  return {
    prompt: said.length === 1 && only?.role === 'user' ? only.text : labelled(said),
    ...(system.length > 0 && { system_prompt: system.join('\n\n') }),
    ...toImageInput(images, model),
  }
}

function toImageInput(images: readonly string[], model: string): JsonObject {
  const [only] = images
  if (only === undefined) return {}
  if (model.startsWith('openai/')) return { image_input: images }
  if (images.length > 1) throw new InvalidRequestError(`${model} takes one image at a time.`, 'messages')
  return { image: only }
}

function imagesIn({ content }: ChatMessage): readonly string[] {
  if (!Array.isArray(content)) return []
  return content.flatMap((part) => {
    if (part.type !== 'image_url') return []
    const image: unknown = part['image_url']
    const url = typeof image === 'string' ? image : isObject(image) ? stringOf(image['url']) : undefined
    return url === undefined ? [] : [url]
  })
}

function withoutImages(message: ChatMessage): ChatMessage {
  const { content } = message
  if (!Array.isArray(content) || content.every(({ type }) => type !== 'image_url')) return message
  return { ...message, content: content.filter(({ type }) => type !== 'image_url') } as ChatMessage
}

function decode(body: unknown, { id, created, deployment }: Exchange<'chat'>): ChatCompletion {
  const prediction = isObject(body) ? body : {}
  const text = textOf(prediction['output'])
  if (text === undefined) throw invalidAnswer(body, deployment.provider, 'a prediction without text')
  const metrics = isObject(prediction['metrics']) ? prediction['metrics'] : {}
  const usage = countsToUsage(metrics['input_token_count'], metrics['output_token_count'])
  return {
    id: `chatcmpl-${stringOf(prediction['id']) ?? id}`,
    object: 'chat.completion',
    created,
    model: stringOf(prediction['model']) ?? deployment.model,
    choices: [
      { index: 0, message: { role: 'assistant', content: text, refusal: null }, finish_reason: 'stop', logprobs: null },
    ],
    ...(usage && { usage }),
  }
}

/** One text, or the tokens of one; a model that answers with data gives it as JSON. */
function textOf(output: unknown): string | undefined {
  if (typeof output === 'string') return output
  if (Array.isArray(output) && output.every((piece) => typeof piece === 'string')) return output.join('')
  return isObject(output) ? JSON.stringify(output) : undefined
}
