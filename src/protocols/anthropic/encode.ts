import type { ClaudeGeneration } from '../../catalog/claude-models.js'
import { claudeGeneration } from '../../catalog/claude-models.js'
import { InvalidRequestError, UnsupportedParameterError } from '../../errors.js'
import type { ChatRequest } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject } from '../../wire/json.js'
import type { DropPolicy } from '../gateway-fields.js'
import { toDropPolicy } from '../gateway-fields.js'
import { lostInMessages } from '../message-fields.js'
import type { Exchange } from '../protocol.js'
import { betaHeader } from './betas.js'
import { limitBreakpoints } from './cache-control.js'
import type { Conversation } from './messages.js'
import { lacksThinking, nativeSystem, toConversation } from './messages.js'
import {
  changesNothing,
  ignoredParameters,
  passedThrough,
  planSampling,
  planServiceTier,
  planStop,
  unsupportedParameters,
  userMetadata,
  withDefaults,
} from './parameters.js'
import type { ReasoningPlan } from './reasoning.js'
import { planReasoning } from './reasoning.js'
import type { FormatPlan } from './response-format.js'
import { addJsonTool, planFormat } from './response-format.js'
import type { ToolPlan } from './tools.js'
import { planTools } from './tools.js'

/** A request of the Messages API, before its transport: the body, the betas it needs, and what was left out of it. */
export interface MessagesRequest {
  readonly body: JsonObject
  /** Value of `anthropic-beta`. */
  readonly betas: string | undefined
  readonly droppedParams: readonly string[]
}

function conversationOf(request: ChatRequest, exchange: Exchange<'chat'>, generation: ClaudeGeneration): Conversation {
  const { provider, model } = exchange.deployment
  const conversation = toConversation(request.messages, { provider, model, vision: generation.vision })
  if (conversation.messages.at(-1)?.role === 'assistant' && !generation.assistantPrefill) {
    const place = `messages[${request.messages.length - 1}]`
    throw new InvalidRequestError(
      `${model} does not continue an assistant message: the conversation must end with a user or tool message.`,
      place,
    )
  }
  return { ...conversation, system: [...nativeSystem(request['system']), ...conversation.system] }
}

interface Choice {
  readonly plan: ToolPlan
  readonly unsupported: readonly string[]
}

/** The tools as far as the model takes them at all. */
function toolsFor(plan: ToolPlan, generation: ClaudeGeneration): Choice {
  if (!generation.tools && plan.tools.length > 0) {
    return { plan: { tools: [], mcpServers: [], choice: undefined, forced: false }, unsupported: ['tools'] }
  }
  if (!plan.forced || generation.forcedToolChoice) return { plan, unsupported: [] }
  return {
    plan: { ...plan, choice: { ...withoutName(plan.choice), type: 'auto' }, forced: false },
    unsupported: ['tool_choice'],
  }
}

function withoutName(choice: JsonObject | undefined): JsonObject {
  const { name: _, ...rest } = choice ?? {}
  return rest
}

function outputConfig(request: ChatRequest, reasoning: ReasoningPlan, format: FormatPlan): JsonObject {
  const config = {
    ...(reasoning.effort && { effort: reasoning.effort }),
    ...(format.kind === 'native' && { format: { type: 'json_schema', schema: format.schema } }),
    ...(isObject(request['output_config']) && request['output_config']),
  }
  return Object.keys(config).length === 0 ? {} : { output_config: config }
}

function toolMembers(tools: readonly JsonObject[], choice: JsonObject | undefined): JsonObject {
  if (tools.length === 0) return {}
  return { tools, ...(choice && { tool_choice: choice }) }
}

function mcpMembers(request: ChatRequest, plan: ToolPlan): JsonObject {
  const own = request['mcp_servers']
  const servers = [...(Array.isArray(own) ? own : []), ...plan.mcpServers]
  return servers.length === 0 ? {} : { mcp_servers: servers }
}

