import { answerChat } from '../../../../src/testing/dialects/openai-chat.js'
import { answerCompletions } from '../../../../src/testing/dialects/openai-completions.js'
import { pixelPng } from '../../../../src/testing/media.js'
import type { FakeCall, Rendered } from '../../../../src/testing/dialects/dialect.js'
import { dialectOf, inputOf, say, sse, vectorsFor } from './write.js'

/** Aleph Alpha's `/complete` and meanings. */
export const alephAlpha = dialectOf('aleph_alpha', {
  'POST /complete': (call) => {
    const { text, pieces, input, output } = say(call)
    const counts = { num_tokens_prompt_total: input, num_tokens_generated: output }
    if (call.body['stream'] !== true) {
      return { body: { completions: [{ completion: text, finish_reason: 'end_of_text' }], ...counts } }
    }
    return sse([
      ...pieces.map((completion) => ({ type: 'stream_chunk', index: 0, completion })),
      { type: 'stream_summary', index: 0, finish_reason: 'end_of_text' },
      { type: 'completion_summary', ...counts },
    ])
  },
  'POST /semantic_embed': () => ({ body: { embedding: vectorsFor('one')[0], num_tokens_prompt_total: 3 } }),
  'POST /batch_semantic_embed': ({ body }) => ({
    body: { embeddings: vectorsFor(body['prompts']), num_tokens_prompt_total: 3 },
  }),
})

/** NLP Cloud. */
export const nlpCloud = dialectOf('nlp_cloud', {
  'POST /v1/.+/chatbot': (call) => {
    const { text, input, output } = say(call)
    return { body: { response: text, history: [], nb_input_tokens: input, nb_generated_tokens: output } }
  },
  'POST /v1/.+/generation': (call) => {
    const { text, input, output } = say(call)
    return { body: { generated_text: text, nb_input_tokens: input, nb_generated_tokens: output } }
  },
  'POST /v1/.+/embeddings': ({ body }) => ({ body: { embeddings: vectorsFor(body['sentences']) } }),
  'POST /v1/.+/image-generation': () => ({ body: { url: 'https://files.test/image.png' } }),
})

/** A Petals server; it takes forms, and its errors come with status 200. */
export const petals = dialectOf(
  'petals',
  { 'POST /api/v1/generate form': (call) => ({ body: { ok: true, outputs: say(call).text } }) },
  // Only what the program itself finds wrong comes with status 200.
  (status, message) => (status === 503 ? { ok: false, traceback: `Traceback:\n${message}` } : { error: { message } }),
)

/** PaLM 2, as AI Studio served it. */
export const palm = dialectOf('palm', {
  'POST /models/chat-[^/]+:generateMessage': (call) => ({
    body: { candidates: [{ author: '1', content: say(call).text }], messages: [] },
  }),
  'POST /models/text-[^/]+:generateText': (call) => ({ body: { candidates: [{ output: say(call).text }] } }),
  'POST /models/[^/]+:embedText': () => ({ body: { embedding: { value: vectorsFor('one')[0] } } }),
})

/** IBM watsonx.ai: chat as OpenAI has it, under other paths, text generation and embeddings of its own. */
export const watsonx = dialectOf(
  'watsonx',
  {
    'POST /ml/v1/text/chat': (call) => openaiChat(call, false),
    'POST /ml/v1/text/chat_stream': (call) => openaiChat(call, true),
    'POST /ml/v1/text/generation': (call) => {
      const { text, input, output } = say(call)
      const counts = { input_token_count: input, generated_token_count: output }
      return { body: { model_id: 'm', results: [{ generated_text: text, stop_reason: 'eos_token', ...counts }] } }
    },
    'POST /ml/v1/text/generation_stream': (call) => {
      const { pieces, input, output } = say(call)
      const counts = { input_token_count: input, generated_token_count: output }
      return sse([
        ...pieces.map((text) => ({ results: [{ generated_text: text, stop_reason: 'not_finished' }] })),
        { results: [{ generated_text: '', stop_reason: 'eos_token', ...counts }] },
      ])
    },
    'POST /ml/v1/text/embeddings': ({ body }) => ({
      body: { results: vectorsFor(body['inputs']).map((embedding) => ({ embedding })), input_token_count: 3 },
    }),
    'POST /identity/token form': () => ({ body: { access_token: 'iam-token', expires_in: 3_600 } }),
  },
  (status, message) => ({ errors: [{ code: `error_${status}`, message }], status_code: status }),
)

