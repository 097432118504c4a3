import { randomFillSync } from 'node:crypto'
import { type Callbacks, callLogSink, createCallbacks, createSendToSink } from '../callbacks/index.js'
import { createGuardrails, createHooks } from '../guardrails/index.js'
import { createPrompts, openPromptStores } from '../prompts/index.js'
import { createOutboundHttp } from './outbound-http.js'
import type { CallerAccess } from '../call/caller-access.js'
import type { CallParts } from '../call/context.js'
import { createHedging } from '../call/hedge.js'
import { createModerate } from '../call/moderate.js'
import { createReasoningMemory } from '../call/reasoning-memory.js'
import { createRunningCalls } from '../call/running-calls.js'
import { safeLogger } from '../call/safe-logger.js'
import { systemClock } from '../clock.js'
import type { Deployment, Timeouts } from '../deployment.js'
import { type GatewayOptions, defaultTimeouts } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import { type DeploymentContext, createDeployment } from '../providers/create-deployment.js'
import { createRegistry } from '../providers/registry.js'
import { type AddressGuard, createAddressGuard } from '../upstream/address-guard.js'
import { type UpstreamClient, createUpstreamClient } from '../upstream/client.js'
import { createGuardedConnector } from '../upstream/guarded-connector.js'
import { type MediaFetcher, createMediaFetcher } from '../upstream/media-fetcher.js'
import { createTokenCache, createTokenExchange } from '../upstream/token-cache.js'
import { type CallLog, createCallLog } from './create-call-log.js'
import { createCostOf } from './cost-of.js'
import { type AccountsParts, createAccountsParts, createPriceOpener, keepsLedger } from './create-accounts.js'
import { createEarlier } from './create-earlier.js'
import { type KeyParts, createKeys } from './create-keys.js'
import { createRouter } from './create-router.js'
import { checkIds } from './deployments.js'
import { toEmit } from './emit.js'
import { type GuardedStores, guardStores } from './guard-stores.js'

const maxMediaBytes = 20 * 1024 * 1024
const maxAnswerBytes = 256 * 1024 * 1024

/** Everything that a gateway is made of. */
export interface GatewayParts {
  readonly call: CallParts
  /** What deployments are read with, also later ones. */
  readonly deployments: DeploymentContext
  readonly stores: GuardedStores
  readonly books: AccountsParts
  readonly keys: KeyParts
  readonly callLog: CallLog | undefined
}

/** Builds every part once. @throws GatewayError for a model list that cannot work */
export function createParts(options: GatewayOptions): GatewayParts {
  const clock = options.clock ?? systemClock
  const logger = options.logger ? safeLogger(options.logger) : silent
  const registry = createRegistry(options.providers ?? [])
  const context = toDeploymentContext(options, registry)
  checkIds(options.models)
  const deployments = options.models.map((model) => createDeployment(model, context))
  const connectTimeoutMs = longestConnect(deployments, context.defaults.timeouts)
  const client = createUpstreamClient({ connectTimeoutMs })
  const http = createOutboundHttp(client, clock)
  const reasoning = createReasoningMemory()
  const callLog = toCallLog(options, clock, logger)
  const callbacks = toCallbacks(options, callLog, { send: createSendToSink(client, clock), clock, logger })
  const emit = toEmit(options.onEvent, logger, callbacks)
  const random = options.random ?? Math.random
  const createId = createIds()
  const openPrices = createPriceOpener(options.spend)
  const stores = guardStores(options.stores ?? {}, clock, logger)
  const routing = createRouter(deployments, options, {
    clock,
    random,
    logger,
    createCostOf: () => createCostOf(openPrices, clock),
    emit,
  })
  const books = createAccountsParts(options, {
    openPrices,
    stores,
    router: routing.router,
    registry,
    reasoning,
    findDeployment: (id) => routing.directory.groups.all.find((deployment) => deployment.id === id),
    clock,
    logger,
    createId,
    emit,
  })
  const keys = createKeys(options, { stores, clock, logger, deployments: () => routing.directory.groups.all })
  const earlier = createEarlier(options, { stores, clock, logger, createId })
  const call: CallParts = {
    ...routing,
    accounts: books.accounts,
    hooks: createHooks(options.hooks, { clock, logger }),
    guardrails: createGuardrails(options.guardrails ?? [], {
      clock,
      logger,
      http,
      moderate: createModerate(() => call),
    }),
    callbacks,
    prompts: options.prompts && createPrompts(openPromptStores(options.prompts, http), { clock, logger }),
    earlier: earlier.answers,
    registry,
    client,
    tokens: createTokenCache(clock, createTokenExchange(client, clock)),
    reasoning,
    clock,
    createId,
    logger,
    maxAnswerBytes,
    targets: new WeakMap(),
    running: createRunningCalls(clock),
    callerAccess: createCallerAccess(options, connectTimeoutMs),
    media: createMedia(options, clock, connectTimeoutMs),
    midStream: options.routing?.midStream ?? 'error',
    hedging: options.routing?.hedging && createHedging(options.routing.hedging, clock),
    explain: options.explain,
    sizes: () => ({
      reasoning: reasoning.size,
      keys: { entries: keys.directory.size },
      ...earlier.sizes(),
      ledger_queue: { entries: books.queue.pending },
    }),
  }
  return { call, deployments: context, stores, books, keys, callLog }
}

function toCallLog(options: GatewayOptions, clock: Clock, logger: Logger): CallLog | undefined {
  const { callLog = keepsLedger(options), stores } = options
  if (callLog === false) return undefined
  return createCallLog(callLog === true ? {} : callLog, stores?.calls, { clock, logger })
}

function toCallbacks(
  { callbacks }: GatewayOptions,
  callLog: CallLog | undefined,
  parts: Pick<Parameters<typeof createCallbacks>[1], 'send' | 'clock' | 'logger'>,
): Callbacks | undefined {
  if (!callbacks && !callLog) return undefined
  const log = callLog && { sink: callLogSink(callLog.store), bodies: callLog.bodies }
  return createCallbacks(callbacks ?? { sinks: [] }, { ...parts, log })
}

function toDeploymentContext(options: GatewayOptions, registry: DeploymentContext['registry']): DeploymentContext {
  return {
    registry,
    env: options.env ?? process.env,
    defaults: {
      timeouts: mergeTimeouts(defaultTimeouts, options.timeouts ?? {}),
      headersTimeoutSet: options.timeouts?.headers !== undefined,
      dropParams: options.dropParams ?? false,
    },
    promptStores: new Set(Object.keys(options.prompts ?? {})),
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

const idBytes = 12

/** Ids of 24 hexadecimal digits; randomness is fetched for many at a time. */
function createIds(): () => string {
  const random = Buffer.alloc(256 * idBytes)
  let at = random.length
  return () => {
    if (at === random.length) {
      randomFillSync(random)
      at = 0
    }
    at += idBytes
    return random.toString('hex', at - idBytes, at)
  }
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

function mergeTimeouts(base: Timeouts, own: Partial<Timeouts>): Timeouts {
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
