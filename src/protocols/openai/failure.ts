import type { GatewayError } from '../../errors.js'
import { errorInside, readErrorText, readFailure, statusInError, toUpstreamError } from '../failure.js'
import type { Failure } from '../protocol.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import type { Quirks } from './quirks.js'

/** A refusal in any shape that OpenAI and its look-alikes use. */
export function readOpenAIFailure(status: number, body: unknown): Failure {
  const failure = readFailure(status, body)
  // OpenAI answers 429 for an empty account too; asking again cannot help there.
  const isBroke = failure.code === 'insufficient_quota' || failure.type === 'insufficient_quota'
  return isBroke ? { ...failure, kind: 'payment_required' } : failure
}

// Words that name a status where an error inside a 200 brings none, as `error.type` or `error.code`.
const statusByWord: Readonly<Record<string, number>> = {
  authentication_error: 401,
  badrequesterror: 400,
  content_filter: 400,
  content_policy_violation: 400,
  context_length_exceeded: 400,
  data_inspection_failed: 400,
  insufficient_quota: 429,
  internalservererror: 500,
  invalid_api_key: 401,
  invalid_parameter_error: 400,
  invalid_request_error: 400,
  model_not_found: 404,
  notfounderror: 404,
  not_found_error: 404,
  overloaded_error: 529,
  permission_error: 403,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  requests: 429,
  service_unavailable: 503,
  tokens: 429,
  tool_use_failed: 400,
}

// https://platform.minimaxi.com/document/error codes, as `base_resp.status_code`.
const statusByBaseResponse: Readonly<Record<number, number>> = {
  1001: 504,
  1002: 429,
  1004: 401,
  1008: 402,
  1026: 400,
  1027: 400,
  1039: 400,
  2013: 400,
  2049: 401,
}

const word = (value: unknown): string => (stringOf(value) ?? '').toLowerCase()

/** The status that an error inside a 200 stands for: its own, or the one its words mean, else 502. */
function statusOf(body: JsonObject): number {
  const error = isObject(body['error']) ? body['error'] : body
  return (
    statusInError(error) ??
    statusOfField(error['http_status_code']) ??
    statusInError(body) ??
    statusByWord[word(error['code'])] ??
    statusByWord[word(error['type'])] ??
    502
  )
}

const statusOfField = (value: unknown): number | undefined => {
  const status = numberOf(value)
  return status !== undefined && status >= 400 && status <= 599 ? status : undefined
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== '' && value !== false

/**
 * The error in a body that came with status 200, whole answer or stream event; undefined for an answer.
 * `hasAnswer` tells that the body holds an answer too, so that only explicit errors count.
 */
export function findErrorInside(
  body: JsonObject,
  hasAnswer: boolean,
  quirks: Quirks,
  provider: string,
): GatewayError | undefined {
  const known = quirks.errorInBody?.(body)
  if (known) {
    const failure = readOpenAIFailure(known.status, { error: { message: known.message } })
    return toUpstreamError(failure, known.status, provider)
  }
  if (isSet(body['error'])) return toError(body, provider)
  const baseResponse = body['base_resp']
  if (isObject(baseResponse) && isSet(baseResponse['status_code']) && baseResponse['status_code'] !== 0) {
    const status = statusByBaseResponse[numberOf(baseResponse['status_code']) ?? 0] ?? 502
    const message = stringOf(baseResponse['status_msg']) ?? 'The provider reported an error.'
    return errorInside({ error: { message, code: String(baseResponse['status_code']) } }, status, provider)
  }
  if (hasAnswer || readErrorText(body) === undefined) return undefined
  return toError(body, provider)
}

function toError(body: JsonObject, provider: string): GatewayError {
  const status = statusOf(body)
  return toUpstreamError(readOpenAIFailure(status, body), status, provider)
}
