import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import { TeamInput, addMember, createGroup, findKeys, findMembers, viewGroup } from '../../keys/management/index.js'
import { toAnswer, toKeyAnswer } from './answers.js'
import { readBudgetStatus } from './budget-status.js'
import { findGroups } from './find-groups.js'
import { type GroupSpec, blockRoutes, deleteRoute, recordId, toGroupAnswer, updateRoute } from './group-routes.js'
import { defineManaged } from './managed.js'
import { memberRoutes } from './members.js'
import { arrayAnswer, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { KeyAnswer, MemberAnswer, groupShape, groupStatusShape, nextHeader } from './shapes.js'

const spec: GroupSpec<'team'> = {
  kind: 'team',
  bases: ['/team'],
  idField: 'team_id',
  idsField: 'team_ids',
  example: {
    id: 'search',
    fields: { organization_id: 'acme', max_budget: 500 },
    change: { max_budget: 800, rpm_limit: 300 },
  },
  input: TeamInput,
}

const TeamAnswer = groupShape('team', 'team_id')
const Place = z.object({ user_id: z.string(), role: z.string() })
const TeamInfoAnswer = z.object({
  team_id: z.string(),
  team_info: groupStatusShape('team', 'team_id').extend({ members_with_roles: z.array(Place) }),
  keys: z.array(KeyAnswer),
  team_memberships: z.array(MemberAnswer),
})

/** `/team/*`: teams and their members. */
export function teamRoutes(parts: AdminParts): readonly Route[] {
  return [
    teamNew(parts),
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
      response: z.array(TeamAnswer),
      errors: ['permission'],
      answerHeaders: nextHeader,
      examples: { organization: { summary: 'The teams of an organization', query: { organization_id: 'acme' } } },
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
    ...memberRoutes(parts, {
      base: '/team',
      idField: 'team_id',
      toGroup: (team) => ({ team }),
      example: 'search',
      methods: ['POST'],
    }),
  ]
}

const NewTeamBody = TeamInput.extend({
  team_id: recordId.optional(),
  members_with_roles: z
    .array(z.strictObject({ user_id: recordId, role: z.enum(['admin', 'user']) }))
    .max(100)
    .optional(),
})

function teamNew(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/team/new'],
    access: 'caller',
    summary: 'Makes a team, with its first members.',
    body: NewTeamBody,
    response: TeamAnswer.extend({ members_with_roles: z.array(Place), spend: z.number() }),
    errors: ['permission', 'not_found', 'conflict'],
    examples: {
      team: {
        summary: 'A team of an organization, with a budget',
        body: { team_id: 'search', ...spec.example.fields, models: ['demo'], members_with_roles: [] },
      },
    },
    handle: async (actor, { body: { team_id: id, members_with_roles: members = [], ...data } }) => {
      const record = await createGroup(actor, { kind: 'team', id, data }, parts.callers)
      const roles = new Map(members.map(({ user_id: user, role }) => [user, role]))
      // Whoever makes a team below an admin leads it already.
      if (actor.level !== 'admin' && actor.userId !== undefined) roles.delete(actor.userId)
      for (const [user, role] of roles) {
        await addMember(actor, { group: { team: record.id }, user, fields: { role } }, parts.callers)
      }
      return jsonAnswer(200, { ...toGroupAnswer(spec, record), members_with_roles: members, spend: 0 })
    },
  })
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
    response: TeamInfoAnswer,
    errors: ['permission', 'not_found'],
    examples: { one: { summary: 'One team', query: { team_id: 'search' } } },
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
