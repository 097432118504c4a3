import { type BedrockModel, bedrockModel } from '../../catalog/bedrock-models.js'
import { claudeGeneration } from '../../catalog/claude-models.js'
import type { ModelCapabilities } from '../../deployment.js'
import { withDefaults } from '../../protocols/anthropic/parameters.js'
import type { Exchange } from '../../protocols/protocol.js'
import type { ChatRequest } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import type { BedrockModelId } from './model-id.js'
import { readBedrockModel } from './model-id.js'

/** Converse's own members that a caller may set beside OpenAI's. */
const nativeMembers = [
  'additionalModelResponseFieldPaths',
  'guardrailConfig',
  'inferenceConfig',
  'performanceConfig',
  'promptVariables',
  'requestMetadata',
]

/** What is translated here and not by the Messages API's dialect. */
const ownMembers = [...nativeMembers, 'additionalModelRequestFields', 'metadata', 'service_tier', 'serviceTier', 'user']

/** How a chat request goes to Converse by way of the Messages API, whose rules for conversations and tools it shares. */
export interface ConversePlan {
  readonly id: BedrockModelId
  readonly model: BedrockModel
  /** What the Messages API's dialect is given. */
  readonly inner: Exchange<'chat'>
  /** The request over its deployment's defaults. */
  readonly request: ChatRequest
  readonly native: JsonObject
  readonly additional: JsonObject
  /** Parameters that this model cannot honour. */
  readonly unsupported: readonly string[]
  /** Parameters left out without asking, for the report to the caller. */
  readonly dropped: readonly string[]
}

/** The fields that make a model think that is not Claude, by how it is told. */
const reasoningFields: Readonly<Record<string, (effort: string) => JsonObject>> = {
  nova: (effort) => ({ reasoningConfig: { type: 'enabled', maxReasoningEffort: effort } }),
  reasoning_effort: (effort) => ({ reasoning_effort: effort }),
  reasoning_config: (effort) => ({ reasoning_config: effort }),
}

const efforts: Readonly<Record<string, string>> = { minimal: 'low', xhigh: 'high', max: 'high' }

interface Reasoning {
  readonly additional: JsonObject
  readonly unsupported: readonly string[]
}

function planReasoning({ reasoning_effort: asked, thinking }: ChatRequest, model: BedrockModel): Reasoning {
  const off = { additional: {}, unsupported: [] }
  const isOff = asked === 'none' || asked === 'disable' || thinking?.type === 'disabled'
  if (model.reasoning === 'claude' || isOff || (!asked && !thinking)) return off
  const fields = reasoningFields[model.reasoning]
  if (!fields) return { additional: {}, unsupported: [asked ? 'reasoning_effort' : 'thinking'] }
  const effort = asked && asked !== 'default' ? asked : 'medium'
  return { additional: fields(efforts[effort] ?? effort), unsupported: [] }
}

// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ServiceTier.html
const tiers = ['default', 'priority', 'flex', 'reserved']

function planTier(request: ChatRequest): { readonly native: JsonObject; readonly unsupported: readonly string[] } {
  if (isObject(request['serviceTier'])) return { native: { serviceTier: request['serviceTier'] }, unsupported: [] }
  const tier = request.service_tier
  // What the account would get anyway needs no word.
  if (!tier || tier === 'auto' || tier === 'default') return { native: {}, unsupported: [] }
  if (!tiers.includes(tier)) return { native: {}, unsupported: ['service_tier'] }
  return { native: { serviceTier: { type: tier } }, unsupported: [] }
}

const metadataText = /^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$/

/** OpenAI's `metadata` as the request's own, which Bedrock writes into its invocation logs, where it fits there. */
function toRequestMetadata(metadata: unknown): JsonObject | undefined {
  if (!isObject(metadata)) return undefined
  const entries = Object.entries(metadata)
  const fits = ([key, value]: readonly [string, unknown]): boolean =>
    metadataText.test(key) && typeof value === 'string' && metadataText.test(value)
  return entries.length > 0 && entries.length <= 16 && entries.every(fits) ? metadata : undefined
}

function innerCapabilities(model: BedrockModel, own: ModelCapabilities): ModelCapabilities {
  return {
    ...(!model.tools && { tools: false }),
    ...(model.jsonSchema !== undefined && { jsonSchema: model.jsonSchema }),
    ...(model.reasoning !== 'claude' && { reasoning: false }),
    ...own,
  }
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}

/** Nova searches the web with a tool of the system's; nobody else on Bedrock does. */
function planSearch(request: ChatRequest, { reasoning }: BedrockModel) {
  if (!request.web_search_options) return { tools: [], unsupported: [] }
  if (reasoning !== 'nova') return { tools: [], unsupported: ['web_search_options'] }
  return { tools: [{ type: 'systemTool', systemTool: { name: 'nova_grounding' } }], unsupported: [] }
}

/** Makes the decisions that both directions of a call need; the messages are not touched yet. */
export function planConverse(exchange: Exchange<'chat'>): ConversePlan {
  const { deployment } = exchange
  const id = readBedrockModel(deployment)
  const model = bedrockModel(id.base, deployment.capabilities)
  const request = withDefaults(exchange)
  const reasoning = planReasoning(request, model)
  const tier = planTier(request)
  const search = planSearch(request, model)
  const metadata = toRequestMetadata(request.metadata)
  const removed = [
    ...ownMembers,
    'web_search_options',
    ...(model.reasoning === 'claude' ? [] : ['reasoning_effort', 'thinking']),
  ]
  const fields = request['additionalModelRequestFields']
  const tools = search.tools.length > 0 ? { tools: [...(request.tools ?? []), ...search.tools] } : {}
  return {
    id,
    model,
    request,
    inner: {
      ...exchange,
      request: { ...without(exchange.request, removed), ...tools } as ChatRequest,
      deployment: {
        ...deployment,
        model: id.base,
        params: without(deployment.params, removed),
        capabilities: innerCapabilities(model, deployment.capabilities),
      },
    },
    native: {
      ...Object.fromEntries(nativeMembers.flatMap((name) => (request[name] ? [[name, request[name]]] : []))),
      ...tier.native,
      ...(metadata && !request['requestMetadata'] && { requestMetadata: metadata }),
    },
    additional: { ...reasoning.additional, ...(isObject(fields) && fields) },
    unsupported: [...reasoning.unsupported, ...tier.unsupported, ...search.unsupported],
    dropped: [
      ...(stringOf(request.user) ? ['user'] : []),
      ...(stringOf(request.safety_identifier) ? ['safety_identifier'] : []),
      ...(request.metadata && !metadata ? ['metadata'] : []),
    ],
  }
}

/** True where Claude's `tool_choice` may stand among the additional fields: the generations from 4.5 on. */
export function takesChoiceFields({ id, model }: ConversePlan): boolean {
  return model.reasoning === 'claude' && claudeGeneration(id.base).jsonSchema
}
