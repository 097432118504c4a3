import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import { OrganizationInput, findMembers, viewGroup } from '../../keys/management/index.js'
import { toAnswer } from './answers.js'
import { readBudgetStatus } from './budget-status.js'
import { findGroups } from './find-groups.js'
import {
  type GroupSpec,
  createRoute,
  deleteRoute,
  listRoute,
  recordId,
  toGroupAnswer,
  updateRoute,
} from './group-routes.js'
import { defineManaged, withMethods } from './managed.js'
import { memberRoutes } from './members.js'
import type { AdminParts } from './parts.js'
import { MemberAnswer, groupShape, groupStatusShape } from './shapes.js'

const spec: GroupSpec<'organization'> = {
  kind: 'organization',
  bases: ['/organization'],
  idField: 'organization_id',
  idsField: 'organization_ids',
  example: { id: 'acme', fields: { max_budget: 1_000, budget_duration: '1mo' }, change: { max_budget: 2_000 } },
  input: OrganizationInput,
}

// Of members and teams; all of them are in `/organization/members` and `/team/list`, by pages.
const mostShown = 1_000

const OrganizationInfoAnswer = groupStatusShape('organization', 'organization_id').extend({
  members: z.array(MemberAnswer),
  teams: z.array(groupShape('team', 'team_id')),
})

/** `/organization/*`: organizations and their members. */
export function organizationRoutes(parts: AdminParts): readonly Route[] {
  return [
    createRoute(parts, spec),
    ...withMethods(['PATCH', 'POST'], updateRoute(parts, spec)),
    ...withMethods(['DELETE', 'POST'], deleteRoute(parts, spec)),
    defineManaged(parts, {
      method: 'GET',
      paths: ['/organization/info'],
      access: 'caller',
      summary: 'Tells all of an organization: its fields, what it has spent, its members and teams.',
      query: z.strictObject({ organization_id: recordId }),
      response: OrganizationInfoAnswer,
      errors: ['permission', 'not_found'],
      examples: { one: { summary: 'One organization', query: { organization_id: 'acme' } } },
      handle: async (actor, { query: { organization_id: id } }) => {
        const record = await viewGroup(actor, { kind: 'organization', id }, parts.callers)
        const [status, members, teams] = await Promise.all([
          readBudgetStatus({ kind: 'organization', id }, record.data, parts),
          findMembers(actor, { group: { organization: id }, limit: mostShown }, parts.callers),
          findGroups(actor, 'team', { index: { organization: id }, limit: mostShown }, parts),
        ])
        const places = members.records.map((member) => toAnswer('member', member))
        return jsonAnswer(200, {
          ...toGroupAnswer(spec, record),
          ...status,
          members: places,
          teams: teams.records.map((team) => ({ team_id: team.id, ...toAnswer('team', team) })),
        })
      },
    }),
    listRoute(parts, spec),
    ...memberRoutes(parts, {
      base: '/organization',
      idField: 'organization_id',
      toGroup: (organization) => ({ organization }),
      example: 'acme',
      methods: ['PATCH', 'POST'],
    }),
  ]
}
