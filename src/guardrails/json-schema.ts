import { isObject, type JsonObject } from '../wire/json.js'

const deepest = 100
// A request brings its own schema, which may be made to take long.
const mostSteps = 50_000

/**
 * Whether a value fits a JSON Schema, as far as structured outputs use it (draft 2020-12: types, enum, const, objects,
 * arrays, numbers, lengths, anyOf, oneOf, allOf, not, local `$ref`). Other keywords are ignored, `pattern` among them: a
 * request could choose one that never ends. A schema that takes too many steps fits nothing. Gives where the first misfit is, as a path such as `$.items[0].name`; undefined
 * where it fits.
 */
export function schemaMisfit(value: unknown, schema: unknown): string | undefined {
  return misfit(value, schema, { path: '$', depth: 0, root: schema, budget: { steps: mostSteps } })
}

interface Place {
  readonly path: string
  readonly depth: number
  readonly root: unknown
  readonly budget: { steps: number }
}

type Check = (value: unknown, schema: JsonObject, place: Place) => string | undefined

function misfit(value: unknown, schema: unknown, place: Place): string | undefined {
  place.budget.steps -= 1
  if (schema === false || place.depth > deepest || place.budget.steps < 0) return place.path
  if (!isObject(schema)) return undefined
  for (const check of checks) {
    const found = check(value, schema, place)
    if (found !== undefined) return found
  }
  return undefined
}

const deeper = (place: Place, step = ''): Place => ({ ...place, path: place.path + step, depth: place.depth + 1 })

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  array: (value) => Array.isArray(value),
  object: isObject,
}

const checks: readonly Check[] = [
  checkReference,
  checkType,
  (value, schema, { path }) =>
    Array.isArray(schema['enum']) && !schema['enum'].some((one) => isSame(one, value)) ? path : undefined,
  (value, schema, { path }) => ('const' in schema && !isSame(schema['const'], value) ? path : undefined),
  checkNumber,
  checkText,
  checkArray,
  checkObject,
  checkCombined,
]

function checkReference(value: unknown, { $ref: reference }: JsonObject, place: Place): string | undefined {
  if (typeof reference !== 'string') return undefined
  if (!reference.startsWith('#')) return place.path
  const steps = reference.split('/').slice(1)
  const target = steps.reduce<unknown>((at, step) => {
    const name = decodeURIComponent(step.replaceAll('%', '%25')).replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(at)) return at[Number(name)]
    return isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
  }, place.root)
  return target === undefined ? place.path : misfit(value, target, deeper(place))
}

function checkType(value: unknown, { type }: JsonObject, { path }: Place): string | undefined {
  const allowed = [type].flat().filter((name) => typeof name === 'string')
  if (allowed.length === 0) return undefined
  return allowed.some((name) => Object.hasOwn(types, name) && types[name]?.(value)) ? undefined : path
}

function checkNumber(value: unknown, schema: JsonObject, { path }: Place): string | undefined {
  if (typeof value !== 'number') return undefined
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf: step } = schema
  if (typeof minimum === 'number' && value < minimum) return path
  if (typeof maximum === 'number' && value > maximum) return path
  if (typeof above === 'number' && value <= above) return path
  if (typeof below === 'number' && value >= below) return path
  return typeof step === 'number' && step > 0 && !isMultiple(value, step) ? path : undefined
}

function isMultiple(value: number, step: number): boolean {
  const quotient = value / step
  return Math.abs(quotient - Math.round(quotient)) < 1e-9
}

function checkText(value: unknown, schema: JsonObject, { path }: Place): string | undefined {
  if (typeof value !== 'string') return undefined
  const { minLength, maxLength } = schema
  if (typeof minLength !== 'number' && typeof maxLength !== 'number') return undefined
  const { length } = Array.from(value)
  if (typeof minLength === 'number' && length < minLength) return path
  return typeof maxLength === 'number' && length > maxLength ? path : undefined
}

function checkArray(value: unknown, schema: JsonObject, place: Place): string | undefined {
  if (!Array.isArray(value)) return undefined
  const { minItems, maxItems, uniqueItems, prefixItems, items } = schema
  if (typeof minItems === 'number' && value.length < minItems) return place.path
  if (typeof maxItems === 'number' && value.length > maxItems) return place.path
  if (uniqueItems === true && new Set(value.map((item) => canonical(item))).size < value.length) return place.path
  const first: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : []
  for (const [index, item] of value.entries()) {
    const found = misfit(item, index < first.length ? first[index] : items, deeper(place, `[${index}]`))
    if (found !== undefined) return found
  }
  return undefined
}

function checkObject(value: unknown, schema: JsonObject, place: Place): string | undefined {
  if (!isObject(value)) return undefined
  const { properties, required, additionalProperties: others } = schema
  const missing =
    Array.isArray(required) && required.some((name) => typeof name === 'string' && !Object.hasOwn(value, name))
  if (missing) return place.path
  const known = isObject(properties) ? properties : {}
  for (const [name, member] of Object.entries(value)) {
    const found = misfit(member, Object.hasOwn(known, name) ? known[name] : others, deeper(place, `.${name}`))
    if (found !== undefined) return found
  }
  return undefined
}

function checkCombined(value: unknown, schema: JsonObject, place: Place): string | undefined {
  const fits = (inner: unknown): boolean => misfit(value, inner, deeper(place)) === undefined
  const { anyOf, oneOf, allOf, not } = schema
  if (Array.isArray(anyOf) && !anyOf.some(fits)) return place.path
  if (Array.isArray(oneOf) && oneOf.filter(fits).length !== 1) return place.path
  if (not !== undefined && fits(not)) return place.path
  for (const inner of Array.isArray(allOf) ? allOf : []) {
    const found = misfit(value, inner, deeper(place))
    if (found !== undefined) return found
  }
  return undefined
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || canonical(one) === canonical(other)
}

/** Text that equal values share, whatever the order of their members. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'undefined'
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`
}
