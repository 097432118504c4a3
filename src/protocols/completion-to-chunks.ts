import type { ChatChunk, ChatCompletion, ChatDelta } from '../wire/chat.js'

/** A whole answer as the chunks of a stream: role and content, then finish reason, per choice; then usage. */
export function completionToChunks(completion: ChatCompletion): ChatChunk[] {
  const { choices, usage, object: _object, ...shared } = completion
  const toChunk = (chunkChoices: ChatChunk['choices']): ChatChunk => ({
    ...shared,
    object: 'chat.completion.chunk',
    choices: chunkChoices,
  })
  const chunks = choices.flatMap(({ message, finish_reason: reason, index, logprobs, ...rest }) => {
    const withLogprobs = logprobs ? { logprobs } : undefined
    return [
      toChunk([{ index, delta: toDelta(message), finish_reason: null, ...withLogprobs }]),
      toChunk([{ ...rest, index, delta: {}, finish_reason: reason }]),
    ]
  })
  return usage ? [...chunks, { ...toChunk([]), usage }] : chunks
}

function toDelta(message: ChatCompletion['choices'][number]['message']): ChatDelta {
  const { tool_calls: calls, refusal, ...rest } = message
  return {
    ...rest,
    ...(typeof refusal === 'string' && { refusal }),
    ...(calls && { tool_calls: calls.map((call, index) => ({ ...call, index })) }),
  }
}
