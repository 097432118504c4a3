import { splitSignedId, toBareId } from '../protocols/signed-call-id.js'
import type { AssistantMessage, ChatCompletion, ChatDelta, ChatMessage, ChatRequest, ToolCall } from '../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../wire/json.js'

// Reasoning is of use only to the model that it came from. Whatever carries a signature on its way to the client gets
// a member `origin` with that model's name; what comes back with another's is left out, the rest loses the mark again.

/** Marks an answer's signed reasoning with its model; the same object where there is none. */
export function markCompletion(completion: ChatCompletion, origin: string): ChatCompletion {
  if (!completion.choices.some(({ message }) => isMarkable(message))) return completion
  const choices = completion.choices.map((choice) => ({
    ...choice,
    message: { ...choice.message, ...markedMembers(choice.message, origin) },
  }))
  return { ...completion, choices }
}

/** Marks what one chunk adds, in place: chunks are made for one client and nobody else holds them. */
export function markDelta(delta: ChatDelta, origin: string): void {
  if (isMarkable(delta)) Object.assign(delta, markedMembers(delta, origin))
}

/** The members that may carry a signature, whole or in a stream. */
interface Markable {
  readonly thinking_blocks?: readonly JsonObject[] | null | undefined
  readonly tool_calls?: readonly JsonObject[] | null | undefined
  readonly images?: unknown
}

const isMarkable = ({ thinking_blocks, tool_calls, images }: Markable): boolean =>
  Boolean(thinking_blocks?.length) || Boolean(tool_calls?.some(hasSignature)) || signedImages(images).length > 0

function hasSignature(call: JsonObject): boolean {
  const fields = call['provider_specific_fields']
  return isObject(fields) && 'thought_signature' in fields
}

const imagesOf = (images: unknown): readonly JsonObject[] => (Array.isArray(images) ? images.filter(isObject) : [])
const signedImages = (images: unknown): readonly JsonObject[] =>
  imagesOf(images).filter((image) => 'thought_signature' in image)

function markedMembers({ thinking_blocks, tool_calls, images }: Markable, origin: string): JsonObject {
  return {
    ...(thinking_blocks && { thinking_blocks: thinking_blocks.map((block) => ({ ...block, origin })) }),
    ...(tool_calls && { tool_calls: tool_calls.map((call) => (hasSignature(call) ? markCall(call, origin) : call)) }),
    ...(Array.isArray(images) && {
      images: imagesOf(images).map((image) => ('thought_signature' in image ? { ...image, origin } : image)),
    }),
  }
}

function markCall(call: JsonObject, origin: string): JsonObject {
  const fields = call['provider_specific_fields']
  return { ...call, provider_specific_fields: { ...(isObject(fields) && fields), origin } }
}

/**
 * The request as the model `origin` may see it: another model's reasoning is left out of the history, text and tool
 * calls stay, and marks are taken off. `recall` knows the origin of messages without a mark; where nobody knows it,
 * reasoning stays. The same object where there is nothing to change.
 */
export function keepOwnReasoning(
  request: ChatRequest,
  origin: string,
  recall: (message: AssistantMessage) => string | undefined,
): ChatRequest {
  if (!request.messages.some(carriesReasoning)) return request
  const bared = new Set<string>()
  let changed = false
  const messages = request.messages.map((message): ChatMessage => {
    if (!carriesReasoning(message)) return message
    const marks = marksOf(message)
    const from = marks[0] ?? recall(message)
    if (from === undefined) return message
    if (from === origin && marks.length === 0) return message
    changed = true
    if (from === origin) return withoutMarks(message)
    for (const { id } of message.tool_calls ?? []) if (splitSignedId(id).signature !== undefined) bared.add(id)
    return withoutReasoning(message)
  })
  if (!changed) return request
  return { ...request, messages: bared.size === 0 ? messages : messages.map((message) => bareResult(message, bared)) }
}

// Members that hold reasoning, ours and those of providers that clients send back as they came.
const reasoningMembers = ['thinking_blocks', 'reasoning_content', 'reasoning', 'reasoning_details']

// Written out: every message of every history passes here.
function carriesReasoning(message: ChatMessage): message is AssistantMessage {
  if (message.role !== 'assistant') return false
  return (
    (message.thinking_blocks ?? undefined) !== undefined ||
    (message.reasoning_content ?? undefined) !== undefined ||
    (message['reasoning'] ?? undefined) !== undefined ||
    (message['reasoning_details'] ?? undefined) !== undefined ||
    (message.tool_calls ? message.tool_calls.some(isSigned) : false) ||
    (message['images'] !== undefined && signedImages(message['images']).length > 0)
  )
}

const isSigned = (call: ToolCall): boolean =>
  splitSignedId(call.id).signature !== undefined || hasSignature(call) || 'extra_content' in call

function marksOf(message: AssistantMessage): readonly string[] {
  const calls = (message.tool_calls ?? []).map(({ provider_specific_fields: fields }) => fields?.['origin'])
  const blocks = (message.thinking_blocks ?? []).map((block) => block['origin'])
  const images = imagesOf(message['images']).map((image) => image['origin'])
  return [...blocks, ...calls, ...images].map(stringOf).filter((mark) => mark !== undefined)
}

function withoutMember<T extends JsonObject>(object: T, name: string): T {
  if (!(name in object)) return object
  const { [name]: _removed, ...rest } = object
  return rest as T
}

function withoutMarks(message: AssistantMessage): AssistantMessage {
  const { thinking_blocks: blocks, tool_calls: calls } = message
  return {
    ...message,
    ...(blocks && { thinking_blocks: blocks.map((block) => withoutMember(block, 'origin')) }),
    ...(calls && { tool_calls: calls.map((call) => withoutFields(call, ['origin'])) }),
    ...(Array.isArray(message['images']) && {
      images: imagesOf(message['images']).map((image) => withoutMember(image, 'origin')),
    }),
  }
}

function withoutFields(call: ToolCall, names: readonly string[]): ToolCall {
  const fields = call.provider_specific_fields
  if (!fields) return call
  return { ...call, provider_specific_fields: names.reduce((rest, name) => withoutMember(rest, name), fields) }
}

function withoutReasoning(message: AssistantMessage): AssistantMessage {
  const { tool_calls: calls } = message
  const kept = reasoningMembers.reduce((rest, name) => withoutMember(rest, name), message)
  return {
    ...kept,
    ...(calls && { tool_calls: calls.map(withoutSignature) }),
    ...(Array.isArray(message['images']) && {
      images: imagesOf(message['images']).map((image) =>
        withoutMember(withoutMember(image, 'origin'), 'thought_signature'),
      ),
    }),
  }
}

function withoutSignature(call: ToolCall): ToolCall {
  const bare = withoutMember(withoutFields(call, ['origin', 'thought_signature']), 'extra_content')
  return { ...bare, id: toBareId(call.id) }
}

function bareResult(message: ChatMessage, ids: ReadonlySet<string>): ChatMessage {
  if (message.role !== 'tool' || !ids.has(message.tool_call_id)) return message
  return { ...message, tool_call_id: toBareId(message.tool_call_id) }
}
