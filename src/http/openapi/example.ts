import { type JsonObject, isObject } from '../../wire/json.js'
import type { Glossary, SchemaComponents } from './schema.js'

/** What an example is made from. */
export interface ExampleParts {
  readonly components: SchemaComponents
  readonly glossary: Glossary
}

/**
 * A value that a schema allows: the fields that are always there, each as the glossary shows it; where that says nothing,
 * null if it may be null, else the first of its choices, or a value of its type.
 */
export function toExample(given: JsonObject, parts: ExampleParts): unknown {
  const schema = resolve(given, parts)
  if ('const' in schema) return schema['const']
  const { examples, enum: values, anyOf, oneOf, type } = schema
  if (Array.isArray(examples)) return examples[0]
  if (Array.isArray(values)) return values[0]
  const choices = [anyOf, oneOf].find(Array.isArray)?.filter(isObject)
  if (choices?.some((choice) => choice['type'] === 'null')) return null
  if (choices?.[0]) return toExample(choices[0], parts)
  return ofType(Array.isArray(type) ? type[0] : type, schema, parts)
}

function ofType(type: unknown, schema: JsonObject, parts: ExampleParts): unknown {
  if (type === 'object') return ofObject(schema, parts)
  if (type === 'array') return isObject(schema['items']) ? [toExample(schema['items'], parts)] : []
  if (type === 'integer' || type === 'number') return 0
  if (type === 'boolean') return false
  if (type !== 'string') return null
  return schema['format'] === 'date-time' ? '2026-11-26T12:00:00.000Z' : 'text'
}

function ofObject({ properties, required }: JsonObject, parts: ExampleParts): JsonObject {
  if (!isObject(properties)) return {}
  const names = Array.isArray(required) ? required.filter((name): name is string => typeof name === 'string') : []
  return Object.fromEntries(names.map((name) => [name, ofField(name, properties[name], parts)]))
}

function ofField(name: string, schema: unknown, parts: ExampleParts): unknown {
  if (!isObject(schema)) return null
  const note = Object.hasOwn(parts.glossary, name) ? parts.glossary[name] : undefined
  return note && 'example' in note && !('examples' in schema) ? note.example : toExample(schema, parts)
}

function resolve(schema: JsonObject, { components }: ExampleParts): JsonObject {
  const { $ref } = schema
  if (typeof $ref !== 'string') return schema
  return components[$ref.slice($ref.lastIndexOf('/') + 1)] ?? {}
}
