import { createHash, createPrivateKey, createSign } from 'node:crypto'
import { GatewayError } from '../errors.js'
import type { UpstreamRequest } from './message.js'

/** An API key of a user of Oracle's cloud. */
export interface OciKey {
  readonly tenancy: string
  readonly user: string
  readonly fingerprint: string
  /** PEM of the private RSA key. */
  readonly privateKey: string
}

/**
 * Signs a request as Oracle's cloud demands (draft-cavage-http-signatures, RSA-SHA256):
 * https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm. `now` is in milliseconds.
 * @throws GatewayError upstream_authentication for a key that is none
 */
export function signOci(request: UpstreamRequest, url: string, key: OciKey, now: number): UpstreamRequest {
  const { host, pathname, search } = new URL(url)
  const date = new Date(now).toUTCString()
  const signed: Record<string, string> = {
    date,
    '(request-target)': `${request.method.toLowerCase()} ${pathname}${search}`,
    host,
  }
  const added: Record<string, string> = { date }
  if (request.body !== null) {
    const hash = createHash('sha256').update(request.body).digest('base64')
    signed['content-length'] = String(Buffer.byteLength(request.body))
    signed['content-type'] = request.headers['content-type'] ?? 'application/json'
    signed['x-content-sha256'] = hash
    added['x-content-sha256'] = hash
  }
  const lines = Object.entries(signed).map(([name, value]) => `${name}: ${value}`)
  const { tenancy, user, fingerprint, privateKey } = key
  const fields = {
    version: '1',
    keyId: `${tenancy}/${user}/${fingerprint}`,
    algorithm: 'rsa-sha256',
    headers: Object.keys(signed).join(' '),
    signature: sign(lines.join('\n'), privateKey),
  }
  const authorization = `Signature ${Object.entries(fields)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}`
  return { ...request, headers: { ...request.headers, ...added, authorization } }
}

function sign(text: string, pem: string): string {
  try {
    // Environment variables cannot hold line breaks everywhere, and are then written as `\n`.
    return createSign('RSA-SHA256')
      .update(text)
      .sign(createPrivateKey(pem.replaceAll('\\n', '\n')), 'base64')
  } catch (cause) {
    throw new GatewayError('upstream_authentication', 'The private key for Oracle Cloud is not a PEM key.', { cause })
  }
}
