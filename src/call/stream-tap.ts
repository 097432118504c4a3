import type { StreamMiss } from '../cache/found.js'
import type { IdempotentCall } from '../cache/idempotent-call.js'
import { GatewayError, toGatewayError } from '../errors.js'
import type { ChatChunk } from '../wire/chat.js'
import { numberOf, stringOf } from '../wire/json.js'
import type { Operations, StreamOperation } from '../wire/operations.js'
import type { StreamAnswer } from './attempt.js'
import type { Answered } from './begin-call.js'
import { type RecoverableCall, StreamRecovery } from './recover-stream.js'
import { redactError } from './redact.js'
import { ReasoningCollector } from './reasoning-memory.js'
import { markDelta } from './reasoning-origin.js'
import { TappedStream } from './tap-stream.js'
import { tellFailure } from './tell-failure.js'

/** Those that keep a stream to give it again. */
export interface StreamKeepers {
  readonly cache: StreamMiss | undefined
  readonly repeat: IdempotentCall | undefined
}

/** The stream on its way to the client, with everybody told that has to do with it; the call ends with it. */
export function streamTap<K extends StreamOperation>(
  first: Answered<StreamAnswer<K>>,
  streamed: RecoverableCall<K>,
  { cache, repeat }: StreamKeepers,
): TappedStream<Operations[K]['chunk']> {
  const { operation, request, call, context, parts } = streamed
  const wantsUsage = request.stream_options?.include_usage === true
  const collector = new ReasoningCollector()
  const recovery = new StreamRecovery(first, streamed)
  const firstDeployment = first.answer.deployment
  let origin = parts.reasoning.originOf(firstDeployment)
  const { entry } = first.picked.lease
  first.picked.lease.began()
  const firstTokenMs = parts.clock.now() - entry.startedAt
  entry.firstTokenMs = firstTokenMs
  const remember = (): void => {
    const { deployment } = recovery.current.answer
    // Reasoning of two models is nobody's.
    if (parts.reasoning.originOf(deployment) !== parts.reasoning.originOf(firstDeployment)) return
    parts.reasoning.remember(collector.message, context.caller.id, deployment)
  }
  return new TappedStream(first.answer.parts, {
    see(batch) {
      recovery.see(batch)
      cache?.collect(batch)
      repeat?.collect(batch)
    },
    async resume(thrown) {
      const rest = await recovery.resume(thrown)
      origin = parts.reasoning.originOf(recovery.current.answer.deployment)
      return rest
    },
    accept(chunk) {
      const tier = stringOf(chunk['service_tier'])
      if (tier !== undefined) recovery.current.picked.lease.entry.serviceTier = tier
      if (operation === 'chat') {
        collector.add(chunk as ChatChunk)
        for (const { delta } of (chunk as ChatChunk).choices) markDelta(delta, origin)
      }
      return wantsUsage || chunk.choices.length > 0
    },
    ended() {
      recovery.note()
      const { answer, picked } = recovery.current
      const totalTokens = numberOf(picked.lease.entry.usage?.['total_tokens'])
      picked.lease.succeeded({ firstTokenMs: recovery.isRecovered ? undefined : firstTokenMs, totalTokens })
      const { deployment, billable } = answer
      cache?.complete({ deployment, billable, group: call.route.group })
      repeat?.complete(deployment)
      call.end()
      remember()
    },
    left() {
      recovery.note()
      // Also an attempt to recover the stream.
      call.signal.end(new GatewayError('client_closed', 'The reader left before the answer was complete.'))
      call.end()
      remember()
    },
    failed(thrown) {
      const { answer, picked, signal } = recovery.current
      const error = redactError(toGatewayError(thrown), answer.deployment, signal.sent)
      recovery.note()
      picked.lease.failed(error)
      call.end()
      return tellFailure(error, request.model, context, parts)
    },
  })
}
