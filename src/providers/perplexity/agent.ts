import { GatewayError } from '../../errors.js'
import { createResponsesCodec } from '../../protocols/openai-responses/chat.js'
import type { Codec } from '../../protocols/protocol.js'
import { isObject, type JsonObject } from '../../wire/json.js'

/** What a call to a model that ended with the chat API is told. */
export const retiredNotice =
  'Perplexity ended its Sonar chat API on 2026-09-27. Use perplexity/sonar, sonar-pro or sonar-deep-research, which go to its Agent API, or give the deployment the baseUrl of a server that still speaks it.'

// The vendor's own starting points for those who used Sonar: https://docs.perplexity.ai/docs/agent-api/migration
const presetBySonar: Readonly<Record<string, string>> = {
  sonar: 'fast',
  'sonar-pro': 'low',
  'sonar-reasoning': 'medium',
  'sonar-reasoning-pro': 'medium',
  'sonar-deep-research': 'high',
}

// Models that nothing replaces: r1-1776, llama-3.1-sonar-small-128k-online, pplx-70b-online …
const retiredModels = /^(?:r1-1776|llama-|mistral-7b|mixtral-|codellama-|pplx-\d|sonar-(?:small|medium|large|huge))/

const filters: Readonly<Record<string, string>> = {
  search_domain_filter: 'search_domain_filter',
  search_recency_filter: 'search_recency_filter',
  search_after_date_filter: 'search_after_date_filter',
  search_before_date_filter: 'search_before_date_filter',
  last_updated_after_filter: 'last_updated_after_filter',
  last_updated_before_filter: 'last_updated_before_filter',
}
const searchOptions = ['search_context_size', 'max_tokens_per_page', 'user_location']
const steering = [...Object.keys(filters), ...searchOptions, 'disable_search', 'web_search']

const agent = createResponsesCodec({
  path: '/v1/responses',
  modelName: (model) => (Object.hasOwn(presetBySonar, model) ? 'perplexity/sonar' : model),
  chatResponseFormat: true,
  encryptedReasoning: false,
  unsupported: [
    'temperature',
    'top_p',
    'logprobs',
    'top_logprobs',
    'metadata',
    'parallel_tool_calls',
    'prompt_cache_key',
    'return_images',
    'return_related_questions',
    'safety_identifier',
    'search_mode',
    'service_tier',
    'tool_choice',
    'user',
    'verbosity',
  ],
  adjust: moveSearchOptions,
})

/** Perplexity's Agent API: the Responses API with a web search of its own. Old Sonar names become their presets. */
export const agentCodec: Codec<'chat'> = {
  ...agent,
  encode(exchange) {
    const { model, params } = exchange.deployment
    if (retiredModels.test(model)) throw new GatewayError('gone', retiredNotice)
    const preset = Object.hasOwn(presetBySonar, model) ? presetBySonar[model] : undefined
    if (preset === undefined || isOff(exchange.request, params)) return agent.encode(exchange)
    // The model stays pinned: a preset alone may pick a third party's.
    const deployment = { ...exchange.deployment, params: { preset, ...params } }
    return agent.encode({ ...exchange, deployment })
  },
}

const isOff = (request: JsonObject, params: JsonObject): boolean =>
  (request['disable_search'] ?? params['disable_search']) === true

/** What the chat API took at the top level belongs to the search tool now; a search option asks for the tool. */
function moveSearchOptions(body: JsonObject, fields: JsonObject): JsonObject {
  const rest = Object.fromEntries(Object.entries(body).filter(([name]) => !steering.includes(name)))
  const filter = pick(fields, Object.keys(filters))
  const options = pick(fields, searchOptions)
  const tools: readonly unknown[] = Array.isArray(rest['tools']) ? rest['tools'] : []
  const others = tools.filter((tool) => !isSearch(tool))
  const asked = tools.find(isSearch)
  if (fields['disable_search'] === true) return withTools(rest, others)
  if (!asked && Object.keys(filter).length + Object.keys(options).length === 0) return rest
  const given = isObject(asked) ? asked : { type: 'web_search' }
  const own = isObject(given['filters']) ? given['filters'] : {}
  const all = { ...filter, ...own }
  const search = { ...options, ...given, ...(Object.keys(all).length > 0 && { filters: all }) }
  return withTools(rest, [...others, search])
}

const isSearch = (tool: unknown): boolean => isObject(tool) && tool['type'] === 'web_search'

function withTools(body: JsonObject, tools: readonly unknown[]): JsonObject {
  const { tools: _tools, ...rest } = body
  return tools.length === 0 ? rest : { ...rest, tools }
}

function pick(fields: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = fields[name]
      return value === undefined || value === null ? [] : [[name, value]]
    }),
  )
}
