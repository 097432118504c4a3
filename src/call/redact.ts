import type { Deployment } from '../deployment.js'
import { GatewayError, type UpstreamDetail } from '../errors.js'
import type { SentRequest } from '../upstream/message.js'
import { knownSecrets } from './known-secrets.js'

// Keys as providers quote them in their refusals, whole or masked.
const keyLike = /\b(?:sk|pk|rk|gsk|xai|hf|nvapi|AIza|key|token)[-_][A-Za-z0-9_*.-]{8,}|\bAIza[A-Za-z0-9_*-]{8,}/g

type Clear = (text: string) => string

/**
 * Takes the deployment's credentials, its own address, and whatever looks like a key, out of a text that a client will
 * see; `sent` is what the call sent last.
 */
export function redact(text: string, deployment: Deployment, sent: SentRequest | undefined): string {
  return clearerOf(deployment, sent)(text).replace(keyLike, '***')
}

/**
 * The error without the deployment's credentials and its own address; what the provider said itself is also cleared of
 * whatever looks like a key. The same error where there is nothing to take out.
 */
export function redactError(error: GatewayError, deployment: Deployment, sent: SentRequest | undefined): GatewayError {
  const clear = clearerOf(deployment, sent)
  const { code, type, param, upstream, kind, status, retryAfterMs, cause, ownCredentials } = error
  const clearOptional = (text: string | null): string | null => (text === null ? null : clear(text))
  const known = clear(error.message)
  const message = upstream ? known.replace(keyLike, '***') : known
  const detail = upstream && clearDetail(upstream, clear)
  const fields = [code, type, param]
  const isClear = fields.every((field) => field === null || clear(field) === field) && detail === upstream
  if (isClear && message === error.message) return error
  return new GatewayError(kind, message, {
    status,
    code: clearOptional(code),
    type: clear(type),
    param: clearOptional(param),
    cause,
    ownCredentials,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(detail && { upstream: detail }),
  })
}

/** The provider's name is our own word, even where a server in the host's network is called the same. */
function clearDetail(detail: UpstreamDetail, clear: Clear): UpstreamDetail {
  const changed = Object.entries(detail).flatMap(([name, value]: [string, unknown]) => {
    if (name === 'provider' || typeof value !== 'string') return []
    const cleared = clear(value)
    return cleared === value ? [] : [[name, cleared]]
  })
  return changed.length === 0 ? detail : { ...detail, ...Object.fromEntries(changed) }
}

function clearerOf(deployment: Deployment, sent: SentRequest | undefined): Clear {
  const secrets = knownSecrets(deployment, sent)
  const address = ownAddress(deployment.baseUrl)
  return (text) => {
    const rest = secrets.reduce((before, secret) => before.replaceAll(secret, '***'), text)
    return address ? rest.replace(address, '***') : rest
  }
}

/** Finds the host of a deployment's own base URL, and its port: both tell about the network that the gateway stands in. */
function ownAddress(baseUrl: string | undefined): RegExp | undefined {
  if (baseUrl === undefined || !URL.canParse(baseUrl)) return undefined
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, '')
  const escaped = host.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  // A name of one word may be an ordinary word, so it counts only where it stands as an address.
  const isWord = !/[.:]/.test(host)
  const source = isWord
    ? String.raw`(?<=//|@)${escaped}(?::\d+)?(?![\w-])|(?<![\w.-])${escaped}:\d+`
    : String.raw`(?<![\w.-])\[?${escaped}\]?(?::\d+)?(?![\w-]|\.\w)`
  return new RegExp(source, 'gi')
}
