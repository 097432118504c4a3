import type { FailureKind } from '../../errors.js'
import { GatewayError } from '../../errors.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'
import { kindOfFailure, readFailure, toUpstreamError } from '../failure.js'
import type { Failure } from '../protocol.js'

// Source: https://platform.claude.com/docs/en/api/errors; `api_error` says nothing that the status does not.
const statusByType: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  timeout_error: 504,
  overloaded_error: 529,
}

// An empty account is refused as an invalid request, yet no change of the request would cure it.
const emptyAccount = /credit balance is too low/i

function typeOf(body: unknown): string | undefined {
  if (!isObject(body)) return undefined
  return isObject(body['error']) ? stringOf(body['error']['type']) : undefined
}

/** The status that an error body stands for; `status` (what HTTP said) where its type says nothing more. */
function statusOf(type: string | undefined, status: number): number {
  return (type === undefined ? undefined : statusByType[type]) ?? status
}

/** Reads an error answer of the Messages API: `{ type: 'error', error: { type, message }, request_id }`. */
export function messagesFailure(status: number, body: unknown): Failure {
  const failure = readFailure(status, body)
  const type = typeOf(body)
  if (emptyAccount.test(failure.message)) return { ...failure, kind: 'payment_required' }
  const kind: FailureKind = kindOfFailure(statusOf(type, status), failure.message, type)
  return { ...failure, kind, ...(type !== undefined && { type }) }
}

/** The error to throw for an error object that came inside a 200, as a body or as a stream event. */
export function errorInside(body: JsonObject, provider: string): GatewayError {
  const status = statusOf(typeOf(body), 500)
  return toUpstreamError(messagesFailure(status, body), status, provider)
}

/** The error to throw for a 200 that is not an answer of the Messages API. */
export function notAnAnswer(provider: string): GatewayError {
  return new GatewayError('upstream_invalid', 'The provider answered with something that is not a message.', {
    upstream: { provider, status: 200 },
  })
}
