import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
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

/** OpenRouter: an image is asked for as an answer to a chat. */
export const openrouterImage = adjustOnly('images', (body) => {
  const ratio = aspectRatioOf(body)
  return {
    ...without(body, ['prompt', 'size', 'response_format', 'n']),
    messages: [{ role: 'user', content: body['prompt'] }],
    modalities: ['image', 'text'],
    ...(ratio && { image_config: { aspect_ratio: ratio } }),
  }
})

/** OpenRouter: the images of a chat's message, given as data URLs. */
export const openrouterImages: Answer = (body) => {
  const { choices, usage, created } = body
  if (!Array.isArray(choices)) return body
  const images: unknown[] = choices.flatMap((choice: unknown) => {
    const message = isObject(choice) && isObject(choice['message']) ? choice['message'] : {}
    return Array.isArray(message['images']) ? message['images'] : []
  })
  return { created, data: images.flatMap(toImage), usage }
}

function toImage(image: unknown): readonly JsonObject[] {
  const url = isObject(image) && isObject(image['image_url']) ? stringOf(image['image_url']['url']) : undefined
  if (url === undefined) return []
  const comma = url.startsWith('data:') ? url.indexOf(';base64,') : -1
  return [comma === -1 ? { url } : { b64_json: url.slice(comma + ';base64,'.length) }]
}
