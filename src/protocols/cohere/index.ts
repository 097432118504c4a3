import { completionsOverChat } from '../completions-bridge.js'
import type { Protocol } from '../protocol.js'
import { chatCodec } from './chat.js'
import { embeddingsCodec } from './embeddings.js'
import { readCohereFailure } from './failure.js'

/** Cohere's API, version 2: https://docs.cohere.com/reference */
export const cohereProtocol: Protocol = {
  name: 'cohere',
  codecs: { chat: chatCodec, completions: completionsOverChat(chatCodec), embeddings: embeddingsCodec },
  failure: readCohereFailure,
}
