import { z } from 'zod'
import { type CallLogOptions, CallLogOptionsSchema, type CallbackOptions } from './callbacks/index.js'
import { type PromptStoreOptions, promptOptions } from './prompts/index.js'
import { type GuardrailOptions, guardrailOptions } from './guardrails/index.js'
import type { Hooks } from './ports/hooks.js'
import { type CacheOptions, cacheOptions } from './cache/options.js'
import { type IdempotencyOptions, idempotencyOptions } from './cache/idempotency.js'
import type { HealthCheckOptions } from './call/health-checks.js'
import { PriceOptions } from './catalog/prices/index.js'
import type { GatewayEvent } from './events.js'
import { type SpendOptions, SpendOptionsSchema } from './spend/options.js'
import { type ModelCapabilities, reasoningControls, type Timeouts } from './deployment.js'
import type { Auth, Clock, CredentialsHook, Logger } from './ports.js'
import type { Broadcast } from './ports/broadcast.js'
import type { CacheStore } from './ports/cache-store.js'
import type { CallStore } from './ports/calls.js'
import type { CounterStore } from './ports/counters.js'
import type { LedgerStore } from './ports/ledger.js'
import type { RecordStore } from './ports/records.js'
import type { RouterStore } from './ports/router-store.js'
import type { Provider } from './providers/provider.js'
import { type RoutingOptions, RoutingOptionsSchema } from './router/options.js'
import { Secret } from './secret.js'
import { type EncryptionKey, EncryptionKeysSchema } from './stores/sealed-text.js'
import type { JsonObject } from './wire/json.js'

/** Deadlines where neither the gateway nor the deployment sets any, in milliseconds. */
export const defaultTimeouts: Timeouts = Object.freeze({
  connect: 10_000,
  headers: 60_000,
  firstToken: 120_000,
  idle: 60_000,
  total: 600_000,
})

/** Largest request body in bytes where the gateway sets none. */
export const defaultMaxBodyBytes = 20 * 1024 * 1024

/** One entry of the model list. Entries with the same `modelName` share its calls. */
export interface ModelOptions {
  /** What callers ask for; `anthropic/*` serves every name that it matches. */
  readonly modelName: string
  /** `provider/model`, or a well-known bare name. */
  readonly model: string
  /** @default the first set variable of the provider, such as `OPENAI_API_KEY` */
  readonly apiKey?: string | Secret | undefined
  /** @default the provider's own address, or its variable such as `OPENAI_BASE_URL` */
  readonly baseUrl?: string | undefined
  readonly apiVersion?: string | undefined
  readonly organization?: string | undefined
  /** The provider's own settings (region, project, further credentials); an unknown one is an error. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined
  /** Sent with every request to the provider. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Request parameters for calls that set none themselves. */
  readonly params?: JsonObject | undefined
  readonly timeouts?: Partial<Timeouts> | undefined
  /** Share among deployments of one name and `order`. @default 1 where another one has a weight; else by rpm, where one has that; else by tpm; else alike */
  readonly weight?: number | undefined
  /** Lower ones are used first. @default 1 */
  readonly order?: number | undefined
  /** Requests per minute that the deployment is good for; its weight where none is set. A limit with `routing.preCallChecks`. */
  readonly rpm?: number | undefined
  /** Tokens per minute, likewise. */
  readonly tpm?: number | undefined
  /** Attempts under way at once; further ones go to other deployments, or wait (`routing.maxQueueMs`). @default no limit */
  readonly maxParallelRequests?: number | undefined
  /** Labels that requests can ask for, see `routing.tagFiltering`. */
  readonly tags?: readonly string[] | undefined
  /** `eu`, `us` …: for callers whose `metadata.allowedModelRegion` names one; those get no other, and none that is unknown. */
  readonly region?: string | undefined
  /** How long it rests after failures, in milliseconds. @default routing.cooldown.durationMs */
  readonly cooldownMs?: number | undefined
  /** What it costs; hides every other price, and what its provider says it bills. @default `spend.prices`, else what is published */
  readonly prices?: PriceOptions | undefined
  /** @default the gateway's */
  readonly dropParams?: boolean | undefined
  /** Overrides what is known of the model. */
  readonly capabilities?: ModelCapabilities | undefined
  /** Free data of the host. */
  readonly info?: JsonObject | undefined
  /** @default a hash of group, provider, model, address and key */
  readonly id?: string | undefined
}

