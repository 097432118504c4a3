import { z } from 'zod'
import { type CooldownPolicy, defaultCooldown } from './cooldown.js'
import type { FailureClass } from './failure-class.js'
import type { FallbackPolicy, FallbackTable } from './fallbacks.js'
import type { Alias } from './model-groups.js'
import type { RetryPolicy } from './retry.js'
import { strategies, type StrategyName } from './strategies/index.js'
import type { Strategy } from './strategies/strategy.js'

/** How calls are routed. */
export interface RoutingOptions {
  /** Name of a built-in strategy, or one of your own. @default 'simple-shuffle' */
  readonly strategy?: StrategyName | Strategy | undefined
  /** Other names of model groups; `hidden` ones are not listed. */
  readonly aliases?:
    | Readonly<Record<string, string | { readonly modelName: string; readonly hidden?: boolean }>>
    | undefined
  /** Groups to ask after the retries of a group are spent; `*` stands for every group. Never after the caller's own faults. */
  readonly fallbacks?: FallbackTable | undefined
  /** After a prompt that was too long. @default `fallbacks` */
  readonly contextWindowFallbacks?: FallbackTable | undefined
  /** After a refusal for its content. @default none: nothing routes around a refusal */
  readonly contentPolicyFallbacks?: FallbackTable | undefined
  /** Of groups that `fallbacks` does not name. */
  readonly defaultFallbacks?: readonly string[] | undefined
  /** Groups after the first. @default 5 */
  readonly maxFallbacks?: number | undefined
  /** Attempts of one call in all: retries, fallbacks, hedges and recoveries. @default 6, or retries + 2 where that is more */
  readonly maxAttempts?: number | undefined
  /** Retries by class of failure, in place of `retries`. */
  readonly retryPolicy?: Partial<Readonly<Record<FailureClass, number>>> | undefined
  /** The least wait before the same deployment is asked again, in milliseconds. @default 0 */
  readonly retryAfterMs?: number | undefined
  /** When and how long failing deployments rest; `false` switches it off. */
  readonly cooldown?: Partial<CooldownPolicy> | false | undefined
  /** What happens when a stream breaks off after content: an error, the whole answer anew, or its continuation. @default 'error' */
  readonly midStream?: 'error' | 'restart' | 'continue' | undefined
}

const count = z.number().int().nonnegative()
const table = z.record(z.string(), z.array(z.string().min(1)))
const byClass = z.strictObject({
  badRequest: count.optional(),
  authentication: count.optional(),
  timeout: count.optional(),
  rateLimit: count.optional(),
  contentPolicy: count.optional(),
  internalServer: count.optional(),
})

/** Checks `GatewayOptions.routing`. */
export const RoutingOptionsSchema = z.strictObject({
  strategy: z
    .union([
      z.enum(Object.keys(strategies)),
      z.custom<Strategy>(
        (value) => typeof value === 'object' && value !== null && typeof Reflect.get(value, 'pick') === 'function',
        { error: 'must be the name of a strategy, or have the method pick' },
      ),
    ])
    .optional(),
  aliases: z
    .record(
      z.string().min(1),
      z.union([z.string().min(1), z.strictObject({ modelName: z.string().min(1), hidden: z.boolean().optional() })]),
    )
    .optional(),
  fallbacks: table.optional(),
  contextWindowFallbacks: table.optional(),
  contentPolicyFallbacks: table.optional(),
  defaultFallbacks: z.array(z.string().min(1)).optional(),
  maxFallbacks: count.optional(),
  maxAttempts: z.number().int().positive().optional(),
  retryPolicy: byClass.optional(),
  retryAfterMs: count.optional(),
  cooldown: z
    .union([
      z.literal(false),
      z.strictObject({
        durationMs: count.optional(),
        consecutiveFailures: z.number().int().positive().optional(),
        failureShare: z.number().min(0).max(1).optional(),
        minimumRequests: z.number().int().positive().optional(),
        allowedFails: byClass.optional(),
      }),
    ])
    .optional(),
  midStream: z.enum(['error', 'restart', 'continue']).optional(),
})

/** The policy that options mean. */
export function toCooldownPolicy(options: RoutingOptions['cooldown']): CooldownPolicy {
  if (options === false) return { ...defaultCooldown, durationMs: 0 }
  return {
    durationMs: options?.durationMs ?? defaultCooldown.durationMs,
    consecutiveFailures: options?.consecutiveFailures ?? defaultCooldown.consecutiveFailures,
    failureShare: options?.failureShare ?? defaultCooldown.failureShare,
    minimumRequests: options?.minimumRequests ?? defaultCooldown.minimumRequests,
    allowedFails: options?.allowedFails ?? defaultCooldown.allowedFails,
  }
}

/** The policy that options mean; `retries` is the gateway's. */
export function toRetryPolicy(options: RoutingOptions, retries: number): RetryPolicy {
  return {
    retries,
    maxAttempts: options.maxAttempts ?? Math.max(6, retries + 2),
    initialDelayMs: 250,
    maxDelayMs: 8_000,
    minimumDelayMs: options.retryAfterMs ?? 0,
    maxRetryAfterMs: 10_000,
    byClass: options.retryPolicy ?? {},
  }
}

/** The policy that options mean. */
export function toFallbackPolicy(options: RoutingOptions): FallbackPolicy {
  return {
    general: options.fallbacks ?? {},
    contextWindow: options.contextWindowFallbacks,
    contentPolicy: options.contentPolicyFallbacks,
    always: options.defaultFallbacks ?? [],
    most: options.maxFallbacks ?? 5,
  }
}

/** Aliases by name. */
export function toAliases(options: RoutingOptions['aliases'] = {}): ReadonlyMap<string, Alias> {
  return new Map(
    Object.entries(options).map(([name, target]) => [
      name,
      typeof target === 'string'
        ? { modelName: target, hidden: false }
        : { modelName: target.modelName, hidden: target.hidden ?? false },
    ]),
  )
}

/** The strategy that options mean. */
export function toStrategy(option: RoutingOptions['strategy'] = 'simple-shuffle'): Strategy {
  return typeof option === 'string' ? strategies[option]() : option
}
