import type { Deployment } from '../deployment.js'
import type { GatewayOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import { type ModelDirectory, createDirectory } from '../router/directory.js'
import { toAliases, toCooldownPolicy, toFallbackPolicy, toRetryPolicy, toStrategy } from '../router/options.js'
import type { RouterParts } from '../router/route.js'
import { type RouterEvent, createRouterState } from '../router/router-state.js'

/** What the router is built with. */
export interface RouterCore {
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
}

/** Builds the model list and the router over it. */
export function createRouter(
  deployments: readonly Deployment[],
  options: GatewayOptions,
  { clock, random, logger }: RouterCore,
): { readonly directory: ModelDirectory; readonly router: RouterParts } {
  const routing = options.routing ?? {}
  const emit = toEmit(options.onEvent, logger)
  const state = createRouterState({ clock, cooldown: toCooldownPolicy(routing.cooldown), emit })
  const directory = createDirectory(deployments, toAliases(routing.aliases), state)
  const router: RouterParts = {
    state,
    clock,
    random,
    strategy: toStrategy(routing.strategy),
    retry: toRetryPolicy(routing, options.retries ?? 2),
    fallbacks: toFallbackPolicy(routing),
    enforceRates: false,
    find: (modelName) => directory.groups.find(modelName),
  }
  return { directory, router }
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