/** OpenAI's answer under a path that tells model and streaming in its own way; usage comes unasked. */
export function openaiChat(call: FakeCall, stream: boolean): Rendered {
  return answerChat({ ...call, body: { ...call.body, model: 'm', stream, stream_options: { include_usage: true } } })
}

/** Mistral's chat, whose streams count tokens unasked. */
export const mistral = dialectOf('mistral', {
  'POST /v1/chat/completions': (call) => openaiChat(call, call.body['stream'] === true),
})

/** Predibase's, where the path names the model. */
export const predibase = dialectOf('predibase', {
  'POST /t/deployments/v2/llms/demo/v1/chat/completions': (call) => openaiChat(call, call.body['stream'] === true),
  'POST /t/deployments/v2/llms/demo/v1/completions': (call) =>
    answerCompletions({ ...call, body: { ...call.body, model: 'm' } }),
})

/** Where Databricks gives its tokens. */
export const oidc = dialectOf('oidc', { 'POST /v1/token form': () => ({ body: { access_token: 'databricks-token' } }) })

/** Oracle's generic format. */
export const oci = dialectOf(
  'oci',
  {
    'POST /20231130/actions/chat': (call) => {
      const { text, pieces, calls, input, output } = say(call)
      const usage = { promptTokens: input, completionTokens: output, totalTokens: input + output }
      const finishReason = calls.length > 0 ? 'tool_calls' : 'stop'
      const toolCalls = calls.map(({ id, name, pieces: parts }) => ({
        id,
        type: 'FUNCTION',
        name,
        arguments: parts.join(''),
      }))
      const messageOf = (part: string) => ({ role: 'ASSISTANT', content: [{ type: 'TEXT', text: part }] })
      if (JSON.stringify(call.body).includes('"isStream":true')) {
        return sse([
          ...pieces.map((piece) => ({ index: 0, message: messageOf(piece) })),
          ...(calls.length > 0 ? [{ index: 0, message: { role: 'ASSISTANT', toolCalls } }] : []),
          { finishReason, usage },
        ])
      }
      const message = { ...messageOf(text), ...(calls.length > 0 && { toolCalls }) }
      return { body: { modelId: 'm', chatResponse: { choices: [{ index: 0, message, finishReason }], usage } } }
    },
    'POST /20231130/actions/embedText': ({ body }) => ({
      body: { embeddings: vectorsFor(body['inputs']), usage: { promptTokens: 3 } },
    }),
  },
  (status, message) => ({ code: String(status), message }),
)

/** Replicate, whose predictions are ready at the second look. */
export const replicate = dialectOf(
  'replicate',
  {
    'POST /models/black-forest-labs/[^/]+/predictions': () => ({ body: { id: 'image1', status: 'processing' } }),
    'GET /predictions/image1': () => ({
      body: { id: 'image1', status: 'succeeded', output: ['https://replicate.delivery/a.png'] },
    }),
    'POST /models/[^/]+/[^/]+/predictions': (call) => {
      const { id, pieces, input, output } = say(call)
      const metrics = { input_token_count: input, output_token_count: output }
      return { body: { id, status: 'succeeded', output: pieces, metrics } }
    },
  },
  (status, detail) => ({ title: 'Error', detail, status }),
)

/** Cloudflare Workers AI at `/run`. */
export const cloudflare = dialectOf(
  'cloudflare',
  {
    'POST /ai/run/.+': (call) => {
      const { body } = call
      const wrap = (result: object): Rendered => ({ body: { result, success: true, errors: [], messages: [] } })
      if ('text' in body) return wrap({ data: vectorsFor(body['text']) })
      if ('prompt' in body) return wrap({ image: pixelPng })
      const { text, pieces, calls, input, output } = say(call)
      const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
      const tool_calls = calls.map((made) => ({ name: made.name, arguments: inputOf(made) }))
      const called = calls.length > 0 ? { tool_calls } : {}
      if (body['stream'] !== true) return wrap({ response: text, usage, ...called })
      return sse([...pieces.map((response) => ({ response })), { response: '', usage, ...called }], true)
    },
  },
  (status, message) => ({ success: false, errors: [{ code: status, message }], result: null }),
)
