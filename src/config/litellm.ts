import type { CacheOptions } from '../cache/options.js'
import type { HealthCheckOptions } from '../call/health-checks.js'
import type { CallbackOptions } from '../callbacks/index.js'
import type { Timeouts } from '../deployment.js'
import type { GuardrailOptions } from '../guardrails/options.js'
import { addDuration } from '../keys/duration.js'
import type { Budget } from '../ports.js'
import type { PromptStoreOptions } from '../prompts/index.js'
import type { Environment } from '../providers/environment.js'
import type { RoutingOptions } from '../router/options.js'
import type { SpendOptions } from '../spend/options.js'
import { isObject, type JsonObject } from '../wire/json.js'
import { toCache } from './cache.js'
import { toCallbackOptions } from './callbacks.js'
import { ConfigError } from './config-error.js'
import { resolveEnvironment } from './environment.js'
import { toGuardrails } from './guardrails.js'
import { toMilliseconds, toModels, toTimeouts, type ConfigModel } from './models.js'
import { toPrompts } from './prompts.js'
import { toRouting } from './routing.js'
import { ConfigFile } from './schemas.js'
import { siftConfig, type Findings } from './sift.js'
import { type DatabaseSettings, type RedisSettings, toDatabaseSettings } from './stores.js'

/** What a LiteLLM file says in our words; spread it into the options of `createGateway`. Durations in milliseconds. */
export interface ConfigOptions {
  readonly models: ConfigModel[]
  /** `general_settings.master_key`; where the file has none, `createGateway` needs `auth`. */
  readonly masterKey?: string
  readonly dropParams?: boolean
  readonly retries?: number
  readonly timeouts?: Partial<Timeouts>
  readonly routing?: RoutingOptions
  readonly cache?: CacheOptions
  readonly spend?: SpendOptions
  readonly healthChecks?: HealthCheckOptions
  readonly guardrails?: readonly GuardrailOptions[]
  readonly callbacks?: CallbackOptions
  readonly prompts?: PromptStoreOptions
  /** The environment that was given, with the file's `environment_variables` over it. */
  readonly env: Environment
}

/** The options of a file, and one line `path: what` for each of its keys that has no effect yet. */
export interface ConfigResult {
  readonly options: ConfigOptions
  readonly warnings: string[]
  /** The Redis that the file names: connect to it and give `redisStores(client)` as `stores`. */
  readonly redis?: RedisSettings
  /** Where the file wants answers to be kept, if not in `redis`. */
  readonly cacheStore?: 'memory' | RedisSettings
  /** The database that the file names: connect to it and give `sqlStores(database)` as `stores`. */
  readonly database?: DatabaseSettings
  /** The file's own login, to be loaded and given to `fromLiteLLMAuth`. */
  readonly customAuth?: CustomAuthSettings
  /** The file names `prometheus`: add `{ type: 'prometheus', client }`, with the module prom-client, to `callbacks.sinks`. */
  readonly prometheus?: true
  /** Models of `dotprompt/` find their prompts there: add a store `dotprompt` of that name to `prompts`, see `filePrompts`. */
  readonly promptDirectory?: string
}

/** Where the file's own login is. */
export interface CustomAuthSettings {
  /** `file.js`, or `module.function` of a module beside the file. */
  readonly reference: string
  /** Virtual keys let in too: `custom_auth_settings.mode: auto`. */
  readonly withKeys: boolean
}

/**
 * Turns LiteLLM's `config.yaml`, already parsed, into options of `createGateway`. `os.environ/NAME` in any string is
 * replaced from `env`. Keys that LiteLLM knows and Sluice does not support yet become warnings.
 * @throws ConfigError listing every unknown key, wrong value and missing variable with its path; never a value
 *
 *     const { options, warnings } = fromLiteLLMConfig(config, { env: process.env })
 *     const gateway = createGateway({ ...options, auth })
 */
