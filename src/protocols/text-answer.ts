import type { FinishReason } from '../wire/chat.js'
import type { Completion, CompletionChunk } from '../wire/completions.js'
import type { ChatUsage } from '../wire/usage.js'
import { type JsonObject, numberOf } from '../wire/json.js'
import { toFinishReason } from './finish-reason.js'
import type { Exchange, StreamPart } from './protocol.js'

type Choice = Completion['choices'][number]

/** What is common to every text completion: identity and kind; without an id of the provider's one is made. */
export function textHead(
  { id, created, deployment }: Exchange<'completions'>,
  given: { readonly id?: string | undefined; readonly model?: string | undefined } = {},
): Pick<Completion, 'id' | 'object' | 'created' | 'model'> {
  return { id: given.id ?? `cmpl-${id}`, object: 'text_completion', created, model: given.model ?? deployment.model }
}

/** One finished choice; `native` is the provider's own word for why it ended. */
export function textChoice(index: number, text: string, native: string | undefined): Choice {
  return { index, text, finish_reason: toTextFinish(native), logprobs: null }
}

/** OpenAI's reason of a text completion. */
export function toTextFinish(native: string | undefined): Choice['finish_reason'] {
  const reason: FinishReason = toFinishReason(native)
  return reason === 'length' || reason === 'content_filter' ? reason : 'stop'
}

/** Token counts as usage; undefined where the provider told neither, since a made-up zero would be billed as one. */
export function countsToUsage(prompt: unknown, completion: unknown): ChatUsage | undefined {
  const [input, output] = [numberOf(prompt), numberOf(completion)]
  if (input === undefined && output === undefined) return undefined
  const counts = { prompt_tokens: input ?? 0, completion_tokens: output ?? 0 }
  return { ...counts, total_tokens: counts.prompt_tokens + counts.completion_tokens }
}

/** A piece of a streamed text completion. */
export function textPart(
  head: ReturnType<typeof textHead>,
  choices: CompletionChunk['choices'],
  usage?: ChatUsage,
): StreamPart<CompletionChunk> {
  return { chunk: { ...head, choices, ...(usage && { usage }) }, forward: undefined }
}

/** The stop sequences as a list, whichever way OpenAI's `stop` was written. */
export function stopList(stop: unknown): readonly unknown[] {
  return Array.isArray(stop) ? stop : [stop]
}

/** The JSON request of a codec. */
export function jsonRequest(path: string, body: JsonObject, droppedParams: readonly string[], stream = false) {
  return {
    method: 'POST' as const,
    path,
    headers: { 'content-type': 'application/json', accept: stream ? 'text/event-stream' : 'application/json' },
    body: JSON.stringify(body),
    droppedParams,
  }
}
