import { estimateTextTokens } from '../catalog/text-tokens.js'
import type { Deployment } from '../deployment.js'
import { GatewayError, toGatewayError } from '../errors.js'
import type { StreamPart } from '../protocols/protocol.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { ChatRequest } from '../wire/chat.js'
import { type JsonObject, numberOf } from '../wire/json.js'
import type { Operations, StreamOperation } from '../wire/operations.js'
import { usageOf } from '../wire/usage.js'
import type { StreamAnswer } from './attempt.js'
import { type Answered, type Asking, type BegunCall, firstAnswer } from './begin-call.js'
import type { CallContext, CallParts } from './context.js'
import { type Continuation, continuationOf } from './continue-request.js'
import type { PartBatches } from './read-parts.js'
import { redactError } from './redact.js'
import { Replay, isMismatch } from './replay.js'
import { RestOfStream, trimContinuation } from './rest-of-stream.js'
import { SentAnswer, TextMeter } from './sent-answer.js'
import { sumUsage } from './sum-usage.js'

/** Asks one deployment for a stream. */
export type AskStream<K extends StreamOperation> = (
  request: Operations[K]['request'],
  deployment: Deployment,
  parts: CallParts,
  signal: CallSignal,
) => Promise<StreamAnswer<K>>

/** The streamed call that may have to be recovered. */
export interface RecoverableCall<K extends StreamOperation> {
  readonly operation: K
  readonly request: Operations[K]['request']
  readonly call: BegunCall
  readonly context: CallContext
  readonly parts: CallParts
  readonly ask: AskStream<K>
}

/** An attempt that broke off. */
interface BrokenAttempt {
  readonly told: JsonObject | undefined
  readonly characters: number
}

/**
 * Keeps what a client has got of a stream, and goes on at another deployment when the stream breaks off: with the rest
 * of the answer, or with all of it but for what was sent. The client reads one stream: one `id` and `created`, one role,
 * one finish reason, the usage of all attempts together; `model` is that of whoever answers.
 */
export class StreamRecovery<K extends StreamOperation> {
  readonly #of: RecoverableCall<K>
  readonly #sent: SentAnswer | undefined
  readonly #broken: BrokenAttempt[] = []
  #meter = new TextMeter()
  #current: Answered<StreamAnswer<K>>
  #continuation: Continuation | undefined
  #isRefused = false
  #isRecovered = false

  constructor(first: Answered<StreamAnswer<K>>, of: RecoverableCall<K>) {
    this.#current = first
    this.#of = of
    this.#sent = of.parts.midStream === 'error' ? undefined : new SentAnswer()
    // Before whoever bills the call: what is told last is heard first.
    of.call.onEnd(() => this.note())
  }

  /** The attempt that is being read. */
  get current(): Answered<StreamAnswer<K>> {
    return this.#current
  }

  /** True once a second attempt has taken over. */
  get isRecovered(): boolean {
    return this.#isRecovered
  }

