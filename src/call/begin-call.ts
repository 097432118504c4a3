import type { Deployment } from '../deployment.js'
import { GatewayError, toGatewayError } from '../errors.js'
import type { AttemptLease } from '../router/attempt-lease.js'
import { type Picked, Route } from '../router/route.js'
import type { AttemptEntry } from '../router/trail.js'
import { CallSignal, timeoutError } from '../upstream/call-signal.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { CallAccount } from './accounts/accounts.js'
import type { Served } from './attempt.js'
import { readWishes } from './call-wishes.js'
import { type Attempt, withCredentials } from './caller-access.js'
import type { CallContext, CallParts } from './context.js'
import { mayHedge, raceAttempts } from './hedge.js'
import { redactError } from './redact.js'

/** One call under way. */
export interface BegunCall {
  readonly signal: CallSignal
  readonly route: Route
  /** All attempts; those under way end as cancelled where the call ends before them. */
  readonly leases: Set<AttemptLease>
  readonly stream: boolean
  /** A slow attempt may get a second one beside it. */
  mayHedge: boolean
  /** Where its money goes; undefined until the call is let in, and where nobody keeps books. */
  account: CallAccount | undefined
  /** Has a part of the call told when the call is over, however it went; the last one first. */
  onEnd(close: () => void): void
  /** Gives everything back that the call holds; safe to repeat. */
  end(): void
}

/** An attempt's answer, and the attempt that it came from, which is still open. */
export interface Answered<T> {
  readonly answer: T
  readonly picked: Picked
  /** The call's, or a fork of it where attempts were made beside each other. */
  readonly signal: CallSignal
}

/** An attempt that is about to be made. */
export interface Asking {
  readonly signal: CallSignal
  readonly entry: AttemptEntry
}

/** Asks one deployment once. */
export type AttemptOf<T> = (deployment: Deployment, parts: CallParts, asking: Asking) => Promise<T>

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
  const stream = request['stream'] === true
  const end = (): void => {
    context.signal?.removeEventListener('abort', leave)
    signal.dispose()
    parts.running.leave(signal)
    for (const lease of call.leases) lease.cancelled()
    for (const close of closing.splice(0).toReversed()) close()
  }
  const closing: (() => void)[] = []
  const signal = new CallSignal(parts.clock, 0, end)
  const leave = (): void =>
    signal.end(new GatewayError('client_closed', 'The client went away before the answer was complete.'))
  const route = new Route(
    {
      group,
      signal,
      trail: context.trail,
      stream,
      ...wishes,
      ...parts.readFacts(request, context),
    },
    parts.router,
  )
  const onEnd = (close: () => void): void => void closing.push(close)
  const call: BegunCall = {
    signal,
    route,
    leases: new Set(),
    stream,
    mayHedge: mayHedge(request),
    account: undefined,
    onEnd,
    end,
  }
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
  attempt: AttemptOf<T>,
): Promise<Answered<T>> {
  const { signal, route } = call
  const ask = (picked: Picked, own: CallSignal): Promise<T> => {
    call.leases.add(picked.lease)
    return attemptAt(picked, own, { call, context, parts }, (deployment, ownParts) =>
      attempt(deployment, ownParts, { signal: own, entry: picked.lease.entry }),
    )
  }
  return route.run(async (picked) => {
    const delayMs = call.mayHedge ? parts.hedging?.delayFor(route.group, call.stream) : undefined
    if (delayMs !== undefined) {
      return raceAttempts(picked, delayMs, { route, signal, clock: parts.clock, attempt: ask })
    }
    return { answer: await ask(picked, signal), picked, signal }
  })
}

/** The call that an attempt is made for. */
interface AttemptedBy {
  readonly call: BegunCall
  readonly context: CallContext
  readonly parts: CallParts
}

async function attemptAt<T extends Served>(
  { deployment, lease }: Picked,
  signal: CallSignal,
  { call, context, parts }: AttemptedBy,
  attempt: Attempt<T>,
): Promise<T> {
  const { callerAccess } = parts
  signal.attempt = lease.entry
  try {
    signal.limitTotal(deployment.timeouts.total)
    if (signal.remainingMs <= 0) {
      // The time was spent elsewhere: a deployment that was never asked has not failed.
      lease.cancelled()
      throw timeoutError('total', deployment.timeouts.total)
    }
    const admission = call.account?.attempt(lease.entry, context.trail)
    if (admission) await admission
    if (signal.ended) throw signal.ended
    if (!callerAccess) return await attempt(deployment, parts)
    return await withCredentials(callerAccess, deployment, { signal, entry: lease.entry, context, parts }, attempt)
  } catch (thrown) {
    signal.endStep(new GatewayError('client_closed', 'The attempt has failed.'))
    throw redactError(toGatewayError(thrown), deployment, signal.sent)
  }
}
