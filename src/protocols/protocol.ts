import type { Deployment } from '../deployment.js'
import type { FailureKind } from '../errors.js'
import type { Framing } from '../upstream/framing.js'
import type { UpstreamEvent, UpstreamRequest } from '../upstream/message.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { ChatUsage } from '../wire/usage.js'

/** One request on its way through a codec; everything a translation may depend on. */
export interface Exchange<K extends Operation> {
  readonly request: Operations[K]['request']
  readonly deployment: Deployment
  /** Unique for this attempt, `[A-Za-z0-9]{24}`; answers of providers that send no id get one made from it. */
  readonly id: string
  /** Unix time in seconds, for providers that send none. */
  readonly created: number
  /**
   * What a codec that is one of several has chosen for it, and which codec that was; remembered only where this is there.
   * Copies keep it, so no choice may depend on what they change: slices of the input, inlined media, `n`.
   */
  chosen?: { readonly by: Codec<K>; readonly codec: Codec<K> } | undefined
}

/** A piece of a streamed answer: either a chunk, or an event whose bytes already are what the client expects. */
export interface StreamPart<Chunk> {
  readonly chunk: Chunk | undefined
  /** Set instead of `chunk`; its `data` is a plain content chunk in OpenAI's format and its `frame` is set. */
  readonly forward: UpstreamEvent | undefined
}

/** Where a stream stands; see `StreamDecoder.progress`. */
export type StreamProgress = 'open' | 'finished' | 'terminated'

/** Turns one provider stream into OpenAI chunks. A state machine without I/O: same events in, same chunks out. */
export interface StreamDecoder<Chunk> {
  /**
   * How far the answer is: `finished` once every choice has its finish reason (usage may follow), `terminated` once
   * the provider said that nothing follows (`[DONE]`, `message_stop`). Then the connection is not waited for.
   */
  readonly progress: StreamProgress
  /** What the provider said of its tokens so far, for streams that break off; absent where it says that only at the end. */
  readonly usage?: ChatUsage | undefined
  /** Set where the content type of the answer does not tell how its events are cut. */
  readonly framing?: Framing
  /** @throws GatewayError for an error inside the stream, or an event that makes no sense */
  push(event: UpstreamEvent): readonly StreamPart<Chunk>[]
  /**
   * The upstream closed: gives what is still owed (finish, usage).
   * @throws GatewayError stream_truncated where no finish reason or terminator was seen
   */
  end(): readonly StreamPart<Chunk>[]
}

/** A later look at a job that is not done. */
export interface FollowUp {
  readonly request: UpstreamRequest
  /** Milliseconds to wait before it. */
  readonly delayMs: number
  /**
   * What the body before it adds to the answer, where a call takes several requests (see `split`); `decode` gets all of
   * them, its body last. Its `usage`, if it has any, is what the provider bills for that part.
   */
  readonly keep?: unknown
  /**
   * Another host of the provider that the job lives on, `https://host`; the base URL otherwise. The credential goes
   * there as well, so only a codec that has checked whose host it is may name one.
   */
  readonly origin?: string
}

/** A body that is not text (an image, audio); `decode` gets it instead of parsed JSON. */
export interface BinaryBody {
  /** Without parameters. */
  readonly mediaType: string
  readonly base64: string
}

/** Pure translation of one operation between OpenAI's format and a dialect. No I/O, no clock, no randomness. */
export interface Codec<K extends Operation> {
  /**
   * Addresses of media (http or https) that the model cannot fetch by itself. Where the host lets us fetch them,
   * `encode` gets the request with `data:` URLs in their place; else it sees the addresses and refuses them.
   */
  mediaToFetch?(exchange: Exchange<K>): readonly string[]
  /** How many inputs of an embedding request one call of the API takes; more go in several calls. @default any number */
  mostInputs?(exchange: Exchange<K>): number
  /**
   * What each request asks for, in turn, of a call that takes several, as their provider bills each; undefined for one
   * that takes a single request. `next` gives a `keep` with each of them but the first.
   */
  split?(exchange: Exchange<K>): readonly Operations[K]['request'][] | undefined
  /**
   * What becomes of a limit of output tokens on its way: another number where the API takes no such one, undefined where
   * it takes none. What a call may cost at most is reckoned with it. @default it is sent as it is
   */
  outputLimit?(limit: number, exchange: Exchange<K>): number | undefined
  /** @throws UnsupportedParameterError, InvalidRequestError */
  encode(exchange: Exchange<K>): UpstreamRequest
  /**
   * Gives back the very object it got where nothing had to change, so that its bytes can be forwarded.
   * @param headers of the answer, by lower-case name: some APIs tell their usage there
   * @throws GatewayError for an error inside a 200, or a body that is not an answer
   */
  decode(body: unknown, exchange: Exchange<K>, headers?: Readonly<Record<string, string>>): Operations[K]['response']
  /**
   * For APIs that work on a job: the request that asks for its result, or undefined once `body` is the result. The
   * result's body is then what `decode` gets. Its `path` is appended to the base URL like any other.
   * @param answers how many came so far, `body` included; 1 where it is not given
   * @param headers of the answer, by lower-case name
   * @throws GatewayError where the job failed
   */
  next?(
    body: unknown,
    exchange: Exchange<K>,
    answers?: number,
    headers?: Readonly<Record<string, string>>,
  ): FollowUp | undefined
  /**
   * For APIs that answer a streamed request with the address of the stream: the request that opens it, or undefined
   * where `body` names none that may be opened; it is then an answer like any other. `delayMs` is not waited for.
   */
  streamAt?(body: unknown, exchange: Exchange<K>): FollowUp | undefined
  /** Absent where the API cannot stream: a stream is then made from the whole answer. */
  decodeStream?(exchange: Exchange<K>): StreamDecoder<Operations[K]['chunk']>
}

/** A provider's refusal, understood. */
export interface Failure {
  readonly kind: FailureKind
  /** The provider's own words. */
  readonly message: string
  readonly code?: string | null
  readonly type?: string | null
  readonly param?: string | null
  /** From the body (Google's RetryInfo); headers are read by the caller. */
  readonly retryAfterMs?: number
}

/** How to speak to a family of APIs. Where and who is the provider's business. */
export interface Protocol {
  readonly name: string
  readonly codecs: { readonly [K in Operation]?: Codec<K> }
  /**
   * Reads an error answer; `body` is parsed JSON where it was JSON, else the text.
   * @param headers of the answer, by lower-case name: AWS names its errors there
   */
  failure(status: number, body: unknown, headers?: Readonly<Record<string, string>>): Failure
}
