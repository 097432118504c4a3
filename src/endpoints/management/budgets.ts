import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import { shownAs } from '../../http/openapi/schema.js'
import type { Route } from '../../http/route.js'
import { BudgetInput, deleteGroup, viewGroup } from '../../keys/management/index.js'
import { type GroupSpec, createRoute, listOf, listRoute, recordId, toGroupAnswer, updateRoute } from './group-routes.js'
import { defineManaged } from './managed.js'
import type { AdminParts } from './parts.js'
import { groupShape } from './shapes.js'

const spec: GroupSpec<'budget'> = {
  kind: 'budget',
  bases: ['/budget'],
  idField: 'budget_id',
  idsField: 'budgets',
  example: { id: 'small', fields: { max_budget: 10, budget_duration: '1d' }, change: { max_budget: 15 } },
  input: BudgetInput,
}

/** `/budget/*`: tiers of limits that other records name. */
export function budgetRoutes(parts: AdminParts): readonly Route[] {
  return [
    createRoute(parts, spec),
    updateRoute(parts, spec),
    defineManaged(parts, {
      method: 'POST',
      paths: ['/budget/info'],
      access: 'caller',
      summary: 'Tells all of the budgets that are named.',
      body: listOf('budgets'),
      response: z.array(groupShape('budget', 'budget_id')),
      errors: ['permission', 'not_found'],
      examples: { one: { summary: 'One budget', body: { budgets: ['small'] } } },
      handle: async (actor, { body }) => {
        const ids = body['budgets'] ?? []
        const found = await Promise.all(ids.map((id) => viewGroup(actor, { kind: 'budget', id }, parts.callers)))
        return jsonAnswer(
          200,
          found.map((record) => toGroupAnswer(spec, record)),
        )
      },
    }),
    listRoute(parts, spec),
    defineManaged(parts, {
      method: 'POST',
      paths: ['/budget/delete'],
      access: 'caller',
      summary: 'Deletes a budget; keys that name it open nothing until they name another, or none.',
      body: z.strictObject({ id: recordId }),
      response: z.object({ deleted_budgets: z.array(shownAs('small', z.string())) }),
      errors: ['permission', 'not_found'],
      examples: { one: { summary: 'One budget', body: { id: 'small' } } },
      handle: async (actor, { body: { id } }) => {
        await deleteGroup(actor, { kind: 'budget', id }, parts.callers)
        return jsonAnswer(200, { deleted_budgets: [id] })
      },
    }),
  ]
}
