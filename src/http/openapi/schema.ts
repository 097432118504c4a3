import { type ZodType, z } from 'zod'
import { type JsonObject, isObject } from '../../wire/json.js'

/** What a field of some name means wherever it stands, and a value that it may have. */
export interface FieldNote {
  readonly description: string
  readonly example?: unknown
}

/** Notes by the names of fields. */
export type Glossary = Readonly<Record<string, FieldNote>>

// A registry of our own: zod's belongs to the host.
const names = z.registry<{ id?: string; examples?: unknown[] }>()

/** Gives a shape a name: it is described once, among the document's components, and referred to. */
export function namedShape<Shape extends ZodType>(id: string, shape: Shape): Shape {
  names.add(shape, { id })
  return shape
}

/** Says what a value of a shape may look like. */
export function shownAs<Shape extends ZodType>(example: unknown, shape: Shape): Shape {
  const shown = shape.clone() as Shape
  names.add(shown, { examples: [example] })
  return shown
}

/** Shapes that were met and have a name, as JSON Schema. */
export type SchemaComponents = Record<string, JsonObject>

/** Describes shapes as JSON Schema; what has a name, or contains itself, goes to `components`. */
export function toSchema(
  shape: ZodType,
  io: 'input' | 'output',
  { components, glossary }: { readonly components: SchemaComponents; readonly glossary: Glossary },
): JsonObject {
  const { $schema: _, ...written } = z.toJSONSchema(shape, { io, unrepresentable: 'any', metadata: names })
  const { $defs, ...schema } = rewrite(written, io, glossary) as JsonObject
  if (isObject($defs)) {
    for (const [name, definition] of Object.entries($defs)) if (isObject(definition)) components[name] = definition
  }
  const id = names.get(shape)?.id
  if (id === undefined || '$ref' in schema) return schema
  components[id] = schema
  return { $ref: `#/components/schemas/${id}` }
}

/** References into the document; notes beside fields; and answers open, as they may get further fields. */
function rewrite(value: unknown, io: 'input' | 'output', glossary: Glossary): unknown {
  if (Array.isArray(value)) return value.map((item) => rewrite(item, io, glossary))
  if (!isObject(value)) return value
  const schema: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    if (name === 'additionalProperties' && member === false && io === 'output') continue
    // What zod writes beside a format is the same at length.
    if (name === 'pattern' && 'format' in value) continue
    schema[name] =
      name === '$ref' && typeof member === 'string'
        ? member.replace('#/$defs/', '#/components/schemas/')
        : name === 'properties' && isObject(member)
          ? rewriteFields(member, io, glossary)
          : rewrite(member, io, glossary)
  }
  return schema
}

function rewriteFields(fields: JsonObject, io: 'input' | 'output', glossary: Glossary): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const schema = rewrite(field, io, glossary) as JsonObject
      const note = Object.hasOwn(glossary, name) ? glossary[name] : undefined
      return [name, note ? { description: note.description, ...schema } : schema]
    }),
  )
}
