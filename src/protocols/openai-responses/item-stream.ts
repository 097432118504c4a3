import type { ChatDelta } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { argumentsOf, isCommentary, objectsOf, textOfPart, toAnnotation, toImage, toToolCall } from './output.js'
import { reasoningText, toThinkingBlock } from './reasoning.js'
import { type Handle, none, type OpenItem, type Part, type State } from './stream-state.js'

// Some servers change an item's id from event to event, others leave the index out.
function keyOf(event: JsonObject, item: JsonObject): string {
  const index = numberOf(event['output_index'])
  return index === undefined ? (stringOf(event['item_id']) ?? stringOf(item['id']) ?? '') : String(index)
}

function openItem(state: State, key: string, start: JsonObject): OpenItem {
  const isCall = start['type'] === 'function_call' || start['type'] === 'custom_tool_call'
  const item: OpenItem = {
    start,
    position: isCall ? state.toolCalls++ : -1,
    sent: false,
    reasoningFrom: undefined,
    part: undefined,
    offset: state.text.length,
    closed: false,
  }
  state.items.set(key, item)
  return item
}

function itemOf(state: State, event: JsonObject, type: string): OpenItem {
  const key = keyOf(event, {})
  return state.items.get(key) ?? openItem(state, key, { type })
}

function startCall(state: State, { start, position }: OpenItem): Part {
  const call = toToolCall(start, `call_${state.exchange.id}_${position}`)
  const id = call?.id ?? ''
  if (call?.function) return state.build.toolCall(0, position, id, call.function.name)
  return customDelta(state, {
    index: position,
    id,
    type: 'custom',
    custom: { name: call?.custom?.name ?? '', input: '' },
  })
}

type CallDelta = NonNullable<ChatDelta['tool_calls']>[number]

const customDelta = (state: State, call: CallDelta): Part => state.build.delta(0, { tool_calls: [call] })

/** `response.output_item.added`: a call is announced with its name. */
export const onItemAdded: Handle = (state, event) => {
  const start = isObject(event['item']) ? event['item'] : {}
  const item = openItem(state, keyOf(event, start), start)
  return item.position === -1 ? none : [startCall(state, item)]
}

/** Text of the answer, or of a comment on the work, which counts as reasoning. */
export const onText: Handle = (state, event) => {
  const text = stringOf(event['delta'])
  const item = itemOf(state, event, 'message')
  if (text === undefined) return none
  if (isCommentary(item.start)) return addReasoning(state, item, 'text', event['content_index'], text)
  if (item.part !== event['content_index']) {
    item.part = event['content_index']
    item.offset = state.text.length
  }
  item.sent = true
  state.text += text
  const part = state.build.content(0, text)
  const logprobs = objectsOf(event['logprobs'])
  return [logprobs.length === 0 ? part : withLogprobs(part, logprobs)]
}

function withLogprobs(part: Part, content: readonly JsonObject[]): Part {
  if (!part.chunk) return part
  const choices = part.chunk.choices.map((choice) => ({
    ...choice,
    logprobs: { content: [...content], refusal: null },
  }))
  return { ...part, chunk: { ...part.chunk, choices } }
}

/** `response.refusal.delta` */
export const onRefusal: Handle = (state, event) => {
  const refusal = stringOf(event['delta'])
  itemOf(state, event, 'message').sent = true
  return refusal === undefined ? none : [state.build.delta(0, { refusal })]
}

function addReasoning(state: State, item: OpenItem, from: string, part: unknown, text: string): readonly Part[] {
  item.reasoningFrom ??= from
  if (item.reasoningFrom !== from) return none
  const isNew = !item.sent || item.part !== part
  const gap = isNew && state.reasoned ? '\n\n' : ''
  item.part = part
  item.sent = true
  state.reasoned = true
  return [state.build.reasoning(0, gap + text)]
}

/** `response.reasoning_summary_text.delta`, and `response.reasoning_text.delta` of open models. */
export const onReasoning: Handle = (state, event) => {
  const text = stringOf(event['delta'])
  if (text === undefined) return none
  const item = itemOf(state, event, 'reasoning')
  return addReasoning(state, item, String(event['type']), event['summary_index'] ?? event['content_index'], text)
}

