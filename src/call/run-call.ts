import { GatewayError, toGatewayError } from '../errors.js'
import type { Deployment } from '../deployment.js'
import { withRetries } from '../router/retry.js'
import { CallSignal, timeoutError } from '../upstream/call-signal.js'
import type { ChatChunk, ChatCompletion, ChatRequest } from '../wire/chat.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import { type Served, type StreamAnswer, type WholeAnswer, attemptStream, attemptWhole } from './attempt.js'
import { type Attempt, withCredentials } from './caller-access.js'
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
  const call = beginCall(request.model, context, parts)
  try {
    const answer = await attempts(call, context, parts, (deployment, own) =>
      attemptWhole(operation, restored(operation, request, deployment, context, own), deployment, call.signal, own),
    )
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
  const call = beginCall(request.model, context, parts)
  try {
    const answer = await attempts(call, context, parts, (deployment, own) =>
      attemptStream(operation, restored(operation, request, deployment, context, own), deployment, call.signal, own),
    )
    call.signal.answered()
    return { ...answer, parts: tap(operation, request, answer, context, parts, call) }
  } catch (thrown) {
    call.end()
    throw failed(thrown, request.model, context, parts)
  }
}

interface BegunCall {
  readonly deployments: readonly Deployment[]
  readonly signal: CallSignal
  end(): void
}

function beginCall(model: string, context: CallContext, parts: CallParts): BegunCall {
  if (parts.running.closed) throw new GatewayError('unavailable', 'The gateway is shutting down.')
  const deployments = parts.groups.resolve(model, context.caller)
  const end = (): void => {
    context.signal?.removeEventListener('abort', leave)
    signal.dispose()
    parts.running.leave(signal)
  }
  const signal = new CallSignal(parts.clock, 0, end)
  const leave = (): void =>
    signal.end(new GatewayError('client_closed', 'The client went away before the answer was complete.'))
  parts.running.enter(signal)
  if (context.signal?.aborted) leave()
  else context.signal?.addEventListener('abort', leave, { once: true })
  return { deployments, signal, end }
}

/** Tries deployments until one answers; nothing of a failed attempt stays open, and its error tells no credential. */
function attempts<T extends Served>(
  { deployments, signal }: BegunCall,
  context: CallContext,
  parts: CallParts,
  attempt: Attempt<T>,
): Promise<T> {
  const { callerAccess } = parts
  return withRetries(deployments, { ...parts.retrying, signal }, async (deployment) => {
    try {
      signal.limitTotal(deployment.timeouts.total)
      if (signal.remainingMs <= 0) throw timeoutError('total', deployment.timeouts.total)
      if (!callerAccess) return await attempt(deployment, parts)
      return await withCredentials(callerAccess, deployment, { signal, context, parts }, attempt)
    } catch (thrown) {
      signal.endStep(new GatewayError('client_closed', 'The attempt has failed.'))
      throw redactError(toGatewayError(thrown), deployment, parts.sent.get(signal))
    }
  })
}

function tap<K extends StreamOperation>(
  operation: K,
  request: Operations[K]['request'],
  answer: StreamAnswer<K>,
  context: CallContext,
  parts: CallParts,
  call: BegunCall,
): TappedStream<Operations[K]['chunk']> {
  const wantsUsage = request.stream_options?.include_usage === true
  const collector = new ReasoningCollector()
  const origin = parts.reasoning.originOf(answer.deployment)
  return new TappedStream(answer.parts, {
    accept(chunk) {
      if (operation === 'chat') {
        collector.add(chunk as ChatChunk)
        for (const { delta } of (chunk as ChatChunk).choices) markDelta(delta, origin)
      }
      return wantsUsage || chunk.choices.length > 0
    },
    ended() {
      call.end()
      parts.reasoning.remember(collector.message, context.caller.id, answer.deployment)
    },
    failed(thrown) {
      call.end()
      const error = redactError(toGatewayError(thrown), answer.deployment, parts.sent.get(call.signal))
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
