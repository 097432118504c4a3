import { GatewayError, InvalidRequestError } from '../errors.js'
import { isObject, numberOf, stringOf } from '../wire/json.js'
import type { FetchedToken } from './token-cache.js'

/** A credential as @azure/identity makes them; only this much of it is needed. */
export interface AzureCredential {
  getToken(scope: string): Promise<unknown>
}

/** Loads @azure/identity, or a stand-in. */
export type LoadAzureLibrary = () => Promise<unknown>

// Not a literal: the package is optional, and 52 MB large.
const packageName: string = '@azure/identity'
const load: LoadAzureLibrary = () => import(packageName)

/** True for a credential object of @azure/identity, or one like it. */
export function isAzureCredential(value: unknown): value is AzureCredential {
  return typeof value === 'object' && value !== null && 'getToken' in value && typeof value.getToken === 'function'
}

/**
 * What DefaultAzureCredential finds: managed identity, workload identity, the Azure CLI's login.
 * @throws InvalidRequestError where the package is not installed
 */
export async function loadDefaultCredential(loadLibrary: LoadAzureLibrary = load): Promise<AzureCredential> {
  let library: unknown
  try {
    library = await loadLibrary()
  } catch (cause) {
    const message = `settings.credential "default" needs the package ${packageName}: npm install ${packageName}`
    throw new InvalidRequestError(message, 'credential', cause)
  }
  const make = isObject(library) ? library['DefaultAzureCredential'] : undefined
  const credential: unknown = isConstructor(make) ? new make() : undefined
  if (isAzureCredential(credential)) return credential
  throw new InvalidRequestError(`This version of ${packageName} has no DefaultAzureCredential.`, 'credential')
}

function isConstructor(value: unknown): value is new () => unknown {
  return typeof value === 'function'
}

/**
 * Asks a credential for a token.
 * @throws GatewayError upstream_authentication where it gives none
 */
export async function askCredential(credential: AzureCredential, scope: string): Promise<FetchedToken> {
  let given: unknown
  try {
    given = await credential.getToken(scope)
  } catch (cause) {
    throw new GatewayError('upstream_authentication', 'The credential gave no token for Azure.', { cause })
  }
  const facts = isObject(given) ? given : {}
  const token = stringOf(facts['token'])
  const expiresAt = numberOf(facts['expiresOnTimestamp'])
  if (token !== undefined && expiresAt !== undefined) return { token, expiresAt }
  throw new GatewayError('upstream_authentication', 'The credential gave no token for Azure.')
}
