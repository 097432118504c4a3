import type { ChatRequest, ChatTool } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { toJsonTool } from '../structured-output.js'
import { namedTool, toolChoiceOf, toolsOf } from '../tool-calls.js'

/** The tools of a request in Cohere's form. */
export interface ToolPlan {
  /** `tools`, `tool_choice`, `strict_tools`, as far as they are needed. */
  readonly members: JsonObject
  readonly unsupported: readonly string[]
}

/** True where the answer's JSON comes as a tool call: the API takes no response_format beside tools. */
export function usesJsonTool(request: ChatRequest): boolean {
  const type = request.response_format?.type
  if (type !== 'json_schema' && type !== 'json_object') return false
  return toolsOf(request).length > 0 && toolChoiceOf(request) !== 'none'
}

const choices: Readonly<Record<string, string>> = { required: 'REQUIRED', any: 'REQUIRED', none: 'NONE' }

/** Translates tools and the choice among them; a named tool becomes the only one, and required. */
export function planTools(request: ChatRequest): ToolPlan {
  const all = toolsOf(request)
  const hosted = all.flatMap((tool, position) => (tool.function ? [] : [`tools[${position}]`]))
  const choice = toolChoiceOf(request)
  const only = namedTool(choice) === undefined ? allowedNames(choice) : [namedTool(choice)]
  const offered = all.filter(({ function: declared }) => declared && (only?.includes(declared.name) ?? true))
  const jsonTool = usesJsonTool(request) ? toJsonTool(formatOf(request)) : undefined
  const tools = [...offered, ...(jsonTool ? [jsonTool] : [])].flatMap(toTool)
  if (tools.length === 0) return { members: {}, unsupported: hosted }
  const required = namedTool(choice) !== undefined || jsonTool !== undefined || mode(choice) === 'REQUIRED'
  const word = required ? 'REQUIRED' : mode(choice)
  return {
    members: {
      tools,
      ...(word !== undefined && { tool_choice: word }),
      ...(offered.length > 0 && offered.every(isStrict) && { strict_tools: true }),
    },
    unsupported: hosted,
  }
}

function formatOf({ response_format: format }: ChatRequest): ChatRequest['response_format'] {
  return format?.type === 'json_object' ? { type: 'json_schema' } : format
}

function mode(choice: unknown): string | undefined {
  if (typeof choice === 'string') return Object.hasOwn(choices, choice) ? choices[choice] : undefined
  const allowed = isObject(choice) ? choice['allowed_tools'] : undefined
  return isObject(allowed) && allowed['mode'] === 'required' ? 'REQUIRED' : undefined
}

function allowedNames(choice: unknown): readonly unknown[] | undefined {
  const allowed = isObject(choice) ? choice['allowed_tools'] : undefined
  const tools = isObject(allowed) ? allowed['tools'] : undefined
  if (!Array.isArray(tools)) return undefined
  return tools.map((tool: unknown) =>
    isObject(tool) && isObject(tool['function']) ? stringOf(tool['function']['name']) : undefined,
  )
}

function toTool({ function: declared }: ChatTool): readonly JsonObject[] {
  if (!declared) return []
  const { strict: _strict, parameters, ...rest } = declared
  return [{ type: 'function', function: { ...rest, parameters: parameters ?? { type: 'object', properties: {} } } }]
}

/** The API is strict about all tools or none, and demands that each has a required parameter. */
function isStrict({ function: declared }: ChatTool): boolean {
  const required = declared?.parameters?.['required']
  return declared?.strict === true && Array.isArray(required) && required.length > 0
}
