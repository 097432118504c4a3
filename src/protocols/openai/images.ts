import type { UpstreamRequest } from '../../upstream/message.js'
import type { ImageResponse } from '../../wire/images.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { parseDataUrl } from '../data-url.js'
import { baseModelOf } from '../base-model.js'
import type { Codec, Exchange } from '../protocol.js'
import { invalidAnswer, toCreated } from './answer.js'
import { findErrorInside } from './failure.js'
import { applyImageModelRules } from './model-rules.js'
import { applyNames, applyRules, createDraft, knownParameters, type ParameterRules } from './parameters.js'
import type { Quirks } from './quirks.js'
import { toParameterRules, toUpstreamRequest, upstreamModel } from './upstream-request.js'

/** Image generation in OpenAI's dialect. */
export function createImageCodec(quirks: Quirks): Codec<'images'> {
  const rules = toParameterRules('images', { unsupported: quirks.images?.unsupported ?? [] })
  return {
    encode: (exchange) => encodeImage(exchange, quirks, rules),
    decode: (body, exchange) => decodeImages(body, exchange, quirks),
  }
}

function encodeImage(
  { request, deployment }: Exchange<'images'>,
  quirks: Quirks,
  rules: ParameterRules,
): UpstreamRequest {
  const draft = createDraft(request, deployment, knownParameters.images, quirks)
  const model = upstreamModel(deployment, quirks)
  applyRules(draft, rules)
  if (quirks.modelRules) applyImageModelRules(draft, baseModelOf(deployment, model))
  applyNames(draft.body, quirks.images?.rename, undefined)
  draft.body['model'] = model
  return toUpstreamRequest('images', draft, deployment, quirks)
}

function decodeImages(body: unknown, exchange: Exchange<'images'>, quirks: Quirks): ImageResponse {
  const { deployment } = exchange
  const answer = isObject(body) ? body : {}
  const listed = imagesIn(answer)
  const error = findErrorInside(answer, listed !== undefined, quirks, deployment.provider)
  if (error) throw error
  const images = listed?.map(toImage).filter((image) => image !== undefined) ?? []
  if (images.length === 0) throw invalidAnswer(deployment, 'an answer without images')
  const created = toCreated(answer['created']) ?? exchange.created
  const usage = toImageUsage(answer['usage'])
  const isSame =
    listed === answer['data'] &&
    images.length === listed?.length &&
    images.every((image, position) => image === listed?.[position]) &&
    created === answer['created'] &&
    usage === answer['usage']
  if (isSame) return answer as ImageResponse
  const { images: _images, output: _output, usage: _usage, ...rest } = answer
  return { ...rest, created, data: images, ...(usage && { usage }) }
}

/** The list of images, wherever a server of this dialect puts it. */
function imagesIn(answer: JsonObject): readonly unknown[] | undefined {
  for (const list of [answer['data'], answer['images']]) if (Array.isArray(list)) return list
  const output = answer['output']
  if (isObject(output) && Array.isArray(output['choices'])) return output['choices']
  return undefined
}

type Image = ImageResponse['data'][number]

/** One image as `url` or `b64_json`, from whichever member holds it; undefined where there is none. */
function toImage(item: unknown): Image | undefined {
  if (typeof item === 'string') return fromText(item)
  if (!isObject(item)) return undefined
  const base64 = stringOf(item['b64_json'])
  const url = stringOf(item['url'])
  if (base64 !== undefined || url !== undefined) return withoutNulls(item) as Image
  const text = stringOf(item['image']) ?? stringOf(item['image_base64']) ?? stringOf(item['base64'])
  return text === undefined ? undefined : fromText(text)
}

function fromText(text: string): Image {
  if (/^https?:/.test(text)) return { url: text }
  return { b64_json: parseDataUrl(text)?.base64 ?? text }
}

function withoutNulls(item: JsonObject): JsonObject {
  const entries = Object.entries(item)
  return entries.some(([, value]) => value === null)
    ? Object.fromEntries(entries.filter(([, value]) => value !== null))
    : item
}

function toImageUsage(usage: unknown): ImageResponse['usage'] {
  if (!isObject(usage)) return undefined
  const input = numberOf(usage['input_tokens']) ?? numberOf(usage['prompt_tokens'])
  const output = numberOf(usage['output_tokens']) ?? numberOf(usage['completion_tokens'])
  const total = numberOf(usage['total_tokens'])
  const isWhole = usage['input_tokens'] === input && usage['output_tokens'] === output && total !== undefined
  if (input !== undefined && output !== undefined && isWhole) return usage as ImageResponse['usage']
  if (input === undefined && output === undefined) return undefined
  const counts = { input_tokens: input ?? 0, output_tokens: output ?? 0 }
  const { input_tokens_details: read, output_tokens_details: written } = usage
  const writtenInChat = usage['completion_tokens_details']
  return {
    ...usage,
    ...counts,
    total_tokens: total ?? counts.input_tokens + counts.output_tokens,
    input_tokens_details: isObject(read) ? read : toDetails(usage['prompt_tokens_details'], counts.input_tokens),
    // Without a word about images all of it is one.
    ...(!isObject(written) &&
      isObject(writtenInChat) &&
      'image_tokens' in writtenInChat && { output_tokens_details: toDetails(writtenInChat, counts.output_tokens) }),
  }
}

/** What of a count was text and what images, from the details that a chat has. */
function toDetails(details: unknown, count: number): JsonObject {
  const told = isObject(details) ? details : {}
  const image = numberOf(told['image_tokens']) ?? 0
  const rest = Math.max(count - image - (numberOf(told['reasoning_tokens']) ?? 0), 0)
  return { ...told, text_tokens: numberOf(told['text_tokens']) ?? rest, image_tokens: image }
}
