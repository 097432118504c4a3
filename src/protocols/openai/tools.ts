import type { ChatTool } from '../../wire/chat.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import { type Draft, refuse } from './parameters.js'
import type { Quirks } from './quirks.js'

/** Cleans the tools of what the target refuses in them, and spells `tool_choice` its way. */
export function applyTools(draft: Draft, quirks: Quirks, keepCacheControl: boolean): void {
  const { body } = draft
  if (Array.isArray(body['tools'])) body['tools'] = cleanTools(body['tools'], quirks.tools ?? {}, keepCacheControl)
  applyToolChoice(draft, quirks)
}

type ToolQuirks = NonNullable<Quirks['tools']>

function cleanTools(tools: readonly ChatTool[], quirks: ToolQuirks, keepCacheControl: boolean): readonly ChatTool[] {
  const after = tools.map((tool) => cleanTool(tool, quirks, keepCacheControl))
  return after.every((tool, position) => tool === tools[position]) ? tools : after
}

function cleanTool(tool: ChatTool, quirks: ToolQuirks, keepCacheControl: boolean): ChatTool {
  let after: JsonObject = tool
  if ('cache_control' in after && !keepCacheControl) after = omit(after, ['cache_control'])
  const definition = after['function']
  if (isObject(definition)) {
    let cleaned = omit(definition, quirks.dropStrict || quirks.dropSchemaKeys ? ['strict'] : [])
    if (!keepCacheControl) cleaned = omit(cleaned, ['cache_control'])
    const parameters = cleanSchema(definition['parameters'], schemaKeysToDrop(quirks))
    if (parameters !== definition['parameters']) cleaned = { ...cleaned, parameters }
    if (cleaned !== definition) after = { ...after, function: cleaned }
  }
  return after as ChatTool
}

function schemaKeysToDrop({ dropAdditionalProperties, dropSchemaKeys }: ToolQuirks): readonly string[] {
  return [...(dropAdditionalProperties ? ['additionalProperties'] : []), ...(dropSchemaKeys ? ['$id', '$schema'] : [])]
}

// Keywords whose members are named by the schema's author, so that a property called `$id` is no keyword.
const named = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
// Keywords whose value is data.
const data = new Set(['const', 'enum', 'default', 'examples'])

/** A JSON schema without some keywords, at every depth; the same object where none occurs. */
function cleanSchema(schema: unknown, keys: readonly string[]): unknown {
  if (keys.length === 0) return schema
  if (Array.isArray(schema)) {
    const after = schema.map((entry) => cleanSchema(entry, keys))
    return after.some((entry, position) => entry !== schema[position]) ? after : schema
  }
  if (!isObject(schema)) return schema
  let after = omit(schema, keys)
  for (const [key, value] of Object.entries(after)) {
    if (data.has(key)) continue
    const cleaned = named.has(key) ? cleanMembers(value, keys) : cleanSchema(value, keys)
    if (cleaned !== value) after = { ...after, [key]: cleaned }
  }
  return after
}

function cleanMembers(members: unknown, keys: readonly string[]): unknown {
  if (!isObject(members)) return members
  let after = members
  for (const [name, schema] of Object.entries(members)) {
    const cleaned = cleanSchema(schema, keys)
    if (cleaned !== schema) after = { ...after, [name]: cleaned }
  }
  return after
}

function omit(object: JsonObject, keys: readonly string[]): JsonObject {
  if (!keys.some((key) => key in object)) return object
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}

const request = 'Answer by calling one of the available tools.'

function applyToolChoice(draft: Draft, quirks: Quirks): void {
  const { body } = draft
  const choice = body['tool_choice']
  if (choice === undefined) return
  if (choice === 'required' && quirks.requiredToolChoice === 'any') {
    body['tool_choice'] = 'any'
    return
  }
  if (choice === 'required' && quirks.requiredToolChoice === 'ask') {
    delete body['tool_choice']
    if (Array.isArray(body['messages'])) body['messages'] = [...body['messages'], { role: 'user', content: request }]
    return
  }
  const { toolChoices } = quirks
  if (toolChoices && !(typeof choice === 'string' && toolChoices.includes(choice))) refuse(draft, 'tool_choice')
}
