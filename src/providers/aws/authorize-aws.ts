import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import {
  type AwsCredentials,
  type AwsCredentialSource,
  askAwsChain,
  assumeAwsRole,
  fromAwsToken,
  type LoadPackage,
  toAwsToken,
} from '../../upstream/aws-credentials.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { type AwsKeys, signAwsRequest } from '../../upstream/sigv4.js'
import type { TokenExchange } from '../../upstream/token-cache.js'
import { authorizeBearer, withDeploymentHeaders } from '../authorize.js'
import { EnvironmentSecret } from '../environment.js'
import type { AuthorizeContext, Provider } from '../provider.js'
import { settingOf } from '../settings.js'

/** Which service a signature is for, and where. */
export interface AwsService {
  readonly service: string
  region(deployment: Deployment): string
}

/**
 * Signs requests to an AWS service; a deployment with a key (`apiKey`) sends that as Bearer instead. Keys come from the
 * deployment's settings, its `credentials` function, the environment, or AWS's own chain, in this order; what had to
 * be fetched is kept until it ends. `load` gets the chain's package.
 */
export function authorizeAws(aws: AwsService, load?: LoadPackage): Provider['authorize'] {
  // A function is one credential; the number stands for it in the cache of tokens.
  const sources = new WeakMap<AwsCredentialSource, number>()
  let count = 0
  const numberOfSource = (source: AwsCredentialSource): number => {
    const known = sources.get(source)
    if (known !== undefined) return known
    count += 1
    sources.set(source, count)
    return count
  }

  return (request, deployment, context) => {
    const complete = withDeploymentHeaders(request, deployment)
    if (complete.headers['authorization'] !== undefined) return complete
    const source = sourceOf(deployment)
    if (deployment.apiKey && !(source && deployment.apiKey instanceof EnvironmentSecret)) {
      return authorizeBearer(complete, deployment)
    }
    const region = aws.region(deployment)
    const sign = (keys: AwsKeys): UpstreamRequest => ({
      ...complete,
      headers: signAwsRequest({ ...complete, url: context.url }, keys, {
        service: aws.service,
        region,
        now: context.clock.now(),
      }),
    })
    const keys = staticKeys(deployment)
    const role = settingOf(deployment, 'roleArn')
    if (keys && role === undefined) return sign(keys)
    const from =
      source && !keys
        ? `${aws.service} function ${numberOfSource(source)}`
        : JSON.stringify(keys ?? profileOf(deployment) ?? null)
    return fetchKeys(deployment, { region, role, from, load }, context).then(sign)
  }
}

interface Fetching {
  readonly region: string
  readonly role: string | undefined
  /** What tells these credentials from others. */
  readonly from: string
  readonly load: LoadPackage | undefined
}

async function fetchKeys(deployment: Deployment, fetching: Fetching, context: AuthorizeContext): Promise<AwsKeys> {
  const { region, role, from, load } = fetching
  const wishes = ['externalId', 'roleSessionName', 'webIdentityToken'].map((name) => settingOf(deployment, name) ?? '')
  const key = role === undefined ? `aws ${from}` : `aws ${from} ${JSON.stringify([role, ...wishes])}`
  const token = await context.tokens.get(key, async (exchange) => {
    const now = context.clock.now()
    if (role === undefined) return toAwsToken(await baseCredentials(deployment, load), now)
    return toAwsToken(await takeOnRole(deployment, { role, region, load, exchange, now }), now)
  })
  return fromAwsToken(token)
}

interface TakingOn {
  readonly role: string
  readonly region: string
  readonly load: LoadPackage | undefined
  readonly exchange: TokenExchange
  readonly now: number
}

async function takeOnRole(deployment: Deployment, taking: TakingOn): Promise<AwsCredentials> {
  const webIdentityToken = settingOf(deployment, 'webIdentityToken')
  const keys = webIdentityToken === undefined ? await baseCredentials(deployment, taking.load) : undefined
  const role = {
    roleArn: taking.role,
    sessionName: settingOf(deployment, 'roleSessionName') ?? 'sluice',
    externalId: settingOf(deployment, 'externalId'),
    webIdentityToken,
    region: taking.region,
    endpoint: settingOf(deployment, 'stsEndpoint'),
  }
  return assumeAwsRole(role, keys, taking.exchange, taking.now)
}

/** The credentials without any role. */
async function baseCredentials(deployment: Deployment, load: LoadPackage | undefined): Promise<AwsCredentials> {
  const keys = staticKeys(deployment)
  if (keys) return keys
  const source = sourceOf(deployment)
  if (source) return askSource(source)
  if (mayAskChain(deployment)) return askAwsChain(profileOf(deployment), load)
  throw new GatewayError('upstream_authentication', noKeys)
}

const noKeys =
  "No AWS credentials were given: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the deployment settings: accessKeyId and secretAccessKey, a credentials function, a profile, or credentials: 'chain'."

/** The machine's own identity is used only where somebody said so: it must never stand in for a key that is missing. */
function mayAskChain(deployment: Deployment): boolean {
  const { credentials } = deployment.settings
  return (
    credentials === 'chain' ||
    profileOf(deployment) !== undefined ||
    settingOf(deployment, 'AWS_IDENTITY') !== undefined
  )
}

async function askSource(source: AwsCredentialSource): Promise<AwsCredentials> {
  try {
    const credentials = await source()
    if (credentials.accessKeyId && credentials.secretAccessKey) return credentials
  } catch (cause) {
    throw new GatewayError('upstream_authentication', 'The credentials function of the deployment failed.', { cause })
  }
  throw new GatewayError('upstream_authentication', 'The credentials function of the deployment gave no AWS keys.')
}

function sourceOf({ settings }: Deployment): AwsCredentialSource | undefined {
  const { credentials } = settings
  return isSource(credentials) ? credentials : undefined
}

function isSource(value: unknown): value is AwsCredentialSource {
  return typeof value === 'function'
}

function profileOf(deployment: Deployment): string | undefined {
  return settingOf(deployment, 'profile') ?? settingOf(deployment, 'AWS_PROFILE')
}

/** Keys that need no asking: the deployment's own, else the environment's unless the deployment names another source. */
function staticKeys(deployment: Deployment): AwsKeys | undefined {
  const own = keysNamed(deployment, 'accessKeyId', 'secretAccessKey', 'sessionToken')
  if (own || sourceOf(deployment) || settingOf(deployment, 'profile') !== undefined) return own
  return keysNamed(deployment, 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN')
}

function keysNamed(deployment: Deployment, id: string, secret: string, token: string): AwsKeys | undefined {
  const [accessKeyId, secretAccessKey] = [settingOf(deployment, id), settingOf(deployment, secret)]
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined
  return { accessKeyId, secretAccessKey, sessionToken: settingOf(deployment, token) }
}
