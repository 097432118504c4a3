import type { FakeCall, Rendered } from '../../../../src/testing/dialects/dialect.js'
import { pixelPng } from '../../../../src/testing/media.js'
import { isObject } from '../../../../src/wire/json.js'
import { dialectOf, say, sse, vectorsFor } from './write.js'

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

function complete(call: FakeCall): Rendered {
  const { id, text, pieces, calls, input, output } = say(call)
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
  if (call.body['stream'] !== true) {
    const list = calls.map(({ id: callId, name, pieces: parts }) => ({
      type: 'tool_use',
      tool_use: { tool_use_id: callId, name, input: JSON.parse(parts.join('')) as unknown },
    }))
    const message = { content: text, content_list: [...(text === '' ? [] : [{ type: 'text', text }]), ...list] }
    return { body: { id, choices: [{ message }], usage } }
  }
  const deltas = [
    ...pieces.map((piece) => ({
      type: 'text',
      content: piece,
      content_list: [{ type: 'text', text: piece }],
      text: piece,
    })),
    ...calls.flatMap(({ id: callId, name, pieces: parts }) => [
      { type: 'tool_use', tool_use_id: callId, name, content_list: [{ tool_use_id: callId, name }], text: '' },
      ...parts.map((part) => ({ type: 'tool_use', input: part, content_list: [{ input: part }], text: '' })),
    ]),
  ]
  const events = deltas.map((delta, index) => ({
    id,
    model: 'm',
    choices: [{ delta }],
    usage: index === deltas.length - 1 ? usage : {},
  }))
  return sse(events)
}

/** Snowflake's own chat, and its embeddings, a level deeper than others'. */
export const snowflake = dialectOf('snowflake', {
  'POST /api/v2/cortex/inference:complete': complete,
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
