import { chatOverCompletions } from '../../protocols/chat-over-completions.js'
import { awsFailure } from '../../protocols/aws-failure.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import type { Codec, Exchange, Protocol } from '../../protocols/protocol.js'
import { createFeatures, createTgiCompletions } from '../../protocols/tgi/index.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { isObject, parseJson, stringOf } from '../../wire/json.js'
import { chooseCodec } from '../choose-codec.js'
import { overEndpoint, servedModel, toInvocation } from './endpoint.js'

const path = (): string => '/'

/** The prompt of a request. */
function promptIn({ body }: UpstreamRequest): string {
  const sent = typeof body === 'string' ? parseJson(body) : undefined
  return (isObject(sent) ? stringOf(sent['inputs']) : undefined) ?? ''
}

/** JumpStart's containers say `generation` and repeat the prompt where TGI says `generated_text` alone. */
function prepare(body: unknown, sent: () => UpstreamRequest): unknown {
  const answer: unknown = Array.isArray(body) ? body[0] : body
  if (!isObject(answer)) return body
  const text = answer['generated_text'] ?? answer['generation']
  if (typeof text !== 'string') return body
  const prompt = promptIn(sent())
  const isEcho = prompt !== '' && text.startsWith(prompt)
  return { ...answer, generated_text: isEcho ? text.slice(prompt.length) : text }
}

const completions = createTgiCompletions(path)
const features = createFeatures(path)

/** Vectors as the containers give them: a list, or `{ embedding }`. */
const vectors: Codec<'embeddings'> = {
  encode: (exchange) => toInvocation(features.encode(exchange), exchange.deployment, false),
  decode: (body, exchange, headers) => {
    const answer = isObject(body) && Array.isArray(body['embedding']) ? body['embedding'] : body
    return features.decode(answer, exchange, headers)
  },
  // Of Hugging Face's container: https://huggingface.co/docs/text-embeddings-inference/cli_arguments
  mostInputs: () => 32,
}

const openaiVectors = openaiProtocol({
  embeddings: { base64: false, tokens: false, dimensions: 'output_dimension', unsupported: ['user'] },
  adjust: ({ model: _model, ...body }) => body,
}).codecs.embeddings
if (!openaiVectors) throw new TypeError("OpenAI's dialect has embeddings")

/** Containers of Voyage AI take what its API takes, without a model's name: https://docs.voyageai.com/reference/embeddings-api */
const voyageVectors: Codec<'embeddings'> = {
  ...openaiVectors,
  encode: (exchange) => toInvocation(openaiVectors.encode(exchange), exchange.deployment, false),
  mostInputs: () => 1_000,
}

/** By the name of the endpoint, or of the model that the host says is behind it. */
const isVoyage = ({ deployment }: Exchange<'embeddings'>): boolean =>
  /voyage/i.test(`${deployment.model} ${servedModel(deployment)}`)

const embeddings = chooseCodec(vectors, voyageVectors, isVoyage)

/** Endpoints of Text Generation Inference's and JumpStart's containers: `{ inputs, parameters }`. */
export const textGenerationProtocol: Protocol = {
  name: 'sagemaker',
  codecs: {
    chat: overEndpoint(chatOverCompletions(completions), prepare),
    completions: overEndpoint(completions, prepare),
    embeddings,
  },
  failure: awsFailure,
}
