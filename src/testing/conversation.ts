import type { JsonObject } from '../wire/json.js'

/** A tool that the caller offers, whatever the dialect calls it. */
export interface OfferedTool {
  readonly name: string
  /** JSON schema of its arguments. */
  readonly schema: JsonObject
}

/** A chat request with the differences of the dialects taken out: all that an answer depends on. */
export interface Conversation {
  readonly model: string
  /** Text of the last user message. */
  readonly userText: string
  /** What a tool answered, where the last message is a tool's result. */
  readonly toolResult: string | undefined
  /** One per word of every text, 85 per image or file. */
  readonly promptTokens: number
  readonly tools: readonly OfferedTool[]
  /** `required` or a tool's name forces a call. */
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string }
  readonly maxTokens: number | undefined
  readonly stop: readonly string[]
  /** Set where the answer must be JSON; an empty schema means any object. */
  readonly jsonSchema: JsonObject | undefined
  readonly reasoning: boolean
  readonly choices: number
}

/** Tokens of an image or a file in a prompt. */
export const mediaTokens = 85

/** Words of a text, which are its tokens here. */
export function countWords(text: string): number {
  let count = 0
  let inWord = false
  for (let index = 0; index < text.length; index++) {
    const space = isSpace(text.charCodeAt(index))
    if (!space && !inWord) count += 1
    inWord = !space
  }
  return count
}

/** True for the code of a character that parts words. */
export function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13)
}
