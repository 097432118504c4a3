import { awsFailure } from '../../protocols/aws-failure.js'
import {
  createEmbeddingCodec,
  createImageCodec,
  createTextCodec,
  textBodies,
} from '../../protocols/bedrock-invoke/index.js'
import { chatOverCompletions } from '../../protocols/chat-over-completions.js'
import { completionsOverChat } from '../../protocols/completions-bridge.js'
import type { Codec, Exchange, Protocol } from '../../protocols/protocol.js'
import type { Operation, StreamOperation } from '../../wire/operations.js'
import { converseCodec } from './converse.js'
import { invokeClaudeCodec } from './invoke-claude.js'
import { invokeNovaCodec } from './invoke-nova.js'
import { createInvokeOpenaiCodec } from './invoke-openai.js'
import { type InvokeBody, readBedrockModel } from './model-id.js'

interface Codecs {
  readonly chat: Codec<'chat'>
  readonly completions: Codec<'completions'>
}

const ofChat = (chat: Codec<'chat'>): Codecs => ({ chat, completions: completionsOverChat(chat) })

/** A text model is asked under its id, without the prefixes that lead to it. */
function ofText(body: keyof typeof textBodies): Codecs {
  const text = textBodies[body]
  const completions = createTextCodec(text)
  const chat = 'prompt' in text ? chatOverCompletions(completions, text.prompt) : chatOverCompletions(completions)
  return { chat: byId(chat), completions: byId(completions) }
}

function withId<K extends Operation>(exchange: Exchange<K>): Exchange<K> {
  const { id } = readBedrockModel(exchange.deployment)
  return { ...exchange, deployment: { ...exchange.deployment, model: id } }
}

function byId<K extends Operation>(codec: Codec<K>): Codec<K> {
  const decodeStream = codec.decodeStream?.bind(codec)
  return {
    encode: (exchange) => codec.encode(withId(exchange)),
    decode: (body, exchange, headers) => codec.decode(body, withId(exchange), headers),
    next: (body, exchange, answers, headers) => codec.next?.(body, withId(exchange), answers, headers),
    mostInputs: (exchange) => codec.mostInputs?.(withId(exchange)) ?? Infinity,
    ...(decodeStream && { decodeStream: (exchange: Exchange<K>) => decodeStream(withId(exchange)) }),
  }
}

const converse = ofChat(converseCodec)

const invoke: Readonly<Record<InvokeBody, Codecs>> = {
  claude: ofChat(invokeClaudeCodec),
  // The models that continue a text answer messages just as well.
  claude_text: { ...ofText('claude_text'), chat: invokeClaudeCodec },
  command: ofText('command'),
  command_r: ofText('command_r'),
  deepseek: ofText('deepseek'),
  jurassic: ofText('jurassic'),
  llama: ofText('llama'),
  mistral: ofText('mistral'),
  nova: ofChat(invokeNovaCodec),
  openai: ofChat(byId(createInvokeOpenaiCodec(({ deployment }) => deployment.model))),
  titan: ofText('titan'),
}

function codecsFor({ deployment }: Exchange<StreamOperation>): Codecs {
  const { body } = readBedrockModel(deployment)
  return body === undefined ? converse : invoke[body]
}

/** Asks each deployment the way that its model's name leads. */
function chosen<K extends StreamOperation>(pick: (exchange: Exchange<K>) => Codec<K>): Codec<K> {
  return {
    mediaToFetch: (exchange) => pick(exchange).mediaToFetch?.(exchange) ?? [],
    encode: (exchange) => pick(exchange).encode(exchange),
    decode: (body, exchange, headers) => pick(exchange).decode(body, exchange, headers),
    decodeStream(exchange) {
      const decoder = pick(exchange).decodeStream?.(exchange)
      if (!decoder) throw new TypeError('every way of asking Bedrock can stream')
      return decoder
    },
  }
}

const baseOf = ({ deployment }: Exchange<Operation>): string => readBedrockModel(deployment).base

/** Bedrock Runtime: Converse for chat, or a model's own body where its name asks for that (`invoke/…`). */
export const bedrockProtocol: Protocol = {
  name: 'bedrock',
  codecs: {
    chat: chosen((exchange) => codecsFor(exchange).chat),
    completions: chosen((exchange) => codecsFor(exchange).completions),
    embeddings: byId(createEmbeddingCodec(baseOf)),
    images: byId(createImageCodec(baseOf)),
  },
  failure: awsFailure,
}
