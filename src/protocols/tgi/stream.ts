import type { CompletionChunk } from '../../wire/completions.js'
import { isObject, type JsonObject, numberOf, parseJson, stringOf } from '../../wire/json.js'
import { readErrorText, toUpstreamError } from '../failure.js'
import { truncated } from '../invalid-answer.js'
import { MalformedEvents } from '../malformed-events.js'
import type { Exchange, StreamDecoder, StreamPart } from '../protocol.js'
import { countsToUsage, textHead, textPart, toTextFinish } from '../text-answer.js'
import { readHuggingFaceFailure, statusOfError } from './failure.js'

/** Decodes the events of `/generate_stream`: a token each, and with the last one the whole text and its details. */
export function createTgiStream(exchange: Exchange<'completions'>): StreamDecoder<CompletionChunk> {
  const { provider } = exchange.deployment
  const head = textHead(exchange)
  const malformed = new MalformedEvents(provider)
  let tokens = 0
  let last: JsonObject | undefined

  const read = (event: JsonObject): readonly StreamPart<CompletionChunk>[] => {
    if (event['error'] !== undefined && readErrorText(event)) {
      const status = statusOfError(event)
      throw toUpstreamError(readHuggingFaceFailure(status, event), status, provider)
    }
    const token = isObject(event['token']) ? event['token'] : {}
    tokens += 1
    if (typeof event['generated_text'] === 'string') last = event
    const text = stringOf(token['text'])
    // Marks of the model's own language are no part of the answer.
    if (text === undefined || token['special'] === true) return []
    return [textPart(head, [{ index: 0, text, finish_reason: null, logprobs: null }])]
  }

  return {
    get progress() {
      return last === undefined ? 'open' : 'terminated'
    },
    push({ data }) {
      if (data.trim() === '[DONE]') return []
      const event = parseJson(data)
      if (isObject(event)) return read(event)
      malformed.skip(false)
      return []
    },
    end() {
      if (!last) throw truncated(provider)
      const details = isObject(last['details']) ? last['details'] : {}
      const finish = toTextFinish(stringOf(details['finish_reason']))
      const usage = countsToUsage(numberOf(details['input_length']), numberOf(details['generated_tokens']) ?? tokens)
      return [
        textPart(head, [{ index: 0, text: '', finish_reason: finish, logprobs: null }]),
        ...(usage ? [textPart(head, [], usage)] : []),
      ]
    },
  }
}