/** Which endpoints of their own callers may bring; nothing else is ever connected to for them. */
export interface CallerEndpointOptions {
  /**
   * `api.example.com`, `*.example.com` (every name below), `https://example.com:8443`; https and its port unless written.
   * Names that resolve to private, loopback, link-local or metadata addresses are refused when the connection is made.
   */
  readonly allow: readonly string[]
  /** Networks such as `10.1.0.0/16` whose addresses are allowed nevertheless. @default none */
  readonly privateNetworks?: readonly string[] | undefined
}

/** How media are fetched that callers name by URL. */
export interface FetchMediaOptions {
  /** As in `callerEndpoints.allow`. @default every public host, on the ports of http and https */
  readonly allowHosts?: readonly string[] | undefined
  /** Of all media of one call together. @default 20 MB */
  readonly maxBytes?: number | undefined
  /** Networks such as `10.1.0.0/16` whose addresses are allowed although they are not public. @default none */
  readonly privateNetworks?: readonly string[] | undefined
}

/** Stores of the host; `sluice/redis` and `sluice/sql` make them from its own connections. */
export interface StoreOptions {
  readonly cache?: CacheStore | undefined
  /** Cooldowns, calls in flight, latencies and usage of deployments. */
  readonly router?: RouterStore | undefined
  readonly broadcast?: Broadcast | undefined
  readonly counters?: CounterStore | undefined
  readonly ledger?: LedgerStore | undefined
  readonly records?: RecordStore | undefined
  /** The call log. */
  readonly calls?: CallStore | undefined
}

/** How virtual keys are kept. */
export interface KeyOptions {
  /** Keys are kept as HMAC-SHA-256 under it; changing it makes all keys void. @default SHA-256 alone */
  readonly salt?: string | Secret | undefined
  /** How long a process goes on with what it knows of a key, in milliseconds, where it hears of no change. @default 5,000 */
  readonly cacheTtlMs?: number | undefined
}

/** How the changes of records are kept; see `GET /audit`. */
export interface AuditOptions {
  /** Changes that were made more days ago are forgotten. @default never */
  readonly retentionDays?: number | undefined
}

