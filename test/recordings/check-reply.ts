import { isObject, numberOf, parseJson, type JsonObject } from '../../src/wire/json.js'
import { CompletionChunk } from '../../src/wire/completions.js'
import type { OpenAiSchema } from '../oracle/openai-schema.js'
import { answerDifferences, usageDifferences } from './answer-differences.js'
import type { Expected } from './answer.js'
import { readStream, type Received } from './client.js'
import { at, objectsIn, type Exchange } from './exchange.js'
import { furtherDialect } from './further/index.js'
import { readOpenAiAnswer } from './expected-openai.js'
import { expectedOf } from './expected.js'
import { violationsOf } from './oracle-exceptions.js'
import type { Replay } from './scope.js'
import { brokenInvariants } from './stream-invariants.js'

/** The request of the client, as far as it decides what the reply must hold. */
export interface Asked {
  readonly stream: boolean
  readonly usage: boolean
}

const wholeSchemas: Readonly<Record<Replay['operation'], OpenAiSchema>> = {
  chat: 'CreateChatCompletionResponse',
  completions: 'CreateCompletionResponse',
  embeddings: 'CreateEmbeddingResponse',
  images: 'ImagesResponse',
  moderations: 'CreateModerationResponse',
}

/** What is wrong with what the client got for a recorded reply; empty where all is right. */
export function checkReply(exchange: Exchange, replay: Replay, asked: Asked, received: Received): readonly string[] {
  if (replay.operation === 'embeddings' || replay.operation === 'images') {
    return checkData(exchange, replay, received)
  }
  const expected = expectedOf(exchange, replay.dialect)
  if (received.status >= 400) return [...checkError(expected, received), ...lostRetryAfter(exchange, received)]
  return asked.stream ? checkStream(expected, replay, asked, received) : checkWhole(expected, replay, received)
}

function checkError(expected: Expected, received: Received): readonly string[] {
  const body = parseJson(received.text)
  const problems = violationsOf('ErrorResponse', body).map((line) => `error body: ${line}`)
  const message = String(at(body, 'error', 'message'))
  if (expected.kind === 'answer') return [...problems, `status ${received.status} where an answer was due: ${message}`]
  if (expected.kind === 'unfinished') return problems
  if (expected.status !== undefined && classOf(expected.status) !== classOf(received.status)) {
    problems.push(`status ${received.status} where the provider answered ${expected.status}: ${message}`)
  }
  return [...problems, ...lostMessage(expected.message, message)]
}

/** A provider's plain number of seconds has to reach the client. */
function lostRetryAfter({ response }: Exchange, received: Received): readonly string[] {
  const seconds = response.headers['retry-after']
  if (response.status !== 429 || seconds === undefined || !/^\d+$/.test(seconds)) return []
  const got = received.headers['retry-after']
  return got === seconds ? [] : [`retry-after ${got ?? 'is lost'} where ${seconds} was due`]
}

function classOf(status: number): number {
  // A provider's own 408 is no fault of the caller, who is told 504.
  return status === 408 ? 5 : Math.floor(status / 100)
}

function lostMessage(expected: string | undefined, message: string): readonly string[] {
  if (expected === undefined || message.includes(expected)) return []
  return [
    `the provider's message is lost: ${JSON.stringify(message.slice(0, 100))} for ${JSON.stringify(expected.slice(0, 100))}`,
  ]
}

function checkWhole(expected: Expected, replay: Replay, received: Received): readonly string[] {
  const body = parseJson(received.text)
  if (expected.kind === 'error') return [`a ${received.status} where an error was due (${expected.message ?? ''})`]
  const got = readOpenAiAnswer([body])
  return [
    ...violationsOf(wholeSchemas[replay.operation], body).map((line) => `reply: ${line}`),
    ...answerDifferences(expected.answer, got),
    ...usageDifferences(expected.answer.usage, got.usage),
  ]
}

