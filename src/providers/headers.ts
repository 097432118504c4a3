import { InvalidRequestError } from '../errors.js'

/** Headers by lower-case name. */
export type HeaderMap = Readonly<Record<string, string>>

// Set by us or by the connection; a host that overrides them breaks the request.
const reserved = new Set(['connection', 'content-length', 'content-type', 'host', 'transfer-encoding'])

/**
 * Headers that a host gave, by lower-case name.
 * @throws InvalidRequestError naming the header that cannot be sent; its value is not repeated
 */
export function checkHeaders(headers: Readonly<Record<string, string>>, what: string): HeaderMap {
  const checked: Record<string, string> = {}
  for (const [given, value] of Object.entries(headers)) {
    const name = given.toLowerCase()
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) {
      throw new InvalidRequestError(`${what}: "${given}" is not a header name.`, 'headers')
    }
    if (reserved.has(name)) throw new InvalidRequestError(`${what}: the header ${name} cannot be set.`, 'headers')
    if (!isHeaderValue(value)) {
      throw new InvalidRequestError(`${what}: the value of the header ${name} cannot be sent.`, 'headers')
    }
    checked[name] = value
  }
  return checked
}

/** True for text that a header can carry: no control characters, nothing beyond Latin-1. */
export function isHeaderValue(value: unknown): value is string {
  return typeof value === 'string' && /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)
}
