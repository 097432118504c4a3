import type { CallParts } from '../call/context.js'
import { createRoutingFacts } from '../call/routing-facts.js'
import type { Deployment } from '../deployment.js'
import type { GatewayOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import { createDirectory } from '../router/directory.js'
import {
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
  readonly costOf: CostOf
  readonly emit: (event: RouterEvent) => void
}

/** Builds the model list and the router over it. */
export function createRouter(
  deployments: readonly Deployment[],
  options: GatewayOptions,
  { clock, random, logger, costOf, emit }: RouterCore,
): Pick<CallParts, 'directory' | 'router' | 'readFacts'> {
  const routing = options.routing ?? {}
  const state = createRouterState({
    clock,
    cooldown: toCooldownPolicy(routing.cooldown),
    maxQueueMs: routing.maxQueueMs,
    emit,
  })
  const directory = createDirectory(deployments, toAliases(routing.aliases), state)
  const strategy = toStrategy(routing, { costOf, report: (fields, message) => logger.error(fields, message) })
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
