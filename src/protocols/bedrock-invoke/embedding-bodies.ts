import { InvalidRequestError } from '../../errors.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { parseDataUrl } from '../data-url.js'

/** One thing to embed: a text, or an image in base64. */
export type EmbeddingInput = { readonly text: string } | { readonly image: string; readonly mediaType: string }

/** How one family of models embeds on InvokeModel. */
export interface EmbeddingBody {
  /** Inputs in one request. */
  readonly most: number
  /** What `dimensions` becomes; undefined where the width is fixed. */
  readonly dimensions?: (width: unknown) => JsonObject
  write(inputs: readonly EmbeddingInput[], members: JsonObject): JsonObject
  /** The vectors, in the order of the inputs. */
  read(body: JsonObject): readonly unknown[]
  readonly tokens?: (body: JsonObject) => number | undefined
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(input: EmbeddingInput | undefined, what: string): string {
  if (input && 'text' in input) return input.text
  throw new InvalidRequestError(`${what} embeds text only.`, 'input')
}

const titanTokens = (body: JsonObject): number | undefined => numberOf(body['inputTextTokenCount'])

/** Vectors of the type that was asked for; floats where there are any. */
function byType(types: unknown): readonly unknown[] {
  if (!isObject(types)) return []
  return list(types['float'] ?? Object.values(types)[0])
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
const titanText: EmbeddingBody = {
  most: 1,
  dimensions: (dimensions) => ({ dimensions }),
  write: ([input], members) => ({ inputText: textOf(input, 'Titan'), ...members }),
  read: (body) => [body['embedding'] ?? byType(body['embeddingsByType'])],
  tokens: titanTokens,
}

const { dimensions: _fixed, ...titanFirst } = titanText

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html
const titanImage: EmbeddingBody = {
  most: 1,
  dimensions: (outputEmbeddingLength) => ({ embeddingConfig: { outputEmbeddingLength } }),
  write: ([input], members) =>
    input && 'image' in input
      ? { inputImage: input.image, ...members }
      : { inputText: textOf(input, 'Titan'), ...members },
  read: (body) => [body['embedding']],
  tokens: titanTokens,
}

// https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html
const nova: EmbeddingBody = {
  most: 1,
  dimensions: (embeddingDimension) => ({ embeddingDimension }),
  write([input], members) {
    const { embeddingPurpose = 'GENERIC_INDEX', ...others } = members
    const image = input && 'image' in input ? input : undefined
    const what = image
      ? { image: { format: image.mediaType.split('/')[1], source: { bytes: image.image } } }
      : { text: { truncationMode: 'END', value: textOf(input, 'Nova') } }
    return {
      schemaVersion: 'nova-multimodal-embed-v1',
      taskType: 'SINGLE_EMBEDDING',
      singleEmbeddingParams: { embeddingPurpose, embeddingDimension: 3072, ...others, ...what },
    }
  },
  read: (body) => list(body['embeddings']).map((entry) => (isObject(entry) ? entry['embedding'] : undefined)),
  tokens: titanTokens,
}

const cohereTypes: Readonly<Record<string, string>> = {
  document: 'search_document',
  passage: 'search_document',
  query: 'search_query',
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
const cohere: EmbeddingBody = {
  most: 96,
  dimensions: (width) => ({ output_dimension: width }),
  write(inputs, { input_type: given, ...members }) {
    const images = inputs.flatMap((input) =>
      'image' in input ? [`data:${input.mediaType};base64,${input.image}`] : [],
    )
    if (images.length === inputs.length) return { images, input_type: 'image', ...members }
    const type = stringOf(given) ?? 'search_document'
    return {
      texts: inputs.map((input) => textOf(input, 'Cohere, beside texts,')),
      input_type: cohereTypes[type] ?? type,
      ...members,
    }
  },
  read: ({ embeddings }) => (isObject(embeddings) ? byType(embeddings) : list(embeddings)),
}

const { dimensions: _none, ...cohereThird } = cohere

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-marengo.html
const marengo: EmbeddingBody = {
  most: 1,
  write: ([input], members) =>
    input && 'image' in input
      ? { inputType: 'image', mediaSource: { base64String: input.image }, ...members }
      : { inputType: 'text', inputText: textOf(input, 'Marengo'), ...members },
  read: ({ data, embedding }) =>
    embedding === undefined
      ? list(data).map((entry) => (isObject(entry) ? entry['embedding'] : undefined))
      : [embedding],
}

// The first match wins; an unknown model is taken to speak as the newest Titan does.
const bodies: readonly (readonly [RegExp, EmbeddingBody])[] = [
  [/titan-embed-image/, titanImage],
  [/titan-embed-(?:text-v1|g1)/, titanFirst],
  [/nova/, nova],
  [/cohere\.embed-(?:english|multilingual)/, cohereThird],
  [/cohere|embed-v4/, cohere],
  [/marengo|twelvelabs/, marengo],
]

/** The body of a model. */
export function embeddingBodyOf(base: string): EmbeddingBody {
  return bodies.find(([pattern]) => pattern.test(base.toLowerCase()))?.[1] ?? titanText
}

/** An input of OpenAI's request. @throws InvalidRequestError for token ids, and for images that are not inline */
export function toEmbeddingInput(entry: unknown, param: string): EmbeddingInput {
  if (typeof entry === 'string') {
    const data = entry.startsWith('data:image/') ? parseDataUrl(entry) : undefined
    return data ? { image: data.base64, mediaType: data.mediaType } : { text: entry }
  }
  if (!isObject(entry))
    throw new InvalidRequestError('Bedrock embeds text, not token ids: send the text itself.', param)
  if (typeof entry['text'] === 'string') return { text: entry['text'] }
  const image = entry['image_url']
  const url = isObject(image) ? stringOf(image['url']) : stringOf(image)
  const data = url === undefined ? undefined : parseDataUrl(url)
  if (data) return { image: data.base64, mediaType: data.mediaType }
  throw new InvalidRequestError('An input must be a text or an image as base64 data URL.', param)
}
