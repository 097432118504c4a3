import type { WholeMiss } from '../cache/found.js'
import type { IdempotentCall } from '../cache/idempotent-call.js'
import { toGatewayError } from '../errors.js'
import type { ChatCompletion } from '../wire/chat.js'
import { numberOf } from '../wire/json.js'
import { merged } from '../wire/merged.js'
import type { Operation, Operations } from '../wire/operations.js'
import { type WholeAnswer, attemptWhole } from './attempt.js'
import { type Answered, beginCall, firstAnswer } from './begin-call.js'
import type { CallContext, CallParts } from './context.js'
import {
  type RepeatableCall,
  beginRepeat,
  cacheHeaders,
  findWhole,
  givenFrom,
  originOf,
  toWhole,
} from './earlier-answers.js'
import { type GivenWhole, WrittenWhole } from './given-whole.js'
import { openAccount } from './open-account.js'
import { markCompletion } from './reasoning-origin.js'
import { restored } from './restored-request.js'
import { noteAnswer } from './note-answer.js'
import { tellFailure } from './tell-failure.js'

/**
 * One call from start to finish, answered whole.
 * @throws GatewayError
 */
export async function runCall<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  context: CallContext,
  parts: CallParts,
): Promise<GivenWhole<K>> {
  const call = beginCall(request, context, parts)
  const repeatable: RepeatableCall<K> = { operation, request, call, context }
  let repeat: IdempotentCall | undefined
  try {
    const begun = await beginRepeat(repeatable, parts.earlier)
    if (begun?.status === 'replay') return new WrittenWhole(toWhole<K>(begun.source), givenFrom(begun.source))
    repeat = begun
    const account = await openAccount(repeatable, parts)
    const found = await findWhole(repeatable, parts.earlier)
    const headers = merged(account?.headers ?? {}, cacheHeaders(found))
    if (found?.status === 'hit') {
      account?.cached(found.source)
      repeat?.keep(found.answer, originOf(found.source))
      const known = { operation, request, group: call.route.group, hit: found, answer: found.answer }
      return new WrittenWhole(found.answer, givenFrom(found.source, headers), known)
    }
    if (found) call.onEnd(() => found.release())
    const answer = await ask(repeatable, found, parts)
    repeat?.keep(answer, answer.deployment)
    return { deploymentId: answer.deployment.id, headers, ...answer }
  } catch (thrown) {
    repeat?.fail(toGatewayError(thrown))
    throw tellFailure(thrown, request.model, context, parts)
  } finally {
    call.end()
    repeat?.release()
  }
}

/** Asks for what the cache does not have; once more, for everything, where what it has does not fit the answer. */
async function ask<K extends Operation>(
  repeatable: RepeatableCall<K>,
  found: WholeMiss<K> | undefined,
  parts: CallParts,
): Promise<WholeAnswer<K>> {
  for (;;) {
    const answer = await askOnce({ ...repeatable, request: found?.request ?? repeatable.request }, parts)
    if (!found) return answer
    const { deployment, billable } = answer
    const kept = found.keep(answer, { deployment, billable, group: repeatable.call.route.group })
    if (!kept) continue
    const { body, written } = kept
    return body === answer.body
      ? answer
      : { ...answer, body, written: typeof written === 'string' ? written : undefined }
  }
}

async function askOnce<K extends Operation>(
  { operation, request, call, context }: RepeatableCall<K>,
  parts: CallParts,
): Promise<WholeAnswer<K>> {
  const answered = await firstAnswer(call, context, parts, (deployment, own, { signal }) =>
    attemptWhole(operation, restored(operation, request, deployment, context, own), deployment, signal, own),
  )
  noteSuccess(answered, parts)
  const { answer } = answered
  return operation === 'chat' ? (remembered(answer as WholeAnswer<'chat'>, context, parts) as WholeAnswer<K>) : answer
}

/** A whole answer is there: its attempt ends well, and what it took is noted. */
function noteSuccess<K extends Operation>({ picked, answer }: Answered<WholeAnswer<K>>, parts: CallParts): void {
  const { lease } = picked
  const usage = noteAnswer(lease.entry, answer.body)
  lease.succeeded({
    totalMs: parts.clock.now() - lease.entry.startedAt,
    outputTokens: numberOf(usage?.['completion_tokens']),
    totalTokens: numberOf(usage?.['total_tokens']),
  })
}

/** The answer with its reasoning kept and marked for the next turn. */
function remembered(answer: WholeAnswer<'chat'>, context: CallContext, parts: CallParts): WholeAnswer<'chat'> {
  const [choice]: ChatCompletion['choices'] = answer.body.choices
  if (choice) parts.reasoning.remember(choice.message, context.caller.id, answer.deployment)
  const body = markCompletion(answer.body, parts.reasoning.originOf(answer.deployment))
  return body === answer.body ? answer : { ...answer, body, written: undefined }
}
