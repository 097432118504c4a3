import { isObject, type JsonObject } from '../wire/json.js'

const deepest = 8

/** A value that fits a JSON schema, with the given text where a string is asked for; nested at most 8 deep. */
export function sampleOf(schema: JsonObject, text: string): unknown {
  return sample(schema, text, schema, deepest)
}

function sample(schema: unknown, text: string, root: JsonObject, depth: number): unknown {
  if (!isObject(schema) || depth === 0) return null
  if ('const' in schema) return schema['const']
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  if (typeof schema['$ref'] === 'string') return sample(resolve(schema['$ref'], root), text, root, depth - 1)
  const options = schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf']
  if (Array.isArray(options)) return sample(options[0], text, root, depth - 1)
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type']
  // Gemini writes the types in capitals.
  const make = makers[typeof type === 'string' ? type.toLowerCase() : 'object']
  return make ? make(schema, text, root, depth) : null
}

type Maker = (schema: JsonObject, text: string, root: JsonObject, depth: number) => unknown

const makers: Readonly<Record<string, Maker | undefined>> = {
  string: (schema, text) => text.slice(0, typeof schema['maxLength'] === 'number' ? schema['maxLength'] : 40) || 'text',
  integer: (schema) => lowest(schema, 7),
  number: (schema) => lowest(schema, 1.5),
  boolean: () => true,
  null: () => null,
  array: (schema, text, root, depth) => [sample(schema['items'], text, root, depth - 1)],
  object: (schema, text, root, depth) => {
    const properties = isObject(schema['properties']) ? schema['properties'] : {}
    const entries = Object.entries(properties).map(([name, value]) => [name, sample(value, text, root, depth - 1)])
    return Object.fromEntries(entries)
  },
}

function lowest(schema: JsonObject, standard: number): number {
  return typeof schema['minimum'] === 'number' ? Math.max(schema['minimum'], standard) : standard
}

function resolve(reference: string, root: JsonObject): unknown {
  if (!reference.startsWith('#')) return undefined
  return reference
    .slice(1)
    .split('/')
    .filter((part) => part !== '')
    .reduce<unknown>((at, part) => (isObject(at) ? at[part] : undefined), root)
}
