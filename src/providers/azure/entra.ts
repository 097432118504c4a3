import { createHash } from 'node:crypto'
import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import {
  askCredential,
  type AzureCredential,
  isAzureCredential,
  loadDefaultCredential,
} from '../../upstream/azure-library.js'
import { fetchOauthToken, type OauthGrant } from '../../upstream/oauth.js'
import type { AuthorizeContext, SettingRule } from '../provider.js'
import { settingOf } from '../settings.js'

/** A host's own way to a token of Entra ID, asked before every call; it keeps tokens itself. */
export type AzureTokenProvider = () => string | Promise<string>

/** What a deployment may set to sign in at Entra ID instead of sending a key. */
export const entraSettings: Readonly<Record<string, SettingRule>> = {
  /** A token that the host renews itself, by restarting or by a new deployment. */
  azureAdToken: { env: ['AZURE_AD_TOKEN'], secret: true },
  /** An AzureTokenProvider. */
  azureADTokenProvider: { env: [] },
  tenantId: { env: ['AZURE_TENANT_ID'] },
  clientId: { env: ['AZURE_CLIENT_ID'] },
  clientSecret: { env: ['AZURE_CLIENT_SECRET'], secret: true },
  username: { env: ['AZURE_USERNAME'] },
  password: { env: ['AZURE_PASSWORD'], secret: true },
  /** `default` for what @azure/identity finds, or a credential object of it. */
  credential: { env: ['AZURE_CREDENTIAL'] },
  scope: { env: ['AZURE_SCOPE'] },
  authorityHost: { env: ['AZURE_AUTHORITY_HOST'] },
}

const defaultScope = 'https://cognitiveservices.azure.com/.default'
const defaultAuthority = 'https://login.microsoftonline.com'

type Signed = Pick<Deployment, 'settings'>

/** A token given outright, or by the host's function; undefined where neither is set. They win over a key. */
export function givenToken(deployment: Signed): string | Promise<string> | undefined {
  const provider = deployment.settings['azureADTokenProvider']
  return isTokenProvider(provider) ? askProvider(provider) : settingOf(deployment, 'azureAdToken')
}

/**
 * A token of Entra ID for a deployment, kept until shortly before it expires; undefined where it sets no credential.
 * @throws GatewayError where the credential is refused
 */
export function entraToken(deployment: Signed, { tokens, clock }: AuthorizeContext): Promise<string> | undefined {
  const scope = settingOf(deployment, 'scope') ?? defaultScope
  const grant = grantOf(deployment, scope)
  if (grant) return tokens.get(keyOf([grant.url, grant.form]), (exchange) => fetchOauthToken(grant, exchange, clock))
  const credential = deployment.settings['credential']
  if (isAzureCredential(credential)) return askOwn(credential, scope)
  if (credential !== 'default') return undefined
  return tokens.get(keyOf(['default', scope]), async () => askCredential(await loadDefaultCredential(), scope))
}

function isTokenProvider(value: unknown): value is AzureTokenProvider {
  return typeof value === 'function'
}

async function askProvider(provider: AzureTokenProvider): Promise<string> {
  let token: unknown
  try {
    token = await provider()
  } catch (cause) {
    throw new GatewayError('upstream_authentication', 'azureADTokenProvider gave no token.', { cause })
  }
  if (typeof token === 'string' && token !== '') return token
  throw new GatewayError('upstream_authentication', 'azureADTokenProvider gave no token.')
}

/** Credential objects keep tokens themselves. */
async function askOwn(credential: AzureCredential, scope: string): Promise<string> {
  return (await askCredential(credential, scope)).token
}

/** Client credentials, or a user's name and password; undefined where the settings are not whole. */
function grantOf(deployment: Signed, scope: string): OauthGrant | undefined {
  const set = (name: string): string | undefined => settingOf(deployment, name)
  const [tenant, client, secret] = [set('tenantId'), set('clientId'), set('clientSecret')]
  const [username, password] = [set('username'), set('password')]
  if (client === undefined) return undefined
  const authority = (set('authorityHost') ?? defaultAuthority).replace(/\/+$/, '')
  const origin = authority.includes('://') ? authority : `https://${authority}`
  const url = `${origin}/${encodeURIComponent(tenant ?? 'organizations')}/oauth2/v2.0/token`
  const shared = { client_id: client, scope, ...(secret !== undefined && { client_secret: secret }) }
  if (tenant !== undefined && secret !== undefined) {
    return { issuer: 'Entra ID', url, form: { ...shared, grant_type: 'client_credentials' } }
  }
  if (username === undefined || password === undefined) return undefined
  return { issuer: 'Entra ID', url, form: { ...shared, grant_type: 'password', username, password } }
}

function keyOf(credential: unknown): string {
  return `entra ${createHash('sha256').update(JSON.stringify(credential)).digest('hex')}`
}
