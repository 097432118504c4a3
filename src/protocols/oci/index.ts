import { readFailure } from '../failure.js'
import type { Protocol } from '../protocol.js'
import { chat } from './chat.js'
import { embeddings } from './embeddings.js'

/** Oracle's Generative AI inference API, in its GENERIC and COHERE formats. */
export const ociProtocol: Protocol = { name: 'oci', codecs: { chat, embeddings }, failure: readFailure }
