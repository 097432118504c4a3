import { createHash } from 'node:crypto'
import type { Deployment, ModelCapabilities, Timeouts } from '../deployment.js'
import { InvalidRequestError } from '../errors.js'
import { detectPromptStore, splitPromptParams } from '../prompts/index.js'
import { Secret } from '../secret.js'
import type { JsonObject } from '../wire/json.js'
import { checkBaseUrl, missingBaseUrl } from './base-url.js'
import { EnvironmentSecret, type Environment, firstSet, listNames } from './environment.js'
import { checkHeaders, type HeaderMap, isHeaderValue } from './headers.js'
import type { Provider } from './provider.js'
import { findSettings } from './settings.js'
import type { Registry, ResolvedModel } from './registry.js'

/** One entry of a host's model list. */
export interface DeploymentInput {
  /** The model group that this deployment answers for. */
  readonly modelName: string
  /** `provider/model`, a well-known bare name, or `provider/*` for every model of a provider. */
  readonly model: string
  /** @default the provider's environment variable */
  readonly apiKey?: string | Secret | undefined
  /** @default the provider's environment variable, else its own address */
  readonly baseUrl?: string | undefined
  readonly apiVersion?: string | undefined
  readonly organization?: string | undefined
  /** Settings that the provider declares: region, project, further credentials. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Request parameters that apply where the caller sets none. */
  readonly params?: JsonObject | undefined
  /** Milliseconds; 0 switches one off. */
  readonly timeouts?: Partial<Timeouts> | undefined
  /** @default 1 where another one of its group has a weight; else rpm, where one has that; else tpm; else 1 */
  readonly weight?: number | undefined
  /** Lower ones are asked first. @default 1 */
  readonly order?: number | undefined
  readonly rpm?: number | undefined
  readonly tpm?: number | undefined
  readonly maxParallelRequests?: number | undefined
  readonly tags?: readonly string[] | undefined
  readonly region?: string | undefined
  readonly cooldownMs?: number | undefined
  /** As `PriceOptions`; checked by whoever takes them in. */
  readonly prices?: JsonObject | undefined
  readonly dropParams?: boolean | undefined
  readonly capabilities?: ModelCapabilities | undefined
  readonly info?: JsonObject | undefined
  /** @default a hash of what makes the deployment; the key goes into it as a hash only */
  readonly id?: string | undefined
}

/** What a model list is read with. */
export interface DeploymentContext {
  readonly registry: Registry
  /** The variables that the host lets us see. */
  readonly env: Environment
  readonly defaults: {
    readonly timeouts: Timeouts
    /** True where the host set `timeouts.headers` for the whole gateway. */
    readonly headersTimeoutSet?: boolean
    readonly dropParams: boolean
  }
  /** Names of prompt stores, which a model may begin with. @default none */
  readonly promptStores?: ReadonlySet<string>
}

const noStores: ReadonlySet<string> = new Set()

/**
 * Turns one entry of a model list into a frozen deployment.
 * @throws InvalidRequestError for an unknown provider, a missing key or base URL, and any value that cannot work
 */
export function createDeployment(input: DeploymentInput, context: DeploymentContext): Deployment {
  const name = checkModelName(input.modelName)
  const managed = detectPromptStore(String(input.model), context.promptStores ?? noStores)
  const { provider, model } = resolveModel(managed?.model ?? input.model, name, context.registry)
  const { params, prompt } = splitPromptParams(input.params ?? {}, managed?.store)
  const apiKey = findApiKey(input, provider, name, context.env)
  const baseUrl = findBaseUrl(input, provider, name, context.env)
  const numbers = checkNumbers(input, name)
  const settings = findSettings(input.settings ?? {}, provider, name, context.env)
  const { apiVersion, organization } = input
  return Object.freeze<Deployment>({
    id:
      input.id?.trim() ||
      hashOf([
        name,
        provider.name,
        model,
        baseUrl,
        apiVersion,
        apiKey && hashOf(apiKey.reveal()),
        ...settingsOf(settings),
      ]),
    modelName: name,
    provider: provider.name,
    model,
    apiKey,
    baseUrl,
    apiVersion,
    organization,
    settings,
    headers: Object.freeze(findHeaders(input, provider, name, context.env)),
    params: frozenCopy(params, `params of "${name}"`),
    ...(prompt && { prompt }),
    timeouts: Object.freeze(mergeTimeouts(input.timeouts ?? {}, context.defaults.timeouts, name)),
    headersTimeoutSet: input.timeouts?.headers !== undefined || context.defaults.headersTimeoutSet === true,
    ...numbers,
    tags: Object.freeze([...(input.tags ?? [])]),
    region: input.region,
    prices: input.prices && frozenCopy(input.prices, `prices of "${name}"`),
    dropParams: input.dropParams ?? context.defaults.dropParams,
    capabilities: Object.freeze({ ...input.capabilities }),
    info: frozenCopy(input.info ?? {}, `info of "${name}"`),
  })
}

function checkModelName(name: unknown): string {
  if (typeof name === 'string' && name.trim() !== '') return name
  throw new InvalidRequestError('Every entry of models needs a modelName, the name that callers use.', 'models')
}

