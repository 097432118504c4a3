import { GatewayError, failureRules } from '../../errors.js'
import type { JsonObject } from '../../wire/json.js'
import type { Route } from '../route.js'
import { type DocumentedFailure, type FailureNote, failureNotes } from './failure-notes.js'
import { toHeaders } from './parameters.js'

/** The answers of a route that are failures, by status, in OpenAI's shape; `default` is any other. */
export function toFailures(route: Route): JsonObject {
  const byStatus = new Map<number, readonly DocumentedFailure[]>()
  for (const kind of new Set(kindsOf(route))) {
    const { status } = failureRules[kind]
    byStatus.set(status, [...(byStatus.get(status) ?? []), kind])
  }
  const responses = [...byStatus].map(([status, kinds]) => [status, toResponse(kinds)] as const)
  return {
    ...Object.fromEntries(responses),
    default: { description: 'Any other failure.', content: { 'application/json': { schema: errorSchema } } },
  }
}

/** What the failures of some routes look like, as components of the document. */
export function toFailureExamples(routes: readonly Route[]): JsonObject {
  const kinds = new Set(routes.flatMap(kindsOf))
  return Object.fromEntries([...kinds].map((kind) => [kind, toExample(failureNotes[kind], kind)]))
}

const errorSchema = { $ref: '#/components/schemas/Error' }

function toResponse(kinds: readonly DocumentedFailure[]): JsonObject {
  const notes: readonly FailureNote[] = kinds.map((kind) => failureNotes[kind])
  const headers: Record<string, string> = Object.assign({}, ...notes.map((note) => note.headers))
  return {
    description: notes.map(({ when }) => when).join(' '),
    ...toHeaders(headers),
    content: {
      'application/json': {
        schema: errorSchema,
        examples: Object.fromEntries(kinds.map((kind) => [kind, { $ref: `#/components/examples/${kind}` }])),
      },
    },
  }
}

function toExample(note: FailureNote, kind: DocumentedFailure): JsonObject {
  const error = new GatewayError(kind, note.message, { param: note.param ?? null })
  return { summary: note.when, value: error.toBody() }
}

function kindsOf({ access, body, query, errors = [] }: Route): readonly DocumentedFailure[] {
  return [
    ...(access === 'public' ? (['method_not_allowed'] as const) : (['authentication'] as const)),
    ...(access === 'admin' ? (['permission'] as const) : []),
    ...(body || query ? (['invalid_request'] as const) : []),
    ...(body ? (['payload_too_large', 'unsupported_media_type'] as const) : []),
    ...errors,
  ]
}
