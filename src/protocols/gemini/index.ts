import type { Protocol } from '../protocol.js'
import { createChatCodec } from './chat.js'
import { createEmbeddingsCodec } from './embeddings.js'
import { readGeminiFailure } from './failure.js'
import { createImagesCodec } from './images.js'
import { aiStudio, type GeminiOptions } from './options.js'

export type { GeminiOptions } from './options.js'

/** Google's generateContent dialect for one of its hosts; what is not given is as on AI Studio. */
export function createGeminiProtocol(options: Partial<GeminiOptions> = {}): Protocol {
  const complete: GeminiOptions = { ...aiStudio, ...options }
  return {
    name: 'gemini',
    codecs: {
      chat: createChatCodec(complete),
      embeddings: createEmbeddingsCodec(complete),
      images: createImagesCodec(complete),
    },
    failure: readGeminiFailure,
  }
}

/** generateContent as Google AI Studio speaks it; paths are relative to https://generativelanguage.googleapis.com. */
export const geminiProtocol: Protocol = createGeminiProtocol()
