import { createHash, createPrivateKey, createPublicKey, createSign, type KeyObject } from 'node:crypto'
import { InvalidRequestError } from '../../errors.js'
import type { FetchedToken } from '../../upstream/token-cache.js'

/** A user's key pair, whose public half is known to Snowflake. */
export interface KeyPair {
  /** Account identifier: `myorg-myaccount`, or an older locator with its region. */
  readonly account: string
  readonly user: string
  /** PEM. */
  readonly privateKey: string
  readonly passphrase: string | undefined
}

// Snowflake takes at most an hour.
const lifetimeSeconds = 3_540

/**
 * A token signed with the key pair: https://docs.snowflake.com/en/developer-guide/sql-api/authenticating
 * @param now milliseconds since the epoch
 * @throws InvalidRequestError where the key cannot be read
 */
export function signKeyPairToken({ account, user, privateKey, passphrase }: KeyPair, now: number): FetchedToken {
  const key = readKey(privateKey, passphrase)
  const subject = `${accountName(account)}.${user.toUpperCase()}`
  const issued = Math.floor(now / 1_000)
  const expires = issued + lifetimeSeconds
  const claims = { iss: `${subject}.${fingerprint(key)}`, sub: subject, iat: issued, exp: expires }
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
  const signature = createSign('RSA-SHA256').update(signed).sign(key).toString('base64url')
  return { token: `${signed}.${signature}`, expiresAt: expires * 1_000 }
}

function readKey(pem: string, passphrase: string | undefined): KeyObject {
  try {
    // Environment variables often hold the line feeds as two characters.
    const key = pem.replaceAll('\\n', '\n')
    return createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) })
  } catch (cause) {
    throw new InvalidRequestError('settings.privateKey of Snowflake is no private key in PEM.', 'privateKey', cause)
  }
}

/** The region of an older locator does not belong to the name; that of an organization's account is none. */
function accountName(account: string): string {
  const [name = account] = account.split('.')
  return name.toUpperCase()
}

function fingerprint(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(der).digest('base64')}`
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