function resolveModel(model: unknown, name: string, registry: Registry): ResolvedModel {
  if (typeof model !== 'string' || model === '') {
    throw new InvalidRequestError(`"${name}" needs a model, like openai/gpt-5-mini.`, 'models')
  }
  const resolved = registry.resolve(model)
  if (resolved) return resolved
  throw new InvalidRequestError(
    `"${name}": no provider is known for the model "${model}". Begin it with the prefix of a provider (openai/, anthropic/ …), or declare one with defineProvider.`,
    'models',
  )
}

function findApiKey(
  { apiKey }: DeploymentInput,
  provider: Provider,
  name: string,
  env: Environment,
): Secret | undefined {
  if (apiKey instanceof Secret) return checkApiKey(apiKey, name)
  const given = apiKey?.trim()
  if (given) return checkApiKey(new Secret(given), name)
  const variable = firstSet(env, provider.apiKeyEnv)
  if (variable) return checkApiKey(new EnvironmentSecret(variable), name)
  if (!provider.apiKeyRequired) return undefined
  const advice = provider.apiKeyEnv.length > 0 ? `set ${listNames(provider.apiKeyEnv)}, or give apiKey` : 'give apiKey'
  throw new InvalidRequestError(`"${name}" needs a key for ${provider.displayName}: ${advice}.`, 'apiKey')
}

function checkApiKey(key: Secret, name: string): Secret {
  const text = key.reveal()
  if (text !== '' && isHeaderValue(text)) return key
  throw new InvalidRequestError(
    `The apiKey of "${name}" is empty or holds characters that no header can carry.`,
    'apiKey',
  )
}

/** Undefined where the provider's own address is meant. */
function findBaseUrl(
  { baseUrl }: DeploymentInput,
  provider: Provider,
  name: string,
  env: Environment,
): string | undefined {
  const complete = (url: string, what: string): string => {
    const checked = checkBaseUrl(url, what)
    return provider.completeBaseUrl?.(checked) ?? checked
  }
  const given = baseUrl?.trim()
  if (given) return complete(given, `The baseUrl of "${name}"`)
  const variable = firstSet(env, provider.baseUrlEnv)
  if (variable) return complete(variable.value, `The base URL of "${name}" in ${variable.name}`)
  const { regional } = provider
  if (regional) {
    const region = firstSet(env, regional.regionEnv)?.value ?? regional.defaultRegion
    return complete(regional.template.replace('{region}', region), `The base URL of "${name}"`)
  }
  if (provider.baseUrl === undefined) throw missingBaseUrl(provider)
  return undefined
}

function findHeaders({ headers }: DeploymentInput, provider: Provider, name: string, env: Environment): HeaderMap {
  const fromEnv = Object.entries(provider.headersEnv ?? {}).flatMap(([header, variables]) => {
    const variable = firstSet(env, variables)
    return variable ? [[header, variable.value] as const] : []
  })
  return checkHeaders({ ...Object.fromEntries(fromEnv), ...lowerCased(headers ?? {}) }, `"${name}"`)
}

function lowerCased(headers: Readonly<Record<string, string>>): HeaderMap {
  return Object.fromEntries(Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value]))
}

function mergeTimeouts(own: Partial<Timeouts>, defaults: Timeouts, name: string): Timeouts {
  const merged: Record<keyof Timeouts, number> = { ...defaults }
  for (const phase of ['connect', 'headers', 'firstToken', 'idle', 'total'] as const) {
    merged[phase] = checkNumber(own[phase], `timeouts.${phase}`, name, 0) ?? defaults[phase]
  }
  return merged
}

type Numbers = Pick<Deployment, 'weight' | 'order' | 'rpm' | 'tpm' | 'maxParallelRequests' | 'cooldownMs'>

function checkNumbers(input: DeploymentInput, name: string): Numbers {
  const rpm = checkNumber(input.rpm, 'rpm', name, 0)
  const tpm = checkNumber(input.tpm, 'tpm', name, 0)
  const weight = checkNumber(input.weight, 'weight', name, 0)
  const maxParallelRequests = checkNumber(input.maxParallelRequests, 'maxParallelRequests', name, 0)
  const cooldownMs = checkNumber(input.cooldownMs, 'cooldownMs', name, 0)
  const order = checkNumber(input.order, 'order', name, -Infinity) ?? 1
  return { weight, order, rpm, tpm, maxParallelRequests, cooldownMs }
}

function checkNumber(value: unknown, what: string, name: string, min: number): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isFinite(value) && value >= min) return value
  throw new InvalidRequestError(`"${name}": ${what} must be a number${min === 0 ? ' of at least 0' : ''}.`, 'models')
}

/** The settings as parts of an id: two accounts or regions are two deployments. Functions cannot be told apart. */
function settingsOf(settings: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(settings).map(([name, value]) =>
    hashOf(JSON.stringify([name, value instanceof Secret ? value.reveal() : value])),
  )
}

/** First 16 hex digits of a SHA-256. */
function hashOf(value: string | readonly (string | undefined)[]): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value.map((part) => part ?? null))
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** A copy that nobody can change, so that a host's later edits do not reach running calls. */
function frozenCopy(value: JsonObject, what: string): JsonObject {
  try {
    return deepFreeze(structuredClone(value))
  } catch (error) {
    throw new InvalidRequestError(`The ${what} must be plain data.`, 'models', error)
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