/** Every setting of a gateway. */
export interface GatewayOptions<Host = unknown> {
  readonly models: readonly ModelOptions[]
  /** Who calls. `'none'` lets everybody in and must be written out. May be left out only where `masterKey` or `keys` is set. */
  readonly auth?: Auth<Host> | 'none' | undefined
  /** `Authorization: Bearer <masterKey>` is an admin; asked before `auth`. */
  readonly masterKey?: string | Secret | undefined
  /** Whose key an attempt uses: the caller's own (not billable), or `'platform'`. @default the platform's, always */
  readonly credentials?: CredentialsHook | undefined
  /** Lets `credentials` give base URLs. @default every one is refused */
  readonly callerEndpoints?: CallerEndpointOptions | undefined
  /**
   * Fetch images and files for models that cannot take a URL, within 15 s, and send them along. Only public addresses,
   * checked when the connection is made. @default false: such a request is a 400
   */
  readonly fetchMedia?: boolean | FetchMediaOptions | undefined
  /** Providers of your own, made with `defineProvider`; they win over built-in ones of the same name. */
  readonly providers?: readonly Provider[] | undefined
  /** Leave out parameters that a provider cannot honour, and say so in `x-sluice-dropped-params`, instead of answering 400. @default false */
  readonly dropParams?: boolean | undefined
  /** Attempts after the first, within the model group. @default 2 */
  readonly retries?: number | undefined
  /** How deployments are picked, what is done when they fail, and who takes over. */
  readonly routing?: RoutingOptions | undefined
  /** Functions of yours that take part in every call; each has a deadline. */
  readonly hooks?: Hooks | undefined
  /** What looks at requests and answers: personal data, credentials, words, your own judges. */
  readonly guardrails?: readonly GuardrailOptions[] | undefined
  /**
   * Where prompts are found that requests name by `prompt_id`, by name of the store; the first one is asked. A model
   * `langfuse/openai/gpt-4o` asks the store `langfuse` for the prompt that its `params.prompt_id`, or the request, names.
   */
  readonly prompts?: PromptStoreOptions | undefined
  /** Who is told of every call and event: Langfuse, OpenTelemetry, Prometheus, Slack, your own function … */
  readonly callbacks?: CallbackOptions | undefined
  /**
   * Keep what is known of every call, refused and failed ones too, for the page Logs and `GET /calls`. In `stores.calls`,
   * else the latest in memory. @default kept where a ledger is
   */
  readonly callLog?: CallLogOptions | boolean | undefined
  /** What several processes, or runs, have in common. @default each process for itself, in memory */
  readonly stores?: StoreOptions | undefined
  /** Answer repeated requests from a cache; of the calls of one caller, unless `scope` says otherwise. @default none is kept */
  readonly cache?: CacheOptions | boolean | undefined
  /** How `Idempotency-Key` is honoured; `false` ignores it. @default answers are kept for a day */
  readonly idempotency?: IdempotencyOptions | false | undefined
  /** Let in who has a virtual key that this gateway has issued. @default only who `auth` knows */
  readonly keys?: KeyOptions | boolean | undefined
  /**
   * What the credentials of models that are added at run time are encrypted with in `stores.records` (AES-256-GCM). The
   * first encrypts, all decrypt: to rotate, put a new one first, and drop the old one after a start. @default no such
   * models where `stores.records` is set
   */
  readonly encryptionKeys?: readonly EncryptionKey[] | undefined
  /** How long the changes of keys, users, teams and other records are kept. @default for ever */
  readonly audit?: AuditOptions | undefined
  /** How money is counted. A ledger is kept where this, `keys` or `stores.ledger` is set. */
  readonly spend?: SpendOptions | undefined
  /** Ask every deployment from time to time whether it works, at the host's cost. @default never */
  readonly healthChecks?: HealthCheckOptions | undefined
  /**
   * Answers carry `x-sluice-explain`, a JSON trail of every attempt and why it was made: always, never, or (undefined)
   * when the request asks with `explain: true` or that header.
   */
  readonly explain?: boolean | undefined
  /** `GET /debug/memory/summary`, `/details` and `POST /debug/memory/gc`, for admins. @default false */
  readonly debug?: boolean | undefined
  /** `GET /docs/`, an interactive page over `GET /openapi.json`, open to everybody; beside `admin` too, where it is mounted. @default true */
  readonly docs?: boolean | undefined
  /** Told when a deployment begins to rest or works again, and when a soft budget is passed. Called synchronously; what it throws is logged. */
  readonly onEvent?: ((event: GatewayEvent) => void) | undefined
  readonly timeouts?: Partial<Timeouts> | undefined
  /** Largest request body in bytes. @default 20 MB */
  readonly maxBodyBytes?: number | undefined
  /** Where keys and addresses that no entry names are looked up; only the variables of the listed providers are read. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Told of failures, never of contents or credentials. @default silent */
  readonly logger?: Logger | undefined
  /** For tests. */
  readonly clock?: Clock | undefined
  /** For tests: uniform in [0, 1). */
  readonly random?: (() => number) | undefined
}

