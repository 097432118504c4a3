import type { ContentPart } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import type { ReasoningPiece, ReasoningShape } from '../signed-reasoning.js'

/** Databricks gives Claude's reasoning as a part of the content, with the signature beside its text. */
export const contentReasoning: ReasoningShape = {
  marker: '"reasoning"',
  read: ({ content }) => (Array.isArray(content) ? content.filter(isObject).flatMap(readPart) : []),
  write(message, blocks) {
    const thinking = blocks.map(({ thinking: text, signature }): ContentPart => ({
      type: 'reasoning',
      summary: [{ type: 'summary_text', text, signature }],
    }))
    return { ...message, content: [...thinking, ...toParts(message.content)] }
  },
}

function readPart(part: JsonObject): readonly ReasoningPiece[] {
  const { summary } = part
  if (part['type'] !== 'reasoning' || !Array.isArray(summary)) return []
  return summary
    .filter(isObject)
    .map((piece) => ({ text: stringOf(piece['text']) ?? '', signature: stringOf(piece['signature']) }))
}

function toParts(content: string | readonly ContentPart[] | null | undefined): readonly ContentPart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return content ?? []
}
