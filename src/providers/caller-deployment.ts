import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import type { CallerCredentials } from '../ports.js'
import { Secret } from '../secret.js'
import type { AddressGuard } from '../upstream/address-guard.js'
import { checkBaseUrl } from './base-url.js'
import { checkHeaders, isHeaderValue } from './headers.js'
import type { Provider } from './provider.js'
import { findSettings } from './settings.js'
import { resolveTarget } from './target.js'

/**
 * The deployment as one call of a caller sees it: same model, limits and parameters, but nothing of the platform's
 * identity (key, organization, headers, settings other than the place). The address stays unless the caller brings one.
 * @throws GatewayError upstream_permission for an endpoint that `guard` refuses or credentials without a credential,
 * invalid_request for a value that cannot be sent
 */
export function toCallerDeployment(
  deployment: Deployment,
  credentials: CallerCredentials,
  provider: Provider,
  guard: AddressGuard | undefined,
): Deployment {
  const { modelName, apiVersion } = deployment
  const what = `the caller's credentials for "${modelName}"`
  const apiKey = toSecret(credentials.apiKey, modelName)
  const headers = checkHeaders(credentials.headers ?? {}, what)
  if (!apiKey && Object.keys(headers).length === 0 && !needsNoKey(credentials, provider)) throw noCredentials(modelName)
  const settings = { ...placeOf(deployment.settings), ...credentials.settings }
  const own = Object.freeze<Deployment>({
    ...deployment,
    apiKey,
    baseUrl: findBaseUrl(credentials.baseUrl, provider, guard) ?? deployment.baseUrl,
    apiVersion: credentials.apiVersion ?? apiVersion,
    organization: credentials.organization,
    settings: findSettings(settings, provider, modelName, {}),
    headers: Object.freeze(headers),
  })
  if (credentials.baseUrl === undefined && credentials.settings) checkSameDomain(own, deployment, provider)
  return own
}

/** Settings may choose a region or an account by its host name, but never leave the provider's domain. */
function checkSameDomain(own: Deployment, platform: Deployment, provider: Provider): void {
  const domains = [own, platform].map((deployment) => {
    const { protocol, hostname } = new URL(resolveTarget(provider, deployment).origin)
    return `${protocol}//${hostname.split('.').slice(-2).join('.')}`
  })
  if (domains[0] !== domains[1]) throw endpointRefused(provider, 'Its settings lead to another domain.')
}

function endpointRefused(provider: Provider, reason: string): GatewayError {
  const message = `Your endpoint for ${provider.displayName} is not allowed. ${reason}`
  return new GatewayError('upstream_permission', message, { code: 'endpoint_not_allowed' })
}

/** The error for a caller who has no credentials for a deployment; answers 403, unless another deployment can be used. */
export function noCredentials(modelName: string): GatewayError {
  const message = `There are no credentials of yours for the model ${modelName}.`
  return new GatewayError('upstream_permission', message, { code: 'no_credentials', param: 'model' })
}

// Where a provider's machines stand; every other setting may name an account.
const places = ['region', 'location']

function placeOf(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(places.filter((name) => name in settings).map((name) => [name, settings[name]]))
}

/** Without a key there must be another credential; else some providers would find the platform's own around them. */
function needsNoKey({ settings = {}, baseUrl }: CallerCredentials, provider: Provider): boolean {
  if (Object.keys(settings).some((name) => !places.includes(name))) return true
  const hasOtherWays = Object.values(provider.settings ?? {}).some((rule) => rule.secret)
  return baseUrl !== undefined && !provider.apiKeyRequired && !hasOtherWays
}

function toSecret(apiKey: string | Secret | undefined, modelName: string): Secret | undefined {
  const key = typeof apiKey === 'string' ? new Secret(apiKey.trim()) : apiKey
  if (!key) return undefined
  const text = key.reveal()
  if (text !== '' && isHeaderValue(text)) return key
  throw noCredentials(modelName)
}

function findBaseUrl(
  given: string | undefined,
  provider: Provider,
  guard: AddressGuard | undefined,
): string | undefined {
  if (given === undefined) return undefined
  const refusal = guard ? guard.check(given) : 'Endpoints of callers are not enabled.'
  if (typeof refusal === 'string') throw endpointRefused(provider, refusal)
  const checked = checkBaseUrl(given, 'Your endpoint')
  return provider.completeBaseUrl?.(checked) ?? checked
}
