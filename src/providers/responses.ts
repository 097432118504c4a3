import { openaiModelRules } from '../catalog/openai-models.js'
import { needsResponses } from '../catalog/responses-models.js'
import { createResponsesCodec } from '../protocols/openai-responses/chat.js'
import type { ResponsesOptions } from '../protocols/openai-responses/options.js'
import { wantedEffort } from '../protocols/openai-responses/reasoning.js'
import type { Exchange, Protocol } from '../protocols/protocol.js'
import { isObject } from '../wire/json.js'
import { chooseCodec } from './choose-codec.js'

/** When a provider's chat goes over the Responses API, and how that is spoken there. */
export interface ResponsesRoute {
  /** Decided anew for every call, from its request and deployment alone. */
  readonly when: (exchange: Exchange<'chat'>) => boolean
  readonly options: ResponsesOptions
}

/** The protocol with chat going over the Responses API where `when` says so. */
export function withResponses(base: Protocol, { when, options }: ResponsesRoute): Protocol {
  const { chat } = base.codecs
  if (!chat) return base
  return { ...base, codecs: { ...base.codecs, chat: chooseCodec(chat, createResponsesCodec(options), when) } }
}

/** True for models that are asked for as `provider/responses/model`. */
export const asksForResponses = ({ deployment }: Exchange<'chat'>): boolean => deployment.model.startsWith('responses/')

// Fields that only the Responses API knows.
const ownFields = ['reasoning', 'include', 'previous_response_id', 'conversation', 'background', 'prompt']

/** OpenAI and Azure: models that the chat endpoint does not serve, ever or with these tools. Every call is asked about. */
export function modelNeedsResponses(exchange: Exchange<'chat'>, model: string): boolean {
  if (asksForResponses(exchange)) return true
  const hasTools = toolsOf(exchange).length > 0
  return needsResponses(model, hasTools, hasTools ? effortOf(exchange) : undefined)
}

/** OpenAI and Azure: requests of any of their models that the chat endpoint does not serve: hosted tools, own fields. */
export function requestNeedsResponses(exchange: Exchange<'chat'>, model: string): boolean {
  const searches = isSet(exchange, 'web_search_options') && !model.includes('search')
  if (!searches && !toolsOf(exchange).some(isHosted) && !ownFields.some((name) => isSet(exchange, name))) return false
  return openaiModelRules(model) !== undefined
}

/** xAI: its hosted tools run on the Responses API only. */
export function xaiNeedsResponses(exchange: Exchange<'chat'>): boolean {
  return asksForResponses(exchange) || toolsOf(exchange).some(isHosted) || isSet(exchange, 'web_search_options')
}

/** A field of the request, else of its deployment. */
const valueOf = ({ request, deployment }: Exchange<'chat'>, name: string): unknown =>
  request[name] ?? deployment.params[name] ?? undefined

const isSet = (exchange: Exchange<'chat'>, name: string): boolean => valueOf(exchange, name) !== undefined

const effortOf = (exchange: Exchange<'chat'>): string | undefined =>
  wantedEffort({
    reasoning_effort: valueOf(exchange, 'reasoning_effort'),
    thinking: valueOf(exchange, 'thinking'),
    reasoning: valueOf(exchange, 'reasoning'),
  })

function toolsOf(exchange: Exchange<'chat'>): readonly unknown[] {
  const tools = valueOf(exchange, 'tools')
  return Array.isArray(tools) ? tools : []
}

const isHosted = (tool: unknown): boolean => isObject(tool) && tool['type'] !== 'function' && tool['type'] !== 'custom'
