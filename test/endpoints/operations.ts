import { type JsonObject, isObject } from '../../src/wire/json.js'

/** One operation of an OpenAPI document, as its test reads it. */
export interface Operation {
  readonly name: string
  readonly method: string
  readonly path: string
  /** What it is another path for; itself otherwise. */
  readonly main: string
  readonly isPublic: boolean
  readonly hasBody: boolean
  /** Of the path and query. */
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly examples?: JsonObject }[]
  readonly request: JsonObject
  readonly responses: Readonly<Record<string, JsonObject>>
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {})

/** All operations of a document. */
export function operationsOf(document: JsonObject): readonly Operation[] {
  return Object.entries(objectOf(document['paths'])).flatMap(([path, item]) =>
    Object.entries(objectOf(item)).map(([method, given]) => toOperation(path, method.toUpperCase(), objectOf(given))),
  )
}

function toOperation(path: string, method: string, operation: JsonObject): Operation {
  const name = `${method} ${path}`
  const [, main = name] = /^The same as `([^`]+)`\.$/m.exec(String(operation['description'])) ?? []
  const { parameters, security } = operation
  return {
    name,
    method,
    path,
    main,
    isPublic: Array.isArray(security) && security.length === 0,
    hasBody: 'requestBody' in operation,
    parameters: (Array.isArray(parameters) ? parameters : []) as Operation['parameters'],
    request: contentOf(operation['requestBody'], 'application/json'),
    responses: objectOf(operation['responses']) as Operation['responses'],
  }
}

/** A request of an operation, as its document shows it. */
export interface RequestExample {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: JsonObject | undefined
}

/** The examples of an operation by name. */
export function requestsOf(operation: Operation): ReadonlyMap<string, RequestExample> {
  const { parameters, request, responses } = operation
  const names = ['application/json', 'text/event-stream'].flatMap((type) =>
    Object.keys(examplesOf(contentOf(responses[200], type))),
  )
  const bodies = examplesOf(request)
  return new Map(
    names.map((name) => {
      const at = (place: string): Record<string, string> =>
        Object.fromEntries(
          parameters
            .filter((parameter) => parameter.in === place)
            .flatMap((parameter) => {
              const value = examplesOf(parameter)[name]
              return typeof value === 'string' ? [[parameter.name, value] as const] : []
            }),
        )
      const body = bodies[name]
      return [name, { params: at('path'), query: at('query'), body: isObject(body) ? body : undefined }]
    }),
  )
}

/** The target of a request: the path with its parameters, and the query. */
export function targetOf({ path }: Operation, { params, query }: RequestExample): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const search = new URLSearchParams(query).toString()
  return search === '' ? filled : `${filled}?${search}`
}

/** A body's description by media type. */
export function contentOf(described: unknown, type: string): JsonObject {
  return objectOf(objectOf(objectOf(described)['content'])[type])
}

/** Values of examples by name. */
export function examplesOf(content: JsonObject): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(objectOf(content['examples'])).map(([name, example]) => [name, objectOf(example)['value']]),
  )
}
