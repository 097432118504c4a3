import type { Deployment } from '../deployment.js'
import { GatewayError, InvalidRequestError } from '../errors.js'
import type { Provider } from './provider.js'

/** Where a deployment's requests go. */
export interface Target {
  /** Scheme, host and port. */
  readonly origin: string
  /** Put before every path; no trailing slash. */
  readonly basePath: string
}

/**
 * The address of a deployment: its own base URL, else its provider's.
 * @throws GatewayError gone for a retired provider's default address, invalid_request where there is none
 */
export function resolveTarget(provider: Provider, deployment: Deployment): Target {
  if (deployment.baseUrl === undefined && provider.status === 'retired') {
    throw new GatewayError('gone', provider.notice ?? `${provider.displayName} was shut down by its owner.`)
  }
  const own = (): string | undefined =>
    typeof provider.baseUrl === 'function' ? provider.baseUrl(deployment) : provider.baseUrl
  const base = deployment.baseUrl ?? own()
  if (base === undefined) {
    throw new GatewayError('internal', `The deployment of ${deployment.modelName} has no base URL.`)
  }
  const url = new URL(base)
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') }
}

const version = /\/v\d+(?:alpha|beta)?\d*$/

// Also encoded, as some servers decode before they resolve.
const dotSegment = /(?:^|[/\\])(?:\.|%2e){1,2}(?:$|[/\\?])/i

/**
 * Joins a base path and a request's path; a base that already holds the path, or its version segment, is not doubled.
 * @throws InvalidRequestError for a path that climbs out of the base: models' names may come from clients
 */
export function joinPath(basePath: string, path: string): string {
  if (dotSegment.test(path)) throw new InvalidRequestError('The name of the model holds a path.', 'model')
  const query = path.indexOf('?')
  const plain = query === -1 ? path : path.slice(0, query)
  if (basePath !== '' && basePath.endsWith(plain)) return query === -1 ? basePath : basePath + path.slice(query)
  const segment = version.exec(basePath)?.[0]
  if (segment !== undefined && path.startsWith(`${segment}/`)) return basePath + path.slice(segment.length)
  return basePath + path
}
