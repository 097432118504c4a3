import { ChatRequest } from './chat.js'
import { CompletionRequest } from './completions.js'
import { EmbeddingRequest } from './embeddings.js'
import { ImageRequest } from './images.js'
import { ModerationRequest } from './moderations.js'

/** Every member that OpenAI documents of a request, of any operation; what else a request has is some provider's own. */
export const documentedMembers: ReadonlySet<string> = new Set(
  [ChatRequest, CompletionRequest, EmbeddingRequest, ImageRequest, ModerationRequest].flatMap(({ shape }) =>
    Object.keys(shape),
  ),
)
