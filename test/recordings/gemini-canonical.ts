import { isObject, type JsonObject } from '../../src/wire/json.js'

/** Members whose content is the host's own data, where names are not Google's to spell. */
const opaque = new Set(['args', 'response', 'labels'])
const schemas: Readonly<Record<string, string>> = {
  parameters: 'parameters',
  parametersJsonSchema: 'parameters',
  responseSchema: 'responseSchema',
  responseJsonSchema: 'responseSchema',
}

/**
 * One spelling of a generateContent body. Protobuf's JSON takes both snake_case and camelCase, one object for a list of
 * one, and null or false for absent (https://protobuf.dev/programming-guides/json/); a schema may travel as OpenAPI's
 * dialect or as JSON schema, with types in either case.
 */
export function canonicalGemini(body: JsonObject): JsonObject {
  const { systemInstruction, tools, contents, generationConfig, model: _inThePath, ...rest } = objectOf(canonical(body))
  // The role of the instruction is ignored by the API; empty texts, lists and objects say nothing.
  const instruction = withoutEmptyTexts(isObject(systemInstruction) ? listOf(systemInstruction['parts']) : [])
  const toolList = canonicalTools(listOf(tools))
  return {
    ...rest,
    ...(contents !== undefined && { contents: mergeTurns(listOf(contents).filter(isObject)) }),
    ...(isObject(generationConfig) && Object.keys(generationConfig).length > 0 && { generationConfig }),
    ...(instruction.length > 0 && { systemInstruction: { parts: instruction } }),
    ...(toolList.length > 0 && { tools: toolList }),
  }
}

function withoutEmptyTexts(parts: readonly unknown[]): readonly unknown[] {
  return parts.filter((part) => !isObject(part) || part['text'] !== '' || Object.keys(part).length > 1)
}

/** Turns of one role in a row are one turn; `function` is an older name of the user's role. */
function mergeTurns(contents: readonly JsonObject[]): readonly JsonObject[] {
  const turns: { role: string; parts: unknown[] }[] = []
  for (const { role, parts } of contents) {
    const name = role === 'model' ? 'model' : 'user'
    const last = turns.at(-1)
    const more = withoutEmptyTexts(listOf(parts))
    if (last?.role === name) last.parts.push(...more)
    else turns.push({ role: name, parts: [...more] })
  }
  return turns
}

/** One spelling of an embedding body: a batch, whose contents have no role. */
export function canonicalGeminiEmbeddings(body: JsonObject): JsonObject {
  const { requests, ...single } = objectOf(canonical(body))
  return {
    requests: (Array.isArray(requests) ? requests : [single])
      .filter(isObject)
      .map(({ content, model: _same, ...rest }) => ({
        ...rest,
        content: { parts: isObject(content) ? listOf(content['parts']) : [] },
      })),
  }
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (!isObject(value)) return value
  const result: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    const name = key.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())
    if (member === null || (name === 'thought' && member === false)) continue
    const schema = schemas[name]
    if (opaque.has(name)) result[name] = member
    else if (schema !== undefined) result[schema] = canonicalSchema(member)
    else result[name] = name === 'parts' ? listOf(canonical(member)) : canonical(member)
  }
  return result
}

/** Function declarations in one entry, hosted tools apart: how they are grouped means nothing. */
function canonicalTools(tools: readonly unknown[]): readonly unknown[] {
  const entries = tools.filter(isObject).flatMap((tool) => Object.entries(tool))
  const functions = entries.filter(([name]) => name === 'functionDeclarations').flatMap(([, list]) => listOf(list))
  const hosted = entries.filter(([name]) => name !== 'functionDeclarations').map(([name, tool]) => ({ [name]: tool }))
  return [...(functions.length > 0 ? [{ functionDeclarations: functions }] : []), ...hosted]
}

/** A schema with lower-case types, `nullable` as a type, and without what only one of the two dialects can say. */
export function canonicalSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonicalSchema)
  if (!isObject(value)) return value
  const { $schema: _dialect, nullable, type, properties, ...rest } = value
  const result: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(rest)) result[key] = canonicalSchema(member)
  if (isObject(properties)) {
    const members = Object.entries(properties).map(([name, schema]) => [name, canonicalSchema(schema)] as const)
    result['properties'] = Object.fromEntries(members)
  }
  const types = (Array.isArray(type) ? type : [type]).filter((name) => typeof name === 'string')
  const names = [...types.map((name) => name.toLowerCase()), ...(nullable === true ? ['null'] : [])]
  if (names.length > 0) result['type'] = names.length === 1 ? names[0] : names
  return result
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}
