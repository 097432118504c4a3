import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import { shownAs } from '../../http/openapi/schema.js'
import type { Route } from '../../http/route.js'
import { TagInput, deleteGroup, viewGroup } from '../../keys/management/index.js'
import { readBudgetStatus } from './budget-status.js'
import { type GroupSpec, createRoute, listOf, listRoute, recordId, toGroupAnswer, updateRoute } from './group-routes.js'
import { defineManaged } from './managed.js'
import type { AdminParts } from './parts.js'
import { groupStatusShape } from './shapes.js'

const spec: GroupSpec<'tag'> = {
  kind: 'tag',
  bases: ['/tag'],
  idField: 'name',
  isNamed: true,
  idsField: 'names',
  example: { id: 'production', fields: { description: 'Live traffic', max_budget: 300 }, change: { max_budget: 400 } },
  input: TagInput,
}

/** `/tag/*`: limits of everything that carries a tag. */
export function tagRoutes(parts: AdminParts): readonly Route[] {
  return [
    createRoute(parts, spec),
    updateRoute(parts, spec),
    defineManaged(parts, {
      method: 'POST',
      paths: ['/tag/info'],
      access: 'caller',
      summary: 'Tells all of the tags that are named, and what each has spent; by name.',
      body: listOf('names', 100),
      response: z.record(z.string(), groupStatusShape('tag', 'name')),
      errors: ['permission', 'not_found'],
      examples: { one: { summary: 'One tag', body: { names: ['production'] } } },
      handle: async (actor, { body }) => {
        const entries = (body['names'] ?? []).map(async (id) => {
          const record = await viewGroup(actor, { kind: 'tag', id }, parts.callers)
          const status = await readBudgetStatus({ kind: 'tag', id }, record.data, parts)
          return [id, { ...toGroupAnswer(spec, record), ...status }] as const
        })
        return jsonAnswer(200, Object.fromEntries(await Promise.all(entries)))
      },
    }),
    listRoute(parts, spec),
    defineManaged(parts, {
      method: 'POST',
      paths: ['/tag/delete'],
      access: 'caller',
      summary: 'Deletes a tag and its limits.',
      body: z.strictObject({ name: recordId }),
      response: z.object({ deleted_tags: z.array(shownAs('production', z.string())) }),
      errors: ['permission', 'not_found'],
      examples: { one: { summary: 'One tag', body: { name: 'production' } } },
      handle: async (actor, { body: { name } }) => {
        await deleteGroup(actor, { kind: 'tag', id: name }, parts.callers)
        return jsonAnswer(200, { deleted_tags: [name] })
      },
    }),
  ]
}
