import type { Deployment } from '../../deployment.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import type { Quirks } from '../../protocols/openai/quirks.js'
import type { Codec } from '../../protocols/protocol.js'
import { isObject } from '../../wire/json.js'
import type { Operation } from '../../wire/operations.js'
import { chatAsCompletion } from '../openai-compatible/answers.js'
import { extraRows } from '../openai-compatible/extra.js'
import { maxTokens } from '../openai-compatible/presets.js'
import { createRowProtocol } from '../openai-compatible/row-protocol.js'
import { seedRows } from '../openai-compatible/seed.js'
import { projectPath, publisherPath } from './place.js'

type Path = (deployment: Deployment, isStream: boolean) => string

/** A codec of OpenAI's dialect at another path. */
function atPath<K extends Operation>(codec: Codec<K> | undefined, path: Path): Codec<K> {
  if (!codec) throw new TypeError("OpenAI's dialect has lost an operation")
  return {
    ...codec,
    encode: (exchange) => {
      const { request, deployment } = exchange
      return { ...codec.encode(exchange), path: path(deployment, request['stream'] === true) }
    },
  }
}

const rawPredict =
  (publisher: string, version?: string): Path =>
  (deployment, isStream) =>
    publisherPath(publisher)(deployment, isStream ? 'streamRawPredict' : 'rawPredict', version)

const openaiChat = (quirks: Quirks): Codec<'chat'> | undefined => openaiProtocol(quirks).codecs.chat

// Mistral's own API and its models here share every rule; the version (`@2411`) belongs into the path only.
const modelName = (model: string): string => model.replace(/@.*$/, '')
const mistral = openaiProtocol({ ...seedRows['mistral']?.quirks, modelName })
const codestral = createRowProtocol(openaiProtocol, {
  quirks: { ...extraRows['codestral']?.quirks, modelName },
  answers: { completions: chatAsCompletion },
})

/** Mistral's models: chat. */
export const mistralChat: Codec<'chat'> = atPath(mistral.codecs.chat, rawPredict('mistralai'))

/** Codestral: text with a hole to fill (`prompt`, `suffix`). */
export const mistralCompletions: Codec<'completions'> = atPath(codestral.codecs.completions, rawPredict('mistralai'))

/** AI21's Jamba. */
export const jambaChat: Codec<'chat'> = atPath(openaiChat(maxTokens), rawPredict('ai21', 'v1beta1'))

/** Open models that Google serves (`meta/…`, `deepseek-ai/…`, `qwen/…`), all at one address. */
export const openChat: Codec<'chat'> = atPath(openaiChat(maxTokens), (deployment) =>
  projectPath(deployment, 'endpoints/openapi/chat/completions'),
)

const endpointId = (model: string): string => encodeURIComponent(model.slice(model.indexOf('/') + 1))

/** A model that the host deployed from the Model Garden: `openai/<endpoint id>`. */
export const endpointChat: Codec<'chat'> = atPath(
  openaiChat({ ...maxTokens, modelName: (model) => model.slice(model.indexOf('/') + 1) }),
  (deployment) => projectPath(deployment, `endpoints/${endpointId(deployment.model)}/chat/completions`, 'v1beta1'),
)

const instance = openaiChat({
  ...maxTokens,
  streamOptions: false,
  adjust: ({ model: _model, stream: _stream, ...body }) => ({ '@requestFormat': 'chatCompletions', ...body }),
})

/** Gemma at an endpoint of the host's own: a chat request as an instance of `:predict`, which cannot stream. */
export const gemmaChat: Codec<'chat'> = {
  encode: (exchange) => {
    const codec = atPath(instance, (deployment) =>
      projectPath(deployment, `endpoints/${endpointId(deployment.model)}:predict`),
    )
    const request = codec.encode(exchange)
    const parts = ['{"instances":[', request.body ?? '', ']}'].map((part) => Buffer.from(part))
    return { ...request, body: Buffer.concat(parts) }
  },
  decode: (body, exchange) => {
    const predictions = isObject(body) ? body['predictions'] : undefined
    const answer: unknown = Array.isArray(predictions) ? predictions[0] : predictions
    return atPath(instance, () => '').decode(answer ?? body, exchange)
  },
}
