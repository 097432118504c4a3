import type { FailureKind } from '../errors.js'
import type { CallFailure, CallOutcome } from '../ports/callback.js'

/** How a call came to its end, in plain words. */
export interface CallEnding {
  /** Undefined where the answer was given. */
  readonly error: CallFailure | undefined
  readonly stream: boolean
  /** Content of a stream had reached the client. */
  readonly contentSent: boolean
  /** Where the answer came from. @default 'provider' */
  readonly source?: 'provider' | 'cache' | 'replay' | undefined
}

/** What a failure before content counts as. */
const outcomes: Readonly<Record<FailureKind, CallOutcome>> = {
  invalid_request: 'invalid_request',
  unsupported_parameter: 'unsupported_parameter',
  context_window: 'context_window',
  content_policy: 'content_policy',
  authentication: 'unauthenticated',
  upstream_authentication: 'upstream_refused',
  payment_required: 'upstream_refused',
  permission: 'not_allowed',
  upstream_permission: 'upstream_refused',
  model_not_allowed: 'not_allowed',
  model_not_found: 'model_not_found',
  upstream_not_found: 'upstream_refused',
  upstream_model_not_found: 'upstream_refused',
  not_found: 'invalid_request',
  method_not_allowed: 'invalid_request',
  conflict: 'invalid_request',
  gone: 'upstream_refused',
  payload_too_large: 'invalid_request',
  unsupported_media_type: 'invalid_request',
  unprocessable: 'invalid_request',
  budget_exceeded: 'budget_exceeded',
  limit_exceeded: 'limit_exceeded',
  deployment_limited: 'limit_exceeded',
  rate_limited: 'rate_limited',
  client_closed: 'client_left',
  internal: 'internal',
  upstream_error: 'upstream_error',
  upstream_invalid: 'upstream_error',
  upstream_connection: 'upstream_unreachable',
  stream_truncated: 'stream_broken',
  overloaded: 'unavailable',
  unavailable: 'unavailable',
  timeout: 'upstream_timeout',
  request_timeout: 'request_timeout',
}

/** Which of the outcomes a call ended in. */
export function outcomeOf({ error, stream, contentSent, source }: CallEnding): CallOutcome {
  if (!error) {
    if (source === 'cache') return 'cached'
    if (source === 'replay') return 'replayed'
    return stream ? 'streamed' : 'answered'
  }
  if (error.code?.startsWith('guardrail')) return 'guardrail_blocked'
  if (contentSent) return error.kind === 'client_closed' ? 'client_left_mid_stream' : 'stream_broken'
  return outcomes[error.kind]
}
