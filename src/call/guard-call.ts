import { type GatewayError, toGatewayError } from '../errors.js'
import {
  type ChunkFilter,
  GuardedParts,
  type GuardedCall,
  type HookedCall,
  guardrailsHeader,
} from '../guardrails/index.js'
import type { JsonObject } from '../wire/json.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import type { Given } from './attempt.js'
import type { CallContext, CallParts } from './context.js'
import type { GivenWhole } from './given-whole.js'
import { runCall } from './run-call.js'
import { type GivenStream, runStream } from './run-stream.js'

/** What is seen of a call's guards by whoever records it. */
export interface GuardView {
  /** The request as the hooks gave it; undefined before. */
  readonly asked: JsonObject | undefined
  /** Undefined until the hooks have seen the request, and where no guardrail takes part. */
  readonly guarded: Pick<GuardedCall<Operation>, 'verdicts' | 'passed' | 'conceal' | 'settled'> | undefined
}

/** A call that hooks or guardrails of the host take part in. */
export interface Guard<K extends Operation> {
  readonly operation: K
  readonly request: Operations[K]['request']
  readonly context: CallContext
  readonly hooked: HookedCall<K> | undefined
  asked: Operations[K]['request'] | undefined
  guarded: GuardedCall<K> | undefined
}

/**
 * Finds out who takes part; undefined where nobody does.
 * @throws InvalidRequestError for a guardrail that does not exist
 */
export function beginGuard<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  context: CallContext,
  { hooks, guardrails }: CallParts,
): Guard<K> | undefined {
  const { caller, requestId: callId, signal } = context
  const hooked = hooks?.begin({ operation, callId, caller }, signal)
  const guarded = hooked ? undefined : guardrails.begin(operation, request, { callId, caller })
  return hooked || guarded ? { operation, request, context, hooked, guarded, asked: undefined } : undefined
}

/** Lets the call pass the host's hooks and guardrails, and its answer too. @throws GatewayError */
export async function guardWhole<K extends Operation>(guard: Guard<K>, parts: CallParts): Promise<GivenWhole<K>> {
  const { operation, hooked, context } = guard
  try {
    const { request, guarded } = await prepare(guard, parts)
    const beside = startBeside(request, { context, hooked, guarded })
    const asked = runCall(operation, request, beside.context, parts)
    const [given] = await Promise.all([asked, beside.done]).finally(beside.leaveSignal)
    const { body: made } = given
    const shown = guarded ? await guarded.post(made, context.signal) : made
    const body = hooked?.after ? await hooked.after(shown) : shown
    const headers = { ...given.headers, ...verdictsOf(guarded) }
    return { ...toGiven(given), headers, body, written: body === made ? given.written : undefined }
  } catch (thrown) {
    throw await toldError(thrown, guard)
  }
}

/** The same for a stream, chunk by chunk. @throws GatewayError */
export async function guardStream<K extends StreamOperation>(
  guard: Guard<K>,
  parts: CallParts,
): Promise<GivenStream<K>> {
  const { operation, hooked, context } = guard
  try {
    const { request, guarded } = await prepare(guard, parts)
    const beside = startBeside(request, { context, hooked, guarded })
    const given = await unlessRefused(runStream(operation, request, beside.context, parts), beside.done)
    const headers = { ...given.headers, ...verdictsOf(guarded) }
    const filter = toFilter(guarded?.stream(context.signal), hooked?.chunk)
    if (!filter && !beside.done) return { ...given, headers }
    const passed = new GuardedParts(given.parts, filter ?? { push: (chunk) => [chunk] }, beside.done)
    return { ...given, headers, parts: passed }
  } catch (thrown) {
    throw await toldError(thrown, guard)
  }
}

/** A call that has passed what looks at requests. */
interface Prepared<K extends Operation> {
  readonly request: Operations[K]['request']
  readonly guarded: GuardedCall<K> | undefined
}

/**
 * The request to go on with: the hook's, then as guardrails leave it. Whoever may not use the model is refused before
 * anything is shown to a service.
 */
async function prepare<K extends Operation>(
  guard: Guard<K>,
  { directory, guardrails }: CallParts,
): Promise<Prepared<K>> {
  const { operation, request, context, hooked } = guard
  const { caller, requestId: callId, signal } = context
  directory.groups.resolve(request.model, caller)
  const asked = hooked?.before ? await hooked.before(request) : request
  guard.asked = asked
  const guarded = guard.guarded ?? guardrails.begin(operation, asked, { callId, caller })
  guard.guarded = guarded
  return { guarded, request: guarded ? await guarded.pre(signal) : asked }
}

function toGiven({ deploymentId, droppedParams, billable }: Given): Omit<Given, 'headers'> {
  return { deploymentId, droppedParams, billable }
}

/** What goes on beside a call. */
interface Beside {
  /** The call's, whose signal also aborts where the call is refused. */
  readonly context: CallContext
  readonly done: Promise<unknown> | undefined
  /** Listens no longer to the caller's signal. */
  readonly leaveSignal: () => void
}

/** What looks at the request while the call is made; where it refuses, the call ends at once. */
function startBeside<K extends Operation>(
  request: Operations[K]['request'],
  { context, hooked, guarded }: Pick<Guard<K>, 'context' | 'hooked' | 'guarded'>,
): Beside {
  const looks = [guarded?.hasDuring ? guarded.during(context.signal) : undefined, hooked?.during?.(request)].filter(
    (look) => look !== undefined,
  )
  if (looks.length === 0) return { context, done: undefined, leaveSignal() {} }
  const refused = new AbortController()
  const leave = (): void => refused.abort()
  if (context.signal?.aborted) leave()
  else context.signal?.addEventListener('abort', leave, { once: true })
  const done = Promise.all(looks)
  done.catch(leave)
  // A job's signal outlives many calls.
  const leaveSignal = (): void => context.signal?.removeEventListener('abort', leave)
  return { context: { ...context, signal: refused.signal }, done, leaveSignal }
}

/** What was asked for, or at once the refusal of what looks on beside it, which also ends the call. */
function unlessRefused<T>(asked: Promise<T>, looks: Promise<unknown> | undefined): Promise<T> {
  return looks ? Promise.race([asked, looks.then(() => asked)]) : asked
}

function toFilter<Chunk>(
  stage: ChunkFilter<Chunk> | undefined,
  hook: ((chunk: Chunk) => Promise<readonly Chunk[]>) | undefined,
): ChunkFilter<Chunk> | undefined {
  if (!hook) return stage
  const hookAll = async (chunks: readonly Chunk[]): Promise<readonly Chunk[]> => {
    const sent: Chunk[] = []
    for (const chunk of chunks) sent.push(...(await hook(chunk)))
    return sent
  }
  return {
    push: async (chunk) => hookAll(stage ? await stage.push(chunk) : [chunk]),
    end: async () => hookAll((await stage?.end?.()) ?? []),
  }
}

function verdictsOf<K extends Operation>(guarded: GuardedCall<K> | undefined): Readonly<Record<string, string>> {
  if (!guarded || guarded.verdicts.length === 0) return {}
  return { 'x-sluice-guardrails': guardrailsHeader(guarded.verdicts) }
}

/** The error that the host wants told; what ended the call for a refusal beside it is that refusal. */
async function toldError<K extends Operation>(thrown: unknown, { hooked }: Guard<K>): Promise<GatewayError> {
  const error = toGatewayError(thrown)
  return hooked?.error ? hooked.error(error) : error
}
