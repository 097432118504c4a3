import type { Caller } from '../ports.js'

/** True for what a host's `identify` must give; hosts may be JavaScript, and a mistake there must not open a door. */
export function isCaller(value: unknown): value is Caller {
  if (typeof value !== 'object' || value === null) return false
  const { id, role, models, scopes } = value as Partial<Record<keyof Caller, unknown>>
  return (
    typeof id === 'string' &&
    (role === 'admin' || role === 'member') &&
    (models === 'all' || Array.isArray(models)) &&
    (scopes === undefined || Array.isArray(scopes))
  )
}
