import type { JsonObject } from '../../src/wire/json.js'
import { at, objectsIn, textOf, type Exchange } from './exchange.js'
import { isOtherTask } from './further/hugging-face-tasks.js'
import { furtherDialect } from './further/index.js'
import { fromAnthropicRequest } from './reverse-anthropic.js'
import { fromGeminiRequest } from './reverse-gemini.js'
import { fromResponsesRequest, isSayable } from './reverse-responses.js'
import type { Replay } from './scope.js'

/**
 * The request in OpenAI's format whose translation has to be the recorded one. Where the recorder kept the answer only,
 * the plainest request that gets an answer of that kind.
 */
export function clientRequest(exchange: Exchange, replay: Replay, model: string): JsonObject {
  const { request } = exchange
  const further = furtherDialect(replay.dialect)
  if (further) {
    const translated = { ...further.request(exchange, replay), model }
    const counted = at(translated, 'stream') === true && wantsUsage(exchange)
    return counted ? { ...translated, stream_options: { include_usage: true } } : translated
  }
  if (!request) return plainRequest(replay, model, isStream(exchange))
  if (replay.dialect === 'openai') return { ...request.body, model }
  const usage = wantsUsage(exchange) ? { stream_options: { include_usage: true } } : {}
  if (replay.dialect === 'anthropic') {
    const translated = { ...fromAnthropicRequest(request.body), model }
    return at(translated, 'stream') === true ? { ...translated, ...usage } : translated
  }
  if (replay.dialect === 'responses') {
    const translated = { ...fromResponsesRequest(request.body), model }
    return at(translated, 'stream') === true ? { ...translated, ...usage } : translated
  }
  if (replay.operation === 'embeddings') return embeddingRequest(request.body, model)
  const streamed = request.url.includes(':streamGenerateContent')
  const translated = fromGeminiRequest(request.body, model, streamed)
  return streamed ? { ...translated, ...usage } : translated
}

/** Of requests that no request in OpenAI's format can mean, only the reply is replayed. */
export function withoutForeignRequest(exchange: Exchange): Exchange {
  const { entry, request } = exchange
  if (entry.api === 'openai.responses' && request && !isSayable(request.body)) {
    return { ...exchange, request: undefined }
  }
  return isOtherTask(exchange) ? { ...exchange, request: undefined } : exchange
}

/** Whether the recorded reply is a stream. */
export function isStream({ response }: Exchange): boolean {
  const { format } = response
  return format === 'sse' || format === 'eventstream' || (response.format === 'json' && response.text.startsWith('['))
}

/** The plainest request that gets an answer of that kind. */
export function plainRequest(replay: Replay, model: string, stream: boolean): JsonObject {
  const streaming = stream ? { stream, stream_options: { include_usage: true } } : {}
  if (replay.operation === 'chat') return { model, messages: [{ role: 'user', content: 'hi' }], ...streaming }
  if (replay.operation === 'completions') return { model, prompt: 'hi', ...streaming }
  return replay.operation === 'embeddings' ? { model, input: 'hi' } : { model, prompt: 'hi' }
}

/** Half of the streams ask for usage and half do not; which half, the id decides. */
function wantsUsage(exchange: Exchange): boolean {
  return Number.parseInt(exchange.entry.id.slice(-1), 16) % 2 === 0
}

function embeddingRequest(body: JsonObject, model: string): JsonObject {
  const requests = objectsIn(body['requests'])
  const [first] = requests.length > 0 ? requests : [body]
  const texts = (requests.length > 0 ? requests : [body]).map((request) =>
    objectsIn(at(request, 'content', 'parts'))
      .map((part) => textOf(part['text']))
      .join(''),
  )
  const dimensions = first?.['outputDimensionality'] ?? first?.['output_dimensionality']
  const taskType = first?.['taskType']
  return {
    model,
    input: requests.length > 0 ? texts : texts[0],
    ...(dimensions !== undefined && { dimensions }),
    ...(taskType !== undefined && { taskType }),
  }
}
