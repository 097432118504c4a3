import { type JsonObject, isObject } from '../../wire/json.js'
import type { Route, RouteExample } from '../route.js'
import { type Glossary, type SchemaComponents, toSchema } from './schema.js'

interface Parts {
  readonly components: SchemaComponents
  readonly glossary: Glossary
}

/** The names between braces in a path. */
export function namesIn(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\+?\}/g)].flatMap((match) => match[1] ?? [])
}

/** What a request may say in its path, query and headers; each with an example where there is one. */
export function toParameters(route: Route, path: string, parts: Parts): JsonObject {
  const schema = route.query ? toSchema(route.query, 'input', parts) : {}
  const { properties = {}, required = [] } = schema
  const inPath = namesIn(path).map((name) => {
    const note = parts.glossary[name]
    const slashes = path.includes(`{${name}+}`) ? ' Slashes may stay as they are, or be encoded.' : ''
    return {
      name,
      in: 'path',
      required: true,
      description: `${note?.description ?? ''}${slashes}`.trim(),
      schema: { type: 'string' },
      ...toExamples(route, ({ params, body }) => params?.[name] ?? body?.[name]),
    }
  })
  const inQuery = Object.entries(isObject(properties) ? properties : {}).map(([name, given]) => {
    const { description, ...field } = isObject(given) ? given : {}
    return {
      name,
      in: 'query',
      ...(description !== undefined && { description }),
      ...(Array.isArray(required) && required.includes(name) && { required: true }),
      schema: field,
      ...toExamples(route, ({ query }) => query?.[name]),
    }
  })
  const inHeaders = Object.entries({ ...everyRequest, ...route.requestHeaders }).map(([name, description]) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  }))
  return { parameters: [...inPath, ...inQuery, ...inHeaders] }
}

/** What the examples of a route say at one place, by their names. */
function toExamples({ examples = {} }: Route, read: (example: RouteExample) => unknown): JsonObject {
  const values = Object.entries(examples).map(([name, example]) => [name, { value: read(example) }] as const)
  const given = values.filter(([, { value }]) => value !== undefined)
  return given.length === 0 ? {} : { examples: Object.fromEntries(given) }
}

const everyRequest = { 'x-request-id': 'An id of your own for the request; the answer bears it.' }

/** Headers of an answer by name, with what they say. */
export function toHeaders(headers: Readonly<Record<string, string>>): JsonObject {
  const entries = Object.entries(headers)
  if (entries.length === 0) return {}
  return {
    headers: Object.fromEntries(
      entries.map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
    ),
  }
}
