import type { UpstreamRequest } from '../../upstream/message.js'
import type { ImageResponse } from '../../wire/images.js'
import { isObject, stringOf } from '../../wire/json.js'
import { imageOf, pixelsOf, ratioOf } from '../image-fields.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { createPrediction, nextLook } from './prediction.js'

// Models of the SDXL generation know pixels, newer ones a ratio.
const pixelModels = /sdxl|stable-diffusion(?!-3)|playground|kandinsky|proteus|hyper-flux|^[0-9a-f]{64}$/i

/** Images over a prediction whose output is one file or several. */
export const images: Codec<'images'> = {
  encode,
  next: (body, { deployment }) => nextLook(body, deployment),
  decode,
}

function encode({ request: asked, deployment }: Exchange<'images'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('images', request, policy, {
    n: 'num_outputs',
    output_compression: 'output_quality',
    output_format: 'output_format',
    response_format: () => ({}),
    size: (size) => (pixelModels.test(deployment.model) ? pixelsOf(size) : ratioOf(size)),
  })
  const { input, ...rest } = extra
  const written = { ...rest, ...members, prompt: request.prompt, ...(isObject(input) && input) }
  return createPrediction(deployment, written, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)))
}

function decode(body: unknown, { created, deployment }: Exchange<'images'>): ImageResponse {
  const output = isObject(body) ? body['output'] : undefined
  const files: readonly unknown[] = Array.isArray(output) ? output : [output]
  const data = files.flatMap((file) => {
    const text = stringOf(file)
    return text === undefined ? [] : [imageOf(text)]
  })
  if (data.length === 0) throw invalidAnswer(body, deployment.provider, 'a prediction without images')
  return { created, data }
}
