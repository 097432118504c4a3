import { GatewayError, InvalidRequestError } from '../errors.js'
import type { Clock } from '../ports.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../wire/json.js'
import type { GoogleAccess } from './google-tokens.js'

/** Loads the package google-auth-library; injected so that tests need none. */
export type LoadLibrary = () => Promise<unknown>

interface AuthClient {
  getAccessToken(): Promise<unknown>
  readonly credentials: unknown
  readonly quotaProjectId?: unknown
}

interface Auth {
  getClient(): Promise<AuthClient>
  getProjectId(): Promise<unknown>
}

type AuthConstructor = new (options: { scopes: string; credentials?: JsonObject }) => Auth

// How long a token of unknown age is used.
const unknownAgeMs = 5 * 60_000

const packageName = 'google-auth-library'
const load: LoadLibrary = () => import(packageName)

/**
 * Lets Google's library find a token: application default credentials, or an account of a kind that only it knows
 * (external_account, impersonated_service_account).
 * @throws InvalidRequestError where the package is not installed, GatewayError where it finds no token
 */
export async function askGoogleLibrary(
  json: JsonObject | undefined,
  scope: string,
  clock: Clock,
  loadLibrary: LoadLibrary = load,
): Promise<GoogleAccess> {
  const GoogleAuth = await loadConstructor(loadLibrary, json)
  try {
    const auth = new GoogleAuth({ scopes: scope, ...(json && { credentials: json }) })
    const client = await auth.getClient()
    const answer = await client.getAccessToken()
    const token = isObject(answer) ? stringOf(answer['token']) : stringOf(answer)
    if (token === undefined) throw new TypeError('no token')
    const expiry = isObject(client.credentials) ? numberOf(client.credentials['expiry_date']) : undefined
    return {
      token,
      expiresAt: expiry ?? clock.now() + unknownAgeMs,
      project: await projectOf(auth),
      quotaProject: stringOf(client.quotaProjectId),
    }
  } catch (cause) {
    throw new GatewayError('upstream_authentication', 'No credentials for Google Cloud were found.', { cause })
  }
}

async function projectOf(auth: Auth): Promise<string | undefined> {
  try {
    return stringOf(await auth.getProjectId())
  } catch {
    // Not every credential belongs to a project; the deployment may name it.
    return undefined
  }
}

async function loadConstructor(loadLibrary: LoadLibrary, json: JsonObject | undefined): Promise<AuthConstructor> {
  const what =
    json === undefined
      ? 'Application default credentials need'
      : `Google credentials of type ${stringOf(json['type']) ?? 'unknown'} need`
  const advice = `npm install ${packageName}, or give a service account's key (object, JSON text or path), "metadata", or a function as settings.credentials`
  let library: unknown
  try {
    library = await loadLibrary()
  } catch (cause) {
    throw new InvalidRequestError(
      `${what} the package ${packageName}, which is not installed: ${advice}.`,
      'credentials',
      cause,
    )
  }
  if (hasConstructor(library)) return library.GoogleAuth
  throw new InvalidRequestError(`${what} a version of ${packageName} that has GoogleAuth.`, 'credentials')
}

function hasConstructor(library: unknown): library is { GoogleAuth: AuthConstructor } {
  return typeof library === 'object' && library !== null && 'GoogleAuth' in library
}
