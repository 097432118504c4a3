import type { Json } from '../api.js'
import { type ApiDocument, listOf, objectOf, textOf } from './document.js'

const openDepth = 1
const deepest = 8

/** A schema as a tree; what lies deep is folded, and drawn when it is opened. */
export function Schema(props: { readonly schema: Json; readonly document: ApiDocument; readonly depth?: number }) {
  const { document, depth = 0 } = props
  const schema = withoutNull(props.schema, document)
  const properties = Object.entries(objectOf(schema['properties']))
  const choices = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  const items = schema['items'] === undefined ? undefined : objectOf(schema['items'])
  if (depth > deepest) return <span class="muted">…</span>
  if (properties.length > 0) {
    const required = Array.isArray(schema['required']) ? schema['required'] : []
    return (
      <ul class="schema">
        {properties.map(([name, member]) => (
          <Member
            key={name}
            name={name}
            schema={objectOf(member)}
            isRequired={required.includes(name)}
            document={document}
            depth={depth}
          />
        ))}
      </ul>
    )
  }
  if (choices.length > 0) {
    return (
      <ul class="schema">
        {choices.map((choice, at) => (
          <Member
            key={at}
            name={`choice ${at + 1}`}
            schema={choice}
            isRequired={false}
            document={document}
            depth={depth}
          />
        ))}
      </ul>
    )
  }
  return items ? (
    <Schema schema={items} document={document} depth={depth + 1} />
  ) : (
    <code>{typeOf(schema, document)}</code>
  )
}

function Member(props: {
  readonly name: string
  readonly schema: Json
  readonly isRequired: boolean
  readonly document: ApiDocument
  readonly depth: number
}) {
  const { name, isRequired, document, depth } = props
  const schema = document.resolve(props.schema)
  const head = (
    <>
      <code class="name">{name}</code> <span class="muted">{typeOf(schema, document)}</span>
      {isRequired && <span class="required"> required</span>}
    </>
  )
  const description = textOf(schema['description'])
  const isOpen = depth < openDepth && !isLong(withoutNull(schema, document))
  if (!hasMembers(schema, document)) {
    return (
      <li>
        {head}
        {description && <small class="hint">{description}</small>}
      </li>
    )
  }
  return (
    <li>
      <details open={isOpen}>
        <summary>{head}</summary>
        {description && <small class="hint">{description}</small>}
        <Schema schema={schema} document={document} depth={depth + 1} />
      </details>
    </li>
  )
}

/** What a member is that may also be null: the type beside its name says that already. */
function withoutNull(given: Json, document: ApiDocument): Json {
  const schema = document.resolve(given)
  const choices = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  const others = choices.filter((choice) => document.resolve(choice)['type'] !== 'null')
  const [only, another] = others
  return only && !another ? withoutNull(only, document) : schema
}

function isLong(schema: Json): boolean {
  return listOf(schema['anyOf']).length + listOf(schema['oneOf']).length > 2
}

function hasMembers(schema: Json, document: ApiDocument): boolean {
  if (schema['properties'] !== undefined) return Object.keys(objectOf(schema['properties'])).length > 0
  const choices = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])].map((choice) => document.resolve(choice))
  if (choices.length > 0) return choices.some((choice) => hasMembers(choice, document))
  return schema['items'] !== undefined && hasMembers(document.resolve(objectOf(schema['items'])), document)
}

/** A type in words: `string`, `"auto" or "none"`, `list of number`. */
export function typeOf(given: Json, document: ApiDocument): string {
  const schema = document.resolve(given)
  if (schema['const'] !== undefined) return JSON.stringify(schema['const'])
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' or ')
  const choices = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  if (choices.length > 0)
    return [...new Set(choices.map((choice) => typeOf(choice, document)))].slice(0, 4).join(' or ')
  if (schema['items'] !== undefined) return `list of ${typeOf(objectOf(schema['items']), document)}`
  const type = schema['type']
  return Array.isArray(type) ? type.join(' or ') : textOf(type) || 'anything'
}