  /** Told of everything that the client gets, before anything is left out of it. */
  see(batch: readonly StreamPart<Operations[K]['chunk']>[]): void {
    if (!this.#isRecovered) this.#measure(batch)
    this.#sent?.add(batch)
  }

  /** Puts what is known for the bill on the trail; also done when the call ends. */
  note(): void {
    const { answer, picked } = this.#current
    const { entry } = picked.lease
    entry.usage = answer.usageSoFar() ?? entry.usage
    entry.receivedCharacters = this.#meter.characters
  }

  /**
   * Asks for the rest of a stream that broke off; undefined where that is not wanted or cannot be done.
   * @throws GatewayError why it broke off, where nobody can give the rest
   */
  async resume(thrown: unknown): Promise<PartBatches<Operations[K]['chunk']> | undefined> {
    const { call, context, parts } = this.#of
    const { answer, picked, signal } = this.#current
    const error = redactError(toGatewayError(thrown), answer.deployment, signal.sent)
    // The deployment did nothing wrong.
    if (isMismatch(error)) picked.lease.cancelled()
    const sent = this.#sent
    if (!sent || !this.#mayResume(error) || !sent.isRepeatable()) return undefined
    this.note()
    this.#broken.push({ told: picked.lease.entry.usage, characters: this.#meter.characters })
    if (signal !== call.signal) signal.dispose()
    call.mayHedge = false
    try {
      await call.route.failed(picked, error, parts.midStream === 'continue' ? 'continue' : 'restart')
      this.#current = await firstAnswer(call, context, parts, (deployment, own, asking) =>
        this.#ask(deployment, own, asking),
      )
      // Not before: until then the call may end, and what was received is noted once more.
      this.#meter = new TextMeter()
    } catch (later) {
      throw call.signal.ended ?? (toGatewayError(later).kind === 'internal' ? later : error)
    }
    return this.#takeOver(sent)
  }

  #mayResume(error: GatewayError): boolean {
    if (!error.rule.retry && !error.rule.reroute) return false
    return !isMismatch(error) && !this.#of.call.signal.ended
  }

  async #ask(deployment: Deployment, own: CallParts, { signal, entry }: Asking): Promise<StreamAnswer<K>> {
    const { request, ask } = this.#of
    this.#continuation = this.#continuationAt(deployment)
    if (this.#continuation) {
      entry.reason = 'continue'
      try {
        return await ask(this.#continuation.request, deployment, own, signal)
      } catch (thrown) {
        if (!isRefusal(toGatewayError(thrown)) || signal.ended) throw thrown
        this.#isRefused = true
        this.#continuation = undefined
        signal.endStep(new GatewayError('client_closed', 'The beginning of the answer was refused.'))
      }
    }
    entry.reason = 'restart'
    return ask(request, deployment, own, signal)
  }

  #continuationAt(deployment: Deployment): Continuation | undefined {
    const { operation, request, parts } = this.#of
    if (operation !== 'chat' || parts.midStream !== 'continue' || this.#isRefused || !this.#sent) return undefined
    return continuationOf(request as ChatRequest, this.#sent, deployment)
  }

  async #takeOver(sent: SentAnswer): Promise<PartBatches<Operations[K]['chunk']>> {
    const { answer, picked } = this.#current
    const { ended } = this.#of.call.signal
    if (ended) {
      picked.lease.cancelled()
      await answer.parts[Symbol.asyncIterator]().return?.()
      throw ended
    }
    this.#isRecovered = true
    picked.lease.began()
    const continuation = this.#continuation
    return new RestOfStream(answer.parts, {
      head: sent.head,
      trim: continuation ? trimContinuation(continuation.space) : new Replay(sent),
      measure: (batch) => this.#measure(batch),
      sum: (usage) => this.#sum(usage, sent, continuation?.tokens ?? 0),
    })
  }

  #measure(batch: readonly StreamPart<Operations[K]['chunk']>[]): void {
    for (const part of batch) {
      this.#meter.add(part)
      const usage = part.chunk && usageOf(part.chunk)
      if (usage) this.#current.picked.lease.entry.usage = usage
    }
  }

  /** `prefill`: tokens of the input that were output before. */
  #sum(usage: JsonObject, { text }: SentAnswer, prefill: number): JsonObject {
    const perCharacter = text === '' ? 0 : estimateTextTokens(text).tokens / text.length
    const promptTokens = Math.max(0, (numberOf(usage['prompt_tokens']) ?? 0) - prefill)
    const broken = this.#broken.map(({ told, characters }) => ({
      told,
      promptTokens,
      completionTokens: Math.ceil(characters * perCharacter),
    }))
    return sumUsage(usage, broken)
  }
}

/** The deployment does not take the beginning of an answer; the question alone it may take. */
function isRefusal({ kind, rule }: GatewayError): boolean {
  return kind === 'unsupported_parameter' || (kind !== 'client_closed' && !rule.retry && !rule.reroute)
}
