import { adjustOnly, aspectRatioOf, sizeOf, without } from './adjust.js'
import type { Answer } from './row-protocol.js'

/** AI/ML API: `size` as an object. */
export const aimlImage = adjustOnly('images', (body) => {
  const size = sizeOf(body)
  return size ? { ...without(body, ['size']), image_size: size } : without(body, ['size'])
})

/** Together: pixels as width and height, and `base64` for `b64_json`. */
export const togetherImage = adjustOnly('images', (body) => ({
  ...without(body, ['size']),
  ...sizeOf(body),
  ...(body['response_format'] === 'b64_json' && { response_format: 'base64' }),
}))

/** Fireworks: the model is in the path, and a size is an aspect ratio. */
export const fireworksImage = adjustOnly('images', (body) => {
  const ratio = aspectRatioOf(body)
  return { ...without(body, ['model', 'size', 'response_format']), ...(ratio && { aspect_ratio: ratio }) }
})

/** Fireworks: `{ base64: [...] }`, one text per image. */
export const fireworksImages: Answer = (body) => {
  const { base64, ...rest } = body
  if (!Array.isArray(base64)) return body
  return { ...rest, data: base64.map((text: unknown) => ({ b64_json: text })) }
}

/** Hyperbolic: a name of its own for the model, and pixels are mandatory; only base64 comes back. */
export const hyperbolicImage = adjustOnly('images', (body) => ({
  width: 1024,
  height: 1024,
  ...without(body, ['model', 'size', 'response_format']),
  ...sizeOf(body),
  model_name: body['model'],
}))

/** OpenRouter: a size is pixels or left out, and base64 is all that it gives. */
export const openrouterImage = adjustOnly('images', (body) => {
  const rest = without(body, ['response_format'])
  return rest['size'] === 'auto' ? without(rest, ['size']) : rest
})

/** OpenRouter: it puts no time to its images. */
export const openrouterImages: Answer = (body) => (body['created'] === 0 ? without(body, ['created']) : body)
