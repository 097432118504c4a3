import type { BedrockModel } from '../../catalog/bedrock-models.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'
import { cachePoints } from './blocks.js'

/** Tools as Converse takes them, and what else they mean for a request. */
export interface ConverseTools {
  readonly toolConfig: JsonObject | undefined
  /** Claude's own tools, which go among the additional fields. */
  readonly additional: JsonObject
  /** Parameters that were not honoured. */
  readonly unsupported: readonly string[]
}

function toSpec(tool: JsonObject): JsonObject {
  const { name, description, input_schema: json, strict } = tool
  return {
    toolSpec: {
      name,
      // An empty description is refused, and so is none by some models.
      description: stringOf(description)?.trim() ? description : name,
      inputSchema: { json },
      ...(strict === true && { strict }),
    },
  }
}

function toTools(tools: readonly JsonObject[], model: BedrockModel): readonly JsonObject[] {
  return tools.flatMap((tool) => {
    if (isObject(tool['systemTool'])) return [{ systemTool: tool['systemTool'] }]
    if (!('input_schema' in tool)) return []
    return [toSpec(tool), ...cachePoints(tool['cache_control'], model.cachePoints === 'everywhere')]
  })
}

interface Choice {
  readonly toolChoice: JsonObject | undefined
  readonly honoured: boolean
}

function toChoice(type: string | undefined, name: unknown, model: BedrockModel): Choice {
  if (type === 'any') {
    return model.forcedTool === 'none'
      ? { toolChoice: undefined, honoured: false }
      : { toolChoice: { any: {} }, honoured: true }
  }
  if (type === 'tool') {
    if (model.forcedTool === 'none') return { toolChoice: undefined, honoured: false }
    const toolChoice = model.forcedTool === 'any' ? { any: {} } : { tool: { name } }
    return { toolChoice, honoured: true }
  }
  return { toolChoice: type === 'auto' ? { auto: {} } : undefined, honoured: true }
}

const nothing: ConverseTools = { toolConfig: undefined, additional: {}, unsupported: [] }

/**
 * The tools of a body of the Messages API.
 * @param needed the conversation calls tools, so that their definitions must stay even where none may be called
 * @param choiceFields the model takes Claude's `tool_choice` among the additional fields
 */
export function toConverseTools(
  body: JsonObject,
  model: BedrockModel,
  needed: boolean,
  choiceFields: boolean,
): ConverseTools {
  const all = Array.isArray(body['tools']) ? body['tools'].filter(isObject) : []
  const choice = isObject(body['tool_choice']) ? body['tool_choice'] : {}
  const type = stringOf(choice['type'])
  const isNone = type === 'none'
  if (all.length === 0 || (isNone && !needed)) return nothing
  // Where a model cannot be told which tool to call, it is told of that tool only.
  const isNarrowed = type === 'tool' && model.forcedTool === 'any'
  const tools = toTools(isNarrowed && !needed ? all.filter(({ name }) => name === choice['name']) : all, model)
  const own = all.filter((tool) => !('input_schema' in tool) && !isObject(tool['systemTool']))
  const { toolChoice, honoured } = toChoice(type, choice['name'], model)
  const isSingle = choice['disable_parallel_tool_use'] === true
  const fields = choiceFields && (isNone || isSingle)
  return {
    toolConfig: tools.length === 0 ? undefined : { tools, ...(toolChoice && { toolChoice }) },
    additional: { ...(own.length > 0 && { tools: own }), ...(fields && { tool_choice: choice }) },
    unsupported: [...(honoured ? [] : ['tool_choice']), ...(isSingle && !choiceFields ? ['parallel_tool_calls'] : [])],
  }
}
