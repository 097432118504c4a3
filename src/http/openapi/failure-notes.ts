import type { FailureKind } from '../../errors.js'

/** A failure as it is shown: when it comes, and what a client may read. */
export interface FailureNote {
  readonly when: string
  readonly message: string
  readonly param?: string
  /** Headers of the answer that a client acts on, and what they say. */
  readonly headers?: Readonly<Record<string, string>>
}

const wait = { 'retry-after': 'How many seconds to wait.' }

/** The kinds that routes may name in `errors`, and those that follow from what a route is. */
export const failureNotes = {
  authentication: {
    when: 'No valid credential came with the request.',
    message: 'No valid credential was given. Send it as the host of this gateway asks for.',
  },
  permission: { when: 'The caller may not do this.', message: 'This needs the role admin.' },
  invalid_request: {
    when: 'A field is wrong, missing or unknown; `param` names it.',
    message: "There is no field 'nonsense' here.",
    param: 'nonsense',
  },
  unsupported_parameter: {
    when: 'The provider cannot honour a parameter, and `dropParams` is off.',
    message:
      'example does not support the parameter logit_bias for model small. Remove it, or set dropParams to leave it out.',
    param: 'logit_bias',
  },
  context_window: {
    when: 'The request is longer than what the model can read.',
    message: 'The prompt is longer than the context window of every deployment of "demo".',
    param: 'messages',
  },
  content_policy: {
    when: 'The provider or a guardrail refuses the content.',
    message: 'The guardrail banned-words refused the request: it holds a banned word.',
  },
  model_not_allowed: {
    when: 'The caller may not use the model.',
    message: 'You may not use the model "demo". GET /v1/models lists the models that you may use.',
    param: 'model',
  },
  model_not_found: {
    when: 'There is no such model.',
    message: 'The model "unknown" does not exist. GET /v1/models lists the models that you may use.',
    param: 'model',
  },
  not_found: { when: 'What is named does not exist.', message: 'There is no such key.' },
  method_not_allowed: { when: 'The path takes another method.', message: 'PUT is not allowed here.' },
  conflict: {
    when: 'Something of that name exists, or somebody else changed it meanwhile.',
    message: 'There is another key with this key_alias.',
    param: 'key_alias',
  },
  payload_too_large: {
    when: 'The body is too long.',
    message: 'The request body is larger than the limit of 1048576 bytes.',
  },
  unsupported_media_type: {
    when: 'The body does not come as `application/json`.',
    message: 'The request body must be sent as content-type application/json.',
  },
  unprocessable: { when: 'The request is understood, but cannot be served.', message: 'The price is not known.' },
  budget_exceeded: {
    when: 'A budget that the call counts against is spent.',
    message: 'The budget of the key sk-...cdef is spent: $25 of $25.',
    headers: { 'x-should-retry': '`false`: asking again does not help.' },
  },
  limit_exceeded: {
    when: 'A rate limit that the call counts against is reached.',
    message:
      'The rate limit of the key sk-...cdef is reached: 10 of 10 requests per minute are used. It fits at 2026-11-26T12:00:30Z.',
    headers: {
      ...wait,
      'x-ratelimit-limit-requests': 'Requests a minute of the tightest limit; the same of `tokens`.',
      'x-ratelimit-remaining-requests': 'How many of them are left.',
      'x-ratelimit-reset-requests': 'When all of them are there again.',
    },
  },
  upstream_error: { when: 'Every deployment that was asked failed.', message: 'The provider failed to answer.' },
  unavailable: {
    when: 'No deployment, or no store, can be asked now; or the gateway is closing.',
    message: 'No deployment of "demo" can be asked now.',
    headers: wait,
  },
  timeout: { when: 'No deployment answered in time.', message: 'No token came within 30000 ms.' },
} as const satisfies Partial<Record<FailureKind, FailureNote>>

/** Kinds of failures that can be documented. */
export type DocumentedFailure = keyof typeof failureNotes

/** Failures that any call of a model may end with. */
export const callFailures: readonly DocumentedFailure[] = [
  'unsupported_parameter',
  'context_window',
  'content_policy',
  'model_not_allowed',
  'model_not_found',
  'budget_exceeded',
  'limit_exceeded',
  'upstream_error',
  'unavailable',
  'timeout',
]
