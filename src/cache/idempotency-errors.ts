import { type FailureKind, GatewayError } from '../errors.js'

const param = 'Idempotency-Key'

/** The key came before, with a request that was not this one. 422, as in draft-ietf-httpapi-idempotency-key-header. */
export function keyReused(): GatewayError {
  return new GatewayError('unprocessable', `This ${param} was used before with a different request. Use a new one.`, {
    param,
    code: 'idempotency_key_reused',
  })
}

/** The first request with the key takes longer than a repeated one waits. 409, and a client may ask again. */
export function stillRunning(): GatewayError {
  return new GatewayError(
    'conflict',
    `The first request with this ${param} is still being answered. Ask again later.`,
    {
      param,
      code: 'idempotency_in_progress',
      retryAfterMs: 1_000,
    },
  )
}

/** The key was answered, and paid for, but the answer was too large to be kept. */
export function answerLost(): GatewayError {
  return new GatewayError(
    'conflict',
    `The request with this ${param} was answered, but its answer was too large to be kept. Use a new one to ask anew.`,
    { param, code: 'idempotency_answer_too_large' },
  )
}

/** The key is no good. */
export function badKey(): GatewayError {
  return new GatewayError('invalid_request', `${param} must be 1 to 255 visible ASCII characters without spaces.`, {
    param,
  })
}

/** The request cannot be told from others. */
export function notComparable(): GatewayError {
  return new GatewayError('invalid_request', `The request is too deeply nested, or too large, for ${param}.`, { param })
}

// The provider has looked at this very request and refused it, which may have been billed; it would do so again.
const repeated: ReadonlySet<FailureKind> = new Set(['context_window', 'content_policy'])

/** True for an error that the same request would only get again; after any other, the key may be used again. */
export function mustRepeat(error: GatewayError): boolean {
  return repeated.has(error.kind)
}
