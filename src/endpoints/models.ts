import type { CallParts } from '../call/context.js'
import { GatewayError } from '../errors.js'
import { jsonAnswer } from '../http/answer.js'
import { type Route, defineRoute } from '../http/route.js'
import { Model, ModelList } from '../wire/models.js'

/** `GET /v1/models` and `GET /v1/models/{id}`: the names that the caller may use. */
export function models(parts: CallParts): readonly Route[] {
  const created = Math.floor(parts.clock.now() / 1_000)
  const toModel = (id: string): Model => ({ id, object: 'model', created, owned_by: 'sluice' })
  return [
    defineRoute({
      method: 'GET',
      paths: ['/v1/models', '/models'],
      access: 'caller',
      summary: 'Lists the models that the caller may use.',
      examples: { all: { summary: 'All of them' } },
      response: ModelList,
      handle: ({ caller }) =>
        jsonAnswer(200, { object: 'list', data: parts.directory.groups.list(caller).map(toModel) }),
    }),
    defineRoute({
      method: 'GET',
      // Names hold slashes, which some clients encode and others do not.
      paths: ['/v1/models/{id+}', '/models/{id+}'],
      access: 'caller',
      summary: 'Describes one model that the caller may use.',
      errors: ['model_not_allowed', 'model_not_found'],
      examples: { one: { summary: 'One of them', params: { id: 'demo' } } },
      response: Model,
      handle: ({ caller, params }) => {
        const id = params['id']
        if (id === undefined) throw new GatewayError('not_found', 'No model is named.')
        parts.directory.groups.resolve(id, caller)
        return jsonAnswer(200, toModel(id))
      },
    }),
  ]
}
