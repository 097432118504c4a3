import { createHash } from 'node:crypto'
import { GatewayError } from '../../src/index.js'

/** Longest key: five of them fit the 3,072 bytes of an InnoDB index, at four bytes a character. */
export const maxKeyBytes = 230

/** Printable ASCII without a blank at the end, as nearly every key is. */
const plain = /^[ -~]*[!-~]$/

/** Text that every database takes: well-formed, and without NUL, which PostgreSQL refuses. */
export function toText(value: string): string {
  return value.replaceAll(/[\0\p{Surrogate}]/gu, '\u{FFFD}')
}

/**
 * A key that no database cuts, refuses or takes for another: one that is too long, holds a NUL or ends in a blank
 * (MySQL compares without it) becomes its beginning and its SHA-256.
 */
export function toKey(value: string): string {
  if (value.length <= maxKeyBytes && plain.test(value)) return value
  const text = toText(value)
  if (text === value && !text.endsWith(' ') && Buffer.byteLength(text) <= maxKeyBytes) return text
  const beginning = Buffer.from(text)
    .subarray(0, 120)
    .toString()
    .replace(/\u{FFFD}+$/u, '')
  return `${beginning}~${digestOf(value)}`
}

/** SHA-256 of a text's code units, in hex. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('hex')
}

/**
 * The same for names that must come back as they are.
 * @throws GatewayError invalid_request for one that cannot
 */
export function toExactKey(value: string, param: string): string {
  if (toKey(value) === value) return value
  const rule = `at most ${maxKeyBytes} bytes, without NUL or a blank at the end`
  throw new GatewayError('invalid_request', `"${param}" must have ${rule}.`, { param })
}
