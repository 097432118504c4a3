import type { Deployment } from '../deployment.js'
import { GatewayError, toGatewayError } from '../errors.js'
import type { CallerCredentials, CredentialsHook } from '../ports.js'
import { noCredentials, toCallerDeployment } from '../providers/caller-deployment.js'
import type { AddressGuard } from '../upstream/address-guard.js'
import type { AttemptEntry } from '../router/trail.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamClient } from '../upstream/client.js'
import { createTokenCache, createTokenExchange } from '../upstream/token-cache.js'
import { askHost } from './ask-host.js'
import type { Served } from './attempt.js'
import type { CallContext, CallParts } from './context.js'
import { redactError } from './redact.js'
import { providerOf } from './send-request.js'

/** Calls that callers pay for themselves, with credentials of their own. */
export interface CallerAccess {
  readonly credentials: CredentialsHook
  /** Which endpoints of callers may be talked to; undefined where none may. */
  readonly guard: AddressGuard | undefined
  /** The way to callers' endpoints, and to the token services that their credentials name: public addresses only. */
  readonly client: UpstreamClient
}

const hookMs = 10_000

/** Asks one deployment once; with parts of its own where it uses credentials of its own. */
export type Attempt<T> = (deployment: Deployment, parts: CallParts) => Promise<T>

/** The call that an attempt belongs to. */
export interface AttemptedCall {
  readonly signal: CallSignal
  readonly entry: AttemptEntry
  readonly context: CallContext
  readonly parts: CallParts
}

/**
 * Makes one attempt with the credentials that the host's hook names for it. A caller's own ones live as long as the
 * attempt: neither their deployment nor a token fetched with them is kept.
 * @throws GatewayError
 */
export async function withCredentials<T extends Served>(
  access: CallerAccess,
  deployment: Deployment,
  { signal, entry, context, parts }: AttemptedCall,
  attempt: Attempt<T>,
): Promise<T> {
  const { clock } = parts
  const ask = () => access.credentials(context.caller, deployment)
  const given = await askHost('the credentials of this call', ask, { milliseconds: hookMs, clock, signal })
  if (given === 'platform') return attempt(deployment, parts)
  if (!given) throw toOwnFailure(noCredentials(deployment.modelName))
  const own = toOwnDeployment(deployment, given, access, parts)
  entry.billable = false
  try {
    const client = given.baseUrl === undefined ? parts.client : toListedClient(access)
    const tokens = createTokenCache(clock, createTokenExchange(access.client, clock))
    const answer = await attempt(own, { ...parts, client, tokens, targets: new WeakMap() })
    return { ...answer, billable: false }
  } catch (thrown) {
    throw toOwnFailure(redactError(toGatewayError(thrown), own, signal.sent))
  }
}

/** Also a job's later requests stay within the list, whatever address the endpoint names for them. */
function toListedClient({ client, guard }: CallerAccess): UpstreamClient {
  return {
    ...client,
    send(request, signal, timeouts) {
      if (guard?.check(request.origin) instanceof URL) return client.send(request, signal, timeouts)
      const error = new GatewayError('upstream_permission', 'Your endpoint leads to an address that is not allowed.', {
        code: 'endpoint_not_allowed',
      })
      return Promise.reject(error)
    },
  }
}

function toOwnDeployment(
  deployment: Deployment,
  given: CallerCredentials,
  { guard }: CallerAccess,
  parts: CallParts,
): Deployment {
  try {
    return toCallerDeployment(deployment, given, providerOf(deployment, parts), guard)
  } catch (thrown) {
    throw toOwnFailure(toGatewayError(thrown))
  }
}

/** The same failure, marked: a caller's bad key says nothing about the deployment's health. */
function toOwnFailure(error: GatewayError): GatewayError {
  const { kind, message, status, type, param, code, retryAfterMs, upstream, cause } = error
  return new GatewayError(kind, message, {
    status,
    type,
    param,
    code,
    cause,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(upstream && { upstream }),
    ownCredentials: true,
  })
}
