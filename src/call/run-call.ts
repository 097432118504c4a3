import { GatewayError, toGatewayError } from '../errors.js'
import type { Deployment } from '../deployment.js'
import type { ChatChunk, ChatCompletion, ChatRequest } from '../wire/chat.js'
import { numberOf } from '../wire/json.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import { usageOf } from '../wire/usage.js'
import { type StreamAnswer, type WholeAnswer, attemptStream, attemptWhole } from './attempt.js'
import { type Answered, type BegunCall, beginCall, firstAnswer } from './begin-call.js'
import type { CallContext, CallParts } from './context.js'
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
    const answered = await firstAnswer(call, context, parts, (deployment, own) =>
      attemptWhole(operation, restored(operation, request, deployment, context, own), deployment, call.signal, own),
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
    const answered = await firstAnswer(call, context, parts, (deployment, own) =>
      attemptStream(operation, restored(operation, request, deployment, context, own), deployment, call.signal, own),
    )
    call.signal.answered()
    return { ...answered.answer, parts: tap(operation, request, answered, context, parts, call) }
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
  lease.succeeded({
    totalMs: parts.clock.now() - lease.entry.startedAt,
    outputTokens: numberOf(usage?.['completion_tokens']),
    totalTokens: numberOf(usage?.['total_tokens']),
  })
}

function tap<K extends StreamOperation>(
  operation: K,
  request: Operations[K]['request'],
  { answer, picked }: Answered<StreamAnswer<K>>,
  context: CallContext,
  parts: CallParts,
  call: BegunCall,
): TappedStream<Operations[K]['chunk']> {
  const wantsUsage = request.stream_options?.include_usage === true
  const collector = new ReasoningCollector()
  const origin = parts.reasoning.originOf(answer.deployment)
  const firstTokenMs = parts.clock.now() - picked.lease.entry.startedAt
  let totalTokens: number | undefined
  return new TappedStream(answer.parts, {
    accept(chunk) {
      totalTokens = numberOf(usageOf(chunk)?.['total_tokens']) ?? totalTokens
      if (operation === 'chat') {
        collector.add(chunk as ChatChunk)
        for (const { delta } of (chunk as ChatChunk).choices) markDelta(delta, origin)
      }
      return wantsUsage || chunk.choices.length > 0
    },
    ended() {
      picked.lease.succeeded({ firstTokenMs, totalTokens })
      call.end()
      parts.reasoning.remember(collector.message, context.caller.id, answer.deployment)
    },
    left() {
      call.end()
      parts.reasoning.remember(collector.message, context.caller.id, answer.deployment)
    },
    failed(thrown) {
      const error = redactError(toGatewayError(thrown), answer.deployment, parts.sent.get(call.signal))
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
