import { z } from 'zod'
import { isDuration } from '../keys/duration.js'
import { alertingFields, callbackFields } from './callbacks.js'
import { allowedFailsWords, retryPolicyWords, strategyWords } from './routing-words.js'
import { isDatabaseUrl } from './stores.js'

// Values of a configuration file: a number or switch may be text, because `os.environ/NAME` always gives text.

const number = z.preprocess(
  (value) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value),
  z.number({ error: 'must be a number' }),
)
const seconds = number.refine((value) => value > 0, { error: 'must be a number of seconds above 0' })
const duration = number.refine((value) => value >= 0, { error: 'must be a number of seconds, 0 or more' })
const count = number.refine((value) => Number.isSafeInteger(value) && value >= 0, {
  error: 'must be a whole number, 0 or more',
})
const limit = number.refine((value) => value > 0, { error: 'must be a number above 0' })
const retries = count.refine((value) => value <= 10, { error: 'must be 10 at most' })
const weight = number.refine((value) => value >= 0, { error: 'must be 0 or more' })
const words: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  false: false,
  no: false,
  off: false,
}
const flag = z.preprocess(
  (value) => (typeof value === 'string' ? (words[value.toLowerCase()] ?? value) : value),
  z.boolean({ error: 'must be true or false' }),
)
const text = z.string({ error: 'must be text' }).min(1, { error: 'must not be empty' })
// YAML reads an unquoted 2024 or 7 as a number.
const label = z.union([text, z.number().transform(String)], { error: 'must be text' })
const stringMap = z.record(z.string(), label, { error: 'must be a map of names to text' })
const texts = z.array(text, { error: 'must be a list of texts' })
const groups = z.array(z.record(z.string(), texts, { error: 'must be a map of one model group to a list of others' }), {
  error: 'must be a list of maps, such as [{ gpt: [claude] }]',
})
const countsOf = (words: readonly string[]) =>
  z.partialRecord(z.enum(words), count, { error: `may only hold ${words.join(', ')}` })