function checkStream(expected: Expected, replay: Replay, asked: Asked, received: Received): readonly string[] {
  const { chunks, error, problems } = readStream(received.text)
  const shapes = chunks.flatMap((chunk) => chunkViolations(chunk, replay)).slice(0, 5)
  const found = [...problems, ...shapes.map((line) => `chunk: ${line}`)]
  if (error) {
    const message = String(error['message'])
    found.push(...violationsOf('ErrorResponse', { error }).map((line) => `error event: ${line}`))
    if (expected.kind === 'answer') found.push(`an error where an answer was due: ${message}`)
    return expected.kind === 'error' ? [...found, ...lostMessage(expected.message, message)] : found
  }
  if (expected.kind === 'error') return [...found, `a clean end where an error was due (${expected.message ?? ''})`]
  const got = readOpenAiAnswer(chunks)
  found.push(...brokenInvariants(chunks, asked.usage, replay.operation === 'chat'))
  found.push(...answerDifferences(expected.answer, got))
  if (asked.usage) found.push(...usageDifferences(expected.answer.usage, got.usage))
  return found
}

function chunkViolations(chunk: JsonObject, replay: Replay): readonly string[] {
  if (replay.operation === 'chat') return violationsOf('CreateChatCompletionStreamResponse', chunk)
  // OpenAI describes no chunk of this stream: it is the whole shape with a null finish reason until the end.
  const { success, error } = CompletionChunk.safeParse(chunk)
  return success ? [] : [error.message]
}

/** Embeddings and images: the very vectors and pictures that the provider sent, in its order. */
function checkData(exchange: Exchange, replay: Replay, received: Received): readonly string[] {
  const { bytes, text } = exchange.response
  const recorded = bytes ? { base64: bytes.toString('base64') } : parseJson(text)
  if (exchange.response.status >= 400 || isObject(at(recorded, 'error'))) {
    if (received.status < 400) return [`status ${received.status} where an error was due`]
    return checkError(expectedOf(exchange, replay.dialect), received)
  }
  const known = furtherDialect(replay.dialect)?.data?.(recorded)
  const body = parseJson(received.text)
  // A reply that holds none of what was asked for is an error, whatever its status.
  if (received.status >= 400 && known?.length === 0) return []
  if (received.status >= 400)
    return [`status ${received.status} where an answer was due: ${received.text.slice(0, 200)}`]
  const plain = replay.operation === 'embeddings' ? withFloats(body) : body
  const problems = violationsOf(wholeSchemas[replay.operation], plain).map((line) => `reply: ${line}`)
  const [due, got] = [known?.map(datum) ?? recordedData(recorded), objectsIn(at(body, 'data')).map(datum)]
  if (due.length !== got.length) return [...problems, `${got.length} items where ${due.length} were due`]
  const wrong = due.findIndex((item, index) => item !== got[index])
  if (wrong >= 0)
    problems.push(`item ${wrong} is ${got[wrong]?.slice(0, 60)} where ${due[wrong]?.slice(0, 60)} was due`)
  const prompt = numberOf(at(recorded, 'usage', 'prompt_tokens'))
  if (prompt !== undefined && prompt !== at(body, 'usage', 'prompt_tokens')) problems.push('other prompt tokens')
  return problems
}

/** OpenAI's schema knows vectors of numbers only, though its API gives base64 to who asks for it. */
function withFloats(body: unknown): unknown {
  if (!isObject(body)) return body
  const data = objectsIn(body['data']).map((item) => ({ ...item, embedding: vectorOf(item['embedding']) }))
  return { ...body, data }
}

function vectorOf(embedding: unknown): unknown {
  if (typeof embedding !== 'string') return embedding
  const bytes = Buffer.from(embedding, 'base64')
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_item, index) => bytes.readFloatLE(index * 4))
}

/** One item as text that is equal for equal items: a vector as 32-bit floats, a picture as its address or bytes. */
function datum(item: JsonObject): string {
  const { embedding, values, url, b64_json } = item
  const vector = vectorOf(embedding ?? values)
  if (Array.isArray(vector)) return vector.map((number) => Math.fround(Number(number))).join()
  return String(url ?? b64_json)
}

function recordedData(recorded: unknown): readonly string[] {
  const single = at(recorded, 'embedding')
  const lists = [at(recorded, 'data'), at(recorded, 'embeddings'), single === undefined ? undefined : [single]]
  return objectsIn(lists.find(Array.isArray)).map(datum)
}
