import { CallSignal } from '../upstream/call-signal.js'
import { merged } from '../wire/merged.js'
import type { Operation } from '../wire/operations.js'
import type { CallAccount } from './accounts/accounts.js'
import type { CallContext, CallParts } from './context.js'
import { cacheHeaders, givenFrom } from './earlier-answers.js'
import { type GivenWhole, WrittenWhole } from './given-whole.js'
import type { FoundCall } from './known-call.js'
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
): GivenWhole<Operation> | Promise<GivenWhole<Operation>> {
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
): GivenWhole<Operation> {
  account?.cached(hit.source)
  if (account) trail.rows = account.rows
  const headers = account ? merged(account.headers, cacheHeaders(hit)) : cacheHeaders(hit)
  const given = new WrittenWhole(known.answer, givenFrom(hit.source, headers))
  record?.answered(given)
  return given
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
