import type { AssistantMessage, ThinkingBlock, ToolCall } from '../../wire/chat.js'
import { isObject, stringOf } from '../../wire/json.js'
import { splitSignedId } from '../signed-call-id.js'

export { toBareId, toSignedId } from '../signed-call-id.js'

/** Marks thinking blocks whose signature is Gemini's; OpenRouter's name for the format. Other families' are never sent. */
export const signatureFormat = 'google-gemini-v1'

/** What stands for a signature that does not exist: https://ai.google.dev/gemini-api/docs/thought-signatures. */
export const missingSignature = 'skip_thought_signature_validator'

// Clients that store ids in narrow columns cut them at these lengths; no real signature is short enough to fit.
const cutLengths = [40, 64]

const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/_-]+={0,2}$/.test(text)

function fromId(id: string): string | undefined {
  return cutLengths.includes(id.length) ? undefined : splitSignedId(id).signature
}

function fromExtraContent(call: ToolCall): string | undefined {
  const extra = call['extra_content']
  const google = isObject(extra) ? extra['google'] : undefined
  return isObject(google) ? stringOf(google['thought_signature']) : undefined
}

/** The signature that came with a tool call: as our field, as Google's own OpenAI-style field, or inside the id. */
export function signatureOfCall(call: ToolCall): string | undefined {
  const signature = call.provider_specific_fields?.thought_signature ?? fromExtraContent(call) ?? fromId(call.id)
  return signature !== undefined && isBase64(signature) ? signature : undefined
}

/** A thinking block in which Gemini's signature survives a round trip; `thinking` is empty for a signature on plain text. */
export function toThinkingBlock(thinking: string, signature: string): ThinkingBlock {
  return { type: 'thinking', thinking, signature, format: signatureFormat }
}

/** The thoughts of an assistant message; signatures only where they are Gemini's. */
export function thoughtsOf(message: AssistantMessage): readonly { text: string; signature: string | undefined }[] {
  const blocks = (message.thinking_blocks ?? []).flatMap((block) => {
    if (block.type !== 'thinking' || typeof block['thinking'] !== 'string') return []
    const own = block['format'] === signatureFormat ? stringOf(block['signature']) : undefined
    return [{ text: block['thinking'], signature: own !== undefined && isBase64(own) ? own : undefined }]
  })
  const hasText = blocks.some(({ text }) => text !== '')
  const reasoning = stringOf(message.reasoning_content)
  return hasText || reasoning === undefined ? blocks : [{ text: reasoning, signature: undefined }, ...blocks]
}
