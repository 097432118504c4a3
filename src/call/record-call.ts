import {
  type CallFacts,
  type Callbacks,
  copyBody,
  keepsBodies,
  prepareRecord,
  toAttemptRecord,
  toFailure,
  toTraceParent,
} from '../callbacks/index.js'
import { GatewayError, toGatewayError } from '../errors.js'
import type { CallFailure } from '../ports/callback.js'
import type { StreamPart } from '../protocols/protocol.js'
import type { AttemptEntry } from '../router/trail.js'
import { toDollars } from '../spend/index.js'
import { type JsonObject, isObject, stringOf } from '../wire/json.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { Given } from './attempt.js'
import { AnswerCollector } from './collect-answer.js'
import type { CallContext, CallParts } from './context.js'
import type { GuardView } from './guard-call.js'
import { labelTags } from './routing-facts.js'

/** Batches of a stream's parts. */
type Batches<Chunk> = AsyncIterable<readonly StreamPart<Chunk>[], undefined>

/** Tells how a call ended, once; none of its methods throws. */
export interface CallRecording {
  /** The request that is made of the client's, and who guards it. */
  asked(request: Operations[Operation]['request'], guard: GuardView | undefined): void
  answered(given: Given & { readonly body: unknown }): void
  failed(thrown: unknown): void
  /** The stream, whose end is told. */
  streamed<Chunk extends JsonObject>(given: Given & { readonly parts: Batches<Chunk> }): Batches<Chunk>
}

/** Begins the record of a call; undefined where nobody wants to know. */
export function beginRecord<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  context: CallContext,
  parts: CallParts,
): CallRecording | undefined {
  const { callbacks } = parts
  return callbacks && new OpenRecording({ operation, request, context, parts, callbacks })
}

interface Ending {
  readonly error: CallFailure | undefined
  readonly contentSent: boolean
  readonly source?: 'provider' | 'cache' | 'replay' | undefined
}

interface RecordedCall {
  readonly operation: Operation
  readonly request: Operations[Operation]['request']
  readonly context: CallContext
  readonly parts: CallParts
  readonly callbacks: Callbacks
}

type Bodies = Pick<CallFacts, 'request' | 'response'>

class OpenRecording implements CallRecording {
  readonly #call: RecordedCall
  readonly #startedAt: number
  readonly #trace: ReturnType<Callbacks['trace']>
  /** Undefined until guardrails could look at it, where there are any. */
  #asked: JsonObject | undefined
  #guard: GuardView | undefined

  constructor(call: RecordedCall) {
    const { context, parts, callbacks } = call
    this.#call = call
    this.#asked = parts.guardrails.list.length === 0 ? call.request : undefined
    this.#startedAt = parts.clock.now()
    this.#trace = toTraceParent(context.headers['traceparent']) ?? callbacks.trace()
    const { attempt } = callbacks
    if (attempt)
      context.trail.onEnd = (entry) => attempt(toAttemptRecord(entry, entry.startedAt), this.#attempted(entry))
  }

  asked(request: JsonObject, guard: GuardView | undefined): void {
    this.#asked = request
    this.#guard = guard
  }

  answered(given: Given & { readonly body: unknown }): void {
    // The body of an answer that is forwarded is parsed only for those who read it.
    this.#tell({ error: undefined, contentSent: true, source: sourceOf(given) }, () => given.body)
  }

  failed(thrown: unknown): void {
    this.#tell({ error: toGatewayError(thrown), contentSent: false }, () => undefined)
  }

  streamed<Chunk extends JsonObject>(given: Given & { readonly parts: Batches<Chunk> }): Batches<Chunk> {
    const collector = this.#keepsBodies ? new AnswerCollector() : undefined
    const told = (ending: Ending): void => this.#tell({ ...ending, source: sourceOf(given) }, () => collector?.answer)
    return new RecordedParts(given.parts, told, collector)
  }

  get #keepsBodies(): boolean {
    const { callbacks, request, context } = this.#call
    return keepsBodies(callbacks.bodies, request, context.caller)
  }

