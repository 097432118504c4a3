import type { PriceOptions } from '../catalog/prices/index.js'
import type { ModelCapabilities, Timeouts } from '../deployment.js'
import type { JsonObject } from '../wire/json.js'
import { deploymentKeys } from './known-keys.js'
import { isPriceKey, pricesFromLiteLLM } from './prices.js'
import { settingNames, toSettings } from './provider-settings.js'
import type { ModelEntry } from './schemas.js'

/** One model of the options of `createGateway`, as a LiteLLM file describes it. Durations in milliseconds. */
export interface ConfigModel {
  readonly modelName: string
  /** `provider/model`, or a well-known bare name. */
  readonly model: string
  readonly id?: string
  readonly apiKey?: string
  readonly baseUrl?: string
  readonly apiVersion?: string
  readonly organization?: string
  /** The provider's own settings: region, project, further credentials. */
  readonly settings?: JsonObject
  readonly headers?: Readonly<Record<string, string>>
  readonly params?: JsonObject
  readonly timeouts?: Partial<Timeouts>
  readonly weight?: number
  readonly order?: number
  readonly rpm?: number
  readonly tpm?: number
  readonly maxParallelRequests?: number
  readonly cooldownMs?: number
  readonly tags?: readonly string[]
  readonly region?: string
  /** In place of the published ones. */
  readonly prices?: PriceOptions
  readonly dropParams?: boolean
  readonly capabilities?: ModelCapabilities
  readonly info?: JsonObject
}

/**
 * Turns the entries of `model_list` into models; a list of organizations makes one deployment for each. Prices that are
 * not understood are warned about.
 */
export function toModels(entries: readonly ModelEntry[], warnings: string[]): ConfigModel[] {
  return entries.flatMap((entry, index) => {
    const { price, ignored } = pricesFromLiteLLM({ ...entry.model_info, ...entry.litellm_params })
    for (const key of ignored) {
      const section = Object.hasOwn(entry.litellm_params, key) ? 'litellm_params' : 'model_info'
      warnings.push(`model_list[${index}].${section}.${key}: not understood as a price; ignored`)
    }
    const model = { ...toModel(entry), ...(price && { prices: price }) }
    const organization = entry.litellm_params.organization
    if (organization === undefined) return [model]
    if (typeof organization === 'string') return [{ ...model, organization }]
    return organization.map((one, position) => ({
      ...model,
      organization: one,
      ...(model.id !== undefined && organization.length > 1 && { id: `${model.id}-${position + 1}` }),
    }))
  })
}

/** Deadlines in seconds: LiteLLM's words, and ours for single phases. */
export interface TimeoutWords {
  readonly timeout?: number | undefined
  readonly stream_timeout?: number | undefined
  readonly ttft_timeout?: number | undefined
  readonly first_token_timeout?: number | undefined
  readonly headers_timeout?: number | undefined
  readonly stream_idle_timeout?: number | undefined
}

/** As many attempts as a call may make unless the host says otherwise. */
const attempts = 6
const defaultTotal = 600

/**
 * Deadlines from seconds; undefined where none is set. As in LiteLLM, `timeout` is that of one attempt, so that another
 * deployment can take over, and cuts no stream that goes on: it bounds the wait for the headers and for the first token.
 * `stream_timeout` bounds the first token alone. Words for one phase win over these.
 */
export function toTimeouts(words: TimeoutWords): Partial<Timeouts> | undefined {
  const { timeout, stream_timeout, ttft_timeout, first_token_timeout, headers_timeout, stream_idle_timeout } = words
  const seconds = {
    // Room for every attempt to take its time.
    total: timeout !== undefined && timeout * attempts > defaultTotal ? timeout * attempts : undefined,
    headers: headers_timeout ?? timeout,
    firstToken: first_token_timeout ?? ttft_timeout ?? stream_timeout ?? timeout,
    idle: stream_idle_timeout,
  }
  const set = Object.entries(seconds).flatMap(([phase, value]) =>
    value === undefined ? [] : [[phase, toMilliseconds(value)] as const],
  )
  return set.length === 0 ? undefined : Object.fromEntries(set)
}

/** Whole milliseconds, at least one: 0 would switch a deadline off. */
export function toMilliseconds(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000))
}

function toModel(entry: ModelEntry): ConfigModel {
  const { model_name: modelName, litellm_params: params, model_info: info } = entry
  return withoutUndefined({
    modelName,
    model: toModelReference(params.model, params.custom_llm_provider),
    id: info?.id,
    apiKey: params.api_key,
    baseUrl: params.api_base ?? params.base_url,
    apiVersion: params.api_version,
    settings: toSettings(params),
    headers: params.extra_headers || params.headers ? { ...params.headers, ...params.extra_headers } : undefined,
    params: toRequestParams(params, params.extra_body),
    timeouts: toTimeouts(params),
    weight: params.weight,
    order: params.order,
    rpm: params.rpm,
    tpm: params.tpm,
    maxParallelRequests: params.max_parallel_requests,
    cooldownMs: params.cooldown_time === undefined ? undefined : Math.round(params.cooldown_time * 1_000),
    tags: params.tags,
    region: params.region_name,
    dropParams: params.drop_params,
    capabilities: info && toCapabilities(info),
    info: info && withoutId(info),
  })
}

function toModelReference(model: string, provider: string | undefined): string {
  if (provider === undefined || model.startsWith(`${provider}/`)) return model
  return `${provider}/${model}`
}

function toRequestParams(params: JsonObject, extraBody: JsonObject | undefined): JsonObject | undefined {
  const own = Object.entries(params).filter(
    ([key]) => !deploymentKeys.supported.includes(key) && !Object.hasOwn(settingNames, key) && !isPriceKey(key),
  )
  const all = { ...Object.fromEntries(own), ...extraBody }
  return Object.keys(all).length > 0 ? all : undefined
}

type Info = NonNullable<ModelEntry['model_info']>

function toCapabilities(info: Info): ModelCapabilities | undefined {
  const capabilities = withoutUndefined({
    tools: info.supports_function_calling,
    vision: info.supports_vision,
    jsonSchema: info.supports_response_schema,
    reasoning: info.supports_reasoning,
    assistantPrefill: info.supports_assistant_prefill,
    maxOutputTokens: info.max_output_tokens ?? info.max_tokens,
    contextWindow: info.max_input_tokens,
  })
  return Object.keys(capabilities).length > 0 ? capabilities : undefined
}

function withoutId(info: Info): JsonObject | undefined {
  const { id: _id, ...rest } = info
  return Object.keys(rest).length > 0 ? rest : undefined
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

function withoutUndefined<T extends object>(object: T): Defined<T>
function withoutUndefined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}
