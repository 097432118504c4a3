import { isObject, type JsonObject } from '../../wire/json.js'

/** Tools and choice of a request, flattened as the API wants them. */
export function toolMembers(fields: JsonObject): JsonObject {
  const { tools, tool_choice: choice, parallel_tool_calls: parallel, web_search_options: search } = fields
  const list = [...(Array.isArray(tools) ? tools.map(toTool) : []), ...(isObject(search) ? [toWebSearch(search)] : [])]
  if (list.length === 0) return {}
  return {
    tools: list,
    ...(choice !== undefined && { tool_choice: toChoice(choice) }),
    ...(parallel !== undefined && { parallel_tool_calls: parallel }),
  }
}

function toTool(tool: unknown): unknown {
  if (!isObject(tool)) return tool
  const { type, function: called, custom, cache_control: _mark, ...rest } = tool
  if (type === 'function' && isObject(called)) return { ...rest, ...toFunctionTool(called) }
  if (type === 'custom' && isObject(custom)) return { ...rest, type, ...withFlatGrammar(custom) }
  return tool
}

function toFunctionTool({ name, description, parameters, strict }: JsonObject): JsonObject {
  return {
    type: 'function',
    name,
    ...(typeof description === 'string' && { description }),
    parameters: isObject(parameters) ? parameters : { type: 'object', properties: {} },
    // A missing `strict` means true here and false in chat.
    strict: strict === true,
  }
}

/** Chat keeps a grammar one level deeper. */
function withFlatGrammar(custom: JsonObject): JsonObject {
  const { format } = custom
  if (!isObject(format) || !isObject(format['grammar'])) return custom
  return { ...custom, format: { type: 'grammar', ...format['grammar'] } }
}

function toWebSearch({ user_location: location, ...rest }: JsonObject): JsonObject {
  const { approximate, ...flat } = isObject(location) ? location : {}
  return {
    type: 'web_search',
    ...rest,
    ...(isObject(location) && {
      user_location: { type: 'approximate', ...flat, ...(isObject(approximate) && approximate) },
    }),
  }
}

function toChoice(choice: unknown): unknown {
  if (!isObject(choice)) return choice
  const { type, function: called, custom, allowed_tools: allowed } = choice
  if (type === 'function' && isObject(called)) return { type, name: called['name'] }
  if (type === 'custom' && isObject(custom)) return { type, name: custom['name'] }
  if (type !== 'allowed_tools' || !isObject(allowed)) return choice
  const { tools, mode } = allowed
  return { type, mode, tools: Array.isArray(tools) ? tools.map(toChoice) : [] }
}
