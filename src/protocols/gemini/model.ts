import { findGeminiModel, newestGeminiModel, type GeminiModel } from '../../catalog/gemini-models.js'
import type { Deployment } from '../../deployment.js'

/** What the deployment's model can do: the catalog's row, under what the host says of it in `capabilities`. */
export function modelOf({ model, capabilities }: Deployment): GeminiModel {
  const row = findGeminiModel(model.slice(model.lastIndexOf('/') + 1))
  const { reasoning, jsonSchema } = capabilities
  if (reasoning === undefined && jsonSchema === undefined) return row
  const thinks = row.thinking.kind !== 'none'
  return {
    ...row,
    jsonSchema: jsonSchema ?? row.jsonSchema,
    ...(reasoning === false && { thinking: { kind: 'none' } }),
    ...(reasoning === true && !thinks && { thinking: newestGeminiModel.thinking }),
  }
}
