import { GatewayError } from '../../errors.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { readFailure, statusInError, toUpstreamError } from '../failure.js'
import type { Failure } from '../protocol.js'

/** A refusal of the API: the same body as chat's. */
export function responsesFailure(status: number, body: unknown): Failure {
  const failure = readFailure(status, body)
  // OpenAI answers 429 for an empty account too; asking again cannot help there.
  const isBroke = failure.code === 'insufficient_quota' || failure.type === 'insufficient_quota'
  return isBroke ? { ...failure, kind: 'payment_required' } : failure
}

// The status that a code inside a 200 stands for: https://platform.openai.com/docs/api-reference/responses/object.
const statusByCode: Readonly<Record<string, number>> = {
  bio_policy: 400,
  content_filter: 400,
  context_length_exceeded: 400,
  cyber_policy: 400,
  empty_image_file: 400,
  failed_to_download_image: 400,
  image_content_policy_violation: 400,
  image_file_not_found: 400,
  image_file_too_large: 400,
  image_parse_error: 400,
  image_too_large: 400,
  image_too_small: 400,
  insufficient_quota: 429,
  invalid_api_key: 401,
  invalid_base64_image: 400,
  invalid_image: 400,
  invalid_image_format: 400,
  invalid_image_mode: 400,
  invalid_image_url: 400,
  invalid_prompt: 400,
  invalid_request_error: 400,
  model_not_found: 404,
  rate_limit_exceeded: 429,
  rate_limit_error: 429,
  server_error: 500,
  server_is_overloaded: 503,
  slow_down: 503,
  tokens: 429,
  unsupported_image_media_type: 400,
  vector_store_timeout: 504,
}

/**
 * The error to throw for a failure that came with status 200: a response of status `failed`, or an event of type
 * `error`, whose members lie flat or below `error`.
 */
export function errorInside(body: JsonObject, provider: string): GatewayError {
  const error = isObject(body['error']) ? body['error'] : body
  const code = stringOf(error['code']) ?? stringOf(error['type']) ?? ''
  const status = statusInError(error) ?? (Object.hasOwn(statusByCode, code) ? statusByCode[code] : undefined) ?? 500
  // The type of a flat event is only that of the event.
  const { type, ...rest } = error
  const plain = type === 'error' ? rest : error
  return toUpstreamError(responsesFailure(status, { error: plain }), status, provider)
}

/** The error to throw for a 200 that is not an answer of the API. */
export function notAnAnswer(provider: string): GatewayError {
  return new GatewayError('upstream_invalid', 'The provider answered with something that is not a response.', {
    upstream: { provider, status: 200 },
  })
}
