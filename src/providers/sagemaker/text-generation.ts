import { chatOverCompletions } from '../../protocols/chat-over-completions.js'
import { awsFailure } from '../../protocols/aws-failure.js'
import type { Codec, Protocol } from '../../protocols/protocol.js'
import { createFeatures, createTgiCompletions } from '../../protocols/tgi/index.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { isObject, parseJson, stringOf } from '../../wire/json.js'
import { overEndpoint, toInvocation } from './endpoint.js'

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
const embeddings: Codec<'embeddings'> = {
  encode: (exchange) => toInvocation(features.encode(exchange), exchange.deployment, false),
  decode: (body, exchange, headers) => {
    const answer = isObject(body) && Array.isArray(body['embedding']) ? body['embedding'] : body
    return features.decode(answer, exchange, headers)
  },
}

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
