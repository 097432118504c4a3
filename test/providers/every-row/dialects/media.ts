import { pixelPng } from '../../../../src/testing/media.js'
import { isObject } from '../../../../src/wire/json.js'
import { dialectOf, vectorsFor } from './write.js'

/** Stability's forms. */
export const stability = dialectOf(
  'stability',
  { 'POST /v2beta/stable-image/generate/[^/]+ form': () => ({ body: { image: pixelPng, finish_reason: 'SUCCESS' } }) },
  (status, message) => ({ name: `error_${status}`, errors: [message] }),
)

/** Black Forest Labs' tasks. */
export const bfl = dialectOf(
  'black_forest_labs',
  {
    'POST /v1/flux[^/]*': () => ({ body: { id: 'task1' } }),
    'GET /v1/get_result': () => ({
      body: { id: 'task1', status: 'Ready', result: { sample: 'https://delivery.bfl.ai/a.png' } },
    }),
  },
  (_, detail) => ({ detail }),
)

/** fal.ai, which answers at once. */
export const fal = dialectOf(
  'fal_ai',
  { 'POST /.+': () => ({ body: { images: [{ url: 'https://fal.media/a.png' }] } }) },
  (_, detail) => ({ detail }),
)

/** Fireworks' workflows of images. */
export const fireworks = dialectOf('fireworks_ai', {
  'POST /v1/workflows/.+/text_to_image': () => ({ body: { base64: [pixelPng], finishReason: 'SUCCESS', seed: 1 } }),
})

/** Tasks of a Hugging Face endpoint: features and pictures at its root. */
export const huggingface = dialectOf(
  'huggingface',
  {
    'POST /?': ({ body, headers }) =>
      headers['accept']?.startsWith('image/')
        ? { body: { images: [pixelPng] } }
        : { body: { embeddings: vectorsFor(body['inputs']) } },
  },
  (_, error) => ({ error }),
)

/** Snowflake's embeddings, a level deeper than others'. */
export const snowflake = dialectOf('snowflake', {
  'POST /api/v2/cortex/inference:embed': ({ body }) => ({
    body: {
      data: vectorsFor(body['text']).map((vector, index) => ({ object: 'embedding', index, embedding: [vector] })),
      model: 'm',
      usage: { total_tokens: 3 },
    },
  }),
})

/** Vertex AI's `:predict`: embeddings, and Imagen. */
export const vertexPredict = dialectOf('vertex_ai', {
  'POST /v1/.+:predict': ({ body }) => {
    const instances: readonly unknown[] = Array.isArray(body['instances']) ? body['instances'] : []
    if (instances.some((instance) => isObject(instance) && 'prompt' in instance)) {
      return { body: { predictions: [{ mimeType: 'image/png', bytesBase64Encoded: pixelPng }] } }
    }
    const values = vectorsFor(instances)
    return { body: { predictions: values.map((v) => ({ embeddings: { values: v, statistics: { token_count: 3 } } })) } }
  },
})
