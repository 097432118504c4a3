import type { CallParts } from './context.js'
import type { Deployment } from '../deployment.js'
import { GatewayError, InvalidRequestError } from '../errors.js'
import type { Codec, Exchange, StreamPart } from '../protocols/protocol.js'
import { type Target, joinPath, resolveTarget } from '../providers/target.js'
import type { Provider } from '../providers/provider.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamResponse } from '../upstream/client.js'
import type { UpstreamRequest } from '../upstream/message.js'
import { readBody } from '../upstream/response-body.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import { parseJson } from '../wire/json.js'
import { codecOf } from './codec.js'
import { completionToParts } from './whole-to-parts.js'
import { toFailure } from './failure-answer.js'
import { type PartBatches, openParts } from './read-parts.js'

/** What an answer tells about how it came to be. */
export interface Served {
  readonly deployment: Deployment
  /** OpenAI parameters left out because the provider cannot honour them. */
  readonly droppedParams: readonly string[]
}

/** A whole answer; `bytes` is set where the provider's own bytes are the answer. */
export interface WholeAnswer<K extends Operation> extends Served {
  readonly body: Operations[K]['response']
  readonly bytes: Buffer | undefined
}

/** A streamed answer whose first piece of content has arrived. */
export interface StreamAnswer<K extends StreamOperation> extends Served {
  readonly parts: PartBatches<Operations[K]['chunk']>
}

interface Prepared<K extends Operation> {
  readonly codec: Codec<K>
  readonly exchange: Exchange<K>
  readonly provider: Provider
  readonly response: UpstreamResponse
  readonly droppedParams: readonly string[]
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
  const prepared = await send(operation, request, deployment, signal, parts, headersMs)
  const { codec, exchange, response, droppedParams } = prepared
  const bytes = await readAnswer(response, deployment, signal, parts)
  const parsed = parseJson(bytes.toString('utf8'))
  if (parsed === undefined) throw notJson(bytes)
  const body = codec.decode(parsed, exchange)
  return { body, bytes: body === parsed ? bytes : undefined, deployment, droppedParams }
}

/**
 * Asks one deployment once for a stream, and waits for its first content: until then a failure is an attempt's
 * failure, not the client's.
 * @throws GatewayError
 */
export async function attemptStream<K extends StreamOperation>(
  operation: K,
  request: Operations[K]['request'],
  deployment: Deployment,
  signal: CallSignal,
  parts: CallParts,
): Promise<StreamAnswer<K>> {
  const prepared = await send(operation, request, deployment, signal, parts, deployment.timeouts.headers)
  const { codec, exchange, response, droppedParams } = prepared
  if (isJson(response)) {
    const bytes = await readAnswer(response, deployment, signal, parts)
    const parsed = parseJson(bytes.toString('utf8'))
    if (parsed === undefined) throw notJson(bytes)
    const whole = completionToParts(operation, codec.decode(parsed, exchange))
    return { parts: oneBatch(whole), deployment, droppedParams }
  }
  if (!codec.decodeStream) {
    await leave(response)
    throw new InvalidRequestError(`${deployment.model} cannot stream.`, 'stream')
  }
  const batches = await openParts(response, codec.decodeStream(exchange), deployment.timeouts, signal)
  return { parts: batches, deployment, droppedParams }
}

async function send<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  deployment: Deployment,
  signal: CallSignal,
  parts: CallParts,
  headersMs: number,
): Promise<Prepared<K>> {
  const provider = providerOf(deployment, parts)
  const target = targetOf(provider, deployment, parts)
  const codec = codecOf(provider, operation, deployment)
  const exchange: Exchange<K> = {
    request,
    deployment,
    id: parts.createId(),
    created: Math.floor(parts.clock.now() / 1_000),
  }
  const encoded = encode(codec, exchange)
  const authorized = await authorize(provider, encoded, deployment, signal)
  const response = await parts.client.send(
    {
      origin: target.origin,
      path: joinPath(target.basePath, authorized.path),
      method: authorized.method,
      headers: authorized.headers,
      body: authorized.body,
    },
    signal,
    { connect: deployment.timeouts.connect, headers: headersMs },
  )
  if (response.status < 200 || response.status > 299) {
    throw await toFailure(response, provider, deployment, signal)
  }
  return { codec, exchange, provider, response, droppedParams: encoded.droppedParams }
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

const authorizeMs = 10_000

/** Most providers answer at once; those that fetch a token first get a deadline. */
function authorize(
  provider: Provider,
  request: UpstreamRequest,
  deployment: Deployment,
  signal: CallSignal,
): UpstreamRequest | Promise<UpstreamRequest> {
  const authorized = provider.authorize(request, deployment)
  if (!(authorized instanceof Promise)) return authorized
  return new Promise((resolve, reject) => {
    signal.listen(reject)
    signal.enter('connect', authorizeMs)
    authorized.then(resolve, reject)
  })
}

function providerOf(deployment: Deployment, parts: CallParts): Provider {
  const provider = parts.registry.get(deployment.provider)
  if (!provider) throw new GatewayError('internal', `The provider ${deployment.provider} is not registered.`)
  return provider
}

function targetOf(provider: Provider, deployment: Deployment, parts: CallParts): Target {
  const known = parts.targets.get(deployment)
  if (known) return known
  const target = resolveTarget(provider, deployment)
  parts.targets.set(deployment, target)
  return target
}

async function readAnswer(
  response: UpstreamResponse,
  deployment: Deployment,
  signal: CallSignal,
  parts: CallParts,
): Promise<Buffer> {
  const waitForMore = (): void => signal.enter('idle', deployment.timeouts.idle)
  waitForMore()
  const bytes = await readBody(response.body, parts.maxAnswerBytes, waitForMore)
  signal.leave()
  return bytes
}

function isJson(response: UpstreamResponse): boolean {
  return (response.headers['content-type'] ?? '').startsWith('application/json')
}

async function leave(response: UpstreamResponse): Promise<void> {
  await response.body[Symbol.asyncIterator]().return?.()
}

function notJson(bytes: Buffer): GatewayError {
  const what = bytes.length === 0 ? 'an empty body' : 'something that is not JSON'
  return new GatewayError('upstream_invalid', `The provider answered with ${what}.`)
}

async function* oneBatch<Chunk>(parts: readonly StreamPart<Chunk>[]): AsyncGenerator<readonly StreamPart<Chunk>[]> {
  yield parts
}
