import type { ClaudeGeneration } from '../../catalog/claude-models.js'
import type { ChatRequest } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, parseJson } from '../../wire/json.js'
import { toOutputSchema } from './output-schema.js'
import { jsonToolName } from './tool-names.js'
import type { ToolPlan } from './tools.js'

/** How a JSON answer is had: not wanted, natively, or as the arguments of a synthetic tool. */
export type FormatPlan =
  | { readonly kind: 'text' }
  | { readonly kind: 'native'; readonly schema: JsonObject }
  | { readonly kind: 'tool'; readonly name: string; readonly schema: JsonObject }

const anyObject: JsonObject = { type: 'object', properties: {}, additionalProperties: true }

/** Decides from the request alone, so that the answer's side comes to the same result. */
export function planFormat(request: ChatRequest, generation: ClaudeGeneration): FormatPlan {
  const format = request.response_format
  if (!format || (format.type !== 'json_object' && format.type !== 'json_schema')) return { kind: 'text' }
  const schema = format.type === 'json_schema' ? format.json_schema?.schema : undefined
  if (schema && generation.jsonSchema) return { kind: 'native', schema: toOutputSchema(schema) }
  return { kind: 'tool', name: jsonToolName(request), schema: schema ?? anyObject }
}

function jsonTool(format: FormatPlan & { kind: 'tool' }, description: string | null | undefined): JsonObject {
  return {
    name: format.name,
    description: `Gives the final answer as JSON. Always call this tool to answer.${description ? ` ${description}` : ''}`,
    input_schema: { properties: {}, ...format.schema, type: 'object' },
  }
}

/**
 * Adds the synthetic tool. The model is made to call it, or to call any tool where the caller brought tools; where
 * that cannot be ordered (`canForce` false: thinking, or the newest models) the description asks for it.
 */
export function addJsonTool(plan: ToolPlan, format: FormatPlan, request: ChatRequest, canForce: boolean): ToolPlan {
  // A forced call of a real tool is this turn's whole answer; the JSON comes with a later one.
  if (format.kind !== 'tool' || plan.forced) return plan
  const tool = jsonTool(format, request.response_format?.json_schema?.description)
  const single = plan.choice?.['disable_parallel_tool_use'] === true ? { disable_parallel_tool_use: true } : {}
  const real = plan.choice?.['type'] === 'none' ? [] : plan.tools
  if (real.length === 0) {
    const forced = { type: 'tool', name: format.name, disable_parallel_tool_use: true }
    return { ...plan, tools: [tool], choice: canForce ? forced : { type: 'auto' } }
  }
  return { ...plan, tools: [...real, tool], choice: { type: canForce ? 'any' : 'auto', ...single } }
}

/** The keys that Claude sometimes wraps an answer in, as far as the schema has no such property itself. */
function wrapperKeys(schema: JsonObject): readonly string[] {
  if (schema === anyObject) return []
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  return ['values', 'properties'].filter((key) => !Object.hasOwn(properties, key))
}

/** The answer out of its lone wrapper, if it has one. */
export function unwrapAnswer(input: unknown, schema: JsonObject): unknown {
  if (!isObject(input)) return input
  const [key, ...others] = Object.keys(input)
  if (key === undefined || others.length > 0 || !wrapperKeys(schema).includes(key)) return input
  return isObject(input[key]) ? input[key] : input
}

/** Passes the pieces of a streamed JSON answer on as text. */
export interface AnswerStream {
  push(fragment: string): string
  end(): string
}

/** Takes a lone wrapper off a streamed answer; only an answer that starts like a wrapped one is held back. */
export function createAnswerStream(schema: JsonObject): AnswerStream {
  const openings = wrapperKeys(schema).map((key) => `{"${key}":{`)
  let held = ''
  let plain = openings.length === 0
  return {
    push(fragment) {
      if (plain) return fragment
      held += fragment
      const compact = held.slice(0, 200).replaceAll(/\s+/g, '')
      if (openings.some((opening) => opening.startsWith(compact) || compact.startsWith(opening))) return ''
      plain = true
      return held
    },
    end() {
      if (plain) return ''
      const input = parseJson(held)
      const answer = unwrapAnswer(input, schema)
      return answer === input ? held : JSON.stringify(answer)
    },
  }
}
