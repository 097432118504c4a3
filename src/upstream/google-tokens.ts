import { createSign } from 'node:crypto'
import { type FailureKind, GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import { isObject, type JsonObject, numberOf, parseJson, stringOf } from '../wire/json.js'
import type { GoogleCredentials } from './google-credentials.js'
import { askGoogleLibrary, type LoadLibrary } from './google-library.js'
import type { FetchedToken, TokenExchange } from './token-cache.js'

/** An access token of Google Cloud, and what its credentials know besides. */
export interface GoogleAccess extends FetchedToken {
  readonly project: string | undefined
  /** Sent as `x-goog-user-project`: who pays for calls of a user's own account. */
  readonly quotaProject: string | undefined
}

const scope = 'https://www.googleapis.com/auth/cloud-platform'
const assertionSeconds = 3600
const metadataOrigin = 'http://metadata.google.internal'
const metadataPath = '/computeMetadata/v1'

/**
 * Gets an access token.
 * @throws GatewayError upstream_authentication where Google refuses, unavailable where it cannot answer,
 * InvalidRequestError where the key cannot sign, or a library is needed that is not installed
 */
export async function fetchGoogleAccess(
  credentials: GoogleCredentials,
  exchange: TokenExchange,
  clock: Clock,
  loadLibrary?: LoadLibrary,
): Promise<GoogleAccess> {
  switch (credentials.kind) {
    case 'service_account': {
      const assertion = signAssertion(credentials, clock)
      const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }
      const token = await askForToken(credentials.tokenUri, grant, exchange, clock)
      return { ...token, project: credentials.project, quotaProject: credentials.quotaProject }
    }
    case 'authorized_user': {
      const grant = {
        grant_type: 'refresh_token',
        client_id: credentials.clientId,
        client_secret: credentials.clientSecret,
        refresh_token: credentials.refreshToken,
      }
      const token = await askForToken(credentials.tokenUri, grant, exchange, clock)
      return { ...token, project: undefined, quotaProject: credentials.quotaProject }
    }
    case 'metadata':
      return askMetadata(exchange, clock)
    case 'library':
      return askGoogleLibrary(credentials.json, scope, clock, loadLibrary)
  }
}

type ServiceAccount = Extract<GoogleCredentials, { kind: 'service_account' }>

/** The signed claim that a service account trades for a token (RFC 7523). */
function signAssertion({ email, privateKey, privateKeyId, tokenUri }: ServiceAccount, clock: Clock): string {
  const issued = Math.floor(clock.now() / 1000)
  const header = { alg: 'RS256', typ: 'JWT', ...(privateKeyId !== undefined && { kid: privateKeyId }) }
  const claim = { iss: email, scope, aud: tokenUri, iat: issued, exp: issued + assertionSeconds }
  const content = [header, claim].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  try {
    return `${content}.${createSign('RSA-SHA256').update(content).sign(privateKey, 'base64url')}`
  } catch {
    // The reason would quote the key's bytes.
    throw new GatewayError('upstream_authentication', 'The private key of the Google service account cannot sign.')
  }
}

async function askForToken(
  tokenUri: string,
  grant: Readonly<Record<string, string>>,
  exchange: TokenExchange,
  clock: Clock,
): Promise<FetchedToken> {
  const url = new URL(tokenUri)
  const { status, text } = await exchange({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams(grant).toString(),
  })
  return readToken(status, text, clock)
}

function readToken(status: number, text: string, clock: Clock): FetchedToken {
  const body = parseJson(text)
  const answer = isObject(body) ? body : {}
  const token = stringOf(answer['access_token'])
  if (status < 200 || status > 299 || token === undefined) throw refused(status, answer)
  return { token, expiresAt: clock.now() + (numberOf(answer['expires_in']) ?? 0) * 1000 }
}

function refused(status: number, answer: JsonObject): GatewayError {
  const reason = stringOf(answer['error_description']) ?? stringOf(answer['error'])
  const kind: FailureKind = status === 429 ? 'rate_limited' : status >= 500 ? 'unavailable' : 'upstream_authentication'
  return new GatewayError(kind, `Google gave no access token (${status}${reason === undefined ? '' : `: ${reason}`}).`)
}

async function askMetadata(exchange: TokenExchange, clock: Clock): Promise<GoogleAccess> {
  const ask = (path: string) =>
    exchange({
      origin: metadataOrigin,
      path: metadataPath + path,
      method: 'GET',
      headers: { 'metadata-flavor': 'Google' },
      body: null,
    })
  const { status, text } = await ask('/instance/service-accounts/default/token')
  const token = readToken(status, text, clock)
  const project = await ask('/project/project-id')
  const id = project.status === 200 ? project.text.trim() : ''
  return { ...token, project: id === '' ? undefined : id, quotaProject: undefined }
}
