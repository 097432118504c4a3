import { GatewayError } from '../errors.js'
import type { BinaryBody, Codec, Exchange } from '../protocols/protocol.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamResponse } from '../upstream/client.js'
import { mediaTypeOf } from '../upstream/framing.js'
import { readBody } from '../upstream/response-body.js'
import { isObject, parseJson } from '../wire/json.js'
import type { Operation, Operations } from '../wire/operations.js'
import { usageOf } from '../wire/usage.js'
import { type Asked, sendRequest } from './send-request.js'
import { pause } from '../router/pause.js'

/** A whole answer; `written` is set where the provider's own words are the answer. */
export interface DecodedAnswer<K extends Operation> {
  readonly body: Operations[K]['response']
  readonly written: string | Buffer | undefined
}

/**
 * Reads an answer, follows its job to the end where it is one, and translates it.
 * @param first what the answer says, where it was read before
 * @throws GatewayError
 */
export async function readAnswer<K extends Operation>(
  response: UpstreamResponse,
  codec: Codec<K>,
  exchange: Exchange<K>,
  asked: Asked,
  first?: AnswerContent,
): Promise<DecodedAnswer<K>> {
  let { written, content } = first ?? (await readContent(response, asked))
  let { headers } = response
  const kept: unknown[] = []
  let answers = 1
  let follow = codec.next?.(content, exchange, answers, headers)
  while (follow) {
    if (follow.keep !== undefined) {
      kept.push(follow.keep)
      nextPart(asked.signal, kept)
    }
    await pause(follow.delayMs, asked.parts.clock, asked.signal)
    const later = await sendRequest(follow.request, asked.deployment.timeouts.headers, asked, follow.origin)
    ;({ written, content } = await readContent(later, asked))
    ;({ headers } = later)
    answers += 1
    follow = codec.next?.(content, exchange, answers, headers)
  }
  // First, as what is no answer to us may be billed all the same.
  noteTold(asked.signal, kept.length, content)
  const body = codec.decode(kept.length > 0 ? [...kept, content] : content, exchange, headers)
  noteAnswered(asked.signal, kept.length)
  return { body, written: body === content ? written : undefined }
}

/** A part of a call in several requests was answered, and the next one is about to be sent. */
function nextPart({ attempt }: CallSignal, kept: readonly unknown[]): void {
  const part = attempt?.parts[kept.length - 1]
  if (!attempt || !part) return
  const answer = kept.at(-1)
  part.answered = true
  part.usage = isObject(answer) ? usageOf(answer) : undefined
  attempt.partSent = attempt.accepted = false
}

/** Keeps the usage of the last answer, or of the only one, in the provider's own words. */
function noteTold({ attempt }: CallSignal, earlier: number, content: unknown): void {
  if (!attempt) return
  const told = isObject(content) ? usageOf(content) : undefined
  const part = attempt.parts[earlier]
  if (part) part.usage = told
  else attempt.told = told
}

function noteAnswered({ attempt }: CallSignal, earlier: number): void {
  const part = attempt?.parts[earlier]
  if (part) part.answered = true
}

// A text leaves in one piece with the headers, which costs less than bytes do; a long one is not encoded again.
const longestTextBytes = 16 * 1024

/** What an answer says, as it was written and parsed. */
export interface AnswerContent {
  readonly written: string | Buffer
  /** Parsed JSON, or a BinaryBody. */
  readonly content: unknown
}

/** Reads the whole body of one answer. @throws GatewayError upstream_invalid for text that is not JSON */
export async function readContent(
  response: UpstreamResponse,
  { deployment, signal, parts }: Asked,
): Promise<AnswerContent> {
  const waitForMore = (): void => signal.enter('idle', deployment.timeouts.idle)
  waitForMore()
  const bytes = await readBody(response.body, parts.maxAnswerBytes, waitForMore)
  signal.leave()
  const mediaType = mediaTypeOf(response.headers['content-type'])
  if (isBinary(mediaType)) {
    const binary: BinaryBody = { mediaType, base64: bytes.toString('base64') }
    return { written: bytes, content: binary }
  }
  const text = bytes.toString('utf8')
  const content = parseJson(text)
  if (content === undefined) throw notJson(bytes)
  return { written: bytes.length > longestTextBytes ? bytes : text, content }
}

function isBinary(mediaType: string): boolean {
  return mediaType.startsWith('image/') || mediaType.startsWith('audio/') || mediaType === 'application/octet-stream'
}

function notJson(bytes: Buffer): GatewayError {
  const what = bytes.length === 0 ? 'an empty body' : 'something that is not JSON'
  return new GatewayError('upstream_invalid', `The provider answered with ${what}.`)
}
