/** How one class of failure is treated everywhere: what the caller is told and what the router may do about it. */
export interface FailureRule {
  readonly status: number
  /** OpenAI's `error.type`. */
  readonly type: string
  /** OpenAI's `error.code`, unless the failure brings its own. */
  readonly code: string | null
  /** The same deployment may be asked again. */
  readonly retry: boolean
  /** Another deployment of the group may be asked. */
  readonly reroute: boolean
  /** Counts against the deployment's health; never true for what the caller caused. */
  readonly unhealthy: boolean
}

const caller = { retry: false, reroute: false, unhealthy: false }
// Another deployment may be able to do it.
const wrongDeployment = { retry: false, reroute: true, unhealthy: false }
const deploymentFault = { retry: false, reroute: true, unhealthy: true }
const transient = { retry: true, reroute: true, unhealthy: true }

/** The failure taxonomy: one row per kind. Statuses and types are OpenAI's (https://platform.openai.com/docs/guides/error-codes). */
export const failureRules = {
  invalid_request: { status: 400, type: 'invalid_request_error', code: null, ...caller },
  unsupported_parameter: {
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_parameter',
    ...wrongDeployment,
  },
  context_window: { status: 400, type: 'invalid_request_error', code: 'context_length_exceeded', ...caller },
  content_policy: { status: 400, type: 'invalid_request_error', code: 'content_policy_violation', ...caller },
  authentication: { status: 401, type: 'authentication_error', code: 'invalid_api_key', ...caller },
  upstream_authentication: { status: 401, type: 'authentication_error', code: 'invalid_api_key', ...deploymentFault },
  payment_required: { status: 402, type: 'insufficient_quota', code: 'insufficient_quota', ...deploymentFault },
  permission: { status: 403, type: 'permission_error', code: 'permission_denied', ...caller },
  upstream_permission: { status: 403, type: 'permission_error', code: 'permission_denied', ...deploymentFault },
  model_not_allowed: { status: 403, type: 'permission_error', code: 'model_not_allowed', ...caller },
  model_not_found: { status: 404, type: 'invalid_request_error', code: 'model_not_found', ...caller },
  upstream_not_found: { status: 404, type: 'invalid_request_error', code: 'not_found', ...deploymentFault },
  upstream_model_not_found: {
    status: 404,
    type: 'invalid_request_error',
    code: 'model_not_found',
    ...deploymentFault,
  },
  not_found: { status: 404, type: 'invalid_request_error', code: 'not_found', ...caller },
  method_not_allowed: { status: 405, type: 'invalid_request_error', code: 'method_not_allowed', ...caller },
  conflict: { status: 409, type: 'invalid_request_error', code: 'conflict', ...transient },
  gone: { status: 410, type: 'invalid_request_error', code: 'provider_retired', ...deploymentFault },
  payload_too_large: { status: 413, type: 'invalid_request_error', code: 'request_too_large', ...caller },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', code: 'unsupported_media_type', ...caller },
  unprocessable: { status: 422, type: 'invalid_request_error', code: 'unprocessable_entity', ...caller },
  // The caller's own, not the deployment's.
  budget_exceeded: { status: 429, type: 'budget_exceeded', code: 'budget_exceeded', ...caller },
  limit_exceeded: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded', ...caller },
  // What the host allows a provider or a deployment, whoever calls.
  deployment_limited: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded', ...wrongDeployment },
  rate_limited: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded', ...transient },
  client_closed: { status: 499, type: 'request_cancelled', code: 'client_closed_request', ...caller },
  internal: { status: 500, type: 'server_error', code: 'internal_error', ...caller },
  upstream_error: { status: 502, type: 'server_error', code: 'upstream_error', ...transient },
  upstream_invalid: { status: 502, type: 'server_error', code: 'upstream_invalid_response', ...transient },
  upstream_connection: { status: 502, type: 'server_error', code: 'upstream_connection_error', ...transient },
  stream_truncated: { status: 502, type: 'server_error', code: 'upstream_stream_truncated', ...transient },
  overloaded: { status: 503, type: 'server_error', code: 'overloaded', ...transient },
  unavailable: { status: 503, type: 'server_error', code: 'service_unavailable', ...transient },
  timeout: { status: 504, type: 'timeout_error', code: 'upstream_timeout', ...deploymentFault },
  request_timeout: { status: 408, type: 'timeout_error', code: 'request_timeout', ...caller },
} as const satisfies Record<string, FailureRule>

