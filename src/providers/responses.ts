import { openaiModelRules } from '../catalog/openai-models.js'
import { needsResponses } from '../catalog/responses-models.js'
import { createResponsesCodec } from '../protocols/openai-responses/chat.js'
import type { ResponsesOptions } from '../protocols/openai-responses/options.js'
import { wantedEffort } from '../protocols/openai-responses/reasoning.js'
import type { Codec, Exchange, Protocol } from '../protocols/protocol.js'
import { isObject, type JsonObject } from '../wire/json.js'

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

/** A codec that is one of two, chosen per call. */
export function chooseCodec(
  base: Codec<'chat'>,
  other: Codec<'chat'>,
  when: (exchange: Exchange<'chat'>) => boolean,
): Codec<'chat'> {
  // Decided once per exchange, which the codecs see three times.
  const chosen = new WeakMap<Exchange<'chat'>, Codec<'chat'>>()
  const codecFor = (exchange: Exchange<'chat'>): Codec<'chat'> => {
    const known = chosen.get(exchange)
    if (known) return known
    const codec = when(exchange) ? other : base
    chosen.set(exchange, codec)
    return codec
  }
  return {
    encode: (exchange) => codecFor(exchange).encode(exchange),
    decode: (body, exchange) => codecFor(exchange).decode(body, exchange),
    next: (body, exchange) => codecFor(exchange).next?.(body, exchange),
    decodeStream(exchange) {
      const decoder = codecFor(exchange).decodeStream?.(exchange)
      if (!decoder) throw new TypeError('a codec that cannot stream was composed with one that can')
      return decoder
    },
  }
}

/** True for models that are asked for as `provider/responses/model`. */
export const asksForResponses = ({ deployment }: Exchange<'chat'>): boolean => deployment.model.startsWith('responses/')

// Fields that only the Responses API knows.
const ownFields = ['reasoning', 'include', 'previous_response_id', 'conversation', 'background', 'prompt']

/** OpenAI and Azure: models, and requests, that the chat endpoint does not serve. */
export function openaiNeedsResponses(exchange: Exchange<'chat'>, modelOf = modelName): boolean {
  if (asksForResponses(exchange)) return true
  const fields = fieldsOf(exchange)
  const model = modelOf(exchange)
  const tools = toolsOf(fields)
  if (needsResponses(model, tools.length > 0, wantedEffort(fields))) return true
  if (openaiModelRules(model) === undefined) return false
  if (tools.some(isHosted) || ownFields.some((name) => isSet(fields[name]))) return true
  return isSet(fields['web_search_options']) && !model.includes('search')
}

/** xAI: its hosted tools run on the Responses API only. */
export function xaiNeedsResponses(exchange: Exchange<'chat'>): boolean {
  const fields = fieldsOf(exchange)
  return asksForResponses(exchange) || toolsOf(fields).some(isHosted) || isSet(fields['web_search_options'])
}

const modelName = ({ deployment }: Exchange<'chat'>): string => deployment.model

const fieldsOf = ({ request, deployment }: Exchange<'chat'>): JsonObject => {
  // The usual case, without a copy.
  if (Object.keys(deployment.params).length === 0) return request
  const given = Object.entries(request).filter(([, value]) => isSet(value))
  return { ...deployment.params, ...Object.fromEntries(given) }
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null

const toolsOf = ({ tools }: JsonObject): readonly unknown[] => (Array.isArray(tools) ? tools : [])

const isHosted = (tool: unknown): boolean => isObject(tool) && tool['type'] !== 'function' && tool['type'] !== 'custom'
