import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import { CustomerInput, viewGroup } from '../../keys/management/index.js'
import { readBudgetStatus } from './budget-status.js'
import {
  type GroupSpec,
  blockRoutes,
  createRoute,
  deleteRoute,
  listRoute,
  pathsOf,
  recordId,
  toGroupAnswer,
  updateRoute,
} from './group-routes.js'
import { defineManaged } from './managed.js'
import type { AdminParts } from './parts.js'
import { groupStatusShape } from './shapes.js'

const spec: GroupSpec<'customer'> = {
  kind: 'customer',
  bases: ['/customer', '/end_user'],
  idField: 'user_id',
  isNamed: true,
  idsField: 'user_ids',
  example: { id: 'customer-7', fields: { alias: 'Bakery', max_budget: 20 }, change: { max_budget: 30 } },
  input: CustomerInput,
}

/** `/customer/*`, also `/end_user/*`: whom keys and hosts let calls count for. */
export function customerRoutes(parts: AdminParts): readonly Route[] {
  return [
    createRoute(parts, spec),
    updateRoute(parts, spec),
    deleteRoute(parts, spec),
    ...blockRoutes(parts, spec, 'user_ids'),
    defineManaged(parts, {
      method: 'GET',
      paths: pathsOf(spec, 'info'),
      access: 'caller',
      summary: 'Tells all of a customer, and what it has spent.',
      query: z.strictObject({ end_user_id: recordId }),
      response: groupStatusShape('customer', 'user_id'),
      errors: ['permission', 'not_found'],
      examples: { one: { summary: 'One customer', query: { end_user_id: 'customer-7' } } },
      handle: async (actor, { query: { end_user_id: id } }) => {
        const record = await viewGroup(actor, { kind: 'customer', id }, parts.callers)
        const status = await readBudgetStatus({ kind: 'customer', id }, record.data, parts)
        return jsonAnswer(200, { ...toGroupAnswer(spec, record), ...status })
      },
    }),
    listRoute(parts, spec),
  ]
}