/** A fragment of a call's arguments or of a custom tool's input. */
export const onArguments: Handle = (state, event) => {
  const item = state.items.get(keyOf(event, {}))
  const fragment = stringOf(event['delta'])
  if (!item || item.position === -1 || fragment === undefined) return none
  item.sent = true
  return [callFragment(state, item, fragment)]
}

function callFragment(state: State, { start, position }: OpenItem, fragment: string): Part {
  if (start['type'] !== 'custom_tool_call') return state.build.toolArguments(0, position, fragment)
  return customDelta(state, { index: position, custom: { input: fragment } })
}

/** `response.output_text.annotation.added` */
export const onAnnotation: Handle = (state, event) => {
  const item = itemOf(state, event, 'message')
  return addAnnotations(state, [event['annotation']], item.offset)
}

function addAnnotations(state: State, annotations: unknown, offset: number): readonly Part[] {
  const found = objectsOf(annotations).flatMap((annotation) => toAnnotation(annotation, offset) ?? [])
  if (found.length === 0) return none
  state.annotated = true
  return [state.build.delta(0, { annotations: found })]
}

/** `response.output_item.done`: gives what of the item was not streamed. */
export const onItemDone: Handle = (state, event) => {
  const whole = isObject(event['item']) ? event['item'] : {}
  return closeItem(state, keyOf(event, whole), whole)
}

/** Gives what of an item is still owed, once. */
export function closeItem(state: State, key: string, whole: JsonObject): readonly Part[] {
  const known = state.items.get(key)
  if (known?.closed) return none
  const item = known ?? openItem(state, key, whole)
  item.closed = true
  const begun = known || item.position === -1 ? [] : [startCall(state, item)]
  return [...begun, ...rest(state, item, whole)]
}

function rest(state: State, item: OpenItem, whole: JsonObject): readonly Part[] {
  switch (whole['type']) {
    case 'function_call':
      return item.sent ? none : [callFragment(state, item, argumentsOf(whole))]
    case 'custom_tool_call': {
      const input = stringOf(whole['input'])
      return item.sent || input === undefined ? none : [callFragment(state, item, input)]
    }
    case 'message':
      return closeMessage(state, item, whole)
    case 'reasoning':
      return closeReasoning(state, item, whole)
    default:
      return closeHosted(state, whole)
  }
}

function closeMessage(state: State, item: OpenItem, whole: JsonObject): readonly Part[] {
  if (item.sent) return state.annotated ? none : lateAnnotations(state, item, whole)
  return objectsOf(whole['content']).flatMap((part, index) => {
    const text = textOfPart(part)
    const refusal = stringOf(part['refusal'])
    if (refusal !== undefined) return [state.build.delta(0, { refusal })]
    if (text === undefined || text === '') return none
    if (isCommentary(whole)) return addReasoning(state, item, 'text', index, text)
    const offset = state.text.length
    state.text += text
    return [state.build.content(0, text), ...addAnnotations(state, part['annotations'], offset)]
  })
}

/** Servers that announce no annotation tell them with the finished text; its parts lie behind one another. */
function lateAnnotations(state: State, item: OpenItem, whole: JsonObject): readonly Part[] {
  const parts = objectsOf(whole['content'])
  let offset = item.offset - parts.slice(0, -1).reduce((sum, part) => sum + (textOfPart(part) ?? '').length, 0)
  return parts.flatMap((part) => {
    const start = Math.max(0, offset)
    offset += (textOfPart(part) ?? '').length
    return addAnnotations(state, part['annotations'], start)
  })
}

function closeReasoning(state: State, item: OpenItem, whole: JsonObject): readonly Part[] {
  const text = reasoningText(whole)
  const owed = item.sent || text === '' ? none : addReasoning(state, item, 'item', undefined, text)
  const block = toThinkingBlock(whole)
  return block ? [...owed, state.build.thinkingBlock(0, block)] : owed
}

function closeHosted(state: State, whole: JsonObject): readonly Part[] {
  const image = toImage(whole, state.images)
  if (!image) {
    state.hosted.push(whole)
    return none
  }
  state.images += 1
  return [state.build.delta(0, { images: [image] })]
}
