import type { ClaudeGeneration } from '../../catalog/claude-models.js'
import { InvalidRequestError, UnsupportedParameterError } from '../../errors.js'
import type { ChatRequest, ChatTool } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, numberOf, stringOf } from '../../wire/json.js'
import type { Block } from './content.js'
import { toOutputSchema } from './output-schema.js'
import { mentionedNames, toWireName } from './tool-names.js'

/** Whom a refusal names. */
interface Target {
  readonly provider: string
  readonly model: string
}

/** The tools of a request: definitions, remote MCP servers, and how the model must choose. */
export interface ToolPlan {
  readonly tools: readonly JsonObject[]
  readonly mcpServers: readonly JsonObject[]
  readonly choice: JsonObject | undefined
  /** True where the choice obliges the model to call. */
  readonly forced: boolean
}

// Members of a tool that only Claude knows; they may stand on the tool or on its function.
const nativeMembers = ['cache_control', 'defer_loading', 'allowed_callers', 'input_examples', 'eager_input_streaming']

function inputSchema(parameters: unknown, strict: boolean): JsonObject {
  const schema = isObject(parameters) ? parameters : {}
  const complete = {
    ...schema,
    type: 'object',
    properties: isObject(schema['properties']) ? schema['properties'] : {},
  }
  return strict ? toOutputSchema(complete) : complete
}

function fromFunction(tool: ChatTool, definition: JsonObject, generation: ClaudeGeneration): JsonObject {
  // Where the API has no strict mode, `strict` would be refused as an unknown field; the schema itself still guides.
  const strict = definition['strict'] === true && generation.jsonSchema
  const description = stringOf(definition['description'])
  const native = nativeMembers.flatMap((member) => {
    const value = tool[member] ?? definition[member]
    return value === undefined || value === null ? [] : [[member, value] as const]
  })
  return {
    name: toWireName(String(definition['name'])),
    ...(description !== undefined && { description }),
    input_schema: inputSchema(definition['parameters'], strict),
    ...(strict && { strict }),
    ...Object.fromEntries(native),
  }
}

/** A remote MCP server, from OpenAI's tool form; Claude's own `url` form passes. */
function toMcpServer(tool: JsonObject): JsonObject {
  if (tool['type'] === 'url') return tool
  const headers = isObject(tool['headers']) ? tool['headers'] : {}
  const bearer = stringOf(headers['Authorization'] ?? headers['authorization'])
  const token = stringOf(tool['authorization']) ?? bearer?.replace(/^Bearer\s+/i, '')
  const allowed = tool['allowed_tools']
  return {
    type: 'url',
    url: tool['server_url'],
    name: tool['server_label'],
    ...(token !== undefined && { authorization_token: token }),
    ...(Array.isArray(allowed) && { tool_configuration: { enabled: true, allowed_tools: allowed } }),
  }
}

const searchesBySize: Readonly<Record<string, number>> = { low: 1, medium: 5, high: 10 }

function webSearchTool(options: JsonObject): JsonObject {
  const location = isObject(options['user_location']) ? options['user_location'] : undefined
  const place = location && isObject(location['approximate']) ? location['approximate'] : location
  const uses = searchesBySize[stringOf(options['search_context_size']) ?? ''] ?? numberOf(options['max_uses'])
  return {
    type: 'web_search_20250305',
    name: 'web_search',
    ...(uses !== undefined && { max_uses: uses }),
    ...(place && { user_location: { ...place, type: 'approximate' } }),
  }
}

const isMcp = (tool: ChatTool): boolean => tool.type === 'mcp' || tool.type === 'url'

/** Where history calls tools that the request does not define, the API wants definitions all the same. */
function toolsOfHistory(blocks: readonly Block[]): readonly JsonObject[] {
  return mentionedNames(blocks).map((name) => ({ name, input_schema: { type: 'object', properties: {} } }))
}

interface Wish {
  readonly type: string
  readonly name?: string
  /** Names of the only tools that may be used. */
  readonly only?: readonly string[]
}

const choiceTypes: Readonly<Record<string, string>> = { auto: 'auto', none: 'none', required: 'any', any: 'any' }

function choiceType(word: string): string {
  const type = choiceTypes[word]
  if (type === undefined) throw new InvalidRequestError(`tool_choice must not be '${word}'.`, 'tool_choice')
  return type
}

const nameIn = (value: unknown): string | undefined => (isObject(value) ? stringOf(value['name']) : undefined)

function readAllowedTools(allowed: JsonObject): Wish {
  const tools = Array.isArray(allowed['tools']) ? allowed['tools'] : []
  const only = tools.flatMap((tool: unknown) =>
    isObject(tool) ? (nameIn(tool['function']) ?? nameIn(tool) ?? []) : [],
  )
  return { type: choiceType(stringOf(allowed['mode']) ?? 'auto'), only: only.map(toWireName) }
}

function readChoice(choice: ChatRequest['tool_choice']): Wish | undefined {
  if (choice === undefined || choice === null) return undefined
  if (typeof choice === 'string') return { type: choiceType(choice) }
  if (choice.type === 'allowed_tools' && isObject(choice['allowed_tools'])) {
    return readAllowedTools(choice['allowed_tools'])
  }
  const name = nameIn(choice['function']) ?? nameIn(choice)
  return name === undefined ? { type: choiceType(choice.type) } : { type: 'tool', name: toWireName(name) }
}

function toChoice(wish: Wish | undefined, parallel: boolean | null | undefined): JsonObject | undefined {
  const single = parallel === false && wish?.type !== 'none'
  if (wish === undefined && !single) return undefined
  const choice = { type: wish?.type ?? 'auto', ...(wish?.name !== undefined && { name: wish.name }) }
  return single ? { ...choice, disable_parallel_tool_use: true } : choice
}

function definitions(request: ChatRequest, generation: ClaudeGeneration, target: Target): readonly JsonObject[] {
  const search = request.web_search_options
  const tools = (request.tools ?? []).flatMap((tool, index): readonly JsonObject[] => {
    if (isMcp(tool)) return []
    if (tool.function) return [fromFunction(tool, tool.function, generation)]
    if (isObject(tool['custom'])) {
      throw new UnsupportedParameterError(target.provider, target.model, [`tools[${index}]`])
    }
    return [tool]
  })
  return search ? [...tools, webSearchTool(search)] : tools
}

/**
 * Translates tools and the choice among them; hosted tools (`web_search_…`, `bash_…`, `computer_…`) pass as they are.
 * @param history all blocks of the conversation
 * @throws UnsupportedParameterError for free-form custom tools; InvalidRequestError for an unknown `tool_choice`
 */
export function planTools(
  request: ChatRequest,
  history: readonly Block[],
  generation: ClaudeGeneration,
  target: Target,
): ToolPlan {
  const wish = readChoice(request.tool_choice)
  const defined = definitions(request, generation, target)
  const tools = wish?.only ? defined.filter((tool) => wish.only?.includes(String(tool['name']))) : defined
  const mcpServers = (request.tools ?? []).filter(isMcp).map(toMcpServer)
  if (tools.length === 0 && mcpServers.length === 0) {
    const remembered = toolsOfHistory(history)
    const choice = remembered.length > 0 ? { type: 'none' } : undefined
    return { tools: remembered, mcpServers, choice, forced: false }
  }
  const choice = toChoice(wish, request.parallel_tool_calls)
  return { tools, mcpServers, choice, forced: choice?.['type'] === 'any' || choice?.['type'] === 'tool' }
}
