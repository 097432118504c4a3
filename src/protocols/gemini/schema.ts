import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'

const schemaMaps = ['properties', '$defs', 'definitions', 'patternProperties']
const schemaLists = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const schemaMembers = ['items', 'additionalProperties', 'not']
const deepest = 64

/** A plain JSON schema in the words Gemini's `…JsonSchema` fields know: `const` becomes `enum`, `$schema` goes. */
export function toJsonSchemaField(schema: JsonObject, depth = 0): JsonObject {
  if (depth > deepest) return schema
  const convert = (value: unknown): unknown => (isObject(value) ? toJsonSchemaField(value, depth + 1) : value)
  const entries = Object.entries(schema).flatMap(([key, value]): readonly (readonly [string, unknown])[] => {
    if (key === '$schema') return []
    if (key === 'const') return 'enum' in schema ? [] : [['enum', [value]]]
    if (schemaMaps.includes(key) && isObject(value)) {
      return [[key, Object.fromEntries(Object.entries(value).map(([name, member]) => [name, convert(member)]))]]
    }
    if (schemaLists.includes(key) && Array.isArray(value)) return [[key, value.map(convert)]]
    return [[key, schemaMembers.includes(key) ? convert(value) : value]]
  })
  return Object.fromEntries(entries)
}

/** How a schema is reduced to the OpenAPI subset. */
export interface SchemaOptions {
  /** Add `propertyOrdering`, so that the answer keeps the order in which the schema names its properties. */
  readonly ordered?: boolean
}

interface Walk {
  readonly root: JsonObject
  readonly ordered: boolean
  /** The references that are open on the way down; meeting one again is a cycle. */
  readonly open: readonly string[]
  readonly depth: number
  /** Shared by the whole walk: inlining may double with every level. */
  readonly budget: { nodes: number }
}

const anything: JsonObject = { type: 'OBJECT' }
const mostDepth = 32
const mostNodes = 2_000

/**
 * Reduces a JSON schema to Gemini's OpenAPI subset (https://ai.google.dev/api/caching#Schema): references are inlined,
 * cycles and whatever lies too deep end in a plain object, unknown keywords go. Never throws.
 */
export function toOpenApiSchema(schema: JsonObject, options: SchemaOptions = {}): JsonObject {
  return convert(schema, {
    root: schema,
    ordered: options.ordered ?? false,
    open: [],
    depth: 0,
    budget: { nodes: mostNodes },
  })
}

function convert(value: unknown, walk: Walk): JsonObject {
  if (!isObject(value) || walk.depth > mostDepth || walk.budget.nodes-- <= 0) return anything
  const [schema, open] = inline(value, walk)
  const inner: Walk = { ...walk, open, depth: walk.depth + 1 }
  const { types, nullable } = typesOf(schema)
  const branches = branchesOf(schema, types)
  if (branches) return convertBranches(schema, branches, nullable, inner)
  return convertPlain(schema, types[0], nullable, inner)
}

/** Follows `$ref` and folds `allOf` in until neither is left; gives the schema and the references now open. */
function inline(schema: JsonObject, walk: Walk): readonly [JsonObject, readonly string[]] {
  if (walk.depth > mostDepth || walk.budget.nodes-- <= 0) return [{ type: 'object' }, walk.open]
  const { $ref: reference, allOf, ...rest } = schema
  const inner: Walk = { ...walk, depth: walk.depth + 1 }
  if (typeof reference === 'string') {
    const found = walk.open.includes(reference) ? undefined : resolve(walk.root, reference)
    const beside = allOf === undefined ? rest : { ...rest, allOf }
    const open = [...walk.open, reference]
    return inline(merge(isObject(found) ? found : { type: 'object' }, beside), { ...inner, open })
  }
  if (!Array.isArray(allOf)) return [rest, walk.open]
  const members = allOf.filter(isObject).map((member) => inline(member, inner))
  const open = [...new Set([...walk.open, ...members.flatMap(([, references]) => references)])]
  return [members.map(([member]) => member).reduce(merge, rest), open]
}

