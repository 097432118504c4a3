import type { GatewayError } from '../errors.js'
import type { Deployment } from '../deployment.js'
import type { LedgerEntry } from '../ports/ledger.js'
import type { AttemptPart } from '../upstream/call-signal.js'
import type { JsonObject } from '../wire/json.js'

/** Why an attempt was made. */
export type AttemptReason = 'first' | 'retry' | 'reroute' | 'fallback' | 'hedge' | 'restart' | 'continue'

const noParts: readonly AttemptPart[] = []

/** What is known of an attempt when it begins. */
export interface AttemptStart {
  readonly target: Deployment
  readonly modelName: string
  readonly reason: AttemptReason
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

/** One attempt of a call, as it stands. A class, since V8 would put a literal of that many calls into its old generation. */
export class AttemptEntry {
  readonly deployment: string
  readonly target: Deployment
  readonly modelName: string
  reason: AttemptReason
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** False where nothing reached the provider, which then has nothing to bill. */
  sent = false
  /** The same of the latest of its `parts`. */
  partSent = false
  /** The provider has begun an answer, to the latest of its parts, whose status says success. */
  accepted = false
  /** The requests that it takes, in turn, where it takes several that are billed each; empty for one. */
  parts: readonly AttemptPart[] = noParts
  /** As the provider told it, of this attempt alone; of one that did not end well it may be less than is billed. */
  usage: JsonObject | undefined
  /** The usage of a whole answer in the provider's own words, or of a stream that failed before it had content. */
  told: JsonObject | undefined
  /** How many images, or embeddings, a whole answer lists; undefined for others. */
  listed: number | undefined
  /** Roughly how much text arrived; 0 for whole answers with `usage`. What an output is estimated by where that is missing. */
  receivedCharacters = 0
  /** The tier that served it, as the answer tells. */
  serviceTier: string | undefined
  /** Streams: until the first content, in milliseconds. */
  firstTokenMs: number | undefined
  /** False where the caller's own credentials pay. */
  billable = true
  /** Undefined while it runs. */
  endedAt: number | undefined
  outcome: 'running' | 'answered' | 'failed' | 'cancelled' = 'running'
  failure: GatewayError | undefined

  constructor({ target, modelName, reason, startedAt }: AttemptStart) {
    this.deployment = target.id
    this.target = target
    this.modelName = modelName
    this.reason = reason
    this.startedAt = startedAt
  }
}

/** Everything that one call tried, in order. */
export class CallTrail {
  readonly entries: AttemptEntry[] = []
  /** The model group that was asked for, once it is found. */
  modelName: string | undefined
  /** Told of every attempt when it ends; set before the first one, or never. Must not throw. */
  onEnd: ((entry: AttemptEntry) => void) | undefined
  /** The ledger's rows, once the call is over; none where no accounts are kept. */
  rows: readonly LedgerEntry[] = []

  begin(start: AttemptStart): AttemptEntry {
    const begun = new AttemptEntry(start)
    this.entries.push(begun)
    return begun
  }

  /** The attempt that gave the answer, the latest where several did in turn. */
  get answered(): AttemptEntry | undefined {
    return this.entries.findLast((entry) => entry.outcome === 'answered')
  }
}
