import type { Codec } from '../protocol.js'
import { completions } from './generation.js'
import { embeddings } from './embeddings.js'
import { chatOverCompletions } from '../chat-over-completions.js'

export { placeOf } from './place.js'

/** What of watsonx.ai's API is no dialect of OpenAI's: text generation, chat over it, and embeddings. */
export const watsonxCodecs: {
  readonly chatOverText: Codec<'chat'>
  readonly completions: Codec<'completions'>
  readonly embeddings: Codec<'embeddings'>
} = { chatOverText: chatOverCompletions(completions), completions, embeddings }
