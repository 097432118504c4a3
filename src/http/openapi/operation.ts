import type { JsonObject } from '../../wire/json.js'
import type { Route, RouteExample } from '../route.js'
import { toExample } from './example.js'
import { toFailures } from './failures.js'
import { namesIn, toHeaders, toParameters } from './parameters.js'
import { type Glossary, type SchemaComponents, toSchema } from './schema.js'

/** What operations share. */
export interface OperationParts {
  readonly components: SchemaComponents
  readonly glossary: Glossary
}

/** One method of one path. */
export function toOperation(route: Route, path: string, parts: OperationParts): JsonObject {
  const { summary, description, method, paths, access } = route
  const [main = path] = paths
  const also = path === main ? [] : [`The same as \`${method} ${writePath(main)}\`.`]
  return {
    tags: [tagOf(path)],
    summary,
    description: [summary, ...(description === undefined ? [] : [description]), ...also].join('\n\n'),
    operationId: `${method.toLowerCase()}${path.replace(/[^a-z0-9]+/gi, '_')}`.replace(/_$/, ''),
    security: access === 'public' ? [] : [{ bearer: [] }],
    ...toParameters(route, path, parts),
    ...toRequestBody(route, path, parts),
    responses: { 200: toAnswer(route, parts), ...toFailures(route) },
  }
}

/** The path as OpenAPI writes it. */
export function writePath(path: string): string {
  return path.replaceAll('+}', '}')
}

/** `/v1/chat/completions` belongs to chat, `/key/list` to key; a path that names a model, to what follows that. */
export function tagOf(path: string): string {
  const [first = '', second = ''] = path
    .replace(/^.*\+\}\//, '')
    .split('/')
    .filter((part) => part !== '')
  return (/^v\d+$/.test(first) && second !== '' ? second : first).replace('.json', '')
}

function toRequestBody(route: Route, path: string, parts: OperationParts): JsonObject {
  if (!route.body) return {}
  const names = namesIn(path)
  const { required, ...schema } = toSchema(route.body, 'input', parts)
  const needed = Array.isArray(required) ? required.filter((name) => !names.includes(name)) : []
  const examples = mapExamples(route, ({ summary, body = {} }) => ({
    summary,
    value: Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name))),
  }))
  return {
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: { ...schema, ...(needed.length > 0 && { required: needed }) }, ...examples },
      },
    },
  }
}

function toAnswer(route: Route, parts: OperationParts): JsonObject {
  const { response, stream, answerHeaders } = route
  const schema = response ? toSchema(response, 'output', parts) : {}
  const whole = mapExamples(route, ({ summary, answer, events }) =>
    events === undefined ? { summary, value: answer === undefined ? toExample(schema, parts) : answer } : undefined,
  )
  return {
    description: 'What was asked for.',
    ...toHeaders({ 'x-request-id': 'The id of the request, to find it again in logs.', ...answerHeaders }),
    content: {
      'application/json': { schema, ...whole },
      ...(stream && {
        'text/event-stream': {
          schema: { type: 'string', description: 'Each event is a JSON object; the last one is `[DONE]`.' },
          ...mapExamples(route, ({ summary, events }) => events && { summary, value: events }),
        },
      }),
    },
  }
}

function mapExamples(
  { examples = {} }: Route,
  write: (example: RouteExample) => JsonObject | '' | undefined,
): JsonObject {
  const written = Object.entries(examples).flatMap(([name, example]) => {
    const shown = write(example)
    return shown ? [[name, shown] as const] : []
  })
  return written.length === 0 ? {} : { examples: Object.fromEntries(written) }
}
