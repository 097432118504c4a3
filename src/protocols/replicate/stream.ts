import type { Deployment } from '../../deployment.js'
import type { UpstreamEvent } from '../../upstream/message.js'
import type { ChatChunk } from '../../wire/chat.js'
import { isObject, parseJson, stringOf } from '../../wire/json.js'
import { type ChunkBuilder, type ChunkIdentity, createChunkBuilder } from '../chunk-builder.js'
import { readErrorText } from '../failure.js'
import { truncated } from '../invalid-answer.js'
import type { Exchange, FollowUp, StreamDecoder, StreamPart, StreamProgress } from '../protocol.js'
import { failed } from './prediction.js'

// Where the key may go besides the deployment's own address.
const ownHost = /^(?:[\w-]+\.)*replicate\.(?:com|net)$/

/**
 * The stream of a prediction that was just created: https://replicate.com/docs/topics/predictions/streaming. Undefined
 * where it has none, where it is over already, and where the stream is on a host that must not see the credential.
 */
export function streamOf(body: unknown, { baseUrl }: Deployment): FollowUp | undefined {
  if (!isObject(body) || (body['status'] !== 'starting' && body['status'] !== 'processing')) return undefined
  const url = isObject(body['urls']) ? stringOf(body['urls']['stream']) : undefined
  if (url === undefined || !URL.canParse(url)) return undefined
  const { protocol, hostname, port, origin, pathname, search } = new URL(url)
  const own = baseUrl === undefined ? undefined : new URL(baseUrl)
  // The key of a host's own proxy is none that Replicate knows.
  const isReplicate = own === undefined || ownHost.test(own.hostname)
  const isTheirs = isReplicate && protocol === 'https:' && port === '' && ownHost.test(hostname)
  if (!isTheirs && origin !== own?.origin) return undefined
  const headers = { accept: 'text/event-stream', 'cache-control': 'no-store' }
  return {
    request: { method: 'GET', path: pathname + search, headers, body: null, droppedParams: [] },
    delayMs: 0,
    origin,
  }
}

/** Decodes the events of a prediction: `output` adds text, `done` ends it for whatever reason, `error` tells a failure. */
export function createPredictionStream({ id, created, deployment }: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  return new PredictionStream(deployment.provider, { id: `chatcmpl-${id}`, created, model: deployment.model })
}

class PredictionStream implements StreamDecoder<ChatChunk> {
  readonly #provider: string
  readonly #chunks: ChunkBuilder
  progress: StreamProgress = 'open'

  constructor(provider: string, identity: ChunkIdentity) {
    this.#provider = provider
    this.#chunks = createChunkBuilder(identity)
  }

  push({ event, data }: UpstreamEvent): readonly StreamPart<ChatChunk>[] {
    if (this.progress !== 'open') return []
    if (event === 'output') return data === '' ? [] : [this.#chunks.content(0, data)]
    if (event === 'error') throw failed(readErrorText(parseJson(data))?.message ?? data, this.#provider)
    return event === 'done' ? this.#finish(data) : []
  }

  end(): readonly StreamPart<ChatChunk>[] {
    if (this.progress === 'open') throw truncated(this.#provider)
    return []
  }

  #finish(data: string): readonly StreamPart<ChatChunk>[] {
    const told = parseJson(data)
    const reason = isObject(told) ? stringOf(told['reason']) : undefined
    if (reason === 'error') throw failed('The prediction failed.', this.#provider)
    if (reason === 'canceled') throw failed('The prediction was canceled.', this.#provider)
    this.progress = 'terminated'
    return [this.#chunks.finish(0, 'stop')]
  }
}
