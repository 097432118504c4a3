import { GatewayError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { ImageResponse } from '../../wire/images.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { pixelsOf, ratioOf } from '../image-fields.js'
import { invalidAnswer } from '../invalid-answer.js'
import { invokeRequest } from '../invoke-envelope.js'
import { ignoredIn, settleRequest, settleUnsupported, type Take, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'

/** How one family of models draws on InvokeModel. */
interface ImageBody {
  readonly parameters: Readonly<Record<string, Take>>
  write(prompt: string, members: JsonObject, extra: JsonObject): JsonObject
  /** The pictures in base64. */
  read(body: JsonObject): readonly unknown[]
  /** Why there is none, where the model refused to draw. */
  refusal(body: JsonObject): string | undefined
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

const novaQualities: Readonly<Record<string, string>> = { hd: 'premium', high: 'premium', premium: 'premium' }

// https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html; Titan's images are the same.
const amazon: ImageBody = {
  parameters: {
    n: 'numberOfImages',
    quality: (quality) => ({ quality: novaQualities[String(quality)] ?? 'standard' }),
    size: (size) => ({ ...pixelsOf(size) }),
  },
  write(text, members, extra) {
    const {
      negative_prompt,
      negativeText = negative_prompt,
      textToImageParams,
      imageGenerationConfig,
      ...others
    } = extra
    const { taskType = 'TEXT_IMAGE', cfgScale, seed, ...beside } = others
    return {
      taskType,
      textToImageParams: {
        text,
        ...(negativeText !== undefined && { negativeText }),
        ...(isObject(textToImageParams) && textToImageParams),
      },
      imageGenerationConfig: {
        ...members,
        ...(cfgScale !== undefined && { cfgScale }),
        ...(seed !== undefined && { seed }),
        ...(isObject(imageGenerationConfig) && imageGenerationConfig),
      },
      ...beside,
    }
  },
  read: ({ images }) => list(images),
  refusal: ({ error }) => stringOf(error),
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-1-0-text-image.html
const diffusionXl: ImageBody = {
  parameters: { size: (size) => ({ ...pixelsOf(size) }), style: 'style_preset' },
  write(text, members, { negative_prompt: negative, ...extra }) {
    const prompts = [{ text, weight: 1 }, ...(negative === undefined ? [] : [{ text: negative, weight: -1 }])]
    return { text_prompts: prompts, ...members, ...extra }
  },
  read: ({ artifacts }) =>
    list(artifacts)
      .filter(isObject)
      .map(({ base64, finishReason }) => (finishReason === 'CONTENT_FILTERED' ? undefined : base64)),
  refusal: ({ artifacts }) =>
    list(artifacts)
      .filter(isObject)
      .some(({ finishReason }) => finishReason === 'CONTENT_FILTERED')
      ? 'The picture was filtered.'
      : undefined,
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-stable-image-ultra-text-image-request-response.html
const stableImage: ImageBody = {
  parameters: { output_format: 'output_format', size: (size) => ({ ...ratioOf(size) }) },
  write: (prompt, members, extra) => ({ prompt, ...members, ...extra }),
  read: ({ images, finish_reasons: reasons }) =>
    list(images).map((image, index) => (list(reasons)[index] ? undefined : image)),
  refusal: ({ finish_reasons: reasons }) => list(reasons).map(stringOf).find(Boolean),
}

// The first match wins; models that are not known yet are most likely Stability's.
const bodies: readonly (readonly [RegExp, ImageBody])[] = [
  [/nova|titan/, amazon],
  [/stable-diffusion/, diffusionXl],
]

function bodyOf(base: string): ImageBody {
  return bodies.find(([pattern]) => pattern.test(base.toLowerCase()))?.[1] ?? stableImage
}

/** Images over InvokeModel, always as base64. `baseOf` gives the model behind a deployment's id. */
export function createImageCodec(baseOf: (exchange: Exchange<'images'>) => string): Codec<'images'> {
  return {
    encode: (exchange) => encode(exchange, bodyOf(baseOf(exchange))),
    decode: (body, exchange) => decode(body, exchange, bodyOf(baseOf(exchange))),
  }
}

function encode({ request: asked, deployment }: Exchange<'images'>, body: ImageBody): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  // Whichever form was wished for, there is only one.
  const handled = ['response_format']
  const parameters = translateParameters('images', request, policy, body.parameters, handled)
  const written = body.write(request.prompt, parameters.members, parameters.extra)
  return invokeRequest(
    deployment.model,
    written,
    false,
    settleUnsupported(deployment, policy, parameters.unsupported, ignoredIn(request)),
  )
}

function decode(answer: unknown, { created, deployment }: Exchange<'images'>, body: ImageBody): ImageResponse {
  const { provider } = deployment
  const read = isObject(answer) ? body.read(answer) : []
  const pictures = read.filter((image): image is string => typeof image === 'string')
  if (pictures.length > 0) return { created, data: pictures.map((image) => ({ b64_json: image })) }
  const reason = isObject(answer) ? body.refusal(answer) : undefined
  if (reason === undefined) throw invalidAnswer(answer, provider, 'an answer without pictures')
  throw new GatewayError('content_policy', `The model drew nothing: ${reason}`, { upstream: { provider, status: 200 } })
}
