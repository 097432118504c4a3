import type { JsonObject } from '../wire/json.js'

/** Which prompt is meant. */
export interface PromptReference {
  readonly id: string
  /** @default the store's newest, or the one that `label` names */
  readonly version?: string | undefined
  /** Such as `production`, where the store has labels. */
  readonly label?: string | undefined
}

/** One message of a prompt; `{{name}}` in its content stands for a variable. */
export interface PromptMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant'
  readonly content: string
}

/** A prompt as its store keeps it. */
export interface Prompt {
  readonly id: string
  readonly version: string
  readonly messages: readonly PromptMessage[]
  /** The model it was written for. */
  readonly model?: string | undefined
  /** Request parameters that go with it, such as `temperature`. */
  readonly parameters: JsonObject
}

/** Keeps prompts. */
export interface PromptStore {
  /** Undefined where there is no such prompt. Awaited with a deadline, at which `signal` aborts. */
  find(reference: PromptReference, signal: AbortSignal): Promise<Prompt | undefined> | Prompt | undefined
}
