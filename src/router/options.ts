import { z } from 'zod'
import { type AffinityKind, affinityKinds } from './affinity.js'
import { type CooldownPolicy, defaultCooldown } from './cooldown.js'
import type { FailureClass } from './failure-class.js'
import type { FallbackPolicy, FallbackTable } from './fallbacks.js'
import type { Alias } from './model-groups.js'
import type { RetryPolicy } from './retry.js'
import type { CostOf } from './strategies/cost-based.js'
import { type ReportFault, hostStrategy } from './strategies/host-strategy.js'
import { strategies, type StrategyName } from './strategies/index.js'
import type { Strategy } from './strategies/strategy.js'

/** What happens when a stream breaks off after content. */
export type MidStreamPolicy = 'error' | 'restart' | 'continue'

/** When a second deployment is asked beside the first. */
export interface HedgingOptions {
  /** Milliseconds without an answer, or without the first content of a stream. @default by `quantile` */
  readonly afterMs?: number | undefined
  /** Wait as long as this share of the group's latest answers took. @default 0.95 */
  readonly quantile?: number | undefined
  /** Answers that have to be known for `quantile`; with fewer there is no second attempt. @default 20 */
  readonly minimumSamples?: number | undefined
}

/** How calls are routed. */
export interface RoutingOptions {
  /** Name of a built-in strategy, or one of your own. @default 'simple-shuffle' */
  readonly strategy?: StrategyName | Strategy | undefined
  /** `latency-based`: share above the lowest latency that counts as equal, such as 0.1. @default 0 */
  readonly lowestLatencyBuffer?: number | undefined
  /**
   * Keeps what belongs together at one deployment while that can be asked, so that the provider's prompt cache stays
   * warm: `session` (`session_id` or `metadata.session_id` of the body, `x-sluice-session-id`, `x-litellm-session-id`,
   * `x-litellm-trace-id`), `prompt-prefix` (model, tools, instructions and first question), `caller`. Of a list the
   * first that a request has counts. Callers never share a session. @default none: the strategy picks
   */
  readonly affinity?: AffinityKind | readonly AffinityKind[] | undefined
  /**
   * Leave out deployments that are known not to serve a request: a context window that is surely too small, tools,
   * images or a JSON schema that the model does not take, `rpm` or `tpm` used up in the running minute. @default false
   */
  readonly preCallChecks?: boolean | undefined
  /**
   * Send requests only to deployments with their tags: those of the caller and of `tags` or `metadata.tags` in the body,
   * `x-sluice-tags`, `x-litellm-tags`. Labels for routing: a request may name any, so they protect nothing. @default false
   */
  readonly tagFiltering?: boolean | undefined
  /** Whether a deployment needs any of a request's tags, or all. @default 'any' */
  readonly tagMatch?: 'any' | 'all' | undefined
  /**
   * How long a call waits in line while every deployment that could serve it is at its `maxParallelRequests`, in
   * milliseconds; then come the fallbacks, or a 429. At most 1,000 calls wait for one deployment. 0: none waits. @default 10,000
   */
  readonly maxQueueMs?: number | undefined
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
  /**
   * What happens when a stream breaks off after content, within the attempts of the call. `error` tells the client.
   * `restart` asks again and leaves out what was sent, as long as the new answer repeats it; where it differs, the stream
   * ends with an error. `continue` asks for the rest where the deployment is known to continue a last assistant message
   * (`capabilities.assistantPrefill`, Claude before 4.6, Mistral), and restarts elsewhere. All attempts are billed, and
   * the client's usage is their sum. Nothing sent yet: another deployment answers, whatever is set here. @default 'error'
   */
  readonly midStream?: MidStreamPolicy | undefined
  /**
   * Ask a second deployment beside one that is slow to answer; the first answer wins, the other is cancelled and may be
   * billed all the same. Never for requests with tools that run at the provider. @default never
   */
  readonly hedging?: HedgingOptions | undefined
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
  lowestLatencyBuffer: z.number().nonnegative().optional(),
  affinity: z.union([z.enum(affinityKinds), z.array(z.enum(affinityKinds))]).optional(),
  preCallChecks: z.boolean().optional(),
  tagFiltering: z.boolean().optional(),
  tagMatch: z.enum(['any', 'all']).optional(),
  maxQueueMs: count.optional(),
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
  hedging: z
    .strictObject({
      afterMs: z.number().int().positive().optional(),
      quantile: z.number().gt(0).lt(1).optional(),
      minimumSamples: z.number().int().positive().optional(),
    })
    .optional(),
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

/** What strategies need of the gateway. */
export interface StrategyContext {
  /** Called only where prices decide. */
  readonly createCostOf: () => CostOf
  /** Told once of a host's strategy that does not work. */
  readonly report: ReportFault
}

/** The strategy that options mean. */
export function toStrategy(options: RoutingOptions, { createCostOf, report }: StrategyContext): Strategy {
  const { strategy = 'simple-shuffle', lowestLatencyBuffer = 0 } = options
  if (typeof strategy !== 'string') return hostStrategy(strategy, report)
  return strategies[strategy]({ createCostOf, lowestLatencyBuffer })
}

/** True where `rpm` and `tpm` of deployments are limits, not just weights. */
export function enforcesRates(options: RoutingOptions, strategy: Strategy): boolean {
  return options.preCallChecks === true || strategy.honoursLimits === true
}
