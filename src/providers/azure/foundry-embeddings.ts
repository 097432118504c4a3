import { InvalidRequestError } from '../../errors.js'
import { parseDataUrl } from '../../protocols/data-url.js'
import type { Codec, Exchange } from '../../protocols/protocol.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import { imageEmbeddingsPath } from './foundry-place.js'

/** Embeddings of Azure AI: texts as at OpenAI, images given as data URLs at a route of their own. */
export function withImageEmbeddings(text: Codec<'embeddings'>): Codec<'embeddings'> {
  return {
    ...text,
    encode(exchange) {
      const images = imagesOf(exchange)
      if (images === undefined) return text.encode(exchange)
      const request = text.encode({ ...exchange, request: { ...exchange.request, input: 'image' } })
      const body: unknown = JSON.parse(String(request.body))
      return {
        ...request,
        path: imageEmbeddingsPath(exchange.deployment),
        body: JSON.stringify({ ...(isObject(body) && body), input: images }),
      }
    },
  }
}

/** The images to embed; undefined where the input is text. @throws InvalidRequestError where it is both */
function imagesOf({ request: { input } }: Exchange<'embeddings'>): readonly JsonObject[] | undefined {
  const inputs: readonly unknown[] = Array.isArray(input) ? input : [input]
  const images = inputs.filter(isImage).map((image) => ({ image }))
  if (images.length === 0) return undefined
  if (images.length === inputs.length) return images
  throw new InvalidRequestError('Azure AI embeds texts or images, not both in one request.', 'input')
}

const isImage = (value: unknown): boolean =>
  typeof value === 'string' && parseDataUrl(value)?.mediaType.startsWith('image/') === true
