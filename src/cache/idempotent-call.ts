import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import type { Operation } from '../wire/operations.js'
import type { AnswerOrigin, StoredAnswer } from './entry.js'
import type { Flight } from './flights.js'
import type { WrittenAnswer } from './found.js'
import type { KeyClaim } from './idempotency-claim.js'
import { answerLost, mustRepeat } from './idempotency-errors.js'
import type { KeyState } from './idempotency-record.js'
import { toStored } from './stored-whole.js'
import { type CollectingRoom, StreamCollector } from './stream-collector.js'
import type { StreamPiece } from './stream-text.js'

/** How a call ended, for those that wait for it. */
export type Outcome = StoredAnswer | GatewayError

/** What a call is made of. */
export interface IdempotentCallParts {
  readonly claim: KeyClaim
  readonly flight: Flight<Outcome>
  readonly clock: Clock
  readonly maxEntryBytes: number
  readonly room: CollectingRoom
}

/** Who gave an answer; that of a cache hit has the same members but for `id`. */
export type Origin = Omit<AnswerOrigin, 'at' | 'deployment'> & { readonly id: string }

/** The one call of a key. `release` must be called when it is over, however it ended: others may be waiting. */
export class IdempotentCall {
  readonly status = 'run'
  readonly #parts: IdempotentCallParts
  readonly #collector: StreamCollector
  #overflowed = false
  #ended = false

  constructor(parts: IdempotentCallParts) {
    this.#parts = parts
    const { maxEntryBytes: maxBytes, room } = parts
    this.#collector = new StreamCollector({ maxBytes, room, overflowed: () => (this.#overflowed = true) })
    parts.claim.holdOn()
  }

  /** The whole answer, as the client gets it. */
  keep<K extends Operation>(answer: WrittenAnswer<K>, origin: Origin): void {
    const stored = toStored(answer, this.#about(origin))
    const fits = stored && Buffer.byteLength(stored.text) <= this.#parts.maxEntryBytes
    this.#end(fits ? { state: 'done', answer: stored } : { state: 'lost' })
  }

  /** Takes pieces as they are forwarded. */
  collect(pieces: readonly StreamPiece[]): void {
    this.#collector.add(pieces)
  }

  /** The stream has ended as it should: not by an error, not because the client left. */
  complete(origin: Origin): void {
    const collected = this.#collector.finish()
    if (collected) this.#end({ state: 'done', answer: { ...this.#about(origin), kind: 'stream', ...collected } })
    else if (this.#overflowed) this.#end({ state: 'lost' })
  }

  /** The call has failed. The key is free again, unless the same request would only fail again. */
  fail(error: GatewayError): void {
    if (mustRepeat(error)) this.#end({ state: 'failed', error })
    else this.release()
  }

  /** The call is over. Where neither an answer nor an error was kept, the key is free again. */
  release(): void {
    if (this.#ended) return
    this.#ended = true
    this.#collector.abandon()
    const { claim, flight } = this.#parts
    // Those that wait would find the claim otherwise.
    void claim.takeBack().finally(() => flight.leave())
  }

  #end(state: Exclude<KeyState, { state: 'running' }>): void {
    if (this.#ended) return
    this.#ended = true
    this.#collector.abandon()
    const { claim, flight } = this.#parts
    flight.land(toOutcome(state))
    void claim.replace(state).finally(() => flight.leave())
  }

  #about({ id, modelName, provider, model }: Origin): AnswerOrigin {
    return { at: this.#parts.clock.now(), deployment: id, modelName, provider, model }
  }
}

/** What a state that is no longer `running` means to whoever asks. */
export function toOutcome(state: Exclude<KeyState, { state: 'running' }>): Outcome {
  if (state.state === 'done') return state.answer
  return state.state === 'failed' ? state.error : answerLost()
}
