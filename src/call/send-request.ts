import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import type { AuthorizeContext, Provider } from '../providers/provider.js'
import { type Target, joinPath, resolveTarget } from '../providers/target.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamResponse } from '../upstream/client.js'
import type { TokenCache } from '../upstream/token-cache.js'
import { SentRequest, type UpstreamRequest } from '../upstream/message.js'
import type { CallParts } from './context.js'
import { toFailure } from './failure-answer.js'
import { withShutdownNotice } from './shutdown-notice.js'

/** One deployment being asked. */
export interface Asked {
  readonly deployment: Deployment
  readonly provider: Provider
  readonly signal: CallSignal
  readonly parts: CallParts
}

/**
 * Signs a request, sends it and gives the answer whose status says success. `origin` replaces the deployment's address.
 * @throws GatewayError for any other status, a credential that cannot be had, or a connection that fails
 */
export async function sendRequest(
  request: UpstreamRequest,
  headersMs: number,
  asked: Asked,
  origin?: string,
): Promise<UpstreamResponse> {
  const { deployment, provider, parts } = asked
  const target = origin === undefined ? targetOf(provider, deployment, parts) : { origin, basePath: '' }
  const response = await sendOnce(request, target, headersMs, asked)
  if (response.status >= 200 && response.status <= 299) {
    if (asked.signal.attempt) asked.signal.attempt.accepted = true
    return response
  }
  throw withShutdownNotice(await toFailure(response, asked), asked)
}

async function sendOnce(
  request: UpstreamRequest,
  target: Target,
  headersMs: number,
  asked: Asked,
): Promise<UpstreamResponse> {
  const { signal, parts } = asked
  const sent = new SentRequest(request)
  const fetched = sent.tokens
  const context = new Authorizing(request, target, fetched, parts)
  signal.sent = sent
  sent.signed = await authorize(request, context, asked)
  const response = await dispatch(sent.signed, target, headersMs, asked)
  // A token that was good until now may have been revoked; a fresh one is worth one more try.
  if (response.status !== 401 || fetched.size === 0) return response
  await response.body[Symbol.asyncIterator]().return?.()
  for (const token of fetched) parts.tokens.forget(token)
  signal.listen(undefined)
  sent.signed = await authorize(request, context, asked)
  return dispatch(sent.signed, target, headersMs, asked)
}

function dispatch(
  request: UpstreamRequest,
  target: Target,
  headersMs: number,
  asked: Asked,
): Promise<UpstreamResponse> {
  return asked.parts.client.send(
    {
      origin: target.origin,
      path: joinPath(target.basePath, request.path),
      method: request.method,
      headers: request.headers,
      body: request.body,
    },
    asked.signal,
    { connect: asked.deployment.timeouts.connect, headers: headersMs },
  )
}

const authorizeMs = 20_000

/** What a provider may ask for while it authorizes a request: values, not getters, as providers hand copies on. */
class Authorizing implements AuthorizeContext {
  readonly clock: Clock
  readonly url: string
  readonly tokens: TokenCache

  /** `fetched` collects the tokens that are used. */
  constructor({ path }: UpstreamRequest, { origin, basePath }: Target, fetched: Set<string>, parts: CallParts) {
    this.clock = parts.clock
    this.url = origin + joinPath(basePath, path)
    this.tokens = notingTokens(parts.tokens, fetched)
  }
}

function notingTokens(tokens: TokenCache, fetched: Set<string>): TokenCache {
  return {
    forget: (token) => tokens.forget(token),
    async get(key, fetch) {
      const token = await tokens.get(key, fetch)
      fetched.add(token)
      return token
    },
  }
}

/** Most providers answer at once; those that fetch a token first get a deadline. */
function authorize(
  request: UpstreamRequest,
  context: AuthorizeContext,
  { deployment, provider, signal }: Asked,
): UpstreamRequest | Promise<UpstreamRequest> {
  const authorized = provider.authorize(request, deployment, context)
  // Also promises of other libraries and realms.
  if (!('then' in authorized)) return authorized
  return new Promise((resolve, reject) => {
    signal.listen(reject)
    signal.enter('connect', authorizeMs)
    Promise.resolve(authorized).then(resolve, reject)
  })
}

/**
 * The provider that a deployment names.
 * @throws GatewayError internal; names were checked at start
 */
export function providerOf(deployment: Deployment, parts: CallParts): Provider {
  const provider = parts.registry.get(deployment.provider)
  if (!provider) throw new GatewayError('internal', `The provider ${deployment.provider} is not registered.`)
  return provider
}

function targetOf(provider: Provider, deployment: Deployment, parts: CallParts): Target {
  const known = parts.targets.get(deployment)
  if (known) return known
  const target = resolveTarget(provider, deployment)
  parts.targets.set(deployment, target)
  return target
}
