import type { Deployment, ModelCapabilities } from '../deployment.js'
import { GatewayError, InvalidRequestError, UnsupportedParameterError } from '../errors.js'
import type { ChatMessage, ChatRequest } from '../wire/chat.js'
import { toDropPolicy } from './gateway-fields.js'
import { asksNothing } from './parameter-table.js'
import type { Codec, Exchange } from './protocol.js'

/**
 * A chat codec for a model that its host says cannot do something: what a request asks of that is refused, or left out
 * where it may be, whatever the dialect. What the host says a model can do is for the rules of its family.
 */
export function underCapabilities(codec: Codec<'chat'>, { capabilities }: Deployment): Codec<'chat'> {
  const refused = refusedBy(capabilities)
  const { vision, assistantPrefill } = capabilities
  if (refused.length === 0 && vision !== false && assistantPrefill !== false) return codec
  return {
    ...codec,
    encode(exchange) {
      checkMessages(exchange)
      const { lost, rest } = without(exchange, refused)
      const sent = codec.encode(rest)
      return lost.length === 0 ? sent : { ...sent, droppedParams: [...lost, ...sent.droppedParams] }
    },
  }
}

const toolParameters = ['tools', 'functions']
const reasoningParameters = ['reasoning_effort', 'thinking']
// They mean nothing once the tools are gone.
const withTools = ['tool_choice', 'function_call', 'parallel_tool_calls']

function refusedBy({ tools, reasoning, reasoningControl, refusedParameters }: ModelCapabilities): readonly string[] {
  const thinks = reasoningControl === undefined ? reasoning !== false : reasoningControl !== 'none'
  return [
    ...(refusedParameters ?? []),
    ...(tools === false ? toolParameters : []),
    ...(thinks ? [] : reasoningParameters),
  ]
}

function without(exchange: Exchange<'chat'>, refused: readonly string[]) {
  const { request, deployment } = exchange
  const { drop, allowed } = toDropPolicy(request, deployment.params, deployment.dropParams)
  const isAsked = (name: string): boolean => {
    const value = request[name] ?? deployment.params[name] ?? undefined
    return value !== undefined && !allowed.includes(name) && !asksNothing(name, value)
  }
  const lost = refused.filter(isAsked)
  if (lost.length === 0) return { lost, rest: exchange }
  if (!drop) throw new UnsupportedParameterError(deployment.provider, deployment.model, lost)
  const gone = new Set(lost.some((name) => toolParameters.includes(name)) ? [...lost, ...withTools] : lost)
  const left = <T extends object>(holder: T): T =>
    Object.fromEntries(Object.entries(holder).filter(([name]) => !gone.has(name))) as T
  return {
    lost,
    rest: { ...exchange, request: left(request), deployment: { ...deployment, params: left(deployment.params) } },
  }
}

function checkMessages({ request: { messages }, deployment }: Exchange<'chat'>): void {
  const { provider, model, capabilities } = deployment
  const image = capabilities.vision === false ? placeOfImage(messages) : undefined
  if (image !== undefined) {
    throw new GatewayError('unsupported_parameter', `${model} of ${provider} does not support images in ${image}.`, {
      param: image,
    })
  }
  if (capabilities.assistantPrefill === false && messages.at(-1)?.role === 'assistant') {
    throw new InvalidRequestError(
      `${model} does not continue an assistant message: the conversation must end with a user or tool message.`,
      `messages[${messages.length - 1}]`,
    )
  }
}

const imageParts = new Set(['image_url', 'input_image', 'image'])

function placeOfImage(messages: ChatRequest['messages']): string | undefined {
  for (const [position, { content }] of messages.entries()) {
    const part = Array.isArray(content) ? indexOfImage(content) : -1
    if (part >= 0) return `messages[${position}].content[${part}]`
  }
  return undefined
}

const indexOfImage = (parts: Exclude<ChatMessage['content'], string | null | undefined>): number =>
  parts.findIndex(({ type }) => imageParts.has(type))
