import type { ChatTool, ResponseFormat } from '../wire/chat.js'
import type { JsonObject } from '../wire/json.js'

/** The synthetic tool whose arguments are the answer, for targets that know tools but no JSON schema. */
export const jsonToolName = 'json_tool_call'

/** The schema of a `json_schema` response format; undefined for every other format. */
export function schemaOf(format: ResponseFormat | null | undefined): JsonObject | undefined {
  if (format?.type !== 'json_schema') return undefined
  return format.json_schema?.schema ?? { type: 'object' }
}

/** The tool that stands in for a JSON schema; undefined where the format asks for none. */
export function toJsonTool(format: ResponseFormat | null | undefined): ChatTool | undefined {
  const schema = schemaOf(format)
  if (!schema) return undefined
  const description = format?.json_schema?.description ?? 'Gives the final answer. Call it once, with the whole answer.'
  return { type: 'function', function: { name: jsonToolName, description, parameters: { ...schema } } }
}

/** True for the function name of the synthetic tool. */
export function isJsonTool(name: string | undefined): boolean {
  return name === jsonToolName
}
