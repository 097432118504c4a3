import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { withDeploymentHeaders, withHeaders } from '../authorize.js'
import type { AuthorizeContext, Provider } from '../provider.js'
import { entraToken, givenToken } from './entra.js'

/** Signs with a token of Entra ID if a deployment gives one, else its key as `keyHeaders` says, else one that is fetched. */
export function authorizeAzure(keyHeaders: (key: string, context: AuthorizeContext) => Record<string, string>) {
  return (request: UpstreamRequest, deployment: Deployment, context: AuthorizeContext): Authorized => {
    const prepared = withDeploymentHeaders(request, deployment)
    const given = givenToken(deployment)
    if (given !== undefined) return withBearer(prepared, given)
    if (deployment.apiKey) return withHeaders(prepared, keyHeaders(deployment.apiKey.reveal(), context))
    const fetched = entraToken(deployment, context)
    if (fetched !== undefined) return withBearer(prepared, fetched)
    if ('api-key' in prepared.headers || 'authorization' in prepared.headers) return prepared
    throw new GatewayError(
      'upstream_authentication',
      `"${deployment.modelName}" needs apiKey (AZURE_API_KEY), or settings for Entra ID: azureADTokenProvider, azureAdToken, credential, or tenantId, clientId and clientSecret.`,
    )
  }
}

type Authorized = ReturnType<Provider['authorize']>

function withBearer(request: UpstreamRequest, token: string | Promise<string>): Authorized {
  const sign = (text: string): UpstreamRequest => withHeaders(request, { authorization: `Bearer ${text}` })
  return typeof token === 'string' ? sign(token) : token.then(sign)
}
