import type { AssistantMessage, ChatMessage, ContentPart } from '../../wire/chat.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import type { Quirks } from './quirks.js'
import { toShortId } from './tool-call-ids.js'

/** What messages need to become for one target. */
export interface MessageRules {
  readonly quirks: NonNullable<Quirks['messages']>
  /** How the instructions' role is spelled; `as_given` leaves system and developer alone. */
  readonly instructions: 'as_given' | 'system' | 'developer'
  readonly keepCacheControl: boolean
}

type Content = ChatMessage['content']
type CacheControl = { type: string; ttl?: string }

/** Brings messages into the target's form. Gives back the same array where none changes, and the same message objects where possible. */
export function toUpstreamMessages(messages: readonly ChatMessage[], rules: MessageRules): readonly ChatMessage[] {
  let changed: ChatMessage[] | undefined
  messages.forEach((message, position) => {
    const after = toUpstreamMessage(message, rules)
    if (after === message && changed === undefined) return
    changed ??= messages.slice(0, position)
    if (after !== undefined) changed.push(after)
  })
  return changed ?? messages
}

function toUpstreamMessage(message: ChatMessage, rules: MessageRules): ChatMessage | undefined {
  const { quirks, instructions, keepCacheControl } = rules
  const changes: Record<string, unknown> = {}
  const removed: string[] = []

  const isInstruction = message.role === 'system' || message.role === 'developer'
  if (isInstruction && instructions !== 'as_given' && message.role !== instructions) changes['role'] = instructions

  const content = toUpstreamContent(message, rules)
  if (content !== message.content) changes['content'] = content

  if ('cache_control' in message && (!keepCacheControl || quirks.cacheControlOnParts)) removed.push('cache_control')
  if ('name' in message && dropsName(message, quirks.dropName)) removed.push('name')

  if (message.role === 'assistant') {
    if (quirks.dropEmptyAssistant && isEmptyAssistant(message)) return undefined
    changeAssistant(message, quirks, changes, removed)
  }
  if (message.role === 'tool' && quirks.shortToolCallIds) {
    const id = toShortId(message.tool_call_id)
    if (id !== message.tool_call_id) changes['tool_call_id'] = id
  }
  if (removed.length === 0 && Object.keys(changes).length === 0) return message
  const after: Record<string, unknown> = { ...message, ...changes }
  for (const name of removed) delete after[name]
  return after as ChatMessage
}

function dropsName(message: ChatMessage, rule: 'always' | 'except_tool' | undefined): boolean {
  if (rule === undefined || message.role === 'function') return false
  return rule === 'always' || message.role !== 'tool' || !('name' in message && message.name)
}

const isEmptyAssistant = ({ content, tool_calls, function_call }: AssistantMessage): boolean =>
  (content === undefined || content === null || content.length === 0) && !tool_calls?.length && !function_call

function changeAssistant(
  message: AssistantMessage,
  quirks: NonNullable<Quirks['messages']>,
  changes: Record<string, unknown>,
  removed: string[],
): void {
  // Claude's blocks and our own notes mean nothing in this dialect.
  for (const name of ['thinking_blocks', 'provider_specific_fields']) if (name in message) removed.push(name)

  const calls = toUpstreamCalls(message.tool_calls, quirks)
  if (calls !== message.tool_calls) changes['tool_calls'] = calls

  const { reasoningContent } = quirks
  const isDue = reasoningContent === 'always' || (reasoningContent === 'tool_calls' && message.tool_calls?.length)
  if (!isDue) {
    if (reasoningContent !== 'as_given' && 'reasoning_content' in message) removed.push('reasoning_content')
  } else if (typeof message.reasoning_content !== 'string') {
    // Clients that drop reasoning would make the provider refuse the history; Kimi refuses an empty text as well.
    changes['reasoning_content'] = reasoningContent === 'always' ? '' : ' '
  }
  if (!quirks.dropNulls) return
  for (const [name, value] of Object.entries(message)) {
    if (value === null && !(name in changes)) removed.push(name)
  }
}

type Calls = AssistantMessage['tool_calls']

function toUpstreamCalls(calls: Calls, quirks: NonNullable<Quirks['messages']>): Calls {
  if (!calls) return calls
  const after = calls.map((call) => {
    const id = quirks.shortToolCallIds ? toShortId(call.id) : call.id
    // Servers that parse the history's arguments fail on an empty text.
    const isEmpty = call.function?.arguments.trim() === ''
    const hasNotes = 'provider_specific_fields' in call
    const hasExtras =
      quirks.plainToolCalls && Object.keys(call).some((name) => !['id', 'type', 'function'].includes(name))
    if (id === call.id && !isEmpty && !hasNotes && !hasExtras) return call
    const { provider_specific_fields: _notes, ...rest } = call
    const base = quirks.plainToolCalls
      ? { id, type: call.type ?? 'function', function: call.function }
      : { ...rest, id }
    return isEmpty ? { ...base, function: { ...call.function, arguments: '{}' } } : base
  }) as NonNullable<Calls>
  return after.every((call, position) => call === calls[position]) ? calls : after
}

function toUpstreamContent(message: ChatMessage, rules: MessageRules): Content {
  const { content } = message
  const control = movedControl(message, rules)
  if (!Array.isArray(content)) {
    return control && typeof content === 'string' ? [{ type: 'text', text: content, cache_control: control }] : content
  }
  const parts = toUpstreamParts(content, rules, control)
  if (rules.quirks.flattenText || (rules.quirks.toolContentString && message.role === 'tool')) {
    const text = textOf(parts)
    if (text !== undefined) return text
    if (rules.quirks.toolContentString && message.role === 'tool') return JSON.stringify(parts)
  }
  return parts
}

/** The cache mark of a message that has to stand on its last part instead. */
function movedControl(message: ChatMessage, { quirks, keepCacheControl }: MessageRules): CacheControl | undefined {
  if (!keepCacheControl || !quirks.cacheControlOnParts || !('cache_control' in message)) return undefined
  const control = message['cache_control']
  return isObject(control) ? (control as CacheControl) : undefined
}

/** The text of parts that are nothing but text; undefined where another part is among them. */
function textOf(parts: readonly ContentPart[]): string | undefined {
  let text = ''
  for (const part of parts) {
    if (part.type !== 'text' || typeof part['text'] !== 'string') return undefined
    text += part['text']
  }
  return text
}

function toUpstreamParts(
  parts: readonly ContentPart[],
  { keepCacheControl }: MessageRules,
  control: CacheControl | undefined,
): ContentPart[] {
  const after = parts.map((part) => toUpstreamPart(part, keepCacheControl))
  const last = after.at(-1)
  if (control && last && !('cache_control' in last)) after[after.length - 1] = { ...last, cache_control: control }
  return after.every((part, position) => part === parts[position]) ? (parts as ContentPart[]) : after
}

function toUpstreamPart(part: ContentPart, keepCacheControl: boolean): ContentPart {
  if (!isObject(part)) return part
  let after: JsonObject = part
  if ('cache_control' in after && !keepCacheControl) after = without(after, 'cache_control')
  const image = after['image_url']
  if (part.type === 'image_url' && typeof image === 'string') after = { ...after, image_url: { url: image } }
  // `format` tells us the media type; providers do not know it.
  for (const name of ['image_url', 'file']) {
    const inner = after[name]
    if (part.type === name && isObject(inner) && 'format' in inner) {
      after = { ...after, [name]: without(inner, 'format') }
    }
  }
  return after as ContentPart
}

function without(object: JsonObject, name: string): JsonObject {
  const { [name]: _removed, ...rest } = object
  return rest
}
