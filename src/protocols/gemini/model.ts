import { findGeminiModel, type GeminiModel } from '../../catalog/gemini-models.js'
import type { Deployment } from '../../deployment.js'

/** What the deployment's model can do: the catalog's row, under what the host says of it in `capabilities`. */
export function modelOf({ model, capabilities }: Deployment): GeminiModel {
  return findGeminiModel(model.slice(model.lastIndexOf('/') + 1), capabilities)
}
