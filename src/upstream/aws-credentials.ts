import { GatewayError } from '../errors.js'
import type { AwsKeys } from './sigv4.js'
import { signAwsRequest } from './sigv4.js'
import type { FetchedToken, TokenExchange } from './token-cache.js'

/** Keys that may end; the shape in which AWS's own libraries give them. */
export interface AwsCredentials extends AwsKeys {
  readonly expiration?: Date | undefined
}

/** Gives credentials; asked again when the last ones expire. */
export type AwsCredentialSource = () => Promise<AwsCredentials>

// Keys without an end are asked for again now and then, so that a rotation needs no restart.
const lifetimeMs = 5 * 60_000

/** Credentials as one token of a TokenCache. */
export function toAwsToken(
  { accessKeyId, secretAccessKey, sessionToken, expiration }: AwsCredentials,
  now: number,
): FetchedToken {
  return {
    token: JSON.stringify({ accessKeyId, secretAccessKey, sessionToken }),
    expiresAt: expiration?.getTime() ?? now + lifetimeMs + 60_000,
  }
}

/** The keys that `toAwsToken` wrote. */
export function fromAwsToken(token: string): AwsKeys {
  return JSON.parse(token) as AwsKeys
}

const chainPackage = '@aws-sdk/credential-provider-node'

interface ChainModule {
  readonly defaultProvider: (options: { readonly profile?: string }) => AwsCredentialSource
}

/** Loads an optional package by its name. */
export type LoadPackage = (name: string) => Promise<unknown>

/**
 * AWS's own chain: environment, profiles, SSO, processes, web identity, containers, instances. Its package is an
 * optional peer and loaded here.
 * @throws GatewayError upstream_authentication where the package is not installed or the chain finds nothing
 */
export async function askAwsChain(
  profile: string | undefined,
  load: LoadPackage = (name) => import(name),
): Promise<AwsCredentials> {
  const loaded = await load(chainPackage).catch((cause: unknown) => {
    throw noCredentials(
      `AWS profiles, SSO and the identities of machines need the package ${chainPackage}: install it, or give keys or a credentials function.`,
      cause,
    )
  })
  if (!isChain(loaded)) throw noCredentials(`The installed version of ${chainPackage} is not known.`, undefined)
  try {
    return await loaded.defaultProvider(profile === undefined ? {} : { profile })()
  } catch (cause) {
    throw noCredentials('No AWS credentials were found in the environment, profiles or roles of this machine.', cause)
  }
}

function isChain(loaded: unknown): loaded is ChainModule {
  return typeof loaded === 'object' && loaded !== null && 'defaultProvider' in loaded
}

function noCredentials(message: string, cause: unknown): GatewayError {
  return new GatewayError('upstream_authentication', message, { cause })
}

/** A role to take on. */
export interface AwsRole {
  readonly roleArn: string
  readonly sessionName: string
  readonly externalId?: string | undefined
  /** A token of an identity provider; then no keys are needed. */
  readonly webIdentityToken?: string | undefined
  readonly region: string
  /** Scheme and host; the region's own where it is not given. */
  readonly endpoint?: string | undefined
}

/**
 * Takes on a role through STS: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @throws GatewayError upstream_authentication with the service's own words
 */
export async function assumeAwsRole(
  role: AwsRole,
  keys: AwsKeys | undefined,
  exchange: TokenExchange,
  now: number,
): Promise<AwsCredentials> {
  const origin = new URL(role.endpoint ?? `https://sts.${role.region}.${awsDomain(role.region)}`).origin
  const body = new URLSearchParams({
    Action: role.webIdentityToken === undefined ? 'AssumeRole' : 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role.roleArn,
    RoleSessionName: role.sessionName,
    ...(role.externalId !== undefined && { ExternalId: role.externalId }),
    ...(role.webIdentityToken !== undefined && { WebIdentityToken: role.webIdentityToken }),
  }).toString()
  const plain = { 'content-type': 'application/x-www-form-urlencoded' }
  const signable = { method: 'POST', url: `${origin}/`, headers: plain, body }
  const headers = keys ? signAwsRequest(signable, keys, { service: 'sts', region: role.region, now }) : plain
  const { status, text } = await exchange({ origin, path: '/', method: 'POST', headers, body })
  const [accessKeyId, secretAccessKey, sessionToken] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map((name) =>
    elementOf(text, name),
  )
  if (status !== 200 || accessKeyId === undefined || secretAccessKey === undefined) {
    const words = elementOf(text, 'Message') ?? `status ${status}`
    throw noCredentials(`AWS did not allow to take on the role ${role.roleArn}: ${words}`, undefined)
  }
  const end = Date.parse(elementOf(text, 'Expiration') ?? '')
  return { accessKeyId, secretAccessKey, sessionToken, ...(Number.isFinite(end) && { expiration: new Date(end) }) }
}

function elementOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
}

/** The domain of a region's services; China has one of its own. */
export function awsDomain(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
}
