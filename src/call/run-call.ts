import { GatewayError, toGatewayError } from '../errors.js'
import type { Deployment } from '../deployment.js'
import type { ChatChunk, ChatCompletion, ChatRequest } from '../wire/chat.js'
import { numberOf } from '../wire/json.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import { usageOf } from '../wire/usage.js'
import { type StreamAnswer, type WholeAnswer, attemptStream, attemptWhole } from './attempt.js'
import { type Answered, beginCall, firstAnswer } from './begin-call.js'
import type { CallContext, CallParts } from './context.js'
import { type AskStream, type RecoverableCall, StreamRecovery } from './recover-stream.js'
import { redactError } from './redact.js'
import { ReasoningCollector } from './reasoning-memory.js'
import { markCompletion, markDelta } from './reasoning-origin.js'
import { TappedStream } from './tap-stream.js'

/**
 * One call from start to finish, answered whole.
 * @throws GatewayError
 */
export async function runCall<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  context: CallContext,
  parts: CallParts,
): Promise<WholeAnswer<K>> {
  const call = beginCall(request, context, parts)
  try {
    const answered = await firstAnswer(call, context, parts, (deployment, own, { signal }) =>
      attemptWhole(operation, restored(operation, request, deployment, context, own), deployment, signal, own),
    )
    const { answer } = answered
    succeeded(answered, usageOf(answer.body), parts)
    return operation === 'chat' ? (remembered(answer as WholeAnswer<'chat'>, context, parts) as WholeAnswer<K>) : answer
  } catch (thrown) {
    throw failed(thrown, request.model, context, parts)
  } finally {
    call.end()
  }
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
): Promise<StreamAnswer<K>> {
  const call = beginCall(request, context, parts)
  try {
    const ask: AskStream<K> = (asked, deployment, own, signal) =>
      attemptStream(operation, restored(operation, asked, deployment, context, own), deployment, signal, own)
    const answered = await firstAnswer(call, context, parts, (deployment, own, { signal }) =>
      ask(request, deployment, own, signal),
    )
    call.signal.answered()
    answered.signal.answered()
    return { ...answered.answer, parts: tap(answered, { operation, request, call, context, parts, ask }) }
  } catch (thrown) {
    call.end()
    throw failed(thrown, request.model, context, parts)
  }
}

/** A whole answer is there: its attempt ends well, and what it took is remembered. */
function succeeded<K extends Operation>(
  { picked }: Answered<WholeAnswer<K>>,
  usage: ReturnType<typeof usageOf>,
  parts: CallParts,
): void {
  const { lease } = picked
  lease.entry.usage = usage
  lease.succeeded({
    totalMs: parts.clock.now() - lease.entry.startedAt,
    outputTokens: numberOf(usage?.['completion_tokens']),
    totalTokens: numberOf(usage?.['total_tokens']),
  })
}

function tap<K extends StreamOperation>(
  first: Answered<StreamAnswer<K>>,
  streamed: RecoverableCall<K>,
): TappedStream<Operations[K]['chunk']> {
  const { operation, request, call, context, parts } = streamed
  const wantsUsage = request.stream_options?.include_usage === true
  const collector = new ReasoningCollector()
  const recovery = new StreamRecovery(first, streamed)
  const firstDeployment = first.answer.deployment
  let origin = parts.reasoning.originOf(firstDeployment)
  const firstTokenMs = parts.clock.now() - first.picked.lease.entry.startedAt
  const remember = (): void => {
    const { deployment } = recovery.current.answer
    // Reasoning of two models is nobody's.
    if (parts.reasoning.originOf(deployment) !== parts.reasoning.originOf(firstDeployment)) return
    parts.reasoning.remember(collector.message, context.caller.id, deployment)
  }
  return new TappedStream(first.answer.parts, {
    see: (batch) => recovery.see(batch),
    async resume(thrown) {
      const rest = await recovery.resume(thrown)
      origin = parts.reasoning.originOf(recovery.current.answer.deployment)
      return rest
    },
    accept(chunk) {
      if (operation === 'chat') {
        collector.add(chunk as ChatChunk)
        for (const { delta } of (chunk as ChatChunk).choices) markDelta(delta, origin)
      }
      return wantsUsage || chunk.choices.length > 0
    },
    ended() {
      recovery.note()
      const { lease } = recovery.current.picked
      const totalTokens = numberOf(lease.entry.usage?.['total_tokens'])
      lease.succeeded({ firstTokenMs: recovery.isRecovered ? undefined : firstTokenMs, totalTokens })
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
      const error = redactError(toGatewayError(thrown), answer.deployment, parts.sent.get(signal))
      recovery.note()
      picked.lease.failed(error)
      call.end()
      return failed(error, request.model, context, parts)
    },
  })
}

function restored<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  deployment: Deployment,
  context: CallContext,
  parts: CallParts,
): Operations[K]['request'] {
  if (operation !== 'chat') return request
  return parts.reasoning.restore(request as ChatRequest, context.caller.id, deployment)
}

/** The answer with its reasoning kept and marked for the next turn. */
function remembered(answer: WholeAnswer<'chat'>, context: CallContext, parts: CallParts): WholeAnswer<'chat'> {
  const [choice]: ChatCompletion['choices'] = answer.body.choices
  if (choice) parts.reasoning.remember(choice.message, context.caller.id, answer.deployment)
  const body = markCompletion(answer.body, parts.reasoning.originOf(answer.deployment))
  return body === answer.body ? answer : { ...answer, body, written: undefined }
}

/** Puts a failure where the host can see its cause, which the client never does. */
function failed(thrown: unknown, model: string, context: CallContext, parts: CallParts): GatewayError {
  const error = toGatewayError(thrown)
  if (error.kind === 'client_closed') return error
  const fields = {
    requestId: context.requestId,
    caller: context.caller.id,
    model,
    kind: error.kind,
    status: error.status,
    upstream: error.upstream,
  }
  if (error.kind === 'internal') parts.logger.error({ ...fields, error: error.cause }, error.message)
  else if (error.status >= 500) parts.logger.warn(fields, error.message)
  else parts.logger.debug(fields, error.message)
  return error
}
