import type { Protocol } from '../protocol.js'
import { createChatCodec } from './chat.js'
import { createCompletionCodec } from './completions.js'
import { createEmbeddingCodec } from './embeddings.js'
import { readOpenAIFailure } from './failure.js'
import { createImageCodec } from './images.js'
import { createModerationCodec } from './moderations.js'
import type { Quirks } from './quirks.js'

/** OpenAI's dialect, as a provider with these quirks speaks it; without any, as OpenAI documents it. */
export function openaiProtocol(quirks: Quirks = {}): Protocol {
  return {
    name: 'openai',
    codecs: {
      chat: createChatCodec(quirks),
      completions: createCompletionCodec(quirks),
      embeddings: createEmbeddingCodec(quirks),
      images: createImageCodec(quirks),
      moderations: createModerationCodec(quirks),
    },
    failure: readOpenAIFailure,
  }
}
