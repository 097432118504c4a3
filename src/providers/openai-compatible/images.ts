import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { adjustOnly, aspectRatioOf, sizeOf, without } from './adjust.js'
import type { Answer } from './row-protocol.js'

/** AI/ML API: `size` as an object. */
export const aimlImage = adjustOnly('images', (body) => {
  const size = sizeOf(body)
  return size ? { ...without(body, ['size']), image_size: size } : without(body, ['size'])
})

/** AI/ML API: images come in three shapes, depending on the model. */
export const aimlImages: Answer = (body) => {
  if (Array.isArray(body['data'])) return body
  const output = isObject(body['output']) ? body['output']['choices'] : undefined
  if (Array.isArray(output)) return { ...body, data: imagesOf(output, 'b64_json', ['image_base64']) }
  if (Array.isArray(body['images'])) return { ...body, data: imagesOf(body['images'], 'url', ['url']) }
  return body
}

function imagesOf(
  list: readonly unknown[],
  name: 'url' | 'b64_json',
  members: readonly string[],
): readonly JsonObject[] {
  return list.flatMap((item) => {
    const value = typeof item === 'string' ? item : isObject(item) ? firstString(item, members) : undefined
    return value === undefined ? [] : [{ [name]: value }]
  })
}

function firstString(object: JsonObject, members: readonly string[]): string | undefined {
  return members.map((member) => stringOf(object[member])).find((value) => value !== undefined)
}

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
  return Array.isArray(base64) ? { ...rest, data: imagesOf(base64, 'b64_json', []) } : body
}

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
  return { created, data: images.flatMap(toImage), ...(isObject(usage) && { usage: imageUsage(usage) }) }
}

function toImage(image: unknown): readonly JsonObject[] {
  const url = isObject(image) && isObject(image['image_url']) ? stringOf(image['image_url']['url']) : undefined
  if (url === undefined) return []
  const comma = url.startsWith('data:') ? url.indexOf(';base64,') : -1
  return [comma === -1 ? { url } : { b64_json: url.slice(comma + ';base64,'.length) }]
}

function imageUsage(usage: JsonObject): JsonObject {
  const { prompt_tokens: input, completion_tokens: output, ...rest } = usage
  return { ...rest, input_tokens: input, output_tokens: output }
}
