import type { Deployment } from '../../deployment.js'

// The models that answer without thinking first; newer ones all think: https://docs.cohere.com/docs/models
const plain = /^(?:command(?:-(?:r|r7b|light|nightly|a-03-2025|a-vision|a-translate)\b|$)|c4ai-|rerank|tiny-aya)/

/** True where the model takes `thinking`; one that nobody knows is taken for a new one. */
export function thinks({ model, capabilities }: Deployment): boolean {
  return capabilities.reasoning ?? !plain.test(model)
}
