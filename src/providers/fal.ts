import { openaiProtocol } from '../protocols/openai/index.js'
import { imageOf, ratioOf } from '../protocols/image-fields.js'
import { isObject, stringOf } from '../wire/json.js'
import { authorizeByScheme } from './authorize.js'
import { adjustOnly, sizeOf, without } from './openai-compatible/adjust.js'
import { openaiImageParameters } from './openai-compatible/presets.js'
import { type Row, toProvider } from './openai-compatible/row.js'
import type { Answer } from './openai-compatible/row-protocol.js'
import type { Provider } from './provider.js'

/** Pixels as an object; `sync_mode` gives the image itself in place of an address. */
const withPixels = adjustOnly('images', (body) => {
  const size = sizeOf(body)
  return {
    ...without(body, ['model', 'size', 'response_format']),
    ...(size && { image_size: size }),
    ...(body['response_format'] === 'b64_json' && !('sync_mode' in body) && { sync_mode: true }),
  }
})

/** For models that know a ratio in place of pixels. */
const toRatio = adjustOnly('images', (body) => {
  const { image_size: size, ...rest } = body
  if (!isObject(size)) return body
  return { ...rest, ...ratioOf(`${String(size['width'])}x${String(size['height'])}`) }
})

const images: Answer = (body) => {
  const list = Array.isArray(body['images']) ? body['images'] : [body['image']]
  const data = list.flatMap((image: unknown) => {
    const url = isObject(image) ? stringOf(image['url']) : stringOf(image)
    return url === undefined ? [] : [imageOf(url)]
  })
  return data.length === 0 ? body : { data }
}

const row: Row = {
  displayName: 'fal.ai',
  baseUrl: 'https://fal.run',
  baseUrlEnv: ['FAL_AI_API_BASE'],
  apiKeyEnv: ['FAL_AI_API_KEY', 'FAL_KEY'],
  capabilities: ['images'],
  authorize: authorizeByScheme('Key'),
  quirks: {
    paths: { images: '/{model}' },
    images: { rename: { n: 'num_images' }, unsupported: [...openaiImageParameters, 'quality', 'style', 'user'] },
    adjust: withPixels,
  },
  variants: [{ models: /ultra|kontext|imagen|ideogram|nano-banana/, quirks: { adjust: toRatio } }],
  answers: { images },
}

/** fal.ai, at its endpoint that answers at once: https://docs.fal.ai/model-apis/model-endpoints/synchronous-requests */
export const fal: Provider = toProvider('fal_ai', row, openaiProtocol)
