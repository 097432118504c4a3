import { type Json, isJson } from '../api.js'

/** One operation of the description. */
export interface ApiOperation {
  readonly id: string
  readonly method: string
  readonly path: string
  /** What it belongs to; '' where that is not told. */
  readonly tag: string
  readonly summary: string
  /** What it says beyond the summary, by paragraphs. */
  readonly description: readonly string[]
  readonly needsKey: boolean
  readonly parameters: readonly Parameter[]
  /** Schema of the JSON body. */
  readonly body: Json | undefined
  /** Requests that work, the main one first. */
  readonly examples: readonly RequestExample[]
  readonly responses: readonly {
    readonly status: string
    readonly description: string
    readonly contents: readonly Content[]
  }[]
}

/** A request as the description shows it. */
export interface RequestExample {
  readonly summary: string
  /** Of the parameters, by name. */
  readonly values: Readonly<Record<string, string>>
  readonly body: unknown
}

/** One parameter of a path, a query or the headers. */
export interface Parameter {
  readonly name: string
  readonly description: string
  readonly in: string
  readonly required: boolean
  readonly schema: Json
}

interface Content {
  readonly type: string
  /** Values of this type, as text, by what they show. */
  readonly examples: readonly (readonly [summary: string, text: string])[]
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
      .map((method) => toOperation({ path, method, operation: objectOf(objectOf(item)[method]) }, document)),
  )
  const groups = new Map<string, ApiOperation[]>()
  for (const operation of operations) {
    const name = operation.tag || groupOf(operation.path)
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

interface FoundOperation {
  readonly path: string
  readonly method: string
  readonly operation: Json
}

function toOperation({ path, method, operation }: FoundOperation, document: Json): ApiOperation {
  const body = objectOf(objectOf(operation['requestBody'])['content'])['application/json']
  const summary = textOf(operation['summary'])
  return {
    id: `${method}-${path.replace(/\W+/g, '-')}`,
    method: method.toUpperCase(),
    path,
    tag: Array.isArray(operation['tags']) ? textOf(operation['tags'][0]) : '',
    summary,
    description: textOf(operation['description'])
      .split('\n\n')
      .filter((paragraph) => paragraph !== '' && paragraph !== summary),
    needsKey: Array.isArray(operation['security']) && operation['security'].length > 0,
    parameters: listOf(operation['parameters']).map(toParameter),
    body: isJson(body) ? objectOf(body['schema']) : undefined,
    examples: toExamples(operation, objectOf(body)),
    responses: Object.entries(objectOf(operation['responses'])).map(([status, response]) => ({
      status,
      description: textOf(objectOf(response)['description']),
      contents: Object.entries(objectOf(objectOf(response)['content'])).map(([type, content]) => ({
        type,
        schema: objectOf(objectOf(content)['schema']),
        examples: Object.values(objectOf(objectOf(content)['examples'])).map((example) =>
          toShown(resolve(objectOf(example), document)),
        ),
      })),
    })),
  }
}

function toParameter(parameter: Json): Parameter {
  return {
    name: textOf(parameter['name']),
    description: textOf(parameter['description']),
    in: textOf(parameter['in']),
    required: parameter['required'] === true,
    schema: objectOf(parameter['schema']),
  }
}

function toShown(example: Json): readonly [summary: string, text: string] {
  const { value } = example
  return [textOf(example['summary']), typeof value === 'string' ? value : JSON.stringify(value, null, 2)]
}

/** One of each name that the answer, the body or a parameter has examples by. */
function toExamples(operation: Json, body: Json): readonly RequestExample[] {
  const contents = Object.values(objectOf(objectOf(objectOf(operation['responses'])['200'])['content'])).map(objectOf)
  const named = new Map(contents.flatMap((content) => Object.entries(objectOf(content['examples']))))
  const valueOf = (place: Json, name: string): unknown => objectOf(objectOf(place['examples'])[name])['value']
  return [...named].map(([name, shown]) => ({
    summary: textOf(objectOf(shown)['summary']),
    values: Object.fromEntries(
      listOf(operation['parameters']).map((parameter) => [textOf(parameter['name']), textOf(valueOf(parameter, name))]),
    ),
    body: valueOf(body, name),
  }))
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
