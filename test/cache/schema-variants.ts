import { z } from 'zod'
import { isObject, type JsonObject } from '../../src/wire/json.js'

/** Values of a schema: the first is the plainest, every other differs from it, or from another, in one place. */
export interface Variants {
  readonly values: readonly unknown[]
  /** Paths of the members that vary, such as `messages[].content`. */
  readonly paths: ReadonlySet<string>
}

/** Walks a zod schema and makes a value for every single change that it allows. */
export function variantsOf(schema: z.ZodType): Variants {
  const paths = new Set<string>()
  const document: unknown = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  if (!isObject(document)) throw new TypeError('not a schema')
  return { values: distinct(vary(document, '', paths)), paths }
}

function vary(schema: JsonObject, path: string, paths: Set<string>): unknown[] {
  if ('const' in schema) return [schema['const']]
  if (Array.isArray(schema['enum'])) return [...schema['enum']]
  const branches = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(branches)) return branches.filter(isObject).flatMap((branch) => vary(branch, path, paths))
  switch (schema['type']) {
    case 'object':
      return varyObject(schema, path, paths)
    case 'array':
      return varyArray(schema, path, paths)
    case 'string':
      return ['a', 'b']
    case 'integer':
    case 'number':
      return [1, 2]
    case 'boolean':
      return [true, false]
    case 'null':
      return [null]
    default:
      return ['anything', { any: 'thing' }]
  }
}

function varyObject(schema: JsonObject, path: string, paths: Set<string>): unknown[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const members = Object.entries(properties).map(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`
    paths.add(at)
    return [name, isObject(inner) ? vary(inner, at, paths) : []] as const
  })
  const base = Object.fromEntries(members.map(([name, [first]]) => [name, first]))
  return [
    base,
    ...members.flatMap(([name, [, ...others]]) => others.map((value) => ({ ...base, [name]: value }))),
    ...members.map(([name]) => Object.fromEntries(Object.entries(base).filter(([own]) => own !== name))),
    { ...base, unheard_of: 1 },
    { ...base, unheard_of: 2 },
  ]
}

function varyArray(schema: JsonObject, path: string, paths: Set<string>): unknown[] {
  const items = isObject(schema['items']) ? vary(schema['items'], `${path}[]`, paths) : [1, 2]
  const [first, second] = items
  return [...items.map((item) => [item]), [first, first], [first, second], [second, first], []]
}

/** Members are always made in the schema's order, so that equal values have equal JSON. */
function distinct(values: readonly unknown[]): unknown[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}
