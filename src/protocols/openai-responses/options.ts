import type { Deployment } from '../../deployment.js'
import type { JsonObject } from '../../wire/json.js'

/** How a server of the Responses API differs from OpenAI's own; everything left out is as there. */
export interface ResponsesOptions {
  /** @default '/responses' */
  readonly path?: string | ((deployment: Deployment) => string)
  /** Model name at the provider, from the one the deployment names. */
  readonly modelName?: (model: string) => string
  /** Follow OpenAI's own rules per model family (`catalog/openai-models`). */
  readonly modelRules?: boolean
  /** OpenAI parameters of chat that this server refuses besides those that the API has no word for. */
  readonly unsupported?: readonly string[]
  /** A JSON schema is asked for as chat does, in `response_format`. */
  readonly chatResponseFormat?: boolean
  /** False where reasoning is never asked for encrypted. @default true, for models that are known to encrypt it */
  readonly encryptedReasoning?: boolean
  /** The last word on a body; gets the fields as the caller sent them. Must be pure. */
  readonly adjust?: (body: JsonObject, fields: JsonObject) => JsonObject
}

/** The path of the API for a deployment. */
export function pathOf({ path = '/responses' }: ResponsesOptions, deployment: Deployment): string {
  return typeof path === 'string' ? path : path(deployment)
}

/** A model's name without the prefix that asks for this API: `openai/responses/gpt-5.5`. */
export function withoutResponsesPrefix(model: string): string {
  return model.startsWith('responses/') ? model.slice('responses/'.length) : model
}
