import { type Json, isJson } from '../api.js'

/** One operation of the description. */
export interface ApiOperation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly needsKey: boolean
  readonly parameters: readonly Parameter[]
  /** Schema of the JSON body. */
  readonly body: Json | undefined
  readonly responses: readonly {
    readonly status: string
    readonly description: string
    readonly contents: readonly Content[]
  }[]
}

/** One parameter of a path or a query. */
export interface Parameter {
  readonly name: string
  readonly in: string
  readonly required: boolean
  readonly schema: Json
}

interface Content {
  readonly type: string
  readonly schema: Json
}

/** The description as the page shows it. */
export interface ApiDocument {
  readonly title: string
  readonly version: string
  readonly description: string
  /** Where the paths begin, absolute, without a slash at its end. */
  readonly base: string
  /** Operations by the first part of their paths, in the order of the description. */
  readonly groups: readonly { readonly name: string; readonly operations: readonly ApiOperation[] }[]
  /** The schema that a `$ref` names; empty for one that is not there. */
  resolve(schema: Json): Json
}

const methods = ['get', 'post', 'put', 'patch', 'delete']

/** Reads an OpenAPI document; `url` is where it came from. */
export function toDocument(document: Json, url: URL): ApiDocument {
  const info = objectOf(document['info'])
  const [server] = listOf(document['servers'])
  const operations = Object.entries(objectOf(document['paths'])).flatMap(([path, item]) =>
    methods
      .filter((method) => isJson(objectOf(item)[method]))
      .map((method) => toOperation(path, method, objectOf(objectOf(item)[method]))),
  )
  const groups = new Map<string, ApiOperation[]>()
  for (const operation of operations) {
    const name = groupOf(operation.path)
    groups.set(name, [...(groups.get(name) ?? []), operation])
  }
  return {
    title: textOf(info['title']),
    version: textOf(info['version']),
    description: textOf(info['description']),
    base: new URL(textOf(server?.['url']) || '.', url).href.replace(/\/$/, ''),
    groups: [...groups].map(([name, list]) => ({ name, operations: list })),
    resolve: (schema) => resolve(schema, document),
  }
}

/** `/v1/chat/completions` belongs to chat, `/key/list` to key. */
function groupOf(path: string): string {
  const [first = '', second = ''] = path.split('/').filter((part) => part !== '')
  return /^v\d+$/.test(first) && second !== '' ? second : first
}

function toOperation(path: string, method: string, operation: Json): ApiOperation {
  const body = objectOf(objectOf(operation['requestBody'])['content'])['application/json']
  return {
    id: `${method}-${path.replace(/\W+/g, '-')}`,
    method: method.toUpperCase(),
    path,
    summary: textOf(operation['summary']),
    needsKey: Array.isArray(operation['security']) && operation['security'].length > 0,
    parameters: listOf(operation['parameters']).map(toParameter),
    body: isJson(body) ? objectOf(body['schema']) : undefined,
    responses: Object.entries(objectOf(operation['responses'])).map(([status, response]) => ({
      status,
      description: textOf(objectOf(response)['description']),
      contents: Object.entries(objectOf(objectOf(response)['content'])).map(([type, content]) => ({
        type,
        schema: objectOf(objectOf(content)['schema']),
      })),
    })),
  }
}

function toParameter(parameter: Json): Parameter {
  return {
    name: textOf(parameter['name']),
    in: textOf(parameter['in']),
    required: parameter['required'] === true,
    schema: objectOf(parameter['schema']),
  }
}

function resolve(schema: Json, document: Json): Json {
  const reference = schema['$ref']
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return schema
  let found: Json = document
  for (const part of reference.slice(2).split('/'))
    found = objectOf(found[part.replaceAll('~1', '/').replaceAll('~0', '~')])
  return found
}

/** The value if it is an object, else an empty one. */
export function objectOf(value: unknown): Json {
  return isJson(value) ? value : {}
}

/** The objects of a list. */
export function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isJson) : []
}

/** The value if it is text, else none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
