import { readFailure } from '../failure.js'
import type { Protocol } from '../protocol.js'
import { chat } from './chatbot.js'
import { embeddings } from './embeddings.js'
import { completions } from './generation.js'
import { images } from './images.js'

/** NLP Cloud's API: https://docs.nlpcloud.com */
export const nlpCloudProtocol: Protocol = {
  name: 'nlp-cloud',
  codecs: { chat, completions, embeddings, images },
  failure: readFailure,
}
