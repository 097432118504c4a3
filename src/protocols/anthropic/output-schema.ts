import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'

// What the API's schema compiler takes; all else is refused by name.
// Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
const formats = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid']
const plainKeys = ['type', 'title', 'enum', 'const', 'default', '$ref', 'required']
const listKeys: Readonly<Record<string, string>> = { anyOf: 'anyOf', oneOf: 'anyOf', allOf: 'allOf' }
const mapKeys = ['properties', '$defs', 'definitions']
const silentKeys = ['$schema', '$id', '$comment', 'description', 'additionalProperties']

type Entry = readonly [string, unknown]

function convert(value: unknown): unknown {
  return isObject(value) ? toOutputSchema(value) : value
}

/** The entry to keep for a keyword; undefined where the keyword can only be told in words. */
function keptEntry([key, value]: Entry): Entry | undefined {
  const list = Object.hasOwn(listKeys, key) ? listKeys[key] : undefined
  if (list !== undefined && Array.isArray(value)) return [list, value.map(convert)]
  if (mapKeys.includes(key) && isObject(value)) {
    return [key, Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, convert(schema)]))]
  }
  if (key === 'items') return [key, convert(value)]
  if (key === 'format') return formats.includes(String(value)) ? [key, value] : undefined
  if (key === 'minItems') return value === 0 || value === 1 ? [key, value] : undefined
  return plainKeys.includes(key) ? [key, value] : undefined
}

function isObjectSchema(schema: JsonObject): boolean {
  const type = schema['type']
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || isObject(schema['properties'])
}

/**
 * A JSON schema as `output_config.format` takes it: objects closed, `oneOf` written as `anyOf`, constraints that the
 * API refuses moved into the description, where the model still reads them. Never changes its input.
 */
export function toOutputSchema(schema: JsonObject): JsonObject {
  const kept: Entry[] = []
  const words: string[] = []
  for (const entry of Object.entries(schema)) {
    const replacement = keptEntry(entry)
    if (replacement) kept.push(replacement)
    else if (!silentKeys.includes(entry[0])) words.push(`${entry[0]}: ${JSON.stringify(entry[1])}`)
  }
  const open = schema['additionalProperties']
  if (isObject(open)) words.push(`additionalProperties: ${JSON.stringify(open)}`)
  const description = [stringOf(schema['description']), words.length > 0 ? `(${words.join(', ')})` : undefined]
    .filter((text) => text !== undefined)
    .join(' ')
  return {
    ...Object.fromEntries(kept),
    ...(description !== '' && { description }),
    ...(isObjectSchema(schema) && { properties: {}, ...Object.fromEntries(kept), additionalProperties: false }),
  }
}