const milliseconds = z.number().int().nonnegative().optional()
const timeouts = z.strictObject({
  connect: milliseconds,
  headers: milliseconds,
  firstToken: milliseconds,
  idle: milliseconds,
  total: milliseconds,
})
const secret = z.union([z.string().min(1), z.instanceof(Secret)])
const record = z.record(z.string(), z.unknown())
const hasMethods = (...names: readonly string[]) =>
  z.custom<object>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.every((name) => typeof Reflect.get(value, name) === 'function'),
    { error: `must have the ${names.length === 1 ? 'method' : 'methods'} ${names.join(', ')}` },
  )

const tokens = z.int().positive().optional()

const capabilities = z.strictObject({
  tools: z.boolean().optional(),
  vision: z.boolean().optional(),
  jsonSchema: z.boolean().optional(),
  reasoning: z.boolean().optional(),
  reasoningControl: z.enum(reasoningControls).optional(),
  assistantPrefill: z.boolean().optional(),
  refusedParameters: z.array(z.string()).optional(),
  maxOutputTokens: tokens,
  contextWindow: tokens,
})

const modelOptions = z.strictObject({
  modelName: z.string().min(1),
  model: z.string().min(1),
  apiKey: secret.optional(),
  baseUrl: z.string().optional(),
  apiVersion: z.string().optional(),
  organization: z.string().optional(),
  settings: record.optional(),
  headers: z.record(z.string(), z.string()).optional(),
  params: record.optional(),
  timeouts: timeouts.optional(),
  weight: z.number().nonnegative().optional(),
  order: z.number().optional(),
  rpm: z.number().positive().optional(),
  tpm: z.number().positive().optional(),
  maxParallelRequests: z.number().int().positive().optional(),
  tags: z.array(z.string().min(1)).optional(),
  region: z.string().min(1).optional(),
  cooldownMs: milliseconds,
  prices: PriceOptions.optional(),
  dropParams: z.boolean().optional(),
  capabilities: capabilities.optional(),
  info: record.optional(),
  id: z.string().min(1).optional(),
})

const isFunction = z.custom<() => void>((value) => typeof value === 'function', { error: 'must be a function' })
const hook = z.union([
  isFunction,
  z.strictObject({ run: isFunction, deadlineMs: milliseconds, fail: z.enum(['open', 'closed']).optional() }),
])