/** The name of a failure class; `failureRules` tells how it is treated. */
export type FailureKind = keyof typeof failureRules

/** What the provider itself said, kept beside our own reading of it. Holds no header, URL or credential. */
export interface UpstreamDetail {
  readonly provider: string
  readonly status: number | null
  readonly code?: string | null
  readonly type?: string | null
  readonly request_id?: string | null
}

/** Everything about a failure besides its kind and message. */
export interface GatewayErrorOptions {
  readonly param?: string | null
  readonly code?: string | null
  readonly type?: string | null
  /** Overrides the status of the kind, within its class. */
  readonly status?: number
  /** Earliest sensible retry, in milliseconds from now; becomes `retry-after`. */
  readonly retryAfterMs?: number
  /** Headers of the answer, lower-case, such as `x-should-retry`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly upstream?: UpstreamDetail
  readonly cause?: unknown
  /** The call was made with the caller's own credentials: the failure says nothing about the deployment's health. */
  readonly ownCredentials?: boolean
}

/** OpenAI's error body: https://platform.openai.com/docs/guides/error-codes; `upstream` is ours. */
export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
    readonly upstream?: UpstreamDetail
  }
}

const marker = Symbol.for('sluice.GatewayError')

/** The root of every error that Sluice throws or answers; `kind` selects its row in `failureRules`. */
export class GatewayError extends Error {
  override readonly name: string = 'GatewayError'
  readonly kind: FailureKind
  readonly status: number
  readonly type: string
  readonly param: string | null
  readonly code: string | null
  readonly retryAfterMs: number | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly upstream: UpstreamDetail | undefined
  readonly ownCredentials: boolean
  readonly [marker] = true

  constructor(kind: FailureKind, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    const rule = failureRules[kind]
    this.kind = kind
    this.status = options.status ?? rule.status
    this.type = options.type ?? rule.type
    this.param = options.param ?? null
    this.code = options.code === undefined ? rule.code : options.code
    this.retryAfterMs = options.retryAfterMs
    this.headers = options.headers
    this.upstream = options.upstream
    this.ownCredentials = options.ownCredentials ?? false
  }

  /** True for errors of any copy of this package, also the CommonJS one beside the ESM one. */
  static isInstance(value: unknown): value is GatewayError {
    return typeof value === 'object' && value !== null && marker in value
  }

  /** The row of the taxonomy that governs retry, rerouting and health. */
  get rule(): FailureRule {
    const rule = failureRules[this.kind]
    return this.ownCredentials && rule.unhealthy ? { ...rule, unhealthy: false } : rule
  }

  /** The body a client gets: never a stack, header, key or internal URL. */
  toBody(): ErrorBody {
    const { message, type, param, code, upstream } = this
    return { error: { message, type, param, code, ...(upstream && { upstream }) } }
  }
}

/** The request cannot be served as written; answers 400 and names the field in `param`. */
export class InvalidRequestError extends GatewayError {
  override readonly name = 'InvalidRequestError'

  constructor(message: string, param: string | null = null, cause?: unknown) {
    super('invalid_request', message, { param, cause })
  }
}

/** The target cannot honour one or more parameters and `dropParams` is off; answers 400 naming all of them. */
export class UnsupportedParameterError extends GatewayError {
  override readonly name = 'UnsupportedParameterError'

  constructor(provider: string, model: string, parameters: readonly string[]) {
    const list = parameters.join(', ')
    super(
      'unsupported_parameter',
      `${provider} does not support ${parameters.length === 1 ? 'the parameter' : 'the parameters'} ${list} for model ${model}. Remove ${parameters.length === 1 ? 'it' : 'them'}, or set dropParams to leave ${parameters.length === 1 ? 'it' : 'them'} out.`,
      { param: parameters[0] ?? null },
    )
  }
}

/** Turns whatever was thrown into a GatewayError; unknown causes become a 500 that tells the client nothing of them. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (GatewayError.isInstance(thrown)) return thrown
  return new GatewayError('internal', 'The gateway failed to process the request.', { cause: thrown })
}
