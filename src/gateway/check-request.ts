import { InvalidRequestError } from '../errors.js'
import { toInvalidRequest } from '../http/dispatch.js'
import { ChatRequest } from '../wire/chat.js'
import { CompletionRequest } from '../wire/completions.js'
import { EmbeddingRequest } from '../wire/embeddings.js'
import { ImageRequest } from '../wire/images.js'
import { ModerationRequest } from '../wire/moderations.js'
import type { Operation, Operations } from '../wire/operations.js'

const schemas = {
  chat: ChatRequest,
  completions: CompletionRequest,
  embeddings: EmbeddingRequest,
  images: ImageRequest,
  moderations: ModerationRequest,
}

/** The very request that was given, once its shape is known to be right. @throws InvalidRequestError */
export function checkRequest<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
): Operations[K]['request'] {
  const schema = Object.hasOwn(schemas, operation) ? schemas[operation] : undefined
  if (!schema) throw new InvalidRequestError(`There is no operation ${operation}.`)
  const result = schema.safeParse(request)
  if (!result.success) throw toInvalidRequest(result.error)
  return request
}
