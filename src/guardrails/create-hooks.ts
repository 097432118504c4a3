import { GatewayError } from '../errors.js'
import type { LeaveSignal } from '../http/message.js'
import type { Clock, Logger } from '../ports.js'
import type { Hook, HookCall, Hooks } from '../ports/hooks.js'
import type { Operation, Operations } from '../wire/operations.js'
import { DeadlineError, withinDeadline } from './within-deadline.js'

/** The hooks of one call; a member is undefined where the host has no such hook. All of them throw only GatewayErrors. */
export interface HookedCall<K extends Operation> {
  readonly before: ((request: Operations[K]['request']) => Promise<Operations[K]['request']>) | undefined
  readonly during: ((request: Operations[K]['request']) => Promise<void>) | undefined
  readonly after: ((answer: Operations[K]['response']) => Promise<Operations[K]['response']>) | undefined
  /** The chunks to send in place of one. */
  readonly chunk: ((chunk: Operations[K]['chunk']) => Promise<readonly Operations[K]['chunk'][]>) | undefined
  /** The error to tell the caller; never throws. */
  readonly error: ((error: GatewayError) => Promise<GatewayError>) | undefined
}

/** The host's hooks. */
export interface CallHooks {
  begin<K extends Operation>(
    call: Omit<HookCall, 'state'> & { readonly operation: K },
    signal?: LeaveSignal,
  ): HookedCall<K>
}

/** What hooks run with. */
export interface HookParts {
  readonly clock: Clock
  readonly logger: Logger
}

type HookName = keyof Hooks

const defaultDeadlines: Readonly<Record<HookName, number>> = {
  beforeCall: 5_000,
  duringCall: 5_000,
  afterCall: 5_000,
  onStream: 1_000,
  onError: 5_000,
}

/** Gives the host's hooks a deadline and an owner for their failures; undefined where the host has none. */
export function createHooks(hooks: Hooks | undefined, parts: HookParts): CallHooks | undefined {
  if (!hooks || Object.values(hooks).every((hook) => hook === undefined)) return undefined
  return {
    begin<K extends Operation>(given: Omit<HookCall, 'state'> & { readonly operation: K }, signal?: LeaveSignal) {
      const call: HookCall = { ...given, state: new Map() }
      const asking = { call, signal, parts }
      const { beforeCall, duringCall, afterCall, onStream, onError } = hooks
      // The host's functions take every operation; what they give is trusted to be of the same one.
      const hooked: HookedCall<Operation> = {
        before: beforeCall && (async (request) => (await ask('beforeCall', beforeCall, request, asking)) ?? request),
        during: duringCall && (async (request) => void (await ask('duringCall', duringCall, request, asking))),
        after: afterCall && (async (answer) => (await ask('afterCall', afterCall, answer, asking)) ?? answer),
        chunk:
          onStream &&
          (async (chunk) => {
            const given = await ask('onStream', onStream, chunk, asking)
            if (given === null) return []
            return given === undefined ? [chunk] : [given].flat()
          }),
        error: onError && ((error) => askOfError(error, onError, asking)),
      }
      return hooked as unknown as HookedCall<K>
    },
  }
}

interface Asking {
  readonly call: HookCall
  readonly signal: LeaveSignal | undefined
  readonly parts: HookParts
}

type Run<Argument, Result> = (argument: Argument, call: HookCall) => PromiseLike<Result> | Result

/** What a hook gives; undefined where it failed and may. @throws GatewayError */
async function ask<Argument, Result>(
  name: HookName,
  hook: Hook<Run<Argument, Result>>,
  argument: Argument,
  { call, signal, parts }: Asking,
): Promise<Result | undefined> {
  const { run, deadlineMs, fail } = typeof hook === 'function' ? { run: hook } : hook
  try {
    const given = run(argument, call)
    // Most hooks answer at once, and need no timer.
    if (!isThenable(given)) return given
    const milliseconds = deadlineMs ?? defaultDeadlines[name]
    return await withinDeadline(() => given, { milliseconds, clock: parts.clock, signal })
  } catch (thrown) {
    if (GatewayError.isInstance(thrown)) throw thrown
    parts.logger.warn({ error: thrown, hook: name, callId: call.callId }, 'A hook of the host has failed.')
    if (fail === 'open') return undefined
    throw failureOf(name, thrown)
  }
}

function isThenable<T>(value: PromiseLike<T> | T): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function'
}

function failureOf(name: HookName, cause: unknown): GatewayError {
  if (!(cause instanceof DeadlineError)) {
    return new GatewayError('internal', `The host's hook ${name} failed.`, { code: 'hook_failed', cause })
  }
  return new GatewayError('unavailable', `The host's hook ${name} took too long.`, { code: 'hook_unavailable', cause })
}

async function askOfError(
  error: GatewayError,
  hook: NonNullable<Hooks['onError']>,
  asking: Asking,
): Promise<GatewayError> {
  try {
    const given = await ask('onError', hook, error, asking)
    return GatewayError.isInstance(given) ? given : error
  } catch (thrown) {
    // By default the failure of a hook does not hide the failure that it was told of.
    const isAnswer = GatewayError.isInstance(thrown) && !(thrown.code ?? '').startsWith('hook_')
    const isClosed = typeof hook !== 'function' && hook.fail === 'closed'
    return GatewayError.isInstance(thrown) && (isAnswer || isClosed) ? thrown : error
  }
}
