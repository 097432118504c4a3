import type { FailureKind } from '../errors.js'
import { GatewayError, failureRules } from '../errors.js'
import { isObject, numberOf, stringOf } from '../wire/json.js'
import type { Failure } from './protocol.js'

const kindByStatus: Readonly<Record<number, FailureKind>> = {
  400: 'invalid_request',
  401: 'upstream_authentication',
  402: 'payment_required',
  403: 'upstream_permission',
  404: 'upstream_not_found',
  405: 'upstream_not_found',
  408: 'timeout',
  409: 'conflict',
  410: 'gone',
  413: 'payload_too_large',
  415: 'invalid_request',
  422: 'unprocessable',
  424: 'upstream_error',
  429: 'rate_limited',
  502: 'upstream_error',
  503: 'unavailable',
  504: 'timeout',
  524: 'timeout',
  529: 'overloaded',
  530: 'unavailable',
}

/** The class of an HTTP status that a provider answered with; unknown 4xx are the request's fault, the rest the upstream's. */
export function kindOfStatus(status: number): FailureKind {
  return kindByStatus[status] ?? (status >= 400 && status < 500 ? 'invalid_request' : 'upstream_error')
}

// Words in a provider's message that say more than its status does. Sources: the providers' error documentation and
// recorded replies; the first match wins.
const phrases: readonly (readonly [RegExp, FailureKind, readonly number[]])[] = [
  [
    /maximum context length|context[_ ]length[_ ]exceeded|context window|exceed(?:s|ed)? (?:the )?context|prompt is too long|input is too long|too many (?:input )?tokens|exceeds the maximum number of tokens|input token count .* exceeds|`inputs` tokens \+ `max_new_tokens` must be|longer than the model's context|input tokens exceed|current length is \d+ while limit is|prompt: length/i,
    'context_window',
    [400, 413, 422, 500],
  ],
  [
    /content[_ ]policy[_ ]violation|content management policy|content filtering policy|responsibleaipolicyviolation|violat\w+ (?:our|the) (?:usage|content) polic|(?:rejected|failed) (?:as a result of|by) (?:our )?safety system|content_?filter\b|data_inspection_failed|moderation_blocked/i,
    'content_policy',
    [400, 403, 422],
  ],
  [/api key not valid|incorrect api key|invalid (?:x-)?api[- ]key|api key expired/i, 'upstream_authentication', [403]],
  [/overloaded/i, 'overloaded', [500, 502, 503, 529]],
  // The caller asks a chat model for a completion, or the other way round: the model is there.
  [/\bnot supported in the v1\/\S{1,40} endpoint/i, 'invalid_request', [404]],
  [
    /(?:model|deployment)[_ ]?not[_ ]?found|\b(?:model|deployment)s?\b.{0,200}?(?:not found|does not exist|doesn't exist)|^model: |no such model|no endpoints found for|unable to access model/i,
    'upstream_model_not_found',
    [404],
  ],
]

interface Blame {
  readonly kind: FailureKind
  /** The provider's own code or type, whole. */
  readonly code: RegExp
  /** How its message begins. */
  readonly opening: RegExp
}

// A 400 is the request's fault unless the provider itself says otherwise: in a code, or in the words its message opens
// with. Further on it may repeat what the caller wrote.
const blames: readonly Blame[] = [
  {
    kind: 'rate_limited',
    code: /^(?:rate_?limit(?:ed|_?exceeded|_?error|_?reached)?|too_?many_?requests|resource_exhausted|quota_?exceeded)$/i,
    opening:
      /^\W*(?:error\W+)?(?:(?:api )?(?:(?:rate|usage) limit|quota) (?:reached|exceeded|hit|was|is|has been)\b|too many requests\b|resource has been exhausted|you(?:'ve| have)? (?:reached|exceeded|hit) (?:your|the) [^.:;]{0,60}(?:(?:rate|usage) limits?|quota)\b|your [^.:;]{0,60}(?:(?:rate|usage) limits?|quota) (?:was|is|has been|have been) (?:hit|reached|exceeded))/i,
  },
  {
    kind: 'upstream_authentication',
    code: /^(?:(?:invalid|wrong|incorrect)_api_key|api_key_(?:invalid|expired)|authentication_error|invalid_authentication)$/i,
    opening: /^\W*(?:error\W+)?(?:api key (?:not valid|expired)|incorrect api key|invalid (?:x-)?api[- ]key)/i,
  },
  {
    kind: 'upstream_model_not_found',
    code: /^(?:model|deployment)_?not_?found$/i,
    opening: /^\W*(?:error\W+)?the (?:requested )?model\b.{0,200}?(?:not found|does not exist)/i,
  },
]

// Providers quote what they refuse: a caller's own words must not put a deployment to rest.
const quoted = /(?<!\w)(['"`]).{0,200}?\1(?!\w)/gs
// As much as is searched: an endless message must not keep the process busy.
const searchedText = 8_000

/** Refines the class that a status gives by what the message says, and the provider's codes and types. */
export function kindOfFailure(
  status: number,
  message: string,
  ...codes: readonly (string | null | undefined)[]
): FailureKind {
  const text = [message, ...codes]
    .flatMap((one) => one?.slice(0, searchedText) ?? [])
    .filter(Boolean)
    .join(' ')
  const own = text.replaceAll(quoted, '')
  for (const [pattern, kind, statuses] of phrases) {
    if (statuses.includes(status) && pattern.test(failureRules[kind].unhealthy ? own : text)) return kind
  }
  const blame =
    status === 400 ? blames.find(({ code, opening }) => opening.test(own) || codes.some(isSaid(code))) : undefined
  return blame?.kind ?? kindOfStatus(status)
}

const isSaid =
  (pattern: RegExp) =>
  (code: string | null | undefined): boolean =>
    typeof code === 'string' && pattern.test(code)

interface ErrorText {
  readonly message: string
  readonly code?: string | null
  readonly type?: string | null
  readonly param?: string | null
}

const asText = (value: unknown): string | undefined =>
  stringOf(value) ?? (typeof value === 'number' ? String(value) : undefined)

function fromFields(body: Readonly<Record<string, unknown>>): ErrorText | undefined {
  const message =
    stringOf(body['message']) ?? stringOf(body['Message']) ?? stringOf(body['error_message']) ?? stringOf(body['msg'])
  if (message === undefined) return undefined
  return {
    message,
    code: asText(body['code']) ?? asText(body['error_code']) ?? null,
    type: asText(body['type']) ?? asText(body['status']) ?? null,
    param: stringOf(body['param']) ?? null,
  }
}

function fromDetail(detail: unknown): ErrorText | undefined {
  if (typeof detail === 'string') return { message: detail }
  if (isObject(detail)) return fromFields(detail) ?? readErrorText(detail)
  if (!Array.isArray(detail)) return undefined
  // FastAPI's validation errors: [{ loc: ['body', 'field'], msg, type }]
  const messages = detail.flatMap((entry: unknown) => {
    if (!isObject(entry)) return []
    const place = Array.isArray(entry['loc']) ? `${entry['loc'].join('.')}: ` : ''
    return [`${place}${stringOf(entry['msg']) ?? JSON.stringify(entry)}`]
  })
  return messages.length === 0 ? undefined : { message: messages.join('; ') }
}

function fromErrors(errors: readonly unknown[]): ErrorText | undefined {
  const messages = errors.flatMap((entry) => (isObject(entry) ? [fromFields(entry)?.message ?? ''] : [String(entry)]))
  const text = messages.filter(Boolean).join('; ')
  return text === '' ? undefined : { message: text }
}

/** Finds the message in any error body that a provider is known to send; undefined where there is none. */
export function readErrorText(body: unknown): ErrorText | undefined {
  if (Array.isArray(body)) return body.length === 0 ? undefined : readErrorText(body[0])
  if (!isObject(body)) return undefined
  const error = body['error']
  if (isObject(error)) {
    const nested = fromFields(error) ?? readErrorText(error)
    if (nested) return nested
  }
  if (typeof error === 'string' && error !== '') {
    return {
      message: stringOf(body['message']) ?? error,
      code: asText(body['code']) ?? null,
      type: asText(body['type']) ?? null,
    }
  }
  if (Array.isArray(error)) return fromErrors(error)
  if (Array.isArray(body['errors']) && body['errors'].length > 0) return fromErrors(body['errors'])
  const fault = body['fault']
  if (isObject(fault) && typeof fault['faultstring'] === 'string') return { message: fault['faultstring'] }
  return fromFields(body) ?? fromDetail(body['detail'])
}

const longestText = 2_000

/** The failure behind an error answer of any known shape; text bodies (proxies' HTML) are cut at 2,000 characters. */
export function readFailure(status: number, body: unknown): Failure {
  const found = readErrorText(body)
  if (found) return { ...found, kind: kindOfFailure(status, found.message, found.code, found.type) }
  const text = typeof body === 'string' ? body.trim() : ''
  const message =
    text === '' || text.startsWith('<') ? `The provider answered with status ${status}.` : text.slice(0, longestText)
  return { kind: kindOfFailure(status, message), message }
}

/** A status hidden in an error object: `code: 429`, `status: 503`, `code: "529"`; undefined where none is. */
export function statusInError(error: Readonly<Record<string, unknown>>): number | undefined {
  for (const value of [error['code'], error['status'], error['status_code'], error['http_code']]) {
    const status = numberOf(value) ?? (typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : undefined)
    if (status !== undefined && status >= 400 && status <= 599) return status
  }
  return undefined
}

/** The error to throw for an error that arrived inside a 200, where only its body tells the status. */
export function errorInside(body: unknown, status: number, provider: string): GatewayError {
  const failure = readFailure(status, body)
  return toUpstreamError(failure, status, provider)
}

/** The GatewayError for a provider's refusal; the provider's words and status stay in it. */
export function toUpstreamError(failure: Failure, status: number, provider: string): GatewayError {
  return new GatewayError(failure.kind, failure.message, {
    param: failure.param ?? null,
    ...(typeof failure.code === 'string' && { code: failure.code }),
    ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
    upstream: { provider, status, code: failure.code ?? null, type: failure.type ?? null },
  })
}
