import { parseJson } from '../../../src/wire/json.js'
import { at, objectsIn } from '../exchange.js'
import type { FurtherDialect } from './dialect.js'

/** Voyage's multimodal embeddings, of which only the answer was recorded. */
export const voyageMultimodal: FurtherDialect = {
  request: ({ response }) => ({ input: objectsIn(at(parseJson(response.text), 'data')).map(() => 'hi') }),
  data: (recorded) => objectsIn(at(recorded, 'data')),
  equivalences: [],
}
