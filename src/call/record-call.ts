import { keepsBodies, toCallRecord, toTraceParent } from '../callbacks/index.js'
import { GatewayError, toGatewayError } from '../errors.js'
import { toDollars } from '../spend/index.js'
import { isObject, stringOf } from '../wire/json.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { Given } from './attempt.js'
import type { CallContext, CallParts } from './context.js'
import { labelTags } from './routing-facts.js'

/** Tells how a call ended, once; none of its methods throws. */
export interface CallRecording {
  answered(given: Given & { readonly body: unknown }): void
  failed(thrown: unknown): void
  /** The stream, whose end is told. */
  streamed<Batch>(given: Given & { readonly parts: AsyncIterable<Batch, undefined> }): AsyncIterable<Batch, undefined>
}

/** Begins the record of a call; undefined where nobody wants to know. */
export function beginRecord<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  context: CallContext,
  parts: CallParts,
): CallRecording | undefined {
  const { callbacks, clock } = parts
  if (!callbacks) return undefined
  const startedAt = clock.now()
  const trace = toTraceParent(context.headers['traceparent']) ?? callbacks.trace()
  const stream = request['stream'] === true
  const tell = (ending: Ending, response?: unknown): void => {
    try {
      const bodies = keepsBodies(callbacks.bodies, request, context.caller)
      callbacks.record(
        toCallRecord({
          id: parts.createId(),
          callId: context.requestId,
          operation,
          requestedModel: request.model,
          ...labelsOf(request, context),
          trace,
          ending: { ...ending, stream },
          startedAt,
          endedAt: clock.now(),
          attempts: context.trail.entries,
          rows: context.trail.rows,
          toDollars,
          ...(bodies && { request, response }),
        }),
      )
    } catch (error) {
      parts.logger.error({ error, requestId: context.requestId }, 'A call could not be recorded.')
    }
  }
  return {
    answered: (given) => tell({ error: undefined, contentSent: true, source: sourceOf(given) }, given.body),
    failed: (thrown) => tell({ error: toGatewayError(thrown), contentSent: false }),
    streamed: (given) => new RecordedParts(given.parts, (ending) => tell({ ...ending, source: sourceOf(given) })),
  }
}

interface Ending {
  readonly error: GatewayError | undefined
  readonly contentSent: boolean
  readonly source?: 'provider' | 'cache' | 'replay' | undefined
}

type Labels = Pick<Parameters<typeof toCallRecord>[0], 'modelName' | 'caller' | 'tags' | 'endUser' | 'metadata'>

function labelsOf(request: Operations[Operation]['request'], context: CallContext): Labels {
  const { metadata } = request
  return {
    modelName: context.trail.modelName,
    caller: context.caller,
    tags: labelTags(request, context),
    endUser: stringOf(request['user']),
    metadata: isObject(metadata) ? metadata : undefined,
  }
}

function sourceOf({ headers }: Given): Ending['source'] {
  if (headers['idempotent-replayed'] !== undefined) return 'replay'
  return headers['x-sluice-cache'] === 'hit' ? 'cache' : 'provider'
}

/** A stream whose end is told: its last piece, its failure, or that its reader left. */
class RecordedParts<Batch> implements AsyncIterableIterator<Batch, undefined> {
  readonly #source: AsyncIterator<Batch, undefined>
  readonly #tell: (ending: Ending) => void
  #contentSent = false
  #told = false

  constructor(source: AsyncIterable<Batch, undefined>, tell: (ending: Ending) => void) {
    this.#source = source[Symbol.asyncIterator]()
    this.#tell = tell
  }

  async next(): Promise<IteratorResult<Batch, undefined>> {
    try {
      const result = await this.#source.next()
      if (result.done) this.#end(undefined)
      else this.#contentSent = true
      return result
    } catch (thrown) {
      this.#end(toGatewayError(thrown))
      throw thrown
    }
  }

  async return(): Promise<IteratorResult<Batch, undefined>> {
    try {
      await this.#source.return?.()
    } finally {
      this.#end(new GatewayError('client_closed', 'The reader left before the answer was complete.'))
    }
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #end(error: GatewayError | undefined): void {
    if (this.#told) return
    this.#told = true
    this.#tell({ error, contentSent: this.#contentSent })
  }
}