const gatewayOptions = z.strictObject({
  models: z.array(modelOptions),
  auth: z.union([z.literal('none'), hasMethods('identify')]).optional(),
  masterKey: secret.optional(),
  credentials: z
    .custom<CredentialsHook>((value) => typeof value === 'function', { error: 'must be a function' })
    .optional(),
  callerEndpoints: z
    .strictObject({ allow: z.array(z.string()), privateNetworks: z.array(z.string()).optional() })
    .optional(),
  fetchMedia: z
    .union([
      z.boolean(),
      z.strictObject({
        allowHosts: z.array(z.string()).optional(),
        maxBytes: z.number().int().positive().optional(),
        privateNetworks: z.array(z.string()).optional(),
      }),
    ])
    .optional(),
  providers: z.array(hasMethods('authorize')).optional(),
  dropParams: z.boolean().optional(),
  retries: z.number().int().nonnegative().max(10).optional(),
  routing: RoutingOptionsSchema.optional(),
  stores: z
    .strictObject({
      cache: hasMethods('get', 'set', 'setIfAbsent', 'delete').optional(),
      router: hasMethods('exchange').optional(),
      broadcast: hasMethods('publish', 'subscribe').optional(),
      counters: hasMethods('reserve', 'settle', 'release').optional(),
      ledger: hasMethods('append', 'total', 'query', 'report').optional(),
      records: hasMethods('get', 'find', 'insert', 'update', 'delete').optional(),
      calls: hasMethods('append', 'query', 'get', 'prune').optional(),
      // What `sqlStores` gives besides its stores, so that it can be spread into these.
      migrate: z.unknown().optional(),
      printMigrations: z.unknown().optional(),
    })
    .optional(),
  cache: z.union([z.boolean(), cacheOptions]).optional(),
  idempotency: z.union([z.literal(false), idempotencyOptions]).optional(),
  keys: z.union([z.boolean(), z.strictObject({ salt: secret.optional(), cacheTtlMs: milliseconds })]).optional(),
  encryptionKeys: EncryptionKeysSchema.optional(),
  audit: z.strictObject({ retentionDays: z.number().positive().optional() }).optional(),
  spend: SpendOptionsSchema.optional(),
  hooks: z
    .strictObject({
      beforeCall: hook.optional(),
      duringCall: hook.optional(),
      afterCall: hook.optional(),
      onStream: hook.optional(),
      onError: hook.optional(),
    })
    .optional(),
  guardrails: guardrailOptions.optional(),
  prompts: promptOptions.optional(),
  // Checked with its sinks when it is built.
  callbacks: record.optional(),
  callLog: z.union([z.boolean(), CallLogOptionsSchema]).optional(),
  healthChecks: z
    .strictObject({
      intervalMs: z.number().int().min(1_000),
      timeoutMs: z.number().int().positive().optional(),
    })
    .optional(),
  explain: z.boolean().optional(),
  debug: z.boolean().optional(),
  docs: z.boolean().optional(),
  onEvent: z.custom<() => void>((value) => typeof value === 'function', { error: 'must be a function' }).optional(),
  timeouts: timeouts.optional(),
  maxBodyBytes: z.number().int().positive().optional(),
  // Not a record: `process.env` is no plain object.
  env: z
    .custom<object>((value) => typeof value === 'object' && value !== null, { error: 'must be an object' })
    .optional(),
  logger: hasMethods('debug', 'info', 'warn', 'error').optional(),
  clock: hasMethods('now', 'setTimeout').optional(),
  random: z.custom<() => number>((value) => typeof value === 'function').optional(),
})

/** Checks one entry of a model list. @throws TypeError naming every wrong setting by its path */
export function checkModel(model: unknown): void {
  const result = modelOptions.safeParse(model)
  if (!result.success) throw toTypeError('The model is not valid', result.error)
}

function toTypeError(what: string, { issues }: z.ZodError): TypeError {
  const lines = issues.map((issue) => `  ${issue.path.map(String).join('.') || 'options'}: ${issue.message}`)
  return new TypeError(`${what}:\n${lines.join('\n')}`)
}

/**
 * Checks the options of a host, which may be JavaScript; unknown settings are errors, so that a typing mistake is seen.
 * @throws TypeError naming every wrong setting by its path
 */
export function checkOptions(options: unknown): void {
  const result = gatewayOptions.safeParse(options)
  if (!result.success) throw toTypeError("The gateway's options are not valid", result.error)
  if (result.data.callerEndpoints && !result.data.credentials) {
    throw new TypeError('`callerEndpoints` is for the base URLs that `credentials` gives; set `credentials` too.')
  }
  const { stores, spend, audit } = result.data
  const pruned = {
    'spend.sumsRetentionDays': { wanted: spend?.sumsRetentionDays, of: stores?.ledger, method: 'pruneSums' },
    'spend.sessionsRetentionDays': { wanted: spend?.sessionsRetentionDays, of: stores?.ledger, method: 'pruneSums' },
    'audit.retentionDays': { wanted: audit?.retentionDays, of: stores?.records, method: 'prune' },
  }
  for (const [name, { wanted, of, method }] of Object.entries(pruned)) {
    if (wanted === undefined || !of || typeof Reflect.get(of, method) === 'function') continue
    throw new TypeError(`\`${name}\` needs a store that has the method \`${method}\`.`)
  }
  if (result.data.auth === undefined && result.data.masterKey === undefined && !result.data.keys) {
    throw new TypeError("The gateway needs `auth` to know who calls. Write `auth: 'none'` to let everybody in.")
  }
}
