import type { Deployment } from '../../deployment.js'
import { completionsOverChat } from '../../protocols/completions-bridge.js'
import { createGeminiProtocol } from '../../protocols/gemini/index.js'
import { messagesFailure } from '../../protocols/anthropic/failure.js'
import type { Codec, Protocol } from '../../protocols/protocol.js'
import { createEmbedContent } from '../../protocols/vertex-predict/embed-content.js'
import { createPredictEmbeddings } from '../../protocols/vertex-predict/embeddings.js'
import { createImagen } from '../../protocols/vertex-predict/imagen.js'
import { isObject } from '../../wire/json.js'
import type { Operation } from '../../wire/operations.js'
import { claudeCodec } from './claude.js'
import { endpointChat, gemmaChat, jambaChat, mistralChat, mistralCompletions, openChat } from './open-models.js'
import { googlePath } from './place.js'

const gemini = createGeminiProtocol({
  functionCallIds: false,
  labels: true,
  urlFiles: true,
  filesRoot: undefined,
  textBesideMedia: true,
  path: googlePath,
})

type Routes<K extends Operation> = readonly (readonly [RegExp, Codec<K>])[]

// By the model's name; the first match wins, and what matches nothing is Gemini's.
const chatRoutes: Routes<'chat'> = [
  [/^claude/, claudeCodec],
  [/^(?:mistral|codestral|ministral|magistral|pixtral)/, mistralChat],
  [/^jamba/, jambaChat],
  [/^gemma\//, gemmaChat],
  [/^openai\/\d+$/, endpointChat],
  [/^(?!gemini\/|google\/|models\/|publishers\/|projects\/|endpoints\/)[^/]+\/./, openChat],
]

const text = { isMultimodal: false }
const embeddingRoutes: Routes<'embeddings'> = [
  [/multimodalembedding/, createPredictEmbeddings(googlePath, { most: 1, isMultimodal: true })],
  [/^gemini-embedding-001/, createPredictEmbeddings(googlePath, { most: 1, ...text })],
  [/^gemini-embedding/, createEmbedContent(googlePath)],
]

function requireCodec<K extends Operation>(codec: Codec<K> | undefined): Codec<K> {
  if (codec) return codec
  throw new TypeError("Gemini's dialect has lost an operation")
}

/** A codec that asks the one which a deployment's model is routed to. */
function routed<K extends Operation>(routes: Routes<K>, otherwise: Codec<K>, streams: boolean): Codec<K> {
  const find = ({ model }: Deployment): Codec<K> => routes.find(([pattern]) => pattern.test(model))?.[1] ?? otherwise
  return {
    encode: (exchange) => find(exchange.deployment).encode(exchange),
    decode: (body, exchange) => find(exchange.deployment).decode(body, exchange),
    mediaToFetch: (exchange) => find(exchange.deployment).mediaToFetch?.(exchange) ?? [],
    mostInputs: (exchange) => find(exchange.deployment).mostInputs?.(exchange) ?? Infinity,
    ...(streams && {
      decodeStream: (exchange) => {
        const decoder = find(exchange.deployment).decodeStream?.(exchange)
        if (!decoder) throw new TypeError('a model that cannot stream has answered with a stream')
        return decoder
      },
    }),
  }
}

const chat = routed(chatRoutes, requireCodec(gemini.codecs.chat), true)

/** Every dialect that Vertex AI speaks, by model: Gemini's, Claude's, OpenAI's, Mistral's, and `:predict`. */
export const vertexProtocol: Protocol = {
  name: 'vertex_ai',
  codecs: {
    chat,
    completions: routed([[/^codestral/, mistralCompletions]], completionsOverChat(chat), true),
    embeddings: routed(embeddingRoutes, createPredictEmbeddings(googlePath, { most: 250, ...text }), false),
    images: routed([[/^imagen/, createImagen(googlePath)]], requireCodec(gemini.codecs.images), false),
  },
  failure: (status, body) =>
    isObject(body) && body['type'] === 'error' ? messagesFailure(status, body) : gemini.failure(status, body),
}
