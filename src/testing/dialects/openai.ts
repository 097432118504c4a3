import type { JsonObject } from '../../wire/json.js'
import { decodeParam, created, type Dialect, type FakeRoute } from './dialect.js'
import { answerChat } from './openai-chat.js'
import { answerCompletions } from './openai-completions.js'
import { answerEmbeddings } from './openai-embeddings.js'
import { answerImages } from './openai-images.js'
import { answerModerations } from './openai-moderations.js'

const errorTypes: Readonly<Record<number, readonly [type: string, code: string | null] | undefined>> = {
  400: ['invalid_request_error', null],
  401: ['invalid_request_error', 'invalid_api_key'],
  403: ['invalid_request_error', 'unsupported_country_region_territory'],
  404: ['invalid_request_error', 'model_not_found'],
  429: ['requests', 'rate_limit_exceeded'],
}

function errorBody(status: number, message: string): JsonObject {
  const [type, code] = errorTypes[status] ?? [status < 500 ? 'invalid_request_error' : 'server_error', null]
  return { error: { message, type, param: null, code } }
}

function modelOf(body: JsonObject): string {
  return typeof body['model'] === 'string' ? body['model'] : ''
}

/** OpenAI's dialect: chat, completions, embeddings, images, moderations, models; with and without `/v1`. */
export function openaiDialect(models: readonly string[]): Dialect {
  const toModel = (id: string): JsonObject => ({ id, object: 'model', created, owned_by: 'fake' })
  const post = (path: string, answer: FakeRoute['answer']): FakeRoute => ({
    method: 'POST',
    pattern: new RegExp(`^(?:/v1)?${path}$`),
    modelOf,
    answer,
  })
  const get = (path: string, answer: FakeRoute['answer']): FakeRoute => ({ ...post(path, answer), method: 'GET' })
  return {
    name: 'openai',
    idHeader: 'x-request-id',
    routes: [
      post('/chat/completions', answerChat),
      post('/completions', answerCompletions),
      post('/embeddings', answerEmbeddings),
      // OpenRouter has the same under the shorter path.
      post('/images(?:/generations)?', answerImages),
      post('/moderations', answerModerations),
      get('/models', () => ({ body: { object: 'list', data: models.map(toModel) } })),
      get('/models/(.+)', ({ params }) => ({ body: toModel(decodeParam(params[0] ?? '')) })),
    ],
    keyOf: (headers) => /^Bearer (.+)$/i.exec(headers['authorization'] ?? '')?.[1],
    error: errorBody,
    errorFrame: (status, message) => `data: ${JSON.stringify(errorBody(status, message))}\n\n`,
  }
}
