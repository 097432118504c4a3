import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import { GatewayError } from '../../errors.js'
import type { Route } from '../../http/route.js'
import {
  type Actor,
  UserInput,
  createGroup,
  createKey,
  findKeys,
  findRecords,
  readRecord,
  viewGroup,
} from '../../keys/management/index.js'
import type { JsonObject } from '../../wire/json.js'
import { toAnswer, toKeyAnswer } from './answers.js'
import { readBudgetStatus } from './budget-status.js'
import { findGroups } from './find-groups.js'
import { type GroupSpec, deleteRoute, recordId, toGroupAnswer, updateRoute } from './group-routes.js'
import { defineManaged } from './managed.js'
import { findNumberedPage, nextFields, pageNumber, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { KeyAnswer, eitherPage, groupShape, groupStatusShape, keyText } from './shapes.js'

const spec: GroupSpec<'user'> = {
  kind: 'user',
  bases: ['/user'],
  idField: 'user_id',
  idsField: 'user_ids',
  example: {
    id: 'ann',
    fields: { user_email: 'ann@example.com', max_budget: 100 },
    change: { max_budget: 150, user_alias: 'Ann' },
  },
  input: UserInput,
}

const NewUserBody = UserInput.extend({
  user_id: recordId.optional(),
  /** @default true, as in LiteLLM */
  auto_create_key: z.boolean().optional(),
})

// Of keys and places; all keys are in `/key/list`, and by pages.
const mostShown = 1_000

const UserAnswer = groupShape('user', 'user_id')
const NewUserAnswer = UserAnswer.extend({
  spend: z.number(),
  key: keyText.optional(),
  token: z.string().optional(),
  key_name: z.string().optional(),
  expires: z.string().nullable().optional(),
})
const UserInfoAnswer = z.object({
  user_id: z.string(),
  user_info: groupStatusShape('user', 'user_id'),
  keys: z.array(KeyAnswer),
  teams: z.array(groupShape('team', 'team_id')),
})
const UserListAnswer = z.object({
  users: z.array(UserAnswer),
  total: z.int().nullable().optional(),
  page: z.int().optional(),
  page_size: z.int().optional(),
  total_pages: z.int().nullable().optional(),
  ...eitherPage,
})

/** `/user/*`: people. */
export function userRoutes(parts: AdminParts): readonly Route[] {
  return [
    defineManaged(parts, {
      method: 'POST',
      paths: ['/user/new'],
      access: 'admin',
      summary: 'Makes a user and, unless auto_create_key is false, a key for it, whose text is only in this answer.',
      body: NewUserBody,
      response: NewUserAnswer,
      errors: ['not_found', 'conflict'],
      examples: {
        user: {
          summary: 'A user with a budget, without a key',
          body: { user_id: 'ann', ...spec.example.fields, budget_duration: '30d', auto_create_key: false },
        },
        key: { summary: 'A user with a key', body: { user_email: 'bob@example.com' } },
      },
      handle: async (actor, { body: { user_id: id, auto_create_key: wantsKey = true, ...data } }) => {
        const user = await createGroup(actor, { kind: 'user', id, data }, parts.callers)
        const answer = { ...toGroupAnswer(spec, user), spend: 0 }
        if (!wantsKey) return jsonAnswer(200, answer)
        const { key, record } = await createKey(actor, { fields: { user_id: user.id } }, parts.callers)
        const { token, key_name, expires } = toKeyAnswer(record)
        return jsonAnswer(200, { ...answer, key: key.reveal(), token, key_name, expires })
      },
    }),
    updateRoute(parts, spec),
    deleteRoute(parts, spec),
    defineManaged(parts, {
      method: 'GET',
      paths: ['/user/info'],
      access: 'caller',
      summary: 'Tells all of a user, by default of the one that asks: fields, spend, keys and teams.',
      query: z.strictObject({ user_id: recordId.optional() }),
      response: UserInfoAnswer,
      errors: ['permission', 'not_found'],
      examples: { one: { summary: 'One user', query: { user_id: 'ann' } } },
      handle: async (actor, { query }) => jsonAnswer(200, await describe(actor, query.user_id ?? actor.userId, parts)),
    }),
    userList(parts),
  ]
}

async function describe(actor: Actor, id: string | undefined, parts: AdminParts): Promise<JsonObject> {
  if (id === undefined) throw new GatewayError('invalid_request', 'Name a user: you are none.', { param: 'user_id' })
  const { callers } = parts
  const record = await viewGroup(actor, { kind: 'user', id }, callers)
  const page = { index: { user: id }, limit: mostShown }
  const [status, keys, places] = await Promise.all([
    readBudgetStatus({ kind: 'user', id }, record.data, parts),
    findKeys(actor, page, callers),
    findRecords('member', page, callers),
  ])
  const ids = places.records.flatMap(({ data }) => data.team_id ?? [])
  const teams = await Promise.all(ids.map((team) => readRecord({ kind: 'team', id: team }, callers)))
  return {
    user_id: id,
    user_info: { ...toGroupAnswer(spec, record), ...status },
    keys: keys.records.map(toKeyAnswer),
    teams: teams.flatMap((team) => (team ? [{ team_id: team.id, ...toAnswer('team', team) }] : [])),
  }
}

function userList(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/user/list'],
    access: 'caller',
    summary: 'Lists users, newest first; members see themselves.',
    query: z.strictObject({
      ...pagingFields,
      page: pageNumber,
      user_email: z.string().min(1).max(200).optional(),
      organization_id: recordId.optional(),
    }),
    response: UserListAnswer,
    errors: ['permission'],
    examples: { page: { summary: 'A page, by its number', query: { page: '1', page_size: '25' } } },
    handle: async (actor, { query }) => {
      const { user_email: alias, organization_id: organization, page } = query
      const index = { ...(alias !== undefined && { alias }), ...(organization !== undefined && { organization }) }
      const wanted = toPage(query)
      if (page === undefined) {
        const { records, next } = await findGroups(actor, 'user', { index, ...wanted }, parts)
        return jsonAnswer(200, { users: records.map((record) => toGroupAnswer(spec, record)), ...nextFields(next) })
      }
      const { rows, total, totalPages } = await findNumberedPage(page, wanted.limit, (rest) =>
        findGroups(actor, 'user', { index, ...rest }, parts),
      )
      const users = rows.map((record) => toGroupAnswer(spec, record))
      return jsonAnswer(200, { users, total, page, page_size: wanted.limit, total_pages: totalPages })
    },
  })
}
