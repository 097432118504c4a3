import type { Deployment } from '../deployment.js'
import { GatewayError, type UpstreamDetail } from '../errors.js'

// Keys as providers quote them in their refusals, whole or masked.
const keyLike = /\b(?:sk|pk|rk|gsk|xai|hf|nvapi|AIza|key|token)[-_][A-Za-z0-9_*.-]{8,}|\bAIza[A-Za-z0-9_*-]{8,}/g
const secretHeader = /auth|key|token|secret|cookie/i
const shortestSecret = 4

/** Takes the deployment's credentials, and whatever looks like a key, out of a text that a client will see. */
export function redact(text: string, deployment: Deployment): string {
  return withoutSecrets(text, secretsOf(deployment)).replace(keyLike, '***')
}

/**
 * The error without the deployment's credentials; what the provider said itself is also cleared of whatever looks like
 * a key. The same error where there is nothing to take out.
 */
export function redactError(error: GatewayError, deployment: Deployment): GatewayError {
  const secrets = secretsOf(deployment)
  const { code, type, param, upstream, kind, status, retryAfterMs, cause, ownCredentials } = error
  const clear = (text: string): string => withoutSecrets(text, secrets)
  const clearOptional = (text: string | null): string | null => (text === null ? null : clear(text))
  const message = upstream ? redact(error.message, deployment) : clear(error.message)
  const fields = [code, type, param, ...Object.values(upstream ?? {})]
  const isClear = fields.every((field) => typeof field !== 'string' || clear(field) === field)
  if (isClear && message === error.message) return error
  return new GatewayError(kind, message, {
    status,
    code: clearOptional(code),
    type: clear(type),
    param: clearOptional(param),
    cause,
    ownCredentials,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(upstream && { upstream: clearDetail(upstream, clear) }),
  })
}

function clearDetail(detail: UpstreamDetail, clear: (text: string) => string): UpstreamDetail {
  const entries = Object.entries(detail).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? clear(value) : value,
  ])
  return { ...detail, ...Object.fromEntries(entries) }
}

/** The key, and the values of headers that carry one. */
function secretsOf({ apiKey, headers }: Deployment): readonly string[] {
  const values = Object.entries(headers).flatMap(([name, value]) => (secretHeader.test(name) ? [value] : []))
  return [apiKey?.reveal() ?? '', ...values.map((value) => value.replace(/^(?:Bearer|Basic) +/i, ''))].filter(
    (secret) => secret.length >= shortestSecret,
  )
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
}
