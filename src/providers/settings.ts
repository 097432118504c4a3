import { InvalidRequestError } from '../errors.js'
import { Secret } from '../secret.js'
import { type Environment, firstSet } from './environment.js'
import type { Provider } from './provider.js'

/**
 * A deployment's settings: what the host gives, else the variables that the provider names; secret ones are wrapped.
 * @throws InvalidRequestError for a setting that the provider does not know
 */
export function findSettings(
  given: Readonly<Record<string, unknown>>,
  provider: Provider,
  modelName: string,
  env: Environment,
): Readonly<Record<string, unknown>> {
  const rules = provider.settings ?? {}
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(rules, name))
  if (unknown.length > 0) {
    const known = Object.keys(rules).join(', ') || 'none'
    throw new InvalidRequestError(
      `"${modelName}": ${provider.displayName} has no setting ${unknown.join(', ')}. It knows: ${known}.`,
      'settings',
    )
  }
  const settings: Record<string, unknown> = {}
  for (const [name, rule] of Object.entries(rules)) {
    const value = given[name] ?? firstSet(env, rule.env)?.value
    if (value === undefined) continue
    settings[name] = rule.secret && typeof value === 'string' ? new Secret(value) : value
  }
  return Object.freeze(settings)
}

/** A setting as text, revealed if it is secret; undefined where it is not set. Reveal only where a request is signed. */
export function settingOf(
  deployment: { readonly settings: Readonly<Record<string, unknown>> },
  name: string,
): string | undefined {
  const value = deployment.settings[name]
  if (value instanceof Secret) return value.reveal()
  return typeof value === 'string' && value !== '' ? value : undefined
}
