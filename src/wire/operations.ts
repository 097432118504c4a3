import type { ChatChunk, ChatCompletion, ChatRequest } from './chat.js'
import type { Completion, CompletionChunk, CompletionRequest } from './completions.js'
import type { EmbeddingRequest, EmbeddingResponse } from './embeddings.js'
import type { ImageRequest, ImageResponse } from './images.js'
import type { ModerationRequest, ModerationResponse } from './moderations.js'

/** What a model can be asked to do, with the OpenAI shapes of each. */
export interface Operations {
  chat: { request: ChatRequest; response: ChatCompletion; chunk: ChatChunk }
  completions: { request: CompletionRequest; response: Completion; chunk: CompletionChunk }
  embeddings: { request: EmbeddingRequest; response: EmbeddingResponse; chunk: never }
  images: { request: ImageRequest; response: ImageResponse; chunk: never }
  moderations: { request: ModerationRequest; response: ModerationResponse; chunk: never }
}

/** The name of an operation. */
export type Operation = keyof Operations

/** The operations that can stream. */
export type StreamOperation = 'chat' | 'completions'
