import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { CallerAccess } from './call/caller-access.js'
import type { CallContext, CallParts } from './call/context.js'
import { ChunkStream } from './call/chunk-stream.js'
import { createReasoningMemory } from './call/reasoning-memory.js'
import { runCall, runStream } from './call/run-call.js'
import { safeLogger } from './call/safe-logger.js'
import { createRunningCalls } from './call/running-calls.js'
import { systemClock } from './clock.js'
import type { Deployment, Timeouts } from './deployment.js'
import { endpoints } from './endpoints/index.js'
import { GatewayError, InvalidRequestError } from './errors.js'
import { createDispatch, toInvalidRequest } from './http/dispatch.js'
import type { HttpRequest, HttpResponse } from './http/message.js'
import { isCaller } from './http/caller.js'
import { createRouteTable } from './http/route.js'
import { masterKeyAuth, noAuth } from './master-key.js'
import { type GatewayOptions, checkOptions, defaultTimeouts } from './options.js'
import type { Auth, Caller, Clock, Logger } from './ports.js'
import { createDeployment } from './providers/create-deployment.js'
import { createRegistry } from './providers/registry.js'
import { type ModelDirectory, createDirectory } from './router/directory.js'
import {
  type RoutingOptions,
  toAliases,
  toCooldownPolicy,
  toFallbackPolicy,
  toRetryPolicy,
  toStrategy,
} from './router/options.js'
import type { RouterParts } from './router/route.js'
import { type RouterEvent, type RouterState, createRouterState } from './router/router-state.js'
import { CallTrail } from './router/trail.js'
import { type AddressGuard, createAddressGuard } from './upstream/address-guard.js'
import { type UpstreamClient, createUpstreamClient } from './upstream/client.js'
import { createGuardedConnector } from './upstream/guarded-connector.js'
import { type MediaFetcher, createMediaFetcher } from './upstream/media-fetcher.js'
import { createTokenCache, createTokenExchange } from './upstream/token-cache.js'
import { ChatRequest } from './wire/chat.js'
import { CompletionRequest } from './wire/completions.js'
import { EmbeddingRequest } from './wire/embeddings.js'
import { ImageRequest } from './wire/images.js'
import type { Operation, Operations, StreamOperation } from './wire/operations.js'

/** How one in-process call is made. */
export interface CallOptions {
  /** Cancels the call and its upstream request. */
  readonly signal?: AbortSignal
}

