import { readFailure } from '../failure.js'
import type { Protocol } from '../protocol.js'
import { chatCodec } from './chat.js'
import { completionsCodec } from './completions.js'
import { embeddingsCodec } from './embeddings.js'

/** Ollama's own API, which streams newline-delimited JSON: https://docs.ollama.com/api */
export const ollamaProtocol: Protocol = {
  name: 'ollama',
  codecs: { chat: chatCodec, completions: completionsCodec, embeddings: embeddingsCodec },
  failure: readFailure,
}
