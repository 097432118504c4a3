import type { UpstreamEvent } from '../../upstream/message.js'
import type { CompletionChunk } from '../../wire/completions.js'
import { isObject, parseJson } from '../../wire/json.js'
import { invalidAnswer, truncated } from '../invalid-answer.js'
import { readErrorText } from '../failure.js'
import type { Exchange, StreamDecoder, StreamProgress } from '../protocol.js'
import { textPart, textHead } from '../text-answer.js'

/** Reads a streamed generation: plain texts with a zero byte behind each, the last one `[DONE]`. Nobody counts tokens. */
export function createTextStream(exchange: Exchange<'completions'>): StreamDecoder<CompletionChunk> {
  const { provider } = exchange.deployment
  const head = textHead(exchange)
  let progress: StreamProgress = 'open'
  return {
    framing: 'nul',
    get progress() {
      return progress
    },
    push({ data }: UpstreamEvent) {
      if (progress !== 'open') return []
      if (data.trim() === '[DONE]') {
        progress = 'terminated'
        return [textPart(head, [{ index: 0, text: '', finish_reason: 'stop', logprobs: null }])]
      }
      const error = data.startsWith('{') ? parseJson(data) : undefined
      if (isObject(error) && readErrorText(error) !== undefined) throw invalidAnswer(error, provider, 'an error')
      return [textPart(head, [{ index: 0, text: data, finish_reason: null, logprobs: null }])]
    },
    end() {
      if (progress === 'open') throw truncated(provider)
      return []
    },
  }
}