export function fromLiteLLMConfig(config: unknown, settings: { readonly env: Environment }): ConfigResult {
  if (!isObject(config)) throw new ConfigError(['the configuration must be a map with a model_list'])
  const findings: Findings = { problems: [], warnings: [] }
  const sifted = siftConfig(config, findings)
  const env = readVariables(sifted['environment_variables'], settings.env, findings.problems)
  const file = parseFile(resolveEnvironment(sifted, '', env, findings.problems), findings.problems)
  if (!file || findings.problems.length > 0) throw new ConfigError(findings.problems)
  const { cache, ...stores } = toCache(file, env, findings)
  const listed = toModels(file.model_list, findings.warnings)
  const { guardrails, models: needed } = toGuardrails(file.guardrails, listed, findings)
  const { options: callbacks, prometheus } = toCallbackOptions(
    { ...file.litellm_settings, ...file.general_settings },
    env,
    findings,
  )
  const directory = file.litellm_settings?.global_prompt_directory
  const { prompts, promptDirectory } = toPrompts(listed, directory, env, findings)
  if (findings.problems.length > 0) throw new ConfigError(findings.problems)
  const options = {
    models: [...listed, ...needed],
    ...toSettings(file),
    ...(cache && { cache }),
    ...(guardrails.length > 0 && { guardrails }),
    ...(callbacks && { callbacks }),
    ...(prompts && { prompts }),
    env,
  }
  return {
    options,
    warnings: findings.warnings,
    ...(prometheus && { prometheus }),
    ...(promptDirectory !== undefined && { promptDirectory }),
    ...stores,
    ...toConnections(file),
  }
}

function toConnections({ general_settings: general }: ConfigFile): Pick<ConfigResult, 'database' | 'customAuth'> {
  const database = toDatabaseSettings(general)
  const reference = general?.custom_auth
  const withKeys = general?.custom_auth_settings?.mode === 'auto'
  return { ...(database && { database }), ...(reference !== undefined && { customAuth: { reference, withKeys } }) }
}

function parseFile(value: unknown, problems: string[]): ConfigFile | undefined {
  const parsed = ConfigFile.safeParse(value)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues) {
    const path = toPath(issue.path)
    // A missing variable left this text empty and is reported already.
    if (!problems.some((problem) => problem.startsWith(`${path}: `)))
      problems.push(`${path}: ${describe(issue, value)}`)
  }
  return undefined
}

function describe(issue: { readonly path: readonly PropertyKey[]; readonly message: string }, root: unknown): string {
  const found = issue.path.reduce<unknown>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)]
    return isObject(at) && typeof key === 'string' ? at[key] : undefined
  }, root)
  return found === undefined ? 'is required' : issue.message
}

function toPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}

function readVariables(section: unknown, env: Environment, problems: string[]): Environment {
  // A plain object, which process.env is not.
  if (section === undefined) return { ...env }
  if (!isObject(section)) {
    problems.push('environment_variables: must be a map of names to text')
    return env
  }
  const resolved = resolveEnvironment(section, 'environment_variables', env, problems)
  return { ...env, ...toTexts(isObject(resolved) ? resolved : {}, problems) }
}

function toTexts(values: JsonObject, problems: string[]): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string') texts[name] = value
    else if (typeof value === 'number' || typeof value === 'boolean') texts[name] = String(value)
    else if (value !== null) problems.push(`environment_variables.${name}: must be text`)
  }
  return texts
}

const dayMs = 86_400_000

type GeneralSettings = NonNullable<ConfigFile['general_settings']>

function toSettings(
  file: ConfigFile,
): Omit<ConfigOptions, 'models' | 'cache' | 'guardrails' | 'callbacks' | 'prompts' | 'env'> {
  const { litellm_settings: settings, router_settings: router, general_settings: general } = file
  // LiteLLM's router wins over its library settings.
  const retries = router?.num_retries ?? settings?.num_retries
  const timeouts = toTimeouts({ ...router, timeout: router?.timeout ?? settings?.request_timeout })
  const routing = toRouting(router, settings)
  return {
    ...(general?.master_key !== undefined && { masterKey: general.master_key }),
    ...(settings?.drop_params !== undefined && { dropParams: settings.drop_params }),
    ...(retries !== undefined && { retries }),
    ...(timeouts && { timeouts }),
    ...(routing && { routing }),
    ...toSpend(file),
    ...(general?.background_health_checks === true && { healthChecks: toHealthChecks(general) }),
  }
}

function toSpend({ litellm_settings: settings, general_settings: general }: ConfigFile): Pick<ConfigOptions, 'spend'> {
  const everybody = settings?.max_budget !== undefined && { budget: toBudget(settings.max_budget, settings) }
  const kept = addDuration(0, general?.maximum_spend_logs_retention_period ?? '')
  if (!everybody && kept === undefined) return {}
  return { spend: { ...(everybody && { everybody }), ...(kept !== undefined && { retentionDays: kept / dayMs }) } }
}

function toBudget(
  maxBudget: number,
  { budget_duration: budgetDuration }: NonNullable<ConfigFile['litellm_settings']>,
): Budget {
  return { maxBudget, ...(budgetDuration !== undefined && { budgetDuration }) }
}

/** LiteLLM asks every 5 minutes. */
function toHealthChecks({ health_check_interval: seconds = 300 }: GeneralSettings): HealthCheckOptions {
  return { intervalMs: toMilliseconds(seconds) }
}
