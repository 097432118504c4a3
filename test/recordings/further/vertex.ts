import { isObject, parseJson, type JsonObject } from '../../../src/wire/json.js'
import { at, objectsIn } from '../exchange.js'
import { anthropicEquivalences } from '../equivalences-anthropic.js'
import { readAnthropicAnswer } from '../expected-anthropic.js'
import { fromAnthropicRequest } from '../reverse-anthropic.js'
import type { FurtherDialect } from './dialect.js'

const place = { project: 'my-project', location: 'us-east5' }

/** Claude on Vertex AI: the Messages API with the model in its path. */
export const vertexClaude: FurtherDialect = {
  request: ({ request, response }) => {
    const { anthropic_version: _version, ...body } = request?.body ?? {}
    const stream = response.format === 'sse' ? { stream: true } : {}
    return request ? fromAnthropicRequest(body) : { messages: [{ role: 'user', content: 'hi' }], ...stream }
  },
  answer: (payloads, { response }) => readAnthropicAnswer(payloads, response.format === 'sse'),
  model: ({ request }) => {
    const name = /\/models\/(.*):/.exec(decodeURIComponent(request?.url ?? ''))?.[1] ?? ''
    // One recorder lost the name.
    return name === '' ? 'claude-sonnet-4-5@20250929' : name
  },
  otherPath: ({ request }) => request?.url.includes('/models/:') ?? false,
  settings: place,
  equivalences: anthropicEquivalences,
}

/** Vectors of Vertex AI, by `:predict` and by `:embedContent`, and what Imagen answered. */
export const vertexPredict: FurtherDialect = {
  request: ({ request, response }, { operation }) => {
    if (operation === 'images') return { prompt: 'hi', n: 4 }
    if (request) return 'content' in request.body ? fromEmbedContent(request.body) : fromPredictRequest(request.body)
    return { input: objectsIn(at(parseJson(response.text), 'predictions')).map(() => 'hi') }
  },
  data: (recorded) => {
    const single = at(recorded, 'embedding')
    if (isObject(single)) return [{ embedding: single['values'] }]
    return objectsIn(at(recorded, 'predictions')).flatMap(toItem)
  },
  model: ({ entry, request }) => {
    const name = /\/models\/(.*):/.exec(decodeURIComponent(request?.url ?? ''))?.[1]
    return name ?? (imagenAnswers.includes(entry.id) ? 'imagen-4.0-generate-001' : 'text-embedding-005')
  },
  settings: place,
  equivalences: [],
}

/** Exchanges whose answers are Imagen's, though the index calls them embeddings. */
export const imagenAnswers = [
  'vertex_ai-vertex-predict-089052cc2100',
  'vertex_ai-vertex-predict-f4e8dbe80f2c',
  'vertex_ai-vertex-predict-f908feec8cb2',
]

function toItem({ embeddings, gcsUri }: JsonObject): readonly JsonObject[] {
  if (isObject(embeddings)) return [{ embedding: embeddings['values'] }]
  return gcsUri === undefined ? [] : [{ url: gcsUri }]
}

function fromEmbedContent(body: JsonObject): JsonObject {
  return { input: at(body, 'content', 'parts', 0, 'text') }
}

/** The request for vectors that means what a recorded `:predict` means. */
function fromPredictRequest(body: JsonObject): JsonObject {
  const instances = objectsIn(body['instances'])
  const [first] = instances
  const dimensions = at(body, 'parameters', 'outputDimensionality')
  return {
    input: instances.map((instance) => instance['content']),
    ...(first?.['task_type'] !== undefined && { task_type: first['task_type'] }),
    ...(dimensions !== undefined && { dimensions }),
  }
}
