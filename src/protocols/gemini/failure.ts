import type { FailureKind } from '../../errors.js'
import { GatewayError } from '../../errors.js'
import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'
import { kindOfStatus, readFailure, toUpstreamError } from '../failure.js'
import type { Failure } from '../protocol.js'

// Google's canonical codes: https://cloud.google.com/apis/design/errors. A failed precondition is about the account
// (billing, country), which another deployment may not share.
const statuses: Readonly<Record<string, { readonly kind: FailureKind; readonly status: number }>> = {
  INVALID_ARGUMENT: { kind: 'invalid_request', status: 400 },
  OUT_OF_RANGE: { kind: 'invalid_request', status: 400 },
  FAILED_PRECONDITION: { kind: 'upstream_permission', status: 400 },
  UNAUTHENTICATED: { kind: 'upstream_authentication', status: 401 },
  PERMISSION_DENIED: { kind: 'upstream_permission', status: 403 },
  NOT_FOUND: { kind: 'upstream_not_found', status: 404 },
  ABORTED: { kind: 'conflict', status: 409 },
  RESOURCE_EXHAUSTED: { kind: 'rate_limited', status: 429 },
  CANCELLED: { kind: 'upstream_error', status: 499 },
  INTERNAL: { kind: 'upstream_error', status: 500 },
  UNKNOWN: { kind: 'upstream_error', status: 500 },
  UNIMPLEMENTED: { kind: 'upstream_not_found', status: 501 },
  UNAVAILABLE: { kind: 'unavailable', status: 503 },
  DEADLINE_EXCEEDED: { kind: 'timeout', status: 504 },
}

/** The error object of an answer, also where it is the only member of a list. */
function errorOf(body: unknown): JsonObject | undefined {
  const first: unknown = Array.isArray(body) ? body[0] : body
  return isObject(first) && isObject(first['error']) ? first['error'] : undefined
}

function detailsOf(error: JsonObject | undefined): readonly JsonObject[] {
  const details = error?.['details']
  return Array.isArray(details) ? details.filter(isObject) : []
}

/** RetryInfo's delay in milliseconds: `"34.4s"`, or seconds and nanoseconds. */
function retryAfterOf(details: readonly JsonObject[]): number | undefined {
  for (const { retryDelay } of details) {
    const seconds = typeof retryDelay === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(retryDelay)?.[1] : undefined
    if (seconds !== undefined) return Math.ceil(Number(seconds) * 1000)
    if (!isObject(retryDelay)) continue
    return Math.ceil((numberOf(Number(retryDelay['seconds'])) ?? 0) * 1000 + (numberOf(retryDelay['nanos']) ?? 0) / 1e6)
  }
  return undefined
}

const keyReasons = ['API_KEY_INVALID', 'API_KEY_EXPIRED', 'API_KEY_SERVICE_BLOCKED']

/** Reads a refusal in Google's form, plain or wrapped in a list: status, retry delay, and a bad key behind a 400. */
export function readGeminiFailure(status: number, body: unknown): Failure {
  const error = errorOf(body)
  const { code, ...base } = readFailure(status, body)
  if (!error) return { ...base, ...(code !== undefined && { code }) }
  const details = detailsOf(error)
  const canonical = stringOf(error['status'])
  const known = canonical !== undefined && Object.hasOwn(statuses, canonical) ? statuses[canonical] : undefined
  const retryAfterMs = retryAfterOf(details)
  const badKey = details.some(({ reason }) => typeof reason === 'string' && keyReasons.includes(reason))
  // What the message says is finer than both statuses.
  const kind = base.kind === kindOfStatus(status) ? (known?.kind ?? base.kind) : base.kind
  return {
    ...base,
    kind: badKey ? 'upstream_authentication' : kind,
    type: canonical ?? null,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** The error inside a 200, from its own code or canonical status; undefined where the body holds none. */
export function errorIn(body: unknown, provider: string): GatewayError | undefined {
  const error = errorOf(body)
  if (!error) return undefined
  const code = numberOf(error['code'])
  const canonical = stringOf(error['status'])
  const known = canonical !== undefined && Object.hasOwn(statuses, canonical) ? statuses[canonical] : undefined
  const status = code !== undefined && code >= 400 && code <= 599 ? code : (known?.status ?? 500)
  return toUpstreamError(readGeminiFailure(status, body), status, provider)
}
