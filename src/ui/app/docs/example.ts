import type { Json } from '../api.js'
import { type ApiDocument, listOf, objectOf } from './document.js'

const deepest = 6

/** A value that a schema allows: its example, else the required members alone. */
export function toExample(given: Json, document: ApiDocument, depth = 0): unknown {
  const schema = document.resolve(given)
  const { examples, example, default: standard } = schema
  if (Array.isArray(examples) && examples.length > 0) return examples[0]
  if (example !== undefined) return example
  if (schema['const'] !== undefined) return schema['const']
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  if (standard !== undefined) return standard
  const [choice] = [...listOf(schema['anyOf']), ...listOf(schema['oneOf']), ...listOf(schema['allOf'])]
  if (choice) return depth < deepest ? toExample(choice, document, depth + 1) : null
  return ofType(schema, document, depth)
}

function ofType(schema: Json, document: ApiDocument, depth: number): unknown {
  const [type] = Array.isArray(schema['type']) ? schema['type'] : [schema['type']]
  if (type === 'array') return depth < deepest ? [toExample(objectOf(schema['items']), document, depth + 1)] : []
  if (type === 'object' || schema['properties'] !== undefined) {
    const required = Array.isArray(schema['required']) ? schema['required'] : []
    const members = Object.entries(objectOf(schema['properties'])).filter(([name]) => required.includes(name))
    return Object.fromEntries(members.map(([name, member]) => [name, toExample(objectOf(member), document, depth + 1)]))
  }
  if (type === 'integer' || type === 'number') return 1
  if (type === 'boolean') return true
  return type === 'null' ? null : 'text'
}
