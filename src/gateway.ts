import { setMaxListeners } from 'node:events'
import { ChunkStream } from './call/chunk-stream.js'
import type { CallContext, CallParts } from './call/context.js'
import { startHealthChecks } from './call/health-checks.js'
import { answerCall, answerStream } from './call/answer-call.js'
import { refusable } from './call/record-refusal.js'
import { watchEventLoop } from './endpoints/debug-memory.js'
import { keepingAlive } from './clock.js'
import { endpoints } from './endpoints/index.js'
import { GatewayError, InvalidRequestError } from './errors.js'
import { createAdmin } from './gateway/admin.js'
import { checkRequest } from './gateway/check-request.js'
import { createParts } from './gateway/create-parts.js'
import type { Spend } from './gateway/create-spend.js'
import { type Deployments, createDeployments } from './gateway/deployments.js'
import type { KeyParts } from './gateway/create-keys.js'
import { keyAuth } from './keys/key-auth.js'
import { isCaller } from './http/caller.js'
import { createDispatch } from './http/dispatch.js'
import type { HttpRequest, HttpResponse } from './http/message.js'
import { createRouteTable } from './http/route.js'
import { masterKeyAuth, noAuth } from './master-key.js'
import { type GatewayOptions, checkOptions, defaultMaxBodyBytes } from './options.js'
import type { Auth, Caller } from './ports.js'
import { shareState } from './router/share-state.js'
import { docs } from './ui/docs.js'
import { CallTrail } from './router/trail.js'
import { isObject } from './wire/json.js'
import type { Operation, Operations, StreamOperation } from './wire/operations.js'

/** How one in-process call is made. */
export interface CallOptions {
  /** Cancels the call and its upstream request. */
  readonly signal?: AbortSignal
}

/** What adapters serve: a gateway, or its `admin`. */
export interface Mountable<Host = unknown> {
  /**
   * Answers a request of one of its paths; null for any other path, synchronously, so that a host can go on.
   * The promise never rejects: every failure is an answer in OpenAI's shape. With `caller`, `auth` is not asked.
   */
  handle(request: HttpRequest<Host>, caller?: Caller): Promise<HttpResponse> | null
}

/** A running gateway; build one with `createGateway`. Two of them share nothing. */
export interface Gateway<Host = unknown> extends Mountable<Host> {
  /**
   * The management API: keys, users, teams, budgets, models and spend, with LiteLLM's paths. Reached by nobody until it
   * is mounted, at a path of its own or beside the gateway; asks the same `auth`.
   */
  readonly admin: Mountable<Host>
  /** One call without HTTP. @throws GatewayError */
  call<K extends Operation>(
    operation: K,
    request: Operations[K]['request'],
    caller: Caller,
    options?: CallOptions,
  ): Promise<Operations[K]['response']>
  /** One streamed call without HTTP; iteration throws GatewayError, and leaving the loop cancels the upstream. */
  stream<K extends StreamOperation>(
    operation: K,
    request: Operations[K]['request'],
    caller: Caller,
    options?: CallOptions,
  ): AsyncIterable<Operations[K]['chunk']>
  /** The model list, which may be changed while calls run. */
  readonly deployments: Deployments
  /** What was spent, and what is on its way to the ledger. */
  readonly spend: Spend
  /** Stops taking calls, waits up to `drainMs` (default 30,000) for running ones, then cancels them and closes connections. */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

// For what is still to be written when all calls are over.
const closingMs = 5_000

/**
 * Builds a gateway: the only place where all parts meet. Opens no connection and reads nothing but the variables of
 * the listed providers; where `stores.records` is set it is asked for the deployments that were added at run time.
 * @throws TypeError for wrong options
 * @throws GatewayError for a model list that cannot work (unknown provider, missing key)
 */
export function createGateway<Host = unknown>(options: GatewayOptions<Host>): Gateway<Host> {
  checkOptions(options)
  const all = createParts(options as GatewayOptions)
  const { call: parts, deployments, stores, books, keys } = all
  const auth = toAuth(options as GatewayOptions, keys)
  const admin = createAdmin(options as GatewayOptions, auth, all)
  const sharing = stores.router && shareState({ ...parts, state: parts.router.state, store: stores.router })
  const checks = startHealthChecks(options.healthChecks, parts)
  const delays = options.debug ? watchEventLoop() : undefined
  const dispatch = createDispatch({
    routes: createRouteTable([...endpoints(parts, { delays }), ...(options.docs === false ? [] : docs())]),
    auth,
    clock: parts.clock,
    createId: parts.createId,
    maxBodyBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
    onFault: (error, requestId) => parts.logger.error({ requestId, error: error.cause }, error.message),
  })
  async function close(drainMs: number): Promise<void> {
    checks?.stop()
    await parts.running.drain(drainMs, new GatewayError('unavailable', 'The gateway was closed.'))
    sharing?.close()
    delays?.disable()
    admin.close()
    keys.close()
    all.callLog?.close()
    await books.close(closingMs)
    await parts.callbacks?.close(closingMs)
    await Promise.all([parts.client.close(), parts.callerAccess?.client.close(), parts.media?.close()])
  }

  return {
    spend: books.spend,
    deployments: createDeployments(parts.directory, deployments),
    handle: (request, caller) => dispatch(request, caller),
    admin: { handle: (request, caller) => admin.dispatch(request, caller) },
    async call(operation, request, caller, callOptions) {
      const context = toContext(caller, callOptions, parts)
      const checked = refusable(operation, { ...context, body: request }, parts, () => {
        if (!isObject(request) || request['stream'] !== true) return checkRequest(operation, request)
        throw new InvalidRequestError('call() answers whole; use stream() for a stream.', 'stream')
      })
      const answer = await answerCall(operation, checked, context, parts)
      return answer.body
    },
    stream: (operation, request, caller, callOptions) => {
      const { signal } = callOptions ?? {}
      return new ChunkStream(async (leaving) => {
        const context = toContext(caller, { signal: signal ? AbortSignal.any([signal, leaving]) : leaving }, parts)
        const asked = { ...request, stream: true }
        const check = (): typeof asked => ({ ...checkRequest(operation, request), stream: true })
        const checked = refusable(operation, { ...context, body: asked }, parts, check)
        return (await answerStream(operation, checked, context, parts)).parts
      })
    },
    close: ({ drainMs = 30_000 } = {}) => keepingAlive(close(drainMs)),
  }
}

/** The master key, then virtual keys, then the host. */
function toAuth({ auth, masterKey }: GatewayOptions, keys: KeyParts): Auth {
  const host = auth === 'none' ? noAuth : auth
  const asked = keys.isOn ? keyAuth(keys.directory, host) : host
  if (masterKey !== undefined) return masterKeyAuth(masterKey, asked)
  return asked ?? noAuth
}

function toContext(caller: Caller, options: CallOptions | undefined, parts: CallParts): CallContext {
  if (!isCaller(caller)) throw new InvalidRequestError('A call needs a caller: { id, role, models, scopes }.', 'caller')
  const { signal } = options ?? {}
  // One signal may serve any number of calls at once, such as that of a job; many listeners on it are no leak.
  if (signal instanceof EventTarget) setMaxListeners(0, signal)
  return { caller, requestId: `req_${parts.createId()}`, signal, headers: {}, trail: new CallTrail() }
}
