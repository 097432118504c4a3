import type { GeminiModel } from '../../catalog/gemini-models.js'
import { InvalidRequestError } from '../../errors.js'
import type { ChatRequest, ChatTool, ToolChoice } from '../../wire/chat.js'
import { isObject, stringOf, type JsonObject } from '../../wire/json.js'
import { toJsonTool } from '../structured-output.js'
import { toJsonSchemaField, toOpenApiParameters } from './schema.js'

/** The tools of a request, and what of them Gemini cannot honour. */
export interface Tools {
  /** One entry for all functions, then one for each hosted tool; empty where there is none. */
  readonly tools: readonly JsonObject[]
  readonly toolConfig: JsonObject | undefined
  /** Parameters that make the call fail unless they may be dropped; they are already left out. */
  readonly unsupported: readonly string[]
  /** Hints that have no counterpart; left out and reported, never an error. */
  readonly ignored: readonly string[]
}

// Hosted tools by every name they go under: Gemini's own, in both spellings, and OpenAI's and Claude's counterparts.
const hostedTools: Readonly<Record<string, string>> = {
  code_execution: 'codeExecution',
  code_interpreter: 'codeExecution',
  codeExecution: 'codeExecution',
  computer_use: 'computerUse',
  computerUse: 'computerUse',
  enterprise_web_search: 'enterpriseWebSearch',
  enterpriseWebSearch: 'enterpriseWebSearch',
  file_search: 'fileSearch',
  fileSearch: 'fileSearch',
  google_maps: 'googleMaps',
  google_search: 'googleSearch',
  google_search_retrieval: 'googleSearchRetrieval',
  googleMaps: 'googleMaps',
  googleSearch: 'googleSearch',
  googleSearchRetrieval: 'googleSearchRetrieval',
  url_context: 'urlContext',
  urlContext: 'urlContext',
  web_fetch: 'urlContext',
  web_search: 'googleSearch',
  web_search_preview: 'googleSearch',
}

function hostedName(tool: ChatTool): string | undefined {
  return Object.hasOwn(hostedTools, tool.type) ? hostedTools[tool.type] : undefined
}

/** A hosted tool's settings: nested under its name, or beside `type` where the name is Gemini's own. */
function hostedConfig(tool: ChatTool, name: string): JsonObject {
  const nested = tool[tool.type] ?? tool[name]
  if (isObject(nested)) return nested
  const { type, vector_store_ids: stores, ...rest } = tool
  if (name === 'fileSearch' && Array.isArray(stores)) return { fileSearchStoreNames: stores }
  return type === name ? rest : {}
}

type FunctionTool = NonNullable<ChatTool['function']>

function functionsOf(request: ChatRequest): readonly FunctionTool[] {
  const declared = (request.tools ?? []).flatMap((tool) =>
    tool.type === 'function' && tool.function ? [tool.function] : [],
  )
  const legacy = (request.functions ?? []).map(({ name, parameters, ...rest }): FunctionTool => {
    const { description } = rest
    return { name, parameters, ...(typeof description === 'string' && { description }) }
  })
  return [...declared, ...legacy]
}

/**
 * True where the answer's JSON must come through a synthetic tool: models that refuse JSON output beside functions.
 * Its call is then turned back into content.
 */
export function usesJsonTool(request: ChatRequest, model: GeminiModel): boolean {
  const type = request.response_format?.type
  const wantsJson = type === 'json_schema' || type === 'json_object'
  return wantsJson && !model.mixesTools && request.tool_choice !== 'none' && functionsOf(request).length > 0
}

// What a declaration holds beyond OpenAI's: https://ai.google.dev/api/caching#FunctionDeclaration.
const ownFields = ['behavior', 'parametersJsonSchema', 'response', 'responseJsonSchema']

function toDeclaration(declared: FunctionTool, model: GeminiModel): JsonObject {
  const { name, description, parameters } = declared
  const own = ownFields.filter((field) => isObject(declared[field]) || typeof declared[field] === 'string')
  return {
    name,
    ...(typeof description === 'string' && { description }),
    ...toParameters(parameters, model),
    ...Object.fromEntries(own.map((field) => [field, declared[field]])),
  }
}

function toParameters(parameters: JsonObject | null | undefined, model: GeminiModel): JsonObject {
  if (!parameters || Object.keys(parameters).length === 0) return {}
  if (model.jsonSchema) return { parametersJsonSchema: toJsonSchemaField({ type: 'object', ...parameters }) }
  const schema = toOpenApiParameters(parameters)
  return schema ? { parameters: schema } : {}
}

