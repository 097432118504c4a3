import { isObject, parseJson, stringOf, type JsonObject } from '../../src/wire/json.js'
import type { Answer, Expected } from './answer.js'
import { at, objectsIn, type Exchange } from './exchange.js'
import { readAnthropicAnswer } from './expected-anthropic.js'
import { readGeminiAnswer } from './expected-gemini.js'
import { furtherDialect } from './further/index.js'
import { readOpenAiAnswer } from './expected-openai.js'
import { readResponsesAnswer, responsesFailure } from './expected-responses.js'
import type { Dialect } from './scope.js'
import { payloadsOf, readSse } from './sse-events.js'

/** What the client has to get for a recorded reply, read from the recording alone. */
export function expectedOf(exchange: Exchange, dialect: Dialect): Expected {
  const { response } = exchange
  const { status, text, format } = response
  if (status >= 400) return { kind: 'error', status, message: errorMessage(parseJson(text) ?? text) }
  const payloads = payloadsOf(text, format)
  const streamed = format === 'sse' || format === 'eventstream' || (format === 'json' && text.startsWith('['))
  const failed = payloads.find(isFailure)
  if (failed !== undefined) {
    return { kind: 'error', status: undefined, message: errorMessage(responsesFailure(failed) ?? failed) }
  }
  const answer = furtherDialect(dialect)?.answer?.(payloads, exchange) ?? readAnswer(payloads, dialect, streamed)
  if (answer.choices.size === 0) return { kind: 'error', status: undefined, message: undefined }
  const finished = [...answer.choices.values()].every((choice) => choice.finish !== undefined)
  if (finished) return { kind: 'answer', answer }
  const closed = !streamed || readSse(text).some(({ data }) => data.trim() === '[DONE]')
  return closed ? { kind: 'unfinished', answer } : { kind: 'error', status: undefined, message: undefined }
}

function readAnswer(payloads: readonly unknown[], dialect: Dialect, streamed: boolean): Answer {
  if (dialect === 'responses') return readResponsesAnswer(payloads, streamed)
  if (dialect === 'anthropic') return readAnthropicAnswer(payloads, streamed)
  return dialect === 'gemini' ? readGeminiAnswer(payloads) : readOpenAiAnswer(payloads)
}

/** An error inside a 200: the whole body, one event, or (Together, OpenRouter) a member of a choice. */
function isFailure(payload: unknown): boolean {
  if (!isObject(payload)) return true
  if (responsesFailure(payload) !== undefined) return true
  if (isError(payload['error']) || isError(at(payload, 'x_groq', 'error'))) return true
  return objectsIn(payload['choices']).some((choice) => choice['finish_reason'] === 'error' || isError(choice['error']))
}

function isError(value: unknown): boolean {
  return isObject(value) || stringOf(value) !== undefined
}

/** The provider's own words in an error body of any shape; undefined where there are none to quote. */
function errorMessage(body: unknown): string | undefined {
  if (Array.isArray(body)) return errorMessage(body[0])
  if (typeof body === 'string')
    return body.trimStart().startsWith('<') ? undefined : stringOf(body.trim().slice(0, 500))
  if (!isObject(body)) return undefined
  const { error, message, detail, errors } = body
  if (isObject(error)) return errorMessage(error)
  return stringOf(message) ?? stringOf(error) ?? detailMessage(detail) ?? firstOf(errors) ?? firstOf(error)
}

function detailMessage(detail: unknown): string | undefined {
  if (isObject(detail)) return errorMessage(detail)
  return stringOf(detail) ?? objectsIn(detail).map((entry) => stringOf(entry['msg']))[0]
}

function firstOf(errors: unknown): string | undefined {
  const [first] = objectsIn(errors) as readonly (JsonObject | undefined)[]
  return first === undefined ? undefined : errorMessage(first)
}
