import { toCacheSettings } from '../cache/options.js'
import type { Deployment, Timeouts } from '../deployment.js'
import type { GatewayOptions, StoreOptions } from '../options.js'
import { toCooldownPolicy, toFallbackPolicy, toRetryPolicy } from '../router/options.js'
import { version } from '../version.js'
import type { JsonObject } from '../wire/json.js'
import { keepsLedger } from './create-accounts.js'
import { hidden, maskAddress, maskSettings } from './mask-settings.js'

/** What is in force besides the options. */
export interface SettingsParts {
  readonly timeouts: Timeouts
  readonly deployments: readonly Deployment[]
  /** Bytes. */
  readonly maxBodyBytes: number
}

/** Deployments that are told: the page Models lists them all. */
const mostDeployments = 200

/** The settings in force, group by group, by their names in `GatewayOptions`; nothing in them is a secret. */
export function describeSettings(options: GatewayOptions, parts: SettingsParts): JsonObject {
  const { hooks, prompts, callerEndpoints, fetchMedia, guardrails = [], healthChecks } = options
  return {
    gateway: {
      version,
      node: process.version,
      maxBodyBytes: parts.maxBodyBytes,
      dropParams: options.dropParams ?? false,
      explain: options.explain ?? 'where a request asks for it',
      docs: options.docs ?? true,
      debug: options.debug ?? false,
      healthChecks: healthChecks ? maskSettings({ ...healthChecks }) : false,
      ...maskSettings({ callerEndpoints, fetchMedia: fetchMedia ?? false }),
    },
    access: describeAccess(options),
    stores: describeStores(options),
    timeouts: { ...parts.timeouts },
    routing: describeRouting(options),
    cache: options.cache ? maskSettings({ ...toCacheSettings(options.cache === true ? {} : options.cache) }) : false,
    idempotency: options.idempotency === false ? false : maskSettings({ ...options.idempotency }),
    spend: describeSpend(options),
    guardrails: guardrails.map((guardrail) => maskSettings({ mode: 'pre_call', defaultOn: true, ...guardrail })),
    hooks: Object.keys(hooks ?? {}),
    prompts: Object.keys(prompts ?? {}),
    callbacks: describeCallbacks(options),
    models: {
      deployments: parts.deployments.length,
      list: parts.deployments.slice(0, mostDeployments).map(describeDeployment),
    },
  }
}

function describeAccess({
  auth,
  masterKey,
  keys,
  credentials,
  encryptionKeys = [],
  audit,
}: GatewayOptions): JsonObject {
  return {
    auth: auth === 'none' ? 'none: everybody is let in' : auth ? "the host's" : 'keys alone',
    masterKey: masterKey === undefined ? 'not set' : hidden,
    keys: typeof keys === 'object' ? maskSettings({ ...keys }) : (keys ?? false),
    credentials: credentials ? "callers' own, by a function of the host" : "the platform's",
    encryptionKeys: encryptionKeys.map(({ id }) => id),
    ...(audit && { audit: maskSettings({ ...audit }) }),
  }
}

const storeNames = ['records', 'ledger', 'calls', 'counters', 'cache', 'router', 'broadcast'] as const

function describeStores({ stores = {} }: GatewayOptions): JsonObject {
  const place = (name: keyof StoreOptions): string => (stores[name] ? "the host's" : 'memory of this process')
  return Object.fromEntries(storeNames.map((name) => [name, place(name)]))
}

function describeRouting(options: GatewayOptions): JsonObject {
  const routing = options.routing ?? {}
  const { general, contextWindow = general, contentPolicy = {}, always, most } = toFallbackPolicy(routing)
  const { strategy = 'simple-shuffle', affinity, preCallChecks = false, tagFiltering = false, hedging } = routing
  return maskSettings({
    strategy: typeof strategy === 'string' ? strategy : "the host's",
    affinity: affinity ?? [],
    preCallChecks,
    tagFiltering,
    tagMatch: routing.tagMatch ?? 'any',
    maxQueueMs: routing.maxQueueMs ?? 10_000,
    aliases: routing.aliases ?? {},
    fallbacks: general,
    contextWindowFallbacks: contextWindow,
    contentPolicyFallbacks: contentPolicy,
    defaultFallbacks: always,
    maxFallbacks: most,
    retry: toRetryPolicy(routing, options.retries ?? 2),
    cooldown: toCooldownPolicy(routing.cooldown),
    midStream: routing.midStream ?? 'error',
    hedging: hedging ?? false,
  })
}

function describeSpend(options: GatewayOptions): JsonObject {
  const { spend = {}, callLog } = options
  const { prices = {}, journalDirectory, ...rest } = spend
  return {
    ledger: keepsLedger(options),
    callLog: typeof callLog === 'object' ? maskSettings({ ...callLog }) : (callLog ?? keepsLedger(options)),
    pricesOfTheHost: Object.keys(prices),
    journal: journalDirectory !== undefined,
    ...maskSettings({ unknownPrice: 'allow', onStoreFailure: 'degrade', ...rest }),
  }
}

function describeCallbacks({ callbacks, onEvent }: GatewayOptions): JsonObject {
  const { sinks = [], ...rest } = callbacks ?? {}
  return {
    onEvent: onEvent !== undefined,
    bodies: false,
    ...maskSettings(rest),
    sinks: sinks.map((sink) => maskSettings({ on: 'all', ...sink })),
  }
}

function describeDeployment(deployment: Deployment): JsonObject {
  const { id, modelName, provider, model, apiKey, baseUrl, settings, headers, params, capabilities } = deployment
  return {
    modelName,
    model: `${provider}/${model}`,
    id,
    apiKey: apiKey ? hidden : 'not set',
    baseUrl: maskAddress(baseUrl) ?? "the provider's own",
    ...maskSettings({
      region: deployment.region,
      apiVersion: deployment.apiVersion,
      weight: deployment.weight,
      order: deployment.order,
      rpm: deployment.rpm,
      tpm: deployment.tpm,
      maxParallelRequests: deployment.maxParallelRequests,
      tags: deployment.tags,
      cooldownMs: deployment.cooldownMs,
      dropParams: deployment.dropParams,
      timeouts: deployment.timeouts,
      capabilities,
      settings,
      headers,
      params,
      prices: deployment.prices,
    }),
  }
}
