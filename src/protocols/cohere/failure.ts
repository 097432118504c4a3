import type { FailureKind } from '../../errors.js'
import { isObject, stringOf } from '../../wire/json.js'
import { readFailure } from '../failure.js'
import type { Failure } from '../protocol.js'

// Statuses of Cohere's own: https://docs.cohere.com/reference/errors
const ownStatuses: Readonly<Record<number, FailureKind>> = {
  498: 'content_policy',
  499: 'upstream_error',
}

/** Reads `{ message, error_type? }`; 498 is a blocked input, 499 a request that Cohere cancelled. */
export function readCohereFailure(status: number, body: unknown): Failure {
  const failure = readFailure(status, body)
  const code = isObject(body) ? stringOf(body['error_type']) : undefined
  const kind = code === 'TOO_MANY_TOKENS' ? 'context_window' : (ownStatuses[status] ?? failure.kind)
  return { ...failure, kind, ...(code !== undefined && { code }) }
}
