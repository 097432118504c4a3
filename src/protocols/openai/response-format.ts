import type { ChatRequest, ResponseFormat } from '../../wire/chat.js'
import type { Deployment } from '../../deployment.js'
import { isObject } from '../../wire/json.js'
import { jsonToolName, schemaOf, toJsonTool } from '../structured-output.js'
import { type Draft, refuse } from './parameters.js'
import type { Quirks } from './quirks.js'

/** Asks for a JSON schema in the target's way. */
export function applyResponseFormat(draft: Draft, quirks: Quirks, deployment: Deployment): void {
  const { body } = draft
  const format = body['response_format']
  const way = schemaWay(quirks, deployment)
  if (way === undefined || !isFormat(format) || format.type !== 'json_schema') return
  if (way === 'unsupported') {
    refuse(draft, 'response_format')
    return
  }
  if (way === 'json_object_with_schema') {
    body['response_format'] = { type: 'json_object', schema: schemaOf(format) }
    return
  }
  const tools = Array.isArray(body['tools']) ? body['tools'] : []
  delete body['response_format']
  body['tools'] = [...tools, toJsonTool(format)]
  // With tools of its own the caller wants the model free to use them first.
  if (tools.length === 0) body['tool_choice'] = { type: 'function', function: { name: jsonToolName } }
}

/** How a schema is asked for; the host knows its own model better than the row of its provider. */
function schemaWay({ jsonSchema: known }: Quirks, { capabilities }: Deployment): Quirks['jsonSchema'] {
  const { jsonSchema } = capabilities
  if (jsonSchema === true) return undefined
  return jsonSchema === false ? (known ?? 'synthetic_tool') : known
}

const isFormat = (value: unknown): value is ResponseFormat => isObject(value) && typeof value['type'] === 'string'

/** True where `applyResponseFormat` put the synthetic tool into the request, so that its call is the answer. */
export function usesJsonTool(request: ChatRequest, deployment: Deployment, quirks: Quirks): boolean {
  if (schemaWay(quirks, deployment) !== 'synthetic_tool') return false
  const format = request.response_format ?? deployment.params['response_format']
  return isFormat(format) && format.type === 'json_schema'
}
