import { parseJson, type JsonObject } from '../../src/wire/json.js'
import { violations, type OpenAiSchema } from '../oracle/openai-schema.js'
import type { Received } from './client.js'
import { at, textOf } from './exchange.js'
import type { Replay } from './scope.js'

const requestSchemas: Readonly<Record<Replay['operation'], OpenAiSchema>> = {
  chat: 'CreateChatCompletionRequest',
  completions: 'CreateCompletionRequest',
  embeddings: 'CreateEmbeddingRequest',
  images: 'CreateImageRequest',
  moderations: 'CreateModerationRequest',
}

/**
 * Whether the gateway refused a request for a member that OpenAI's own schema finds wrong as well: such a request was
 * recorded in the provider's private format, and only its reply can be replayed.
 */
export function isNotOpenAi(replay: Replay, asked: JsonObject, received: Received): boolean {
  if (received.status !== 400) return false
  const [member = ''] = textOf(at(parseJson(received.text), 'error', 'param')).split(/[.[]/)
  if (member === '') return false
  return violations(requestSchemas[replay.operation], asked).some((line) => line.startsWith(`/${member}`))
}
