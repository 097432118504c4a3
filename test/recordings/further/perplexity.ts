import { at, objectsIn, textOf } from '../exchange.js'
import type { FurtherDialect } from './dialect.js'

/** Perplexity's embeddings: signed bytes as base64, https://docs.perplexity.ai/docs/embeddings */
export const perplexityEmbeddings: FurtherDialect = {
  request: ({ request }) => request?.body ?? { input: 'hi' },
  data: (recorded) =>
    objectsIn(at(recorded, 'data')).map((item) => ({
      embedding: [...new Int8Array(Buffer.from(textOf(item['embedding']), 'base64'))].map((byte) => byte / 127),
    })),
  equivalences: [],
}
