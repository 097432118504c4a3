import { CallSignal } from '../upstream/call-signal.js'
import { merged } from '../wire/merged.js'
import type { Operation } from '../wire/operations.js'
import type { CallAccount } from './accounts/accounts.js'
import type { CallContext, CallParts } from './context.js'
import { cacheHeaders, givenFrom } from './earlier-answers.js'
import { type GivenWhole, WrittenWhole } from './given-whole.js'
import type { KnownCall } from './known-call.js'
import { beginAccount } from './open-account.js'
import { beginRecord } from './record-call.js'
import { tellFailure } from './tell-failure.js'

/**
 * Answers a call that `findKnown` found, with the admission, the ledger's row, the record and the headers that it has on
 * the whole way.
 * @throws GatewayError budget_exceeded, limit_exceeded
 */
export function answerAgain<K extends Operation>(
  { operation, request, group, hit, answer }: KnownCall<K>,
  context: CallContext,
  parts: CallParts,
): GivenWhole<K> | Promise<GivenWhole<K>> {
  const { trail } = context
  trail.modelName = group.name
  const record = beginRecord(operation, request, context, parts)
  const give = (account: CallAccount | undefined): GivenWhole<K> => {
    account?.cached(hit.source)
    if (account) trail.rows = account.rows
    const headers = account ? merged(account.headers, cacheHeaders(hit)) : cacheHeaders(hit)
    const given = new WrittenWhole(answer, givenFrom(hit.source, headers))
    record?.answered(given)
    return given
  }
  const fail = (thrown: unknown): never => {
    const error = tellFailure(thrown, request.model, context, parts)
    record?.failed(error)
    throw error
  }
  try {
    const opening = beginAccount({ operation, request, group, context }, parts)
    return opening instanceof Promise ? admitted(opening, parts).then(give).catch(fail) : give(opening)
  } catch (thrown) {
    return fail(thrown)
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
