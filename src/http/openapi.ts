import { type ZodType, z } from 'zod'
import type { JsonObject } from '../wire/json.js'
import type { Route } from './route.js'

const errorSchema = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string().nullable() }),
})

/** Describes a route table as OpenAPI 3.1, from the schemas that check the requests. */
export function toOpenApi(routes: readonly Route[]): JsonObject {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    for (const path of route.paths) {
      const name = path.replaceAll('+}', '}')
      const operation = toOperation(route, path)
      paths[name] = { ...paths[name], [route.method.toLowerCase()]: operation }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sluice', version: '1', description: 'One OpenAI-compatible API over every provider.' },
    // Relative to this document, so it is right under any mount path.
    servers: [{ url: '.' }],
    paths,
    components: {
      schemas: { Error: toSchema(errorSchema, 'output') },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  }
}

function toOperation(route: Route, path: string): JsonObject {
  const names = [...path.matchAll(/\{(\w+)\+?\}/g)].flatMap((match) => match[1] ?? [])
  return {
    summary: route.summary,
    operationId: `${route.method.toLowerCase()}${path.replace(/[^a-z0-9]+/gi, '_')}`.replace(/_$/, ''),
    ...(route.access !== 'public' && { security: [{ bearer: [] }] }),
    ...toParameters(names, route.query),
    ...(route.body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: toSchema(route.body, 'input', names) } },
      },
    }),
    responses: {
      200: {
        description: 'The answer.',
        content: {
          'application/json': { schema: route.response ? toSchema(route.response, 'output') : {} },
          ...(route.stream && { 'text/event-stream': { schema: toSchema(route.stream, 'output') } }),
        },
      },
      ...(route.access !== 'public' && { default: errorResponse }),
    },
  }
}

function toParameters(names: readonly string[], query: ZodType | undefined): JsonObject {
  const inPath = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const { properties = {}, required } = query ? toSchema(query, 'input') : {}
  const needed = Array.isArray(required) ? required : []
  const inQuery = Object.entries(properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    ...(needed.includes(name) && { required: true }),
    schema,
  }))
  const parameters = [...inPath, ...inQuery]
  return parameters.length === 0 ? {} : { parameters }
}

const errorResponse = {
  description: "A failure, in OpenAI's shape.",
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
}

function toSchema(schema: ZodType, io: 'input' | 'output', givenByPath: readonly string[] = []): JsonObject {
  const { $schema: _, required, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  const stillRequired = required?.filter((name) => !givenByPath.includes(name))
  return { ...rest, ...(stillRequired?.length && { required: stillRequired }) }
}