interface CallPlan {
  readonly request: ChatRequest
  readonly policy: DropPolicy
  readonly conversation: Conversation
  readonly maxTokens: number
  readonly tools: ToolPlan
  readonly reasoning: ReasoningPlan
  readonly format: FormatPlan
  /** Members of the body that stand for themselves. */
  readonly members: JsonObject
  readonly unsupported: readonly string[]
}

/** Makes every decision about a call; what one costs another (a forced tool excludes thinking) is settled here. */
function planCall(exchange: Exchange<'chat'>): CallPlan {
  const { deployment } = exchange
  const request = withDefaults(exchange)
  const policy = toDropPolicy(exchange.request, deployment.params, deployment.dropParams)
  const generation = claudeGeneration(deployment.model, deployment.capabilities)
  const maxTokens = request.max_completion_tokens ?? request.max_tokens ?? generation.maxOutputTokens
  const conversation = conversationOf(request, exchange, generation)
  const history = conversation.messages.flatMap((message) => message.content)
  const choice = toolsFor(planTools(request, history, generation, deployment), generation)
  const reasoning = planReasoning(request, {
    generation,
    maxTokens,
    forcedTool: choice.plan.forced,
    lacksThinking: lacksThinking(conversation.messages),
    dropParams: policy.drop,
    asked: (exchange.request.reasoning_effort ?? exchange.request.thinking ?? undefined) !== undefined,
  })
  const format = planFormat(request, generation)
  const canForce = generation.forcedToolChoice && !reasoning.thinks
  const parts = [
    planSampling(request, generation, reasoning.thinks),
    planStop(request.stop),
    planServiceTier(request.service_tier),
  ]
  const unsupported = [
    ...unsupportedParameters(request),
    ...choice.unsupported,
    ...reasoning.unsupported,
    ...parts.flatMap((part) => part.unsupported),
  ]
  const insisted = unsupported.filter((name) => policy.allowed.includes(name))
  const forced = Object.fromEntries(insisted.map((name) => [name, request[name]]))
  return {
    request,
    policy,
    conversation,
    maxTokens,
    tools: addJsonTool(choice.plan, format, request, canForce),
    reasoning,
    format,
    members: Object.assign({}, ...parts.map((part) => part.body), forced),
    unsupported: unsupported.filter((name) => !insisted.includes(name)),
  }
}

function writeBody(plan: CallPlan, model: string): JsonObject {
  const { request, conversation, reasoning } = plan
  const passed = passedThrough(request)
  const { tools, system, messages } = limitBreakpoints(
    { tools: plan.tools.tools, system: conversation.system, messages: conversation.messages },
    isObject(passed['cache_control']) ? 1 : 0,
  )
  return {
    ...passed,
    model,
    max_tokens: plan.maxTokens,
    ...(system.length > 0 && { system }),
    messages,
    ...toolMembers(tools, plan.tools.choice),
    ...mcpMembers(request, plan.tools),
    ...(reasoning.thinking && { thinking: reasoning.thinking }),
    ...outputConfig(request, reasoning, plan.format),
    ...plan.members,
    ...userMetadata(request),
    ...(request.stream === true && { stream: true }),
  }
}

/**
 * Translates a chat request into the Messages API's body.
 * @throws UnsupportedParameterError listing every parameter the model cannot honour, unless `dropParams` is on;
 * InvalidRequestError
 */
export function encodeMessages(exchange: Exchange<'chat'>): MessagesRequest {
  const { deployment } = exchange
  const plan = planCall(exchange)
  const refused = plan.unsupported.filter((name) => !changesNothing(name))
  if (refused.length > 0 && !plan.policy.drop) {
    throw new UnsupportedParameterError(deployment.provider, deployment.model, refused)
  }
  const body = writeBody(plan, deployment.model)
  const blocks = plan.conversation.messages.flatMap((message) => message.content)
  return {
    body,
    betas: betaHeader(body, blocks, plan.request, deployment),
    droppedParams: [
      ...new Set([
        ...plan.unsupported,
        ...plan.reasoning.dropped,
        ...ignoredParameters(plan.request),
        ...lostInMessages(plan.request.messages, { detail: false }),
      ]),
    ],
  }
}
