import type { CallParts } from '../call/context.js'
import { createRoutingFacts } from '../call/routing-facts.js'
import type { Deployment } from '../deployment.js'
import type { GatewayOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import { createDirectory } from '../router/directory.js'
import {
  type RoutingOptions,
  enforcesRates,
  toAliases,
  toCooldownPolicy,
  toFallbackPolicy,
  toRetryPolicy,
  toStrategy,
} from '../router/options.js'
import type { RouterParts } from '../router/route.js'
import { type RouterEvent, createRouterState } from '../router/router-state.js'
import type { CostOf } from '../router/strategies/cost-based.js'

/** What the router is built with. */
export interface RouterCore {
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  /** Called only where prices decide. */
  readonly createCostOf: () => CostOf
  readonly emit: (event: RouterEvent) => void
}

/** Builds the model list and the router over it. */
export function createRouter(
  deployments: readonly Deployment[],
  options: GatewayOptions,
  { clock, random, logger, createCostOf, emit }: RouterCore,
): Pick<CallParts, 'directory' | 'router' | 'readFacts'> {
  const routing = options.routing ?? {}
  const state = createRouterState({
    clock,
    cooldown: toCooldownPolicy(routing.cooldown),
    maxQueueMs: routing.maxQueueMs,
    emit,
  })
  const directory = createDirectory(deployments, toAliases(routing.aliases), state)
  const unknown = namedTargets(routing).filter((name) => !directory.groups.find(name))
  // No error: the model list may grow later.
  if (unknown.length > 0) logger.warn({ models: unknown }, 'Fallbacks or aliases name models that do not exist (yet).')
  const strategy = toStrategy(routing, { createCostOf, report: (fields, message) => logger.error(fields, message) })
  const router: RouterParts = {
    state,
    clock,
    random,
    strategy,
    retry: toRetryPolicy(routing, options.retries ?? 2),
    fallbacks: toFallbackPolicy(routing),
    enforceRates: enforcesRates(routing, strategy),
    find: (modelName) => directory.groups.find(modelName),
  }
  return { directory, router, readFacts: createRoutingFacts(routing, router.enforceRates) }
}

/** Every model that the routing options lead to, each once. */
function namedTargets(routing: RoutingOptions): readonly string[] {
  const { fallbacks, contextWindowFallbacks, contentPolicyFallbacks, defaultFallbacks = [], aliases } = routing
  const tables = [fallbacks, contextWindowFallbacks, contentPolicyFallbacks]
  const fromAliases = [...toAliases(aliases).values()].map(({ modelName }) => modelName)
  return [
    ...new Set([...tables.flatMap((table) => Object.values(table ?? {}).flat()), ...defaultFallbacks, ...fromAliases]),
  ]
}
