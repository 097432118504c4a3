import type { Deployment } from '../deployment.js'

// Keys as providers quote them in their refusals, whole or masked.
const keyLike = /\b(?:sk|pk|rk|gsk|xai|hf|nvapi|AIza|key|token)[-_][A-Za-z0-9_*.-]{8,}|\bAIza[A-Za-z0-9_*-]{8,}/g

/** Takes the deployment's key, and whatever looks like a key, out of a text that a client will see. */
export function redact(text: string, deployment: Deployment): string {
  const key = deployment.apiKey?.reveal()
  const withoutKey = key !== undefined && key.length >= 4 ? text.replaceAll(key, '***') : text
  return withoutKey.replace(keyLike, '***')
}