function merge(left: JsonObject, right: JsonObject): JsonObject {
  const [ours, theirs] = [left['properties'], right['properties']]
  const joined = ['required', 'allOf'].flatMap((key): readonly (readonly [string, unknown])[] =>
    Array.isArray(left[key]) && Array.isArray(right[key]) ? [[key, [...listOf(left[key]), ...listOf(right[key])]]] : [],
  )
  return {
    ...left,
    ...right,
    ...Object.fromEntries(joined),
    ...(isObject(ours) && isObject(theirs) && { properties: { ...ours, ...theirs } }),
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function resolve(root: JsonObject, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined
  let current: unknown = root
  for (const token of reference.slice(1).split('/').slice(1)) {
    const name = unescapePointer(token)
    if (Array.isArray(current)) current = listOf(current)[Number(name)]
    else current = isObject(current) && Object.hasOwn(current, name) ? current[name] : undefined
  }
  return current
}

function unescapePointer(token: string): string {
  const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function typesOf(schema: JsonObject): { types: readonly string[]; nullable: boolean } {
  const declared = schema['type']
  const named = (Array.isArray(declared) ? declared : [declared]).filter((type) => typeof type === 'string')
  const types = named.filter((type) => type.toLowerCase() !== 'null')
  const values = listOf(schema['enum'])
  const nullable =
    types.length < named.length || schema['nullable'] === true || values.includes(null) || schema['const'] === null
  return { types: types.length > 0 ? types : guessTypes(schema), nullable }
}

function guessTypes(schema: JsonObject): readonly string[] {
  if (isObject(schema['properties'])) return ['object']
  if (schema['items'] !== undefined || schema['prefixItems'] !== undefined) return ['array']
  const values = 'const' in schema ? [schema['const']] : listOf(schema['enum'])
  const kind = typeof values.find((value) => value !== null)
  return kind === 'string' || kind === 'number' || kind === 'boolean' ? [kind] : ['object']
}

/** The alternatives of a schema, from `anyOf`, `oneOf` or several types; undefined where there is only one form. */
function branchesOf(schema: JsonObject, types: readonly string[]): readonly unknown[] | undefined {
  const { anyOf, oneOf, ...rest } = schema
  const branches = [...listOf(anyOf), ...listOf(oneOf)]
  if (branches.length > 0) return branches
  return types.length > 1 ? types.map((type) => ({ ...rest, type })) : undefined
}

const isNull = (branch: unknown): boolean => isObject(branch) && branch['type'] === 'null'

function convertBranches(schema: JsonObject, branches: readonly unknown[], nullable: boolean, walk: Walk): JsonObject {
  const rest = branches.filter((branch) => !isNull(branch))
  const orNull = nullable || rest.length < branches.length
  // What stands beside `anyOf` is refused, so nullability moves into the branches, and branches of branches come up.
  const flat = rest.map((branch) => convert(branch, walk)).flatMap((member) => [...branchesWithin(member)])
  const members = flat.map((member) => ({ ...member, ...(orNull && { nullable: true }) }))
  const [only] = members
  if (only === undefined) return { ...anything, nullable: true }
  if (members.length > 1) return { anyOf: members }
  const description = stringOf(schema['description'])
  return { ...only, ...(description !== undefined && { description }) }
}

const branchesWithin = (member: JsonObject): readonly JsonObject[] =>
  Array.isArray(member['anyOf']) ? member['anyOf'].filter(isObject) : [member]

/**
 * The parameters of a function in the OpenAPI subset; undefined where it has none. A function takes one object, so of
 * alternatives all properties are allowed and none is required.
 */
export function toOpenApiParameters(schema: JsonObject): JsonObject | undefined {
  const converted = toOpenApiSchema({ type: 'object', ...schema })
  const found = branchesWithin(converted).map(({ properties }) => (isObject(properties) ? properties : {}))
  const properties: JsonObject = Object.fromEntries(found.flatMap((members) => Object.entries(members)))
  if (Object.keys(properties).length === 0) return undefined
  return converted['type'] === 'OBJECT' ? converted : { type: 'OBJECT', properties }
}

const typeNames = ['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT']
const numericLimits = ['minimum', 'maximum']
const countLimits = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']

const formats: Readonly<Record<string, readonly string[]>> = {
  STRING: ['enum', 'date-time'],
  NUMBER: ['float', 'double'],
  INTEGER: ['int32', 'int64'],
}

function convertPlain(schema: JsonObject, declared: string | undefined, nullable: boolean, walk: Walk): JsonObject {
  const upper = declared?.toUpperCase() ?? ''
  const type = typeNames.includes(upper) ? upper : 'OBJECT'
  const description = stringOf(schema['description'])
  const format = stringOf(schema['format'])
  return {
    type,
    ...(description !== undefined && { description }),
    ...(nullable && { nullable: true }),
    ...(format !== undefined && formats[type]?.includes(format) && { format }),
    ...(type === 'STRING' && choices(schema)),
    ...limits(schema),
    ...(type === 'ARRAY' && { items: convert(itemsOf(schema), walk) }),
    ...(type === 'OBJECT' && members(schema, walk)),
  }
}

/** Only strings may be enumerated, and never the empty one. */
function choices(schema: JsonObject): JsonObject {
  const values = 'const' in schema ? [schema['const']] : listOf(schema['enum'])
  const strings = values.filter((value) => stringOf(value) !== undefined)
  return {
    ...(strings.length > 0 && { enum: strings }),
    ...(typeof schema['pattern'] === 'string' && { pattern: schema['pattern'] }),
  }
}

function limits(schema: JsonObject): JsonObject {
  const names = [...numericLimits, ...countLimits.filter((name) => Number.isInteger(schema[name]))]
  return Object.fromEntries(
    names.flatMap((name) => (numberOf(schema[name]) === undefined ? [] : [[name, schema[name]]])),
  )
}

function itemsOf(schema: JsonObject): unknown {
  const tuple = [...listOf(schema['prefixItems']), ...listOf(schema['items'])]
  return tuple.length > 0 ? { anyOf: tuple } : schema['items']
}

function members(schema: JsonObject, walk: Walk): JsonObject {
  const declared = isObject(schema['properties']) ? Object.entries(schema['properties']) : []
  // An object type with an empty list of properties is refused.
  if (declared.length === 0) return {}
  const names = declared.map(([name]) => name)
  const given = schema['propertyOrdering']
  const ordering = Array.isArray(given) ? given : walk.ordered ? names : undefined
  const required = [...new Set(listOf(schema['required']))].filter((name) => names.some((known) => known === name))
  return {
    properties: Object.fromEntries(declared.map(([name, member]) => [name, convert(member, walk)])),
    ...(required.length > 0 && { required }),
    ...(ordering && { propertyOrdering: ordering }),
  }
}