const positive = count.refine((value) => value > 0, { error: 'must be 1 or more' })
const dollars = number.refine((value) => value >= 0, { error: 'must be a number of dollars, 0 or more' })
const oneOf = <const Words extends readonly string[]>(...words: Words) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` })
const object = z.record(z.string(), z.unknown(), { error: 'must be a map' })

/** `litellm_params`; keys not named here are left for the caller to sort into parameters and warnings. */
export const DeploymentParams = z.looseObject(
  {
    model: text,
    api_base: text.optional(),
    base_url: text.optional(),
    api_key: text.optional(),
    api_version: label.optional(),
    organization: z.union([text, z.array(text).min(1)], { error: 'must be text or a list of texts' }).optional(),
    custom_llm_provider: text.optional(),
    timeout: seconds.optional(),
    stream_timeout: seconds.optional(),
    rpm: limit.optional(),
    tpm: limit.optional(),
    max_parallel_requests: positive.optional(),
    cooldown_time: duration.optional(),
    headers_timeout: seconds.optional(),
    first_token_timeout: seconds.optional(),
    stream_idle_timeout: seconds.optional(),
    tags: texts.optional(),
    region_name: text.optional(),
    weight: weight.optional(),
    order: number.optional(),
    drop_params: flag.optional(),
    extra_headers: stringMap.optional(),
    headers: stringMap.optional(),
    extra_body: object.optional(),
  },
  { error: 'must be a map' },
)

/** `model_info`: free data; the keys named here are also capabilities of the model. */
export const ModelInfo = z.looseObject(
  {
    id: label.optional(),
    max_tokens: positive.optional(),
    max_input_tokens: positive.optional(),
    max_output_tokens: positive.optional(),
    supports_assistant_prefill: flag.optional(),
    supports_function_calling: flag.optional(),
    supports_reasoning: flag.optional(),
    supports_response_schema: flag.optional(),
    supports_vision: flag.optional(),
  },
  { error: 'must be a map' },
)

/** One entry of `model_list`. */
export const ModelEntry = z.object(
  { model_name: label, litellm_params: DeploymentParams, model_info: ModelInfo.optional() },
  { error: 'must be a map' },
)

const section = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape, { error: 'must be a map' }).optional()

/** `cache_params`; of what LiteLLM can cache, the types and calls that are not supported here are known too. */
const CacheParams = section({
  type: oneOf(
    ...(['local', 'redis', 'redis-semantic', 'qdrant-semantic', 'valkey-semantic'] as const),
    ...(['s3', 'gcs', 'azure-blob', 'disk'] as const),
  ).optional(),
  ttl: seconds.optional(),
  default_in_memory_ttl: seconds.optional(),
  default_in_redis_ttl: seconds.optional(),
  namespace: label.optional(),
  mode: oneOf('default_on', 'default_off').optional(),
  supported_call_types: texts.optional(),
  url: text.optional(),
  redis_url: text.optional(),
  host: text.optional(),
  port: count.optional(),
  username: text.optional(),
  password: label.optional(),
  db: count.optional(),
  ssl: flag.optional(),
})

const databaseUrl = text.refine(isDatabaseUrl, {
  error: 'must be an address such as postgres://user:password@host:5432/name, mysql://… or sqlite:file.db',
})

const period = text.refine(isDuration, { error: 'must be a number and s, m, h, d, w, mo or y, such as 30d' })

/** The file, with everything removed that has no effect here. */
export const ConfigFile = z.object({
  model_list: z
    .array(ModelEntry, { error: 'must be a list of models' })
    .min(1, { error: 'must name at least one model' }),
  litellm_settings: section({
    drop_params: flag.optional(),
    num_retries: retries.optional(),
    request_timeout: seconds.optional(),
    allowed_fails: count.optional(),
    global_prompt_directory: text.optional(),
    fallbacks: groups.optional(),
    context_window_fallbacks: groups.optional(),
    content_policy_fallbacks: groups.optional(),
    default_fallbacks: texts.optional(),
    max_budget: dollars.optional(),
    budget_duration: period.optional(),
    cache: flag.optional(),
    cache_params: CacheParams,
    default_in_memory_ttl: seconds.optional(),
    default_redis_ttl: seconds.optional(),
    ...callbackFields,
  }),
  general_settings: section({
    master_key: text.optional(),
    database_url: databaseUrl.optional(),
    database_connection_pool_limit: positive.optional(),
    database_connection_timeout: seconds.optional(),
    custom_auth: text.optional(),
    custom_auth_settings: section({ mode: oneOf('on', 'auto').optional() }),
    background_health_checks: flag.optional(),
    maximum_spend_logs_retention_period: period.optional(),
    health_check_interval: number
      .refine((value) => value >= 1, { error: 'must be a number of seconds, 1 or more' })
      .optional(),
    ...alertingFields,
  }),
  router_settings: section({
    num_retries: retries.optional(),
    timeout: seconds.optional(),
    stream_timeout: seconds.optional(),
    ttft_timeout: seconds.optional(),
    first_token_timeout: seconds.optional(),
    headers_timeout: seconds.optional(),
    stream_idle_timeout: seconds.optional(),
    routing_strategy_args: section({ lowest_latency_buffer: weight.optional() }),
    routing_strategy: z.enum(strategyWords, { error: `must be one of ${strategyWords.join(', ')}` }).optional(),
    model_group_alias: z
      .record(z.string(), z.union([text, z.object({ model: text, hidden: flag.optional() })]), {
        error: 'must be a map of names to model groups',
      })
      .optional(),
    fallbacks: groups.optional(),
    context_window_fallbacks: groups.optional(),
    content_policy_fallbacks: groups.optional(),
    default_fallbacks: texts.optional(),
    max_fallbacks: count.optional(),
    retry_policy: countsOf(retryPolicyWords).optional(),
    retry_after: duration.optional(),
    cooldown_time: duration.optional(),
    disable_cooldowns: flag.optional(),
    allowed_fails: count.optional(),
    allowed_fails_policy: countsOf(allowedFailsWords).optional(),
    enable_pre_call_checks: flag.optional(),
    enable_tag_filtering: flag.optional(),
    tag_filtering_match_any: flag.optional(),
    mid_stream: z.enum(['error', 'restart', 'continue'], { error: 'must be error, restart or continue' }).optional(),
    redis_url: text.optional(),
    redis_host: text.optional(),
    redis_port: count.optional(),
    redis_username: text.optional(),
    redis_password: label.optional(),
    redis_db: count.optional(),
  }),
  // Read entry by entry, so that one that is not supported is warned about and the others stay.
  guardrails: z.unknown().optional(),
})

export type ModelEntry = z.infer<typeof ModelEntry>
export type ConfigFile = z.infer<typeof ConfigFile>
