import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import { TeamInput, findKeys, findMembers, viewGroup } from '../../keys/management/index.js'
import { toAnswer, toKeyAnswer } from './answers.js'
import { readBudgetStatus } from './budget-status.js'
import { findGroups } from './find-groups.js'
import {
  type GroupSpec,
  blockRoutes,
  createRoute,
  deleteRoute,
  recordId,
  toGroupAnswer,
  updateRoute,
} from './group-routes.js'
import { defineManaged } from './managed.js'
import { memberRoutes } from './members.js'
import { arrayAnswer, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'

const spec: GroupSpec<'team'> = {
  kind: 'team',
  bases: ['/team'],
  idField: 'team_id',
  idsField: 'team_ids',
  input: TeamInput,
}

/** `/team/*`: teams and their members. */
export function teamRoutes(parts: AdminParts): readonly Route[] {
  return [
    createRoute(parts, spec),
    updateRoute(parts, spec),
    deleteRoute(parts, spec),
    ...blockRoutes(parts, spec, 'team_id'),
    teamInfo(parts),
    defineManaged(parts, {
      method: 'GET',
      paths: ['/team/list'],
      access: 'caller',
      summary: 'Lists teams, newest first; members see those that they are in.',
      query: z.strictObject({ ...pagingFields, organization_id: recordId.optional() }),
      handle: async (actor, { query }) => {
        const { organization_id: organization } = query
        const index = organization === undefined ? {} : { organization }
        const { records, next } = await findGroups(actor, 'team', { index, ...toPage(query) }, parts)
        return arrayAnswer(
          records.map((record) => toGroupAnswer(spec, record)),
          next,
        )
      },
    }),
    ...memberRoutes(parts, { base: '/team', idField: 'team_id', toGroup: (team) => ({ team }), methods: ['POST'] }),
  ]
}

// Of keys and members; all of them are in `/key/list`, and by pages.
const mostShown = 1_000

function teamInfo(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/team/info'],
    access: 'caller',
    summary: 'Tells all of a team: its fields, what it has spent, its keys and members.',
    query: z.strictObject({ team_id: recordId }),
    handle: async (actor, { query: { team_id: id } }) => {
      const record = await viewGroup(actor, { kind: 'team', id }, parts.callers)
      const page = { limit: mostShown }
      const [status, members, keys] = await Promise.all([
        readBudgetStatus({ kind: 'team', id }, record.data, parts),
        findMembers(actor, { group: { team: id }, ...page }, parts.callers),
        // A member without a say in the team sees its own keys there.
        findKeys(actor, { index: { team: id }, ...page }, parts.callers),
      ])
      return jsonAnswer(200, {
        team_id: id,
        team_info: {
          ...toGroupAnswer(spec, record),
          members_with_roles: members.records.map(({ data }) => ({ user_id: data.user_id, role: data.role })),
          ...status,
        },
        keys: keys.records.map(toKeyAnswer),
        team_memberships: members.records.map((member) => toAnswer('member', member)),
      })
    },
  })
}
