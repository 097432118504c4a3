import { type GatewayError, toGatewayError } from '../errors.js'
import type { CallContext, CallParts } from './context.js'

/** Puts a failure where the host can see its cause, which the client never does. */
export function tellFailure(thrown: unknown, model: string, context: CallContext, parts: CallParts): GatewayError {
  const error = toGatewayError(thrown)
  if (error.kind === 'client_closed') return error
  const fields = {
    requestId: context.requestId,
    caller: context.caller.id,
    model,
    kind: error.kind,
    status: error.status,
    upstream: error.upstream,
  }
  if (error.kind === 'internal') parts.logger.error({ ...fields, error: error.cause }, error.message)
  else if (error.status >= 500) parts.logger.warn(fields, error.message)
  else parts.logger.debug(fields, error.message)
  return error
}
