import type { Deployment } from '../deployment.js'
import type { UpstreamRequest } from '../upstream/message.js'
import { merged } from '../wire/merged.js'
import { EnvironmentSecret } from './environment.js'

/** Adds a credential to a request; gives a new request and leaves the old one as it is. */
export type Authorize = (request: UpstreamRequest, deployment: Deployment) => UpstreamRequest

/** The request with the headers that it does not have yet, so that a host's own headers win. */
export function withHeaders(request: UpstreamRequest, headers: Readonly<Record<string, string>>): UpstreamRequest {
  return { ...request, headers: merged(headers, request.headers) }
}

/** The request with its deployment's headers, which override the dialect's; every provider sends them before it authorizes. */
export function withDeploymentHeaders(request: UpstreamRequest, deployment: Deployment): UpstreamRequest {
  return { ...request, headers: merged(request.headers, deployment.headers) }
}

/** Sends the key as `authorization: Bearer`; nothing where the deployment has none. */
export const authorizeBearer: Authorize = (request, deployment) => {
  if (!deployment.apiKey) return request
  return withHeaders(request, { authorization: `Bearer ${deployment.apiKey.reveal()}` })
}

/** OpenAI: Bearer, and the organization where the deployment names one. */
export const authorizeOpenai: Authorize = (request, deployment) => {
  const authorized = authorizeBearer(request, deployment)
  if (deployment.organization === undefined) return authorized
  return { ...authorized, headers: { ...authorized.headers, 'openai-organization': deployment.organization } }
}

/** Sends the key in a header of its own. */
export function authorizeByHeader(header: string): Authorize {
  return (request, deployment) => {
    if (!deployment.apiKey) return request
    return withHeaders(request, { [header]: deployment.apiKey.reveal() })
  }
}

/** Sends the key as `authorization: <scheme> <key>`. */
export function authorizeByScheme(scheme: string): Authorize {
  return (request, deployment) => {
    if (!deployment.apiKey) return request
    return withHeaders(request, { authorization: `${scheme} ${deployment.apiKey.reveal()}` })
  }
}

/** Sends the key as Bearer and in a header of its own. */
export function authorizeBearerAndHeader(header: string): Authorize {
  const byHeader = authorizeByHeader(header)
  return (request, deployment) => authorizeBearer(byHeader(request, deployment), deployment)
}

/** Google AI Studio: the key in `x-goog-api-key`, never in the URL, where proxies log it. */
export const authorizeGoogle: Authorize = authorizeByHeader('x-goog-api-key')

// https://platform.claude.com/docs/en/api/versioning
const anthropicVersion = '2023-06-01'
const oauthBeta = 'oauth-2025-04-20'

/** Anthropic: `x-api-key`; Bearer for OAuth tokens (`sk-ant-oat…`) and for what ANTHROPIC_AUTH_TOKEN holds. */
export const authorizeAnthropic: Authorize = (request, deployment) => {
  const { apiKey, apiVersion } = deployment
  const versioned =
    apiVersion === undefined
      ? withHeaders(request, { 'anthropic-version': anthropicVersion })
      : { ...request, headers: { ...request.headers, 'anthropic-version': apiVersion } }
  if (!apiKey) return versioned
  if (apiKey.reveal().startsWith('sk-ant-oat')) return authorizeBearer(withBetas(versioned, [oauthBeta]), deployment)
  if (apiKey instanceof EnvironmentSecret && apiKey.variable === 'ANTHROPIC_AUTH_TOKEN') {
    return authorizeBearer(versioned, deployment)
  }
  return withHeaders(versioned, { 'x-api-key': apiKey.reveal() })
}

/** Anthropic's `anthropic-beta` is a list: what the dialect needs stays beside what a deployment asks for. */
export function withAnthropicBetas(request: UpstreamRequest, deployment: Deployment): UpstreamRequest {
  const merged = withDeploymentHeaders(request, deployment)
  return withBetas(merged, betasOf(request.headers))
}

function withBetas(request: UpstreamRequest, betas: readonly string[]): UpstreamRequest {
  const all = [...new Set([...betasOf(request.headers), ...betas])]
  if (all.length === 0) return request
  return { ...request, headers: { ...request.headers, 'anthropic-beta': all.join(',') } }
}

function betasOf(headers: Readonly<Record<string, string>>): readonly string[] {
  return (headers['anthropic-beta'] ?? '')
    .split(',')
    .map((beta) => beta.trim())
    .filter(Boolean)
}
