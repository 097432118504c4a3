import { completionToChunks } from '../protocols/completion-to-chunks.js'
import type { StreamPart } from '../protocols/protocol.js'
import type { ChatCompletion } from '../wire/chat.js'
import type { Completion, CompletionChunk } from '../wire/completions.js'
import type { Operations, StreamOperation } from '../wire/operations.js'

const toChunks: { readonly [K in StreamOperation]: (whole: Operations[K]['response']) => Operations[K]['chunk'][] } = {
  chat: (whole: ChatCompletion) => completionToChunks(whole),
  completions: textToChunks,
}

/** A whole answer as the stream that was asked for, of providers that answered at once. */
export function completionToParts<K extends StreamOperation>(
  operation: K,
  whole: Operations[K]['response'],
): readonly StreamPart<Operations[K]['chunk']>[] {
  return toChunks[operation](whole).map((chunk) => ({ chunk, forward: undefined }))
}

function textToChunks(whole: Completion): CompletionChunk[] {
  const { usage, ...rest } = whole
  return usage ? [rest, { ...rest, choices: [], usage }] : [rest]
}
