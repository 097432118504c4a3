import { GatewayError, toGatewayError } from '../errors.js'
import type { AttemptLease } from '../router/attempt-lease.js'
import { type Picked, Route } from '../router/route.js'
import { CallSignal, timeoutError } from '../upstream/call-signal.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { Served } from './attempt.js'
import { readWishes } from './call-wishes.js'
import { type Attempt, withCredentials } from './caller-access.js'
import type { CallContext, CallParts } from './context.js'
import { redactError } from './redact.js'

/** One call under way. */
export interface BegunCall {
  readonly signal: CallSignal
  readonly route: Route
  /** The attempt whose answer is being given; ends as cancelled where the call ends before it. */
  lease: AttemptLease | undefined
  /** Gives everything back that the call holds; safe to repeat. */
  end(): void
}

/** An attempt's answer, and the attempt that it came from, which is still open. */
export interface Answered<T> {
  readonly answer: T
  readonly picked: Picked
}

/**
 * Finds who may serve the call, and ties its life to the client's and the gateway's.
 * @throws GatewayError for a model that does not exist or that the caller may not use
 */
export function beginCall<K extends Operation>(
  request: Operations[K]['request'],
  context: CallContext,
  parts: CallParts,
): BegunCall {
  if (parts.running.closed) throw new GatewayError('unavailable', 'The gateway is shutting down.')
  const group = parts.directory.groups.resolve(request.model, context.caller)
  const wishes = readWishes(request, context, parts)
  const end = (): void => {
    context.signal?.removeEventListener('abort', leave)
    signal.dispose()
    parts.running.leave(signal)
    call.lease?.cancelled()
  }
  const signal = new CallSignal(parts.clock, 0, end)
  const leave = (): void =>
    signal.end(new GatewayError('client_closed', 'The client went away before the answer was complete.'))
  const route = new Route(
    {
      group,
      signal,
      trail: context.trail,
      stream: request['stream'] === true,
      ...wishes,
      ...parts.readFacts(request, context),
    },
    parts.router,
  )
  const call: BegunCall = { signal, route, lease: undefined, end }
  parts.running.enter(signal)
  if (context.signal?.aborted) leave()
  else context.signal?.addEventListener('abort', leave, { once: true })
  return call
}

/** Tries deployments until one answers; nothing of a failed attempt stays open, and its error tells no credential. */
export async function firstAnswer<T extends Served>(
  call: BegunCall,
  context: CallContext,
  parts: CallParts,
  attempt: Attempt<T>,
): Promise<Answered<T>> {
  return call.route.run(async (picked) => {
    const answer = await attemptAt(picked, call.signal, { context, parts }, attempt)
    call.lease = picked.lease
    return { answer, picked }
  })
}

async function attemptAt<T extends Served>(
  { deployment }: Picked,
  signal: CallSignal,
  { context, parts }: { readonly context: CallContext; readonly parts: CallParts },
  attempt: Attempt<T>,
): Promise<T> {
  const { callerAccess } = parts
  try {
    signal.limitTotal(deployment.timeouts.total)
    if (signal.remainingMs <= 0) throw timeoutError('total', deployment.timeouts.total)
    if (!callerAccess) return await attempt(deployment, parts)
    return await withCredentials(callerAccess, deployment, { signal, context, parts }, attempt)
  } catch (thrown) {
    signal.endStep(new GatewayError('client_closed', 'The attempt has failed.'))
    throw redactError(toGatewayError(thrown), deployment, parts.sent.get(signal))
  }
}