/** A running gateway; build one with `createGateway`. Two of them share nothing. */
export interface Gateway<Host = unknown> {
  /**
   * Answers a request of one of its paths; null for any other path, synchronously, so that a host can go on.
   * The promise never rejects: every failure is an answer in OpenAI's shape. With `caller`, `auth` is not asked.
   */
  handle(request: HttpRequest<Host>, caller?: Caller): Promise<HttpResponse> | null
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
  /** Stops taking calls, waits up to `drainMs` (default 30,000) for running ones, then cancels them and closes connections. */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

const maxBodyBytes = 20 * 1024 * 1024
const maxMediaBytes = 20 * 1024 * 1024
const maxAnswerBytes = 256 * 1024 * 1024

/**
 * Builds a gateway: the only place where all parts meet. Opens no connection and reads nothing but the variables of
 * the listed providers.
 * @throws TypeError for wrong options
 * @throws GatewayError for a model list that cannot work (unknown provider, missing key)
 */
export function createGateway<Host = unknown>(options: GatewayOptions<Host>): Gateway<Host> {
  checkOptions(options)
  const parts = createParts(options as GatewayOptions)
  const dispatch = createDispatch({
    routes: createRouteTable(endpoints(parts)),
    auth: toAuth(options as GatewayOptions),
    clock: parts.clock,
    createId: parts.createId,
    maxBodyBytes: options.maxBodyBytes ?? maxBodyBytes,
    onFault: (error, requestId) => parts.logger.error({ requestId, error: error.cause }, error.message),
  })
  return {
    handle: (request, caller) => dispatch(request, caller),
    async call(operation, request, caller, callOptions) {
      const checked = checkRequest(operation, request)
      if ('stream' in checked && checked.stream) {
        throw new InvalidRequestError('call() answers whole; use stream() for a stream.', 'stream')
      }
      const answer = await runCall(operation, checked, toContext(caller, callOptions, parts), parts)
      return answer.body
    },
    stream: (operation, request, caller, callOptions) => {
      const { signal } = callOptions ?? {}
      return new ChunkStream(async (leaving) => {
        const checked = { ...checkRequest(operation, request), stream: true }
        const context = toContext(caller, { signal: signal ? AbortSignal.any([signal, leaving]) : leaving }, parts)
        return (await runStream(operation, checked, context, parts)).parts
      })
    },
    async close({ drainMs = 30_000 } = {}) {
      await parts.running.drain(drainMs, new GatewayError('unavailable', 'The gateway was closed.'))
      await Promise.all([parts.client.close(), parts.callerAccess?.client.close(), parts.media?.close()])
    },
  }
}

function createParts(options: GatewayOptions): CallParts {
  const clock = options.clock ?? systemClock
  const random = options.random ?? Math.random
  const logger = options.logger ? safeLogger(options.logger) : silent
  const routing = options.routing ?? {}
  const registry = createRegistry(options.providers ?? [])
  const timeouts = mergeTimeouts(defaultTimeouts, options.timeouts ?? {})
  const context = {
    registry,
    env: options.env ?? process.env,
    defaults: {
      timeouts,
      headersTimeoutSet: options.timeouts?.headers !== undefined,
      dropParams: options.dropParams ?? false,
    },
  }
  const deployments = options.models.map((model) => createDeployment(model, context))
  const state = createRouterState({
    clock,
    cooldown: toCooldownPolicy(routing.cooldown),
    emit: toEmit(options.onEvent, logger),
  })
  const directory = createDirectory(deployments, toAliases(routing.aliases), state)
  const connectTimeoutMs = longestConnect(deployments, timeouts)
  const client = createUpstreamClient({ connectTimeoutMs })
  return {
    directory,
    router: createRouterParts(routing, options.retries ?? 2, { state, directory, clock, random }),
    registry,
    client,
    tokens: createTokenCache(clock, createTokenExchange(client, clock)),
    reasoning: createReasoningMemory(),
    clock,
    createId,
    logger,
    maxAnswerBytes,
    targets: new WeakMap(),
    sent: new WeakMap(),
    running: createRunningCalls(clock),
    callerAccess: createCallerAccess(options, connectTimeoutMs),
    media: createMedia(options, clock, connectTimeoutMs),
  }
}

interface RouterCore {
  readonly state: RouterState
  readonly directory: ModelDirectory
  readonly clock: Clock
  readonly random: () => number
}

function createRouterParts(routing: RoutingOptions, retries: number, core: RouterCore): RouterParts {
  const { directory, ...rest } = core
  return {
    ...rest,
    strategy: toStrategy(routing.strategy),
    retry: toRetryPolicy(routing, retries),
    fallbacks: toFallbackPolicy(routing),
    enforceRates: false,
    find: (modelName) => directory.groups.find(modelName),
  }
}

/** A host's listener that throws, or gives a promise that fails, is a line in the log and nothing else. */
function toEmit(onEvent: GatewayOptions['onEvent'], logger: Logger): (event: RouterEvent) => void {
  if (!onEvent) return () => {}
  const report = (error: unknown): void => logger.error({ error }, 'onEvent failed.')
  return (event) => {
    try {
      // A listener may be an async function all the same.
      const result: unknown = onEvent(event)
      if (result instanceof Promise) result.catch(report)
    } catch (error) {
      report(error)
    }
  }
}

function createCallerAccess(options: GatewayOptions, connectTimeoutMs: number): CallerAccess | undefined {
  const { credentials, callerEndpoints } = options
  if (!credentials) return undefined
  const { allow = [], privateNetworks } = callerEndpoints ?? {}
  const guard = createAddressGuard({ hosts: allow, privateNetworks })
  return { credentials, client: createGuardedClient(guard, connectTimeoutMs), guard: callerEndpoints && guard }
}

function createMedia({ fetchMedia }: GatewayOptions, clock: Clock, connectTimeoutMs: number): MediaFetcher | undefined {
  if (!fetchMedia) return undefined
  const { allowHosts, maxBytes = maxMediaBytes, privateNetworks } = fetchMedia === true ? {} : fetchMedia
  const guard = createAddressGuard({ hosts: allowHosts ?? 'any', privateNetworks })
  return createMediaFetcher({ guard, client: createGuardedClient(guard, connectTimeoutMs), clock, maxBytes })
}

function createGuardedClient(guard: AddressGuard, connectTimeoutMs: number): UpstreamClient {
  return createUpstreamClient({ connectTimeoutMs, connector: createGuardedConnector(guard, connectTimeoutMs) })
}

/** 24 hexadecimal digits of a random UUID, without its dashes and its version digit. */
function createId(): string {
  const uuid = randomUUID()
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(24)
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

function toAuth({ auth, masterKey }: GatewayOptions): Auth {
  const asked = auth === 'none' ? noAuth : auth
  if (masterKey !== undefined) return masterKeyAuth(masterKey, asked)
  return asked ?? noAuth
}

function mergeTimeouts(base: Timeouts, own: Partial<Timeouts> = {}): Timeouts {
  const { connect, headers, firstToken, idle, total } = own
  return {
    connect: connect ?? base.connect,
    headers: headers ?? base.headers,
    firstToken: firstToken ?? base.firstToken,
    idle: idle ?? base.idle,
    total: total ?? base.total,
  }
}

function longestConnect(deployments: readonly Deployment[], timeouts: Timeouts): number {
  return Math.max(timeouts.connect, ...deployments.map((deployment) => deployment.timeouts.connect))
}

function toContext(caller: Caller, options: CallOptions | undefined, parts: CallParts): CallContext {
  if (!isCaller(caller)) throw new InvalidRequestError('A call needs a caller: { id, role, models, scopes }.', 'caller')
  const { signal } = options ?? {}
  // One signal may serve any number of calls at once, such as that of a job; many listeners on it are no leak.
  if (signal instanceof EventTarget) setMaxListeners(0, signal)
  return { caller, requestId: `req_${parts.createId()}`, signal, headers: {}, trail: new CallTrail() }
}

const schemas = {
  chat: ChatRequest,
  completions: CompletionRequest,
  embeddings: EmbeddingRequest,
  images: ImageRequest,
}

function checkRequest<K extends Operation>(operation: K, request: Operations[K]['request']): Operations[K]['request'] {
  const schema = Object.hasOwn(schemas, operation) ? schemas[operation] : undefined
  if (!schema) throw new InvalidRequestError(`There is no operation ${operation}.`)
  const result = schema.safeParse(request)
  if (!result.success) throw toInvalidRequest(result.error)
  return request
}
