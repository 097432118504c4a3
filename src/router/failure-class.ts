import type { FailureKind } from '../errors.js'

/** The classes of failures that policies tell apart. */
export type FailureClass =
  | 'badRequest'
  | 'authentication'
  | 'timeout'
  | 'rateLimit'
  | 'contentPolicy'
  | 'internalServer'

const classes: Partial<Readonly<Record<FailureKind, FailureClass>>> = {
  invalid_request: 'badRequest',
  unsupported_parameter: 'badRequest',
  context_window: 'badRequest',
  unprocessable: 'badRequest',
  payload_too_large: 'badRequest',
  upstream_authentication: 'authentication',
  upstream_permission: 'authentication',
  payment_required: 'authentication',
  timeout: 'timeout',
  rate_limited: 'rateLimit',
  deployment_limited: 'rateLimit',
  content_policy: 'contentPolicy',
}

/** The class of a failure; whatever has no class of its own is a failure of the server. */
export function failureClassOf(kind: FailureKind): FailureClass {
  return classes[kind] ?? 'internalServer'
}
