import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import { isObject, numberOf, parseJson, stringOf } from '../wire/json.js'
import type { FetchedToken, TokenExchange } from './token-cache.js'

/** A request for a token, RFC 6749. */
export interface OauthGrant {
  /** Who is asked, as an error names it. */
  readonly issuer: string
  /** Whole address of the token endpoint. */
  readonly url: string
  readonly form: Readonly<Record<string, string>>
  /** Client id and secret, where the issuer takes them by Basic authentication. */
  readonly basic?: { readonly id: string; readonly secret: string }
}

const defaultSeconds = 3_600

/**
 * Trades credentials for an access token.
 * @throws GatewayError upstream_authentication where the issuer refuses, unavailable where it cannot answer
 */
export async function fetchOauthToken(grant: OauthGrant, exchange: TokenExchange, clock: Clock): Promise<FetchedToken> {
  const url = new URL(grant.url)
  const { basic } = grant
  const { status, text } = await exchange({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...(basic && { authorization: `Basic ${Buffer.from(`${basic.id}:${basic.secret}`).toString('base64')}` }),
    },
    body: new URLSearchParams(grant.form).toString(),
  })
  const answer = parseJson(text)
  const token = isObject(answer) ? stringOf(answer['access_token']) : undefined
  if (status < 200 || status > 299 || token === undefined) throw refused(grant.issuer, status, answer)
  // Azure's older endpoints give the number as text.
  const seconds = numberOf(Number(isObject(answer) ? answer['expires_in'] : undefined)) ?? defaultSeconds
  return { token, expiresAt: clock.now() + seconds * 1_000 }
}

function refused(issuer: string, status: number, answer: unknown): GatewayError {
  const facts = isObject(answer) ? answer : {}
  const said = stringOf(facts['error_description']) ?? stringOf(facts['message']) ?? stringOf(facts['error'])
  const [reason = ''] = (said ?? '').split(/[\r\n]/)
  const kind = status >= 400 && status <= 499 && status !== 429 ? 'upstream_authentication' : 'unavailable'
  return new GatewayError(kind, `${issuer} gave no token (status ${status})${reason ? `: ${reason}` : '.'}`)
}
