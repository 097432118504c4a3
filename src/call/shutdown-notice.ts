import { capabilitiesOf } from '../catalog/capabilities.js'
import { GatewayError } from '../errors.js'
import type { Asked } from './send-request.js'

/**
 * Adds to "not found" or "gone" that the model was switched off, and when, where that is known: only at the provider's
 * own address, because look-alikes keep serving what its maker has given up.
 */
export function withShutdownNotice(error: GatewayError, { deployment, provider, parts }: Asked): GatewayError {
  const status = error.upstream?.status
  if ((status !== 404 && status !== 410) || deployment.baseUrl !== undefined) return error
  const { shutdownDate } = capabilitiesOf(provider.name, deployment.model)
  if (shutdownDate === undefined || Date.parse(shutdownDate) > parts.clock.now()) return error
  const message = `${provider.displayName} shut down the model ${deployment.model} on ${shutdownDate}. ${error.message}`
  const { kind, param, code, type, retryAfterMs, upstream, cause } = error
  return new GatewayError(kind, message, {
    status: error.status,
    param,
    code,
    type,
    cause,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(upstream && { upstream }),
  })
}
