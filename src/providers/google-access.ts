import { createHash } from 'node:crypto'
import type { Deployment } from '../deployment.js'
import { GatewayError, InvalidRequestError } from '../errors.js'
import { Secret } from '../secret.js'
import { readGoogleCredentials } from '../upstream/google-credentials.js'
import { fetchGoogleAccess } from '../upstream/google-tokens.js'
import { isObject, parseJson, stringOf } from '../wire/json.js'
import type { AuthorizeContext } from './provider.js'

/** What a call to Google Cloud is signed with. */
export interface Access {
  readonly token: string
  readonly project: string | undefined
  readonly quotaProject: string | undefined
}

/** A host's own way to a token, asked before every call; it keeps tokens itself. */
export type GoogleTokenSource = () => GivenToken | Promise<GivenToken>

type GivenToken = string | { readonly token: string; readonly project?: string | undefined }

/** The setting `credentials`, revealed. */
export function givenCredentials({ settings }: Pick<Deployment, 'settings'>): unknown {
  const value = settings['credentials']
  return value instanceof Secret ? value.reveal() : value
}

/**
 * The token for a deployment's `settings.credentials`, kept until shortly before it expires.
 * @throws GatewayError where there is none to be had
 */
export async function accessOf(deployment: Deployment, { tokens, clock }: AuthorizeContext): Promise<Access> {
  const given = givenCredentials(deployment)
  if (isTokenSource(given)) return askSource(given)
  // What belongs to the token is kept with it, so that one entry holds everything.
  const kept = await tokens.get(keyOf(given), async (exchange) => {
    const { expiresAt, ...access } = await fetchGoogleAccess(await readGoogleCredentials(given), exchange, clock)
    return { token: JSON.stringify(access), expiresAt }
  })
  const access = parseJson(kept)
  const facts = isObject(access) ? access : {}
  return {
    token: stringOf(facts['token']) ?? '',
    project: stringOf(facts['project']),
    quotaProject: stringOf(facts['quotaProject']),
  }
}

function isTokenSource(value: unknown): value is GoogleTokenSource {
  return typeof value === 'function'
}

async function askSource(source: GoogleTokenSource): Promise<Access> {
  let given: unknown
  try {
    given = await source()
  } catch (cause) {
    throw new GatewayError('upstream_authentication', 'settings.credentials gave no token for Google Cloud.', { cause })
  }
  const token = isObject(given) ? stringOf(given['token']) : stringOf(given)
  if (token === undefined) {
    throw new InvalidRequestError('settings.credentials must give a token, or an object that has one.', 'credentials')
  }
  return { token, project: isObject(given) ? stringOf(given['project']) : undefined, quotaProject: undefined }
}

function keyOf(given: unknown): string {
  const text = typeof given === 'string' ? given : (JSON.stringify(given) ?? 'adc')
  return `google ${createHash('sha256').update(text).digest('hex')}`
}
