/** A tool call as it was asked for. */
export interface CalledTool {
  /** Undefined where the provider sent none. */
  readonly id: string | undefined
  readonly name: string
  /** JSON text. */
  readonly arguments: string
}

/** What one choice of an answer says, however it was framed. */
export interface AnsweredChoice {
  readonly text: string
  readonly reasoning: string
  readonly toolCalls: readonly CalledTool[]
  /** OpenAI's finish reason; undefined where the provider gave none. */
  readonly finish: string | undefined
  readonly images: number
}

/** Tokens of an answer; undefined where the provider did not tell. */
export interface AnsweredUsage {
  readonly prompt: number | undefined
  readonly completion: number | undefined
  readonly total: number | undefined
}

/** An answer, reduced to what every dialect can say. */
export interface Answer {
  /** By choice index. */
  readonly choices: ReadonlyMap<number, AnsweredChoice>
  readonly usage: AnsweredUsage | undefined
}

/** What a recorded reply has to become at the client. */
export type Expected =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** An explicit error; `message` has to be in the words of it where it is known. */
  | { readonly kind: 'error'; readonly message: string | undefined; readonly status: number | undefined }
  /** The provider closed properly without a finish reason: an answer with one, or an explicit error; never silence. */
  | { readonly kind: 'unfinished'; readonly answer: Answer }

// After https://platform.openai.com/docs/api-reference/chat/object and every provider's own page about its values.
const finishReasons: Readonly<Record<string, string>> = {
  stop: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  eos: 'stop',
  eos_token: 'stop',
  STOP: 'stop',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  model_context_window_exceeded: 'length',
  MAX_TOKENS: 'length',
  tool_calls: 'tool_calls',
  tool_call: 'tool_calls',
  tool_use: 'tool_calls',
  function_call: 'function_call',
  content_filter: 'content_filter',
  refusal: 'content_filter',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  IMAGE_RECITATION: 'content_filter',
  MALFORMED_FUNCTION_CALL: 'stop',
  NO_IMAGE: 'stop',
  OTHER: 'stop',
  UNEXPECTED_TOOL_CALL: 'stop',
  '': 'stop',
}

/** OpenAI's word for a provider's finish reason; a plain stop beside tool calls means that the tools are to be called. */
export function finishReasonOf(native: string, toolCalls: number): string {
  const reason = finishReasons[native]
  if (reason === undefined) throw new Error(`no row for the finish reason ${native}`)
  return reason === 'stop' && toolCalls > 0 ? 'tool_calls' : reason
}
