import type { ChatRequest, ResponseFormat } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { schemaOf } from '../structured-output.js'
import { namedTool, toolChoiceOf, toolsOf } from '../tool-calls.js'

const choices: Readonly<Record<string, string>> = { auto: 'auto', required: 'any', any: 'any', none: 'none' }

/** `tools` and `tool_choice`; nothing where no function is offered. */
export function toolMembers(request: ChatRequest): JsonObject {
  const tools = toolsOf(request).flatMap(({ function: declared }) => {
    if (!declared) return []
    const { name, description, parameters } = declared
    const schema = parameters ?? { type: 'object', properties: {} }
    return [{ tool_spec: { type: 'generic', name, ...(description && { description }), input_schema: schema } }]
  })
  if (tools.length === 0) return {}
  const choice = toChoice(request)
  return { tools, ...(choice && { tool_choice: choice }) }
}

function toChoice(request: ChatRequest): JsonObject | undefined {
  const choice = toolChoiceOf(request)
  const name = namedTool(choice)
  if (name !== undefined) return { type: 'tool', name: [name] }
  const word = typeof choice === 'string' && Object.hasOwn(choices, choice) ? choices[choice] : undefined
  return word === undefined ? undefined : { type: word }
}

/** Tools that are no functions, by their place: the API runs none of its own. */
export function hostedTools(request: ChatRequest): readonly string[] {
  return (request.tools ?? []).flatMap((tool, position) => (tool.function ? [] : [`tools[${position}]`]))
}

/** `response_format`, which is JSON of a schema or of none. */
export function formatMember(format: ResponseFormat | null | undefined): JsonObject {
  if (format?.type !== 'json_schema' && format?.type !== 'json_object') return {}
  const schema = schemaOf(format)
  return { response_format: { type: 'json', ...(schema && { schema }) } }
}
