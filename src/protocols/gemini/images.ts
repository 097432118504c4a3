import { GatewayError } from '../../errors.js'
import { ImageRequest, type ImageResponse } from '../../wire/images.js'
import { isObject, stringOf, type JsonObject } from '../../wire/json.js'
import { toFinishReason } from '../finish-reason.js'
import { toDropPolicy } from '../gateway-fields.js'
import type { Codec, Exchange } from '../protocol.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { blockReasonIn, candidatesIn, toResponseObject } from './answer.js'
import { partsIn } from './candidate.js'
import type { GeminiOptions } from './options.js'
import {
  mergeFields,
  ignoredFields,
  settleUnsupported,
  writeBody,
  toExtraFields,
  withDefaults,
  withoutDropped,
} from './request-body.js'
import { toImageUsage } from './usage.js'

const known: ReadonlySet<string> = new Set(Object.keys(ImageRequest.shape))

/** Images over generateContent, for the models that draw (gemini-…-image); always one, always as base64. */
export function createImagesCodec(options: GeminiOptions): Codec<'images'> {
  return { encode: (exchange) => encode(exchange, options), decode }
}

// https://ai.google.dev/gemini-api/docs/image-generation#aspect_ratios
const ratios = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9']

// OpenAI's and Imagen's sizes that are only about a ratio.
const ratioBySize: Readonly<Record<string, string>> = {
  '1792x1024': '16:9',
  '1024x1792': '9:16',
  '1280x896': '4:3',
  '896x1280': '3:4',
}

/** The words of each parameter that ask for nothing special. */
const plain: Readonly<Record<string, readonly string[]>> = {
  background: ['auto'],
  moderation: ['auto'],
  output_format: ['png'],
  quality: ['auto', 'standard'],
  style: [],
}

function toRatio(size: string): string | undefined {
  if (ratios.includes(size)) return size
  if (Object.hasOwn(ratioBySize, size)) return ratioBySize[size]
  const [, width, height] = /^(\d+)x(\d+)$/.exec(size) ?? []
  return ratios.find((ratio) => {
    const [across = 0, down = 0] = ratio.split(':').map(Number)
    return Number(width) * down === Number(height) * across
  })
}

/** 1K is the default and not every model knows the field, so only larger ones are named. */
function toImageSize(size: string): string | undefined {
  const longest = Math.max(...size.split('x').map(Number))
  if (longest >= 4096) return '4K'
  return longest >= 2048 ? '2K' : undefined
}

function unsupportedIn(request: ImageRequest): readonly string[] {
  const special = Object.entries(plain).filter(([name, words]) => {
    const value = request[name]
    return typeof value === 'string' && !words.includes(value)
  })
  const size = request.size ?? 'auto'
  return [
    ...((request.n ?? 1) > 1 ? ['n'] : []),
    ...special.map(([name]) => name),
    ...(typeof request.output_compression === 'number' ? ['output_compression'] : []),
    ...(size !== 'auto' && toRatio(size) === undefined ? ['size'] : []),
  ]
}

function encode({ request: asked, deployment }: Exchange<'images'>, options: GeminiOptions): UpstreamRequest {
  const policy = toDropPolicy(asked, deployment.params, deployment.dropParams)
  const request = withoutDropped(withDefaults(asked, deployment), policy)
  const extra = toExtraFields(request, known, options.labels)
  const size = request.size ?? 'auto'
  const aspectRatio = size === 'auto' ? undefined : toRatio(size)
  const imageSize = aspectRatio === undefined ? undefined : toImageSize(size)
  const imageConfig = {
    ...(aspectRatio !== undefined && { aspectRatio }),
    ...(imageSize !== undefined && { imageSize }),
  }
  const generationConfig = mergeFields(
    { responseModalities: ['TEXT', 'IMAGE'], ...(aspectRatio !== undefined && { imageConfig }) },
    extra.generationConfig,
  )
  const body = { contents: [{ role: 'user', parts: [{ text: request.prompt }] }], generationConfig }
  return {
    method: 'POST',
    path: options.path(deployment, 'generateContent'),
    headers: { 'content-type': 'application/json' },
    body: writeBody(mergeFields(body, extra.body)),
    droppedParams: settleUnsupported(
      deployment,
      policy,
      [...unsupportedIn(request), ...extra.unsupported],
      ignoredFields(request),
    ),
  }
}

function decode(body: unknown, { created, deployment }: Exchange<'images'>): ImageResponse {
  const response = toResponseObject(body, deployment.provider)
  const candidates = candidatesIn(response).map(({ candidate }) => candidate)
  const data = candidates.flatMap((candidate) => partsIn(candidate, deployment.provider).flatMap(toImage))
  if (data.length === 0) throw withoutImage(response, candidates, deployment.provider)
  const usage = toImageUsage(response['usageMetadata'])
  return { created, data, ...(usage && { usage }) }
}

function toImage(part: JsonObject): readonly { b64_json: string }[] {
  const media = part['inlineData']
  const base64 = isObject(media) ? stringOf(media['data']) : undefined
  // Drafts made while thinking are no part of the answer.
  return base64 === undefined || part['thought'] === true ? [] : [{ b64_json: base64 }]
}

function withoutImage(response: JsonObject, candidates: readonly JsonObject[], provider: string): GatewayError {
  const blocked = blockReasonIn(response)
  const native = blocked ?? stringOf(candidates[0]?.['finishReason'])
  const refused = blocked !== undefined || toFinishReason(native) === 'content_filter'
  const why = native === undefined ? '' : ` (${native})`
  return new GatewayError(refused ? 'content_policy' : 'upstream_invalid', `The model gave no image${why}.`, {
    upstream: { provider, status: 200, code: native ?? null },
  })
}
