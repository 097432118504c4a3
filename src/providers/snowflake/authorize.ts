import { createHash } from 'node:crypto'
import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { withDeploymentHeaders, withHeaders } from '../authorize.js'
import { EnvironmentSecret } from '../environment.js'
import type { AuthorizeContext } from '../provider.js'
import { settingOf } from '../settings.js'
import { type KeyPair, signKeyPairToken } from './key-pair.js'

const typeHeader = 'x-snowflake-authorization-token-type'
const accessTokenPrefix = 'pat/'

/** Signs with a key (a programmatic access token, or a token that the host made), else with the key pair in the settings. */
export function authorizeSnowflake(
  request: UpstreamRequest,
  deployment: Deployment,
  { tokens, clock }: AuthorizeContext,
): UpstreamRequest | Promise<UpstreamRequest> {
  const prepared = withDeploymentHeaders(request, deployment)
  const { apiKey } = deployment
  if (apiKey) {
    const key = apiKey.reveal()
    const isAccessToken = key.startsWith(accessTokenPrefix)
    const isJwt = apiKey instanceof EnvironmentSecret && apiKey.variable === 'SNOWFLAKE_JWT'
    const known = isAccessToken ? 'PROGRAMMATIC_ACCESS_TOKEN' : isJwt ? 'KEYPAIR_JWT' : undefined
    const text = isAccessToken ? key.slice(accessTokenPrefix.length) : key
    return withToken(prepared, text, settingOf(deployment, 'tokenType') ?? known)
  }
  const pair = keyPairOf(deployment)
  if (pair) {
    const key = createHash('sha256').update(JSON.stringify(pair)).digest('hex')
    const token = tokens.get(`snowflake ${key}`, () => Promise.resolve(signKeyPairToken(pair, clock.now())))
    return token.then((text) => withToken(prepared, text, 'KEYPAIR_JWT'))
  }
  if ('authorization' in prepared.headers) return prepared
  throw new GatewayError(
    'upstream_authentication',
    `"${deployment.modelName}" needs apiKey (a programmatic access token, or SNOWFLAKE_JWT), or settings account, user and privateKey.`,
  )
}

/** Snowflake finds out the type of a token itself where it is not told. */
function withToken(request: UpstreamRequest, token: string, type: string | undefined): UpstreamRequest {
  return withHeaders(request, { authorization: `Bearer ${token}`, ...(type !== undefined && { [typeHeader]: type }) })
}

function keyPairOf(deployment: Deployment): KeyPair | undefined {
  const [account, user] = [settingOf(deployment, 'account'), settingOf(deployment, 'user')]
  const privateKey = settingOf(deployment, 'privateKey')
  if (account === undefined || user === undefined || privateKey === undefined) return undefined
  return { account, user, privateKey, passphrase: settingOf(deployment, 'privateKeyPassphrase') }
}
