import { z } from 'zod'
import { type JsonObject, isObject } from '../../wire/json.js'
import type { Route } from '../route.js'
import { toFailureExamples } from './failures.js'
import { tagOf, toOperation, writePath } from './operation.js'
import { type Glossary, type SchemaComponents, toSchema } from './schema.js'

export type { Glossary } from './schema.js'

/** What a document says beside its operations. */
export interface DocumentNotes {
  readonly title: string
  readonly description: string
  readonly version: string
  /** What the first parts of paths stand for; of each a sentence. */
  readonly tags: Readonly<Record<string, string>>
  readonly glossary: Glossary
}

const ErrorAnswer = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
    upstream: z
      .object({
        provider: z.string(),
        status: z.number().nullable(),
        code: z.string().nullish(),
        type: z.string().nullish(),
        request_id: z.string().nullish(),
      })
      .optional(),
  }),
})

/** Describes a route table as OpenAPI 3.1, from the schemas that check the requests. */
export function toOpenApi(routes: readonly Route[], notes: DocumentNotes): JsonObject {
  const { title, description, version, glossary } = notes
  const components: SchemaComponents = {}
  components['Error'] = toSchema(ErrorAnswer, 'output', { components, glossary: errorGlossary })
  const paths: Record<string, JsonObject> = {}
  for (const route of routes) {
    for (const path of route.paths) {
      const name = writePath(path)
      const operation = toOperation(route, path, { components, glossary })
      paths[name] = { ...paths[name], [route.method.toLowerCase()]: operation }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'MIT', identifier: 'MIT' } },
    // Relative to this document, so it is right under any mount path.
    servers: [{ url: '.' }],
    tags: toTags(routes, notes),
    paths,
    components: {
      schemas: components,
      examples: toFailureExamples(routes),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A virtual key, the master key, or what the host asks for.',
        },
      },
    },
  }
}

/** One document of two, for a server that answers both; what both describe is the first one's. */
export function mergeDocuments(first: JsonObject, second: JsonObject, serverUrl: string): JsonObject {
  const merged = mergeMembers(second, first, mergedDepth)
  const tags = [first, second].flatMap(({ tags: own }) => (Array.isArray(own) ? own.filter(isObject) : []))
  const isFirst = (tag: JsonObject, at: number): boolean => tags.findIndex(({ name }) => name === tag['name']) === at
  return { ...merged, info: first['info'], servers: [{ url: serverUrl }], tags: tags.filter(isFirst) }
}

// Down to the methods of a path, and the components of a kind.
const mergedDepth = 3

function mergeMembers(under: JsonObject, over: JsonObject, depth: number): JsonObject {
  const merged: Record<string, unknown> = { ...under }
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name]
    merged[name] = depth > 1 && isObject(below) && isObject(value) ? mergeMembers(below, value, depth - 1) : value
  }
  return merged
}

function toTags(routes: readonly Route[], { tags }: DocumentNotes): readonly JsonObject[] {
  const names = new Set(routes.flatMap(({ paths }) => paths.map(tagOf)))
  return [...names].map((name) => ({ name, description: tags[name] ?? name }))
}

const errorGlossary: Glossary = {
  message: { description: 'What is wrong, in words; never a stack, a URL or a credential.' },
  type: { description: 'The class of the failure, such as `invalid_request_error`.' },
  param: { description: 'The field that is wrong.' },
  code: { description: 'What a program tells failures apart by, such as `budget_exceeded`.' },
  upstream: { description: 'What the provider said, where it was one that failed.' },
}
