import type { BedrockModel } from '../../catalog/bedrock-models.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, numberOf, stringOf } from '../../wire/json.js'
import { cachePoints, toConverseMessage, toSystem, usesTools } from './blocks.js'
import { toConverseTools } from './tools.js'

/** What decides about a body besides the body of the Messages API. */
export interface ConverseContext {
  readonly model: BedrockModel
  /** The caller named a limit; else the model's own applies. */
  readonly limited: boolean
  /** The model takes Claude's `tool_choice` among the additional fields. */
  readonly choiceFields: boolean
  /** Name and description of a JSON schema, which the Messages API has no word for. */
  readonly schemaName: string
  readonly schemaDescription: string | undefined
  /** Values of `anthropic-beta`. */
  readonly betas: readonly string[]
  /** Members of Converse's own body, on top of what is translated. */
  readonly native: JsonObject
  /** Further additional fields. */
  readonly additional: JsonObject
}

/** A body of Converse, and the parameters that it could not honour. */
export interface ConverseBody {
  readonly body: JsonObject
  readonly unsupported: readonly string[]
}

// Members of the Messages API's body that have a place of their own; all others become additional fields.
const placed: ReadonlySet<string> = new Set([
  'cache_control',
  'max_tokens',
  'messages',
  'metadata',
  'model',
  'output_config',
  'stop_sequences',
  'stream',
  'system',
  'temperature',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
])

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function inferenceConfig(body: JsonObject, limited: boolean): JsonObject {
  const { max_tokens: maxTokens, temperature, top_p: topP, stop_sequences: stopSequences } = body
  return {
    ...(limited && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(stopSequences !== undefined && { stopSequences }),
  }
}

function outputConfig(format: unknown, { schemaName, schemaDescription }: ConverseContext): JsonObject {
  if (!isObject(format)) return {}
  const jsonSchema = {
    schema: JSON.stringify(format['schema']),
    name: schemaName,
    ...(schemaDescription !== undefined && { description: schemaDescription }),
  }
  return { outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema } } } }
}

/** `{ a: { b: value } }` for the path `a`, `b`. */
function nested(path: readonly string[], value: unknown): JsonObject {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as JsonObject
}

function additionalFields(body: JsonObject, context: ConverseContext, ofTools: JsonObject): JsonObject {
  const passed = Object.entries(body).filter(([name]) => !placed.has(name))
  const { format: _format, ...output } = isObject(body['output_config']) ? body['output_config'] : {}
  const topK = numberOf(body['top_k'])
  const fields = {
    ...Object.fromEntries(passed),
    ...(Object.keys(output).length > 0 && { output_config: output }),
    ...(topK !== undefined && context.model.topK && nested(context.model.topK, topK)),
    ...(context.betas.length > 0 && { anthropic_beta: context.betas }),
    ...ofTools,
    ...context.additional,
  }
  return Object.keys(fields).length === 0 ? {} : { additionalModelRequestFields: fields }
}

/** Where a model takes no system messages, the first message begins with them. */
function placeSystem(
  system: readonly JsonObject[],
  messages: readonly JsonObject[],
  model: BedrockModel,
): { readonly system: readonly JsonObject[]; readonly messages: readonly JsonObject[] } {
  const [first, ...rest] = messages
  if (model.system || system.length === 0 || !first) return { system, messages }
  return { system: [], messages: [{ ...first, content: [...system, ...objects(first['content'])] }, ...rest] }
}

/** `cache_control` of the whole request means: everything up to the last message. */
function markEnd(messages: readonly JsonObject[], mark: unknown, model: BedrockModel): readonly JsonObject[] {
  const points = cachePoints(mark, model.cachePoints !== 'none')
  const last = messages.at(-1)
  if (points.length === 0 || !last) return messages
  return [...messages.slice(0, -1), { ...last, content: [...objects(last['content']), ...points] }]
}

/**
 * A body of Converse from one of the Messages API, whose shape it shares nearly member by member:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export function toConverseBody(body: JsonObject, context: ConverseContext): ConverseBody {
  const { model, native } = context
  const conversation = objects(body['messages']).map((message) => toConverseMessage(message, model))
  const { system, messages } = placeSystem(
    toSystem(body['system'], model),
    markEnd(conversation, body['cache_control'], model),
    model,
  )
  const tools = toConverseTools(body, model, usesTools(messages), context.choiceFields)
  const inference = inferenceConfig(body, context.limited)
  const format = isObject(body['output_config']) ? body['output_config']['format'] : undefined
  const cannotTopK = body['top_k'] !== undefined && model.topK === undefined
  const own = isObject(native['inferenceConfig']) ? native['inferenceConfig'] : {}
  const merged = { ...inference, ...own }
  return {
    body: {
      messages,
      ...(system.length > 0 && { system }),
      ...(tools.toolConfig && { toolConfig: tools.toolConfig }),
      ...outputConfig(format, context),
      ...additionalFields(body, context, tools.additional),
      ...native,
      ...(Object.keys(merged).length > 0 && { inferenceConfig: merged }),
    },
    unsupported: [...tools.unsupported, ...(cannotTopK ? ['top_k'] : [])],
  }
}

/** The name that Bedrock takes for a schema: letters, digits, `_` and `-`. */
export function toSchemaName(name: unknown): string {
  return (stringOf(name) ?? 'answer').replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64)
}