  /** Notes the error and the bodies at once; of guarded calls the rest once their guardrails are through. */
  #tell(ending: Ending, readResponse: () => unknown): void {
    const { callbacks, parts } = this.#call
    const endedAt = parts.clock.now()
    this.#safely(() => {
      const noted = ending.error ? { ...ending, error: toFailure(ending.error) } : ending
      const bodies = this.#keepsBodies ? this.#bodies(readResponse()) : undefined
      const record = (): void =>
        callbacks.record(prepareRecord(this.#facts(noted, endedAt, bodies && this.#concealed(bodies))))
      const guarded = this.#guard?.guarded
      // Guardrails that only log may still be at it.
      if (guarded) callbacks.expect(guarded.settled().then(() => this.#safely(record)))
      else record()
    })
  }

  #safely(record: () => void): void {
    try {
      record()
    } catch (error) {
      const { context, parts } = this.#call
      parts.logger.error({ error, requestId: context.requestId }, 'A call could not be recorded.')
    }
  }

  #bodies(response: unknown): Bodies {
    return { request: copyBody(this.#recordable), response: copyBody(response) }
  }

  /** The request as those who guard it let it pass. */
  get #recordable(): unknown {
    const guard = this.#guard
    if (!guard) return this.#asked
    return guard.guarded ? guard.guarded.passed : guard.asked
  }

  #concealed(bodies: Bodies): Bodies {
    const guarded = this.#guard?.guarded
    if (!guarded) return bodies
    const response = copyBody(bodies.response, (text) => guarded.conceal(text))
    return { request: guarded.passed && bodies.request, response }
  }

  #facts({ error, contentSent, source }: Ending, endedAt: number, bodies: Bodies | undefined): CallFacts {
    const { operation, request, context, parts } = this.#call
    const { caller, requestId, trail } = context
    const { metadata } = request
    return {
      id: parts.createId(),
      callId: requestId,
      operation,
      requestedModel: request.model,
      modelName: trail.modelName,
      caller,
      tags: labelTags(request, context),
      endUser: stringOf(request['user']),
      metadata: isObject(metadata) ? metadata : undefined,
      trace: this.#trace,
      ending: { error, contentSent, source, stream: request['stream'] === true },
      startedAt: this.#startedAt,
      endedAt,
      attempts: trail.entries,
      rows: trail.rows,
      guardrails: this.#guard?.guarded?.verdicts,
      toDollars,
      request: bodies?.request,
      response: bodies?.response,
    }
  }

  #attempted({ modelName }: AttemptEntry): Parameters<NonNullable<Callbacks['attempt']>>[1] {
    const { operation, request, context } = this.#call
    const { caller, requestId } = context
    return {
      callId: requestId,
      operation,
      stream: request['stream'] === true,
      requestedModel: request.model,
      modelName: context.trail.modelName ?? modelName,
      caller: caller.id,
      scopes: caller.scopes.map(({ kind, id }) => ({ kind, id })),
      startedAt: this.#startedAt,
    }
  }
}

function sourceOf({ headers }: Given): Ending['source'] {
  if (headers['idempotent-replayed'] !== undefined) return 'replay'
  return headers['x-sluice-cache'] === 'hit' ? 'cache' : 'provider'
}

/** A stream whose end is told: its last piece, its failure, or that its reader left. */
class RecordedParts<Chunk extends JsonObject> implements AsyncIterableIterator<
  readonly StreamPart<Chunk>[],
  undefined
> {
  readonly #source: AsyncIterator<readonly StreamPart<Chunk>[], undefined>
  readonly #tell: (ending: Ending) => void
  readonly #collector: AnswerCollector | undefined
  #contentSent = false
  #told = false

  constructor(source: Batches<Chunk>, tell: (ending: Ending) => void, collector: AnswerCollector | undefined) {
    this.#source = source[Symbol.asyncIterator]()
    this.#tell = tell
    this.#collector = collector
  }

  async next(): Promise<IteratorResult<readonly StreamPart<Chunk>[], undefined>> {
    try {
      const result = await this.#source.next()
      if (result.done) this.#end(undefined)
      else {
        this.#contentSent = true
        this.#collector?.add(result.value)
      }
      return result
    } catch (thrown) {
      this.#end(toGatewayError(thrown))
      throw thrown
    }
  }

  async return(): Promise<IteratorResult<readonly StreamPart<Chunk>[], undefined>> {
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
