import type { JsonObject } from '../../../src/wire/json.js'
import { at, objectsIn } from '../exchange.js'
import type { FurtherDialect } from './dialect.js'

/** Imagen on Google AI Studio; its own parameters go beside OpenAI's. */
export const imagen: FurtherDialect = {
  request({ request }): JsonObject {
    const { sampleCount, ...own } = at(request?.body, 'parameters') as JsonObject
    return { prompt: at(request?.body, 'instances', 0, 'prompt'), n: sampleCount, ...own }
  },
  // What was made of the prompt comes beside the images.
  data: (recorded) =>
    objectsIn(at(recorded, 'predictions')).flatMap(({ bytesBase64Encoded: image }) =>
      image === undefined ? [] : [{ b64_json: image }],
    ),
  model: ({ request }) => /\/models\/(.*):/.exec(request?.url ?? '')?.[1],
  equivalences: [],
}
