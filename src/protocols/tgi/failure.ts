import type { FailureKind } from '../../errors.js'
import { isObject, numberOf, stringOf } from '../../wire/json.js'
import { kindOfStatus, readFailure } from '../failure.js'
import type { Failure } from '../protocol.js'

// https://github.com/huggingface/text-generation-inference/blob/main/router/src/infer/mod.rs
const statusByType: Readonly<Record<string, number>> = {
  validation: 422,
  template_error: 422,
  tool_error: 422,
  generation: 424,
  incomplete_generation: 500,
  overloaded: 429,
  unhealthy: 503,
}

/** The status that an error inside a 200 stands for. */
export function statusOfError(body: unknown): number {
  const type = isObject(body) ? stringOf(body['error_type']) : undefined
  return (type === undefined ? undefined : statusByType[type]) ?? 500
}

/** Reads `{ error, error_type?, estimated_time? }`; a model that is being loaded says for how long, in seconds. */
export function readHuggingFaceFailure(status: number, body: unknown): Failure {
  const failure = readFailure(status, body)
  const type = isObject(body) ? stringOf(body['error_type']) : undefined
  const seconds = isObject(body) ? numberOf(body['estimated_time']) : undefined
  // "overloaded" as a whole message is TGI's and the hub's word for a full queue.
  const kind: FailureKind = type === 'overloaded' && failure.kind === kindOfStatus(status) ? 'overloaded' : failure.kind
  return {
    ...failure,
    kind,
    ...(type !== undefined && { type }),
    ...(seconds !== undefined && { retryAfterMs: Math.ceil(seconds * 1000) }),
  }
}
