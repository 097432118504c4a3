import { GatewayError } from '../errors.js'
import { isObject, numberOf, parseJson, stringOf } from '../wire/json.js'
import type { FetchedToken, TokenExchange } from './token-cache.js'

/** IBM Cloud's own address. */
export const ibmIamUrl = 'https://iam.cloud.ibm.com/identity/token'

/**
 * Exchanges an API key of IBM Cloud for a bearer token: https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey.
 * `now` is in milliseconds.
 * @throws GatewayError upstream_authentication where IAM refuses the key, upstream_error where it fails
 */
export async function fetchIamToken(
  exchange: TokenExchange,
  apiKey: string,
  iamUrl: string,
  now: number,
): Promise<FetchedToken> {
  const { origin, pathname, search } = new URL(iamUrl)
  const form = new URLSearchParams({ grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: apiKey })
  const { status, text } = await exchange({
    origin,
    path: pathname + search,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: form.toString(),
  })
  const body = parseJson(text)
  const answer = isObject(body) ? body : {}
  const token = stringOf(answer['access_token'])
  if (status !== 200 || token === undefined) throw refusal(status, stringOf(answer['errorMessage']))
  const lifetime = numberOf(answer['expires_in'])
  const expiration = numberOf(answer['expiration'])
  return { token, expiresAt: expiration === undefined ? now + (lifetime ?? 3_600) * 1_000 : expiration * 1_000 }
}

/** What IAM says of the key itself is kept out: it may repeat it. */
function refusal(status: number, message: string | undefined): GatewayError {
  const kind = status >= 400 && status < 500 && status !== 429 ? 'upstream_authentication' : 'upstream_error'
  const words = message === undefined ? '' : `: ${message.slice(0, 200)}`
  return new GatewayError(kind, `IBM IAM gave no token (status ${status})${words}`)
}
