import { InvalidRequestError } from '../errors.js'
import { listNames } from './environment.js'
import type { Provider } from './provider.js'

/**
 * The URL without trailing slashes, if it can be a base URL: http or https, no credentials, no query, no fragment.
 * @throws InvalidRequestError naming what is wrong, without the credentials
 */
export function checkBaseUrl(url: string, what: string): string {
  const text = url.trim()
  const parsed = parseUrl(text)
  if (!parsed)
    throw new InvalidRequestError(`${what} is not a valid URL; it looks like https://api.example.com/v1.`, 'baseUrl')
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new InvalidRequestError(`${what} must start with http:// or https://.`, 'baseUrl')
  }
  if (parsed.username || parsed.password) {
    throw new InvalidRequestError(`${what} must not contain credentials; use apiKey or headers.`, 'baseUrl')
  }
  if (text.includes('?') || text.includes('#')) {
    throw new InvalidRequestError(`${what} must not contain a query or a fragment.`, 'baseUrl')
  }
  return withoutTrailingSlashes(text)
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}

function withoutTrailingSlashes(text: string): string {
  let end = text.length
  while (text[end - 1] === '/') end -= 1
  return text.slice(0, end)
}

/** The URL without the first of the endings that it has: users paste whole endpoint addresses. */
export function withoutEnding(url: string, endings: readonly string[]): string {
  const found = endings.find((ending) => url.endsWith(ending))
  return found === undefined ? url : withoutTrailingSlashes(url.slice(0, -found.length))
}

/** The error for a provider without an address of its own: 400, naming the variable that would help. */
export function missingBaseUrl(provider: Provider): InvalidRequestError {
  const variables = provider.baseUrlEnv.length > 0 ? `, or set ${listNames(provider.baseUrlEnv)}` : ''
  const message = `${provider.displayName} runs at an address of your own: give the deployment a baseUrl${variables}.`
  return new InvalidRequestError(message, 'baseUrl')
}
