import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { Secret } from '../secret.js'

/** Random bytes, at least as good as those of `node:crypto`. */
export type RandomBytes = (size: number) => Uint8Array

/** A virtual key: its text, which is given out once and never kept, and what is kept of it. */
export interface KeyMaterial {
  /** `sk-` and 32 characters of base64url. */
  readonly text: Secret
  /** See `hashKey`. */
  readonly hash: string
  /** See `nameOfKey`. */
  readonly name: string
}

// 192 bits: nobody guesses one, however many there are.
const randomSize = 24
const textSyntax = /^sk-[\w.~+/=-]{13,253}$/
const hashSyntax = /^[0-9a-f]{64}$/

/** Makes a new virtual key. */
export function createKeyMaterial(randomBytes: RandomBytes, salt?: Secret): KeyMaterial {
  return toKeyMaterial(`sk-${Buffer.from(randomBytes(randomSize)).toString('base64url')}`, salt)
}

/** What is kept of a key of this text. */
export function toKeyMaterial(text: string, salt?: Secret): KeyMaterial {
  return { text: new Secret(text), hash: hashKey(text, salt), name: nameOfKey(text) }
}

/** SHA-256 of a key's text, or HMAC-SHA-256 with a salt, in hexadecimal digits: the id of its record. */
export function hashKey(text: string, salt?: Secret): string {
  return salt ? createHmac('sha256', salt.reveal()).update(text).digest('hex') : hash('sha256', text)
}

/** What people recognise a key by: `sk-...` and its last four characters. */
export function nameOfKey(text: string): string {
  return `sk-...${text.slice(-4)}`
}

/** True for what can be a virtual key: `sk-` and 13 to 253 characters of a bearer token (RFC 6750, section 2.1). */
export function isKeyText(text: string): boolean {
  return textSyntax.test(text)
}

/** True for what can be the hash of a key. */
export function isKeyHash(text: string): boolean {
  return hashSyntax.test(text)
}

/** Compares two texts in a time that does not tell where they differ. */
export function isSameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
