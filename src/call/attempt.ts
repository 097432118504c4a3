import type { Deployment } from '../deployment.js'
import { InvalidRequestError } from '../errors.js'
import type { Codec, Exchange, StreamPart } from '../protocols/protocol.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamResponse } from '../upstream/client.js'
import { mediaTypeOf } from '../upstream/framing.js'
import type { UpstreamRequest } from '../upstream/message.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import type { JsonObject } from '../wire/json.js'
import { usageOf } from '../wire/usage.js'
import { codecOf } from './codec.js'
import type { CallParts } from './context.js'
import { inlineMedia } from './inline-media.js'
import { type DecodedAnswer, readAnswer, readContent } from './read-answer.js'
import { type PartBatches, openParts } from './read-parts.js'
import { type Asked, providerOf, sendRequest } from './send-request.js'
import { completionToParts } from './whole-to-parts.js'

/** What an answer tells about how it came to be. */
export interface Served {
  readonly deployment: Deployment
  /** OpenAI parameters left out because the provider cannot honour them. */
  readonly droppedParams: readonly string[]
  /** False where the caller paid with credentials of its own. */
  readonly billable: boolean
}

/** A whole answer. */
export interface WholeAnswer<K extends Operation> extends Served, DecodedAnswer<K> {}

/** What the asker of an answer is told about it, also of one that was not made for it. */
export interface Given {
  /** The deployment's id. */
  readonly deploymentId: string
  readonly droppedParams: readonly string[]
  readonly billable: boolean
  /** Further headers: limits, cache. */
  readonly headers: Readonly<Record<string, string>>
}

/** A streamed answer whose first piece of content has arrived. */
export interface StreamAnswer<K extends StreamOperation> extends Served {
  readonly parts: PartBatches<Operations[K]['chunk']>
  /** What the provider said of its tokens so far. */
  readonly usageSoFar: () => JsonObject | undefined
}

/**
 * Asks one deployment once for a whole answer.
 * @throws GatewayError whatever went wrong, classed by the taxonomy
 */
export async function attemptWhole<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  deployment: Deployment,
  signal: CallSignal,
  parts: CallParts,
): Promise<WholeAnswer<K>> {
  const headersMs = deployment.headersTimeoutSet ? deployment.timeouts.headers : 0
  const { codec, exchange, response, droppedParams, asked } = await ask(operation, request, headersMs, {
    deployment,
    provider: providerOf(deployment, parts),
    signal,
    parts,
  })
  const answer = await readAnswer(response, codec, exchange, asked)
  return { deployment, droppedParams, billable: true, ...answer }
}

/**
 * Asks one deployment once for a stream, and waits for its first content: until then a failure is an attempt's
 * failure, not the client's. A provider that answers at once is turned into a stream.
 * @throws GatewayError
 */
export async function attemptStream<K extends StreamOperation>(
  operation: K,
  request: Operations[K]['request'],
  deployment: Deployment,
  signal: CallSignal,
  parts: CallParts,
): Promise<StreamAnswer<K>> {
  const provider = providerOf(deployment, parts)
  const answered = await ask(operation, request, deployment.timeouts.headers, { deployment, provider, signal, parts })
  const { codec, exchange, droppedParams, asked } = answered
  let { response } = answered
  if (!codec.decodeStream || mediaTypeOf(response.headers['content-type']) === 'application/json') {
    const first = codec.decodeStream && codec.streamAt ? await readContent(response, asked) : undefined
    const follow = first && codec.streamAt?.(first.content, exchange)
    if (!codec.decodeStream || !follow) {
      const { body } = await readAnswer(response, codec, exchange, asked, first)
      const whole = oneBatch(completionToParts(operation, body))
      return { parts: whole, usageSoFar: () => usageOf(body), deployment, droppedParams, billable: true }
    }
    response = await sendRequest(follow.request, deployment.timeouts.headers, asked, follow.origin)
  }
  const decoder = codec.decodeStream(exchange)
  const batches = await openParts(response, decoder, deployment.timeouts, signal).catch((error: unknown) => {
    // Nobody is given the stream, which may have told what it is billed all the same.
    if (signal.attempt) signal.attempt.told = decoder.usage
    throw error
  })
  return { parts: batches, usageSoFar: () => decoder.usage, deployment, droppedParams, billable: true }
}

interface Answered<K extends Operation> {
  readonly codec: Codec<K>
  readonly exchange: Exchange<K>
  readonly response: UpstreamResponse
  readonly droppedParams: readonly string[]
  readonly asked: Asked
}

async function ask<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  headersMs: number,
  asked: Asked,
): Promise<Answered<K>> {
  const { deployment, provider, parts } = asked
  const codec = codecOf(provider, operation, deployment)
  const asIs: Exchange<K> = {
    request,
    deployment,
    id: parts.createId(),
    created: Math.floor(parts.clock.now() / 1_000),
    chosen: undefined,
  }
  const exchange = parts.media ? await inlineMedia(codec, asIs, parts.media, asked.signal) : asIs
  const encoded = encode(codec, exchange)
  noteParts(asked.signal, codec.split?.(exchange))
  const response = await sendRequest(encoded, headersMs, asked)
  const { droppedParams } = encoded
  // An answer owes the choices that were asked of the provider, not those that it was not told of.
  const told = droppedParams.includes('n') ? { ...exchange, request: { ...exchange.request, n: 1 } } : exchange
  return { codec, exchange: told, response, droppedParams, asked }
}

/** A call in several requests may break off between two of them. */
function noteParts({ attempt }: CallSignal, split: readonly JsonObject[] | undefined): void {
  if (attempt && split) attempt.parts = split.map((request) => ({ request, answered: false, usage: undefined }))
}

function encode<K extends Operation>(codec: Codec<K>, exchange: Exchange<K>): UpstreamRequest {
  try {
    return codec.encode(exchange)
  } catch (error) {
    // JSON nested deeper than the stack is the request's fault; no provider would take it either.
    if (error instanceof RangeError) throw new InvalidRequestError('The request is nested too deeply.', null, error)
    throw error
  }
}

async function* oneBatch<Chunk>(parts: readonly StreamPart<Chunk>[]): AsyncGenerator<readonly StreamPart<Chunk>[]> {
  yield parts
}
