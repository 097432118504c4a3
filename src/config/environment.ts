import type { Environment } from '../providers/environment.js'
import { isObject } from '../wire/json.js'

const reference = /os\.environ\/([A-Za-z_][A-Za-z0-9_]*)/g

/**
 * Replaces every `os.environ/NAME` in the strings of a value, however deep; gives a copy. A variable that is missing or
 * empty is reported as a problem with the path where it is named.
 */
export function resolveEnvironment(value: unknown, path: string, env: Environment, problems: string[]): unknown {
  if (typeof value === 'string') return resolveText(value, path, env, problems)
  if (Array.isArray(value))
    return value.map((item, index) => resolveEnvironment(item, `${path}[${index}]`, env, problems))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      resolveEnvironment(item, path === '' ? key : `${path}.${key}`, env, problems),
    ]),
  )
}

function resolveText(text: string, path: string, env: Environment, problems: string[]): string {
  if (!text.includes('os.environ/')) return text
  return text.replace(reference, (_, name: string) => {
    const found = Object.hasOwn(env, name) ? env[name] : undefined
    if (found) return found
    problems.push(`${path}: environment variable ${name} is not set`)
    return ''
  })
}
