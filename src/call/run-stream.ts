import type { IdempotentCall } from '../cache/idempotent-call.js'
import { toGatewayError } from '../errors.js'
import type { Operations, StreamOperation } from '../wire/operations.js'
import { type Given, attemptStream } from './attempt.js'
import { beginCall, firstAnswer } from './begin-call.js'
import type { CallContext, CallParts } from './context.js'
import {
  type RepeatableCall,
  beginRepeat,
  cacheHeaders,
  findStream,
  givenFrom,
  originOf,
  toParts,
} from './earlier-answers.js'
import { openAccount } from './open-account.js'
import type { PartBatches } from './read-parts.js'
import type { AskStream } from './recover-stream.js'
import { replayTap } from './replay-tap.js'
import { restored } from './restored-request.js'
import { streamTap } from './stream-tap.js'
import { tellFailure } from './tell-failure.js'

/** A stream as it is given to whoever asked; its iteration throws GatewayError. */
export interface GivenStream<K extends StreamOperation> extends Given {
  readonly parts: PartBatches<Operations[K]['chunk']>
}

/**
 * One call from start to its first content; the rest follows in `parts`, whose iteration throws GatewayError.
 * @throws GatewayError for everything that goes wrong before content
 */
export async function runStream<K extends StreamOperation>(
  operation: K,
  request: Operations[K]['request'],
  context: CallContext,
  parts: CallParts,
): Promise<GivenStream<K>> {
  const call = beginCall(request, context, parts)
  const repeatable: RepeatableCall<K> = { operation, request, call, context }
  let repeat: IdempotentCall | undefined
  try {
    const begun = await beginRepeat(repeatable, parts.earlier)
    if (begun?.status === 'replay') {
      return { ...givenFrom(begun.source), parts: replayTap(toParts<K>(begun.source), repeatable, begun.source) }
    }
    repeat = begun
    call.onEnd(() => begun?.release())
    const account = await openAccount(repeatable, parts)
    const found = await findStream(repeatable, parts.earlier)
    const headers = { ...account?.headers, ...cacheHeaders(found) }
    if (found?.status === 'hit') {
      account?.cached(found.source)
      const { source } = found
      const keeper = repeat && { repeat, origin: originOf(source) }
      return { ...givenFrom(source, headers), parts: replayTap(found.parts, repeatable, source, keeper) }
    }
    if (found) call.onEnd(() => found.release())
    const ask: AskStream<K> = (asked, deployment, own, signal) =>
      attemptStream(operation, restored(operation, asked, deployment, context, own), deployment, signal, own)
    const answered = await firstAnswer(call, context, parts, (deployment, own, { signal }) =>
      ask(request, deployment, own, signal),
    )
    call.signal.answered()
    answered.signal.answered()
    const { deployment, droppedParams, billable } = answered.answer
    const tapped = streamTap(answered, { ...repeatable, parts, ask }, { cache: found, repeat })
    return { parts: tapped, deploymentId: deployment.id, droppedParams, billable, headers }
  } catch (thrown) {
    repeat?.fail(toGatewayError(thrown))
    call.end()
    throw tellFailure(thrown, request.model, context, parts)
  }
}
