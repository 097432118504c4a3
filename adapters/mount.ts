/**
 * Turns an option like `/llm` or `llm/` typed as `/llm/` into the prefix that paths are cut by: no trailing slash,
 * empty for the root.
 * @throws TypeError when it does not start with `/`
 */
export function mountPrefix(path: string | undefined): string {
  if (path === undefined || path === '' || path === '/') return ''
  if (!path.startsWith('/')) throw new TypeError(`The mount path must start with "/", got "${path}".`)
  return path.replace(/\/+$/, '')
}

/** A request target cut at its `?`, below the mount; still percent-encoded and not normalised. */
export interface Target {
  readonly path: string
  /** What follows the `?`; empty without one. */
  readonly search: string
}

const slash = 47
const questionMark = 63

// Proxies may send the absolute form (RFC 9112, 3.2.2): the origin in front of the path.
const origin = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i

/** Splits a raw request target; null when it is not below `prefix` (`/llmx` is not below `/llm`). */
export function splitTarget(url: string | undefined, prefix: string): Target | null {
  let target = url === undefined || url === '' ? '/' : url
  if (target.charCodeAt(0) !== slash) target = target.replace(origin, '')
  if (prefix !== '') {
    if (!target.startsWith(prefix)) return null
    const next = target.charCodeAt(prefix.length)
    if (next !== slash && next !== questionMark && target.length !== prefix.length) return null
    target = target.slice(prefix.length)
  }
  const cut = target.indexOf('?')
  if (cut === -1) return { path: target === '' ? '/' : target, search: '' }
  return { path: cut === 0 ? '/' : target.slice(0, cut), search: target.slice(cut + 1) }
}