/** Translates every way in which a request asks for tools. @throws InvalidRequestError for a choice of no known form */
export function toTools(request: ChatRequest, model: GeminiModel): Tools {
  const asJsonTool = usesJsonTool(request, model)
  const functions = [...functionsOf(request), ...(asJsonTool ? [jsonFunction(request)] : [])]
  const hosted = hostedOf(request)
  const apart = functions.length > 0 && !model.mixesTools
  const config = asJsonTool ? jsonToolConfig(request) : toCallingConfig(choiceOf(request))
  const mixed = functions.length > 0 && hosted.entries.length > 0 && !apart
  const toolConfig: JsonObject = {
    ...(functions.length > 0 && config && { functionCallingConfig: config }),
    ...(mixed && { includeServerSideToolInvocations: true }),
  }
  const declarations = functions.map((declared) => toDeclaration(declared, model))
  return {
    tools: [
      ...(declarations.length > 0 ? [{ functionDeclarations: declarations }] : []),
      ...(apart ? [] : hosted.entries),
    ],
    toolConfig: Object.keys(toolConfig).length > 0 ? toolConfig : undefined,
    unsupported: [
      ...hosted.unknown,
      ...(apart ? hosted.names : []),
      ...(request.parallel_tool_calls === false && functionsOf(request).length > 1 ? ['parallel_tool_calls'] : []),
    ],
    ignored: [...hosted.ignored, ...(functions.some(({ strict }) => strict === true) ? ['tools.function.strict'] : [])],
  }
}

interface Hosted {
  readonly entries: readonly JsonObject[]
  /** Where each stands in the request. */
  readonly names: readonly string[]
  readonly unknown: readonly string[]
  readonly ignored: readonly string[]
}

function hostedOf(request: ChatRequest): Hosted {
  const others = (request.tools ?? []).map((tool, position) => ({
    tool,
    where: `tools[${position}]`,
    name: hostedName(tool),
  }))
  const known = others.flatMap(({ tool, where, name }) => (name === undefined ? [] : [{ tool, where, name }]))
  const searches = known.some(({ name }) => name === 'googleSearch')
  const bySearchOptions = request.web_search_options && !searches ? [{ googleSearch: {} }] : []
  return {
    entries: [...known.map(({ tool, name }) => ({ [name]: hostedConfig(tool, name) })), ...bySearchOptions],
    names: [...known.map(({ where }) => where), ...(bySearchOptions.length > 0 ? ['web_search_options'] : [])],
    unknown: others
      .filter(({ tool, name }) => tool.type !== 'function' && name === undefined)
      .map(({ where }) => where),
    ignored: Object.keys(request.web_search_options ?? {}).map((key) => `web_search_options.${key}`),
  }
}

function jsonFunction(request: ChatRequest): FunctionTool {
  const format = request.response_format
  const tool = toJsonTool(format?.type === 'json_object' ? { type: 'json_schema' } : format)
  if (!tool?.function) throw new InvalidRequestError('response_format has no usable schema.', 'response_format')
  return tool.function
}

/** With a synthetic tool the model must always call: one of the caller's functions, or the one that answers. */
function jsonToolConfig(request: ChatRequest): JsonObject {
  const choice = toCallingConfig(choiceOf(request))
  return choice?.['mode'] === 'ANY' ? choice : { mode: 'ANY' }
}

function choiceOf(request: ChatRequest): ToolChoice | undefined {
  if (request.tool_choice !== undefined && request.tool_choice !== null) return request.tool_choice
  const legacy = request.function_call
  if (typeof legacy === 'string') return legacy
  return legacy ? { type: 'function', function: { name: legacy.name } } : undefined
}

const modes: Readonly<Record<string, string>> = { none: 'NONE', auto: 'AUTO', required: 'ANY', any: 'ANY' }

function toCallingConfig(choice: ToolChoice | undefined): JsonObject | undefined {
  if (choice === undefined) return undefined
  if (typeof choice === 'string' && Object.hasOwn(modes, choice)) return { mode: modes[choice] }
  if (typeof choice !== 'string') {
    const name = nameIn(choice)
    if (choice.type === 'function' && name !== undefined) return { mode: 'ANY', allowedFunctionNames: [name] }
    const allowed = choice['allowed_tools']
    if (choice.type === 'allowed_tools' && isObject(allowed)) return toAllowed(allowed)
  }
  throw new InvalidRequestError('tool_choice must be none, auto, required, or name a function.', 'tool_choice')
}

const nameIn = (choice: JsonObject): string | undefined =>
  isObject(choice['function']) ? stringOf(choice['function']['name']) : undefined

/** VALIDATED is AUTO over a choice of functions; AUTO itself takes no names. */
function toAllowed(allowed: JsonObject): JsonObject {
  const tools: readonly unknown[] = Array.isArray(allowed['tools']) ? allowed['tools'] : []
  const names = tools.flatMap((tool) => (isObject(tool) ? (nameIn(tool) ?? []) : []))
  return { mode: allowed['mode'] === 'required' ? 'ANY' : 'VALIDATED', allowedFunctionNames: names }
}
