import { readFailure } from '../failure.js'
import type { Protocol } from '../protocol.js'
import { chat, completions } from './complete.js'
import { embeddings } from './embeddings.js'

/** Aleph Alpha's own API, of its luminous models: https://docs.aleph-alpha.com */
export const alephAlphaProtocol: Protocol = {
  name: 'aleph-alpha',
  codecs: { chat, completions, embeddings },
  failure: readFailure,
}
