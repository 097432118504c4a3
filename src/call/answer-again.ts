import { CallSignal } from '../upstream/call-signal.js'
import { merged } from '../wire/merged.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { CacheHit } from '../cache/found.js'
import type { CallAccount } from './accounts/accounts.js'
import type { Given } from './attempt.js'
import type { CallContext, CallParts } from './context.js'
import { cacheHeaders } from './earlier-answers.js'
import type { GivenWhole } from './given-whole.js'
import type { FoundCall } from './known-call.js'
import type { DecodedAnswer } from './read-answer.js'
import { beginAccount } from './open-account.js'
import { type CallRecording, beginRecord } from './record-call.js'
import { tellFailure } from './tell-failure.js'

/**
 * Answers a call that `findKnown` found, with the admission, the ledger's row, the record and the headers that it has on
 * the whole way.
 * @throws GatewayError budget_exceeded, limit_exceeded
 */
export function answerAgain(
  found: FoundCall,
  context: CallContext,
  parts: CallParts,
): AnswerAgain | Promise<AnswerAgain> {
  const { operation, request, group } = found.known
  context.trail.modelName = group.name
  const record = beginRecord(operation, request, context, parts)
  const fail = (thrown: unknown): never => {
    const error = tellFailure(thrown, request.model, context, parts)
    record?.failed(error)
    throw error
  }
  try {
    const opening = beginAccount({ operation, request, group, context }, parts)
    if (!(opening instanceof Promise)) return give(found, context, opening, record)
    return admitted(opening, parts)
      .then((account) => give(found, context, account, record))
      .catch(fail)
  } catch (thrown) {
    return fail(thrown)
  }
}

function give(
  { known, hit }: FoundCall,
  { trail }: CallContext,
  account: CallAccount | undefined,
  record: CallRecording | undefined,
): AnswerAgain {
  account?.cached(hit.source)
  if (account) trail.rows = account.rows
  const given = new AnswerAgain(known.answer, hit, account?.headers)
  record?.answered(given)
  return given
}

const nothingDropped: readonly string[] = []

/** An answer that is given once more; what it tells is made for those who ask. */
export class AnswerAgain implements GivenWhole<Operation> {
  readonly #answer: DecodedAnswer<Operation>
  readonly #hit: CacheHit
  /** `x-ratelimit-*` of the caller; undefined where no account is kept. */
  readonly limits: CallAccount['headers'] | undefined
  readonly droppedParams = nothingDropped
  readonly billable = true

  constructor(answer: DecodedAnswer<Operation>, hit: CacheHit, limits: CallAccount['headers'] | undefined) {
    this.#answer = answer
    this.#hit = hit
    this.limits = limits
  }

  get written(): DecodedAnswer<Operation>['written'] {
    return this.#answer.written
  }

  get body(): Operations[Operation]['response'] {
    return this.#answer.body
  }

  get deploymentId(): string {
    return this.#hit.source.deployment
  }

  get headers(): Given['headers'] {
    return this.limits ? merged(this.limits, cacheHeaders(this.#hit)) : cacheHeaders(this.#hit)
  }
}

/** Closing the gateway waits for what is being admitted. */
async function admitted(opening: Promise<CallAccount>, { running, clock }: CallParts): Promise<CallAccount> {
  const signal = new CallSignal(clock, 0)
  running.enter(signal)
  try {
    return await opening
  } finally {
    running.leave(signal)
  }
}
