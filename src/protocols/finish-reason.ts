import type { FinishReason } from '../wire/chat.js'

const reasons: Readonly<Record<FinishReason, readonly string[]>> = {
  stop: [
    'stop',
    'end_turn',
    'stop_sequence',
    'pause_turn',
    'complete',
    'eos',
    'eos_token',
    'end_of_text',
    'endoftext',
    'finished',
    'finish_reason_unspecified',
    'other',
    'malformed_function_call',
    'too_many_tool_calls',
    'malformed_response',
    'malformed_model_output',
    'malformed_tool_use',
    'unexpected_tool_call',
    'error',
    'null',
    'network_error',
    'done',
    'no_image',
  ],
  length: [
    'length',
    'max_tokens',
    'max_new_tokens',
    'max_output_tokens',
    'model_length',
    'maximum_tokens',
    'token_limit',
    'model_context_window_exceeded',
    'compaction',
    'context_length_exceeded',
  ],
  tool_calls: ['tool_calls', 'tool_call', 'tool_use', 'tool'],
  function_call: ['function_call'],
  content_filter: [
    'content_filter',
    'content_filtered',
    'content-filter',
    'guardrail_intervened',
    'refusal',
    'safety',
    'recitation',
    'blocklist',
    'prohibited_content',
    'spii',
    'language',
    'image_safety',
    'image_prohibited_content',
    'image_recitation',
    'error_toxic',
    'sensitive',
    'blocked',
  ],
}

const byNativeReason: ReadonlyMap<string, FinishReason> = new Map(
  (Object.keys(reasons) as FinishReason[]).flatMap((reason) =>
    reasons[reason].map((native) => [native, reason] as const),
  ),
)

/**
 * Maps any provider's finish reason, in any case, onto OpenAI's five; unknown ones are `stop`.
 * A plain stop becomes `tool_calls` where the answer holds tool calls: Gemini, Ollama, xAI and some vLLM say so.
 */
export function toFinishReason(native: string | null | undefined, hasToolCalls = false): FinishReason {
  const reason = byNativeReason.get((native ?? '').toLowerCase()) ?? 'stop'
  return reason === 'stop' && hasToolCalls ? 'tool_calls' : reason
}

/** True where the native reason is not one of OpenAI's own words, so that it is worth keeping beside the mapped one. */
export function isForeignFinishReason(native: string): boolean {
  return !(native in reasons)
}
