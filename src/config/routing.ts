import type { RoutingOptions } from '../router/options.js'
import { toMilliseconds } from './models.js'
import { failWords, retryWords, strategyNames } from './routing-words.js'
import type { ConfigFile } from './schemas.js'

type RouterSettings = NonNullable<ConfigFile['router_settings']>
type LibrarySettings = NonNullable<ConfigFile['litellm_settings']>
type Table = NonNullable<RoutingOptions['fallbacks']>
type ByClass = NonNullable<RoutingOptions['retryPolicy']>

/** LiteLLM's own default, which there means: not configured. */
const unsetAllowedFails = 3

/** What `router_settings` and the fallbacks of `litellm_settings` say in our words; the router's win. Undefined where nothing is said. */
export function toRouting(router: RouterSettings = {}, library: LibrarySettings = {}): RoutingOptions | undefined {
  const routing: Record<keyof RoutingOptions, unknown> | Record<string, unknown> = {
    strategy: router.routing_strategy && toStrategyName(router.routing_strategy),
    lowestLatencyBuffer: router.routing_strategy_args?.lowest_latency_buffer,
    aliases: toAliases(router.model_group_alias),
    fallbacks: toTable(router.fallbacks ?? library.fallbacks),
    contextWindowFallbacks: toTable(router.context_window_fallbacks ?? library.context_window_fallbacks),
    contentPolicyFallbacks: toTable(router.content_policy_fallbacks ?? library.content_policy_fallbacks),
    defaultFallbacks: router.default_fallbacks ?? library.default_fallbacks,
    maxFallbacks: router.max_fallbacks,
    retryPolicy: router.retry_policy && rename(router.retry_policy, retryWords),
    retryAfterMs: router.retry_after === undefined ? undefined : Math.round(router.retry_after * 1_000),
    cooldown: toCooldown(router, library),
    preCallChecks: router.enable_pre_call_checks,
    tagFiltering: router.enable_tag_filtering,
    tagMatch: toTagMatch(router.tag_filtering_match_any),
    midStream: router.mid_stream,
  }
  const said = Object.entries(routing).filter(([, value]) => value !== undefined)
  return said.length === 0 ? undefined : Object.fromEntries(said)
}

function toStrategyName(word: string): string | undefined {
  return Object.entries(strategyNames).find(([name]) => name === word)?.[1]
}

function toTagMatch(any: boolean | undefined): 'any' | 'all' | undefined {
  if (any === undefined) return undefined
  return any ? 'any' : 'all'
}

/** LiteLLM's list of maps of one group each. */
function toTable(list: readonly Readonly<Record<string, readonly string[]>>[] | undefined): Table | undefined {
  return list && Object.assign({}, ...list)
}

function toAliases(aliases: RouterSettings['model_group_alias']): RoutingOptions['aliases'] {
  if (!aliases) return undefined
  return Object.fromEntries(
    Object.entries(aliases).map(([name, target]) => [
      name,
      typeof target === 'string' ? target : { modelName: target.model, hidden: target.hidden ?? false },
    ]),
  )
}

function toCooldown(router: RouterSettings, library: LibrarySettings): RoutingOptions['cooldown'] {
  const { cooldown_time: seconds, disable_cooldowns: disabled, allowed_fails_policy: policy } = router
  if (disabled === true || seconds === 0) return false
  const allowed = toAllowedFails(router.allowed_fails ?? library.allowed_fails, policy)
  if (seconds === undefined && !allowed) return undefined
  return {
    ...(seconds !== undefined && { durationMs: toMilliseconds(seconds) }),
    ...(allowed && { allowedFails: allowed }),
  }
}

function toAllowedFails(
  every: number | undefined,
  policy: RouterSettings['allowed_fails_policy'],
): ByClass | undefined {
  const own = policy && rename(policy, failWords)
  if (every === undefined || every === unsetAllowedFails) return own
  return { authentication: every, timeout: every, rateLimit: every, internalServer: every, ...own }
}

function rename(
  values: Readonly<Record<string, number | undefined>>,
  words: Readonly<Record<string, keyof ByClass>>,
): ByClass {
  return Object.fromEntries(
    Object.entries(values).flatMap(([word, value]) => {
      const name = Object.hasOwn(words, word) ? words[word] : undefined
      return name === undefined || value === undefined ? [] : [[name, value]]
    }),
  )
}
