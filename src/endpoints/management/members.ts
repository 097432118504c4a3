import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import { shownAs } from '../../http/openapi/schema.js'
import type { Route } from '../../http/route.js'
import {
  type MemberGroup,
  MemberInput,
  addMember,
  findMembers,
  removeMember,
  updateMember,
} from '../../keys/management/index.js'
import type { JsonObject } from '../../wire/json.js'
import { toAnswer } from './answers.js'
import { recordId } from './group-routes.js'
import { defineManaged, withMethods } from './managed.js'
import { nextFields, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { MemberAnswer, nextShape } from './shapes.js'

/** Whose members, and where. */
export interface MemberSpec {
  /** `/team`. */
  readonly base: string
  /** `team_id`. */
  readonly idField: string
  readonly toGroup: (id: string) => MemberGroup
  /** An id, for the documentation. */
  readonly example: string
  /** Of `member_update` and `member_delete`; of `member_add` the first. */
  readonly methods: readonly Route['method'][]
}

const roles = z.enum(['admin', 'user', 'org_admin'])
const place = z.strictObject({ user_id: recordId, role: roles.optional() })
/** LiteLLM's words for a member's own budget and models. */
const aliases = {
  max_budget_in_team: 'max_budget',
  max_budget_in_organization: 'max_budget',
  allowed_models: 'models',
} as const
const MemberFields = MemberInput.extend({
  max_budget_in_team: MemberInput.shape.max_budget,
  max_budget_in_organization: MemberInput.shape.max_budget,
  allowed_models: MemberInput.shape.models,
})

/** `…/member_add`, `member_update`, `member_delete` and `members`. */
export function memberRoutes(parts: AdminParts, spec: MemberSpec): readonly Route[] {
  const { methods } = spec
  return [
    listMembers(parts, spec),
    addMembers(parts, spec),
    ...withMethods(methods, changeMember(parts, spec)),
    ...withMethods(toDelete(methods), deleteMember(parts, spec)),
  ]
}

function listMembers(parts: AdminParts, spec: MemberSpec): Route {
  const { base, idField, example } = spec
  return defineManaged(parts, {
    method: 'GET',
    paths: [`${base}/members`],
    access: 'caller',
    summary: 'Lists members, the newest first.',
    query: z.strictObject({ ...pagingFields, [idField]: recordId }),
    response: z.object({ members: z.array(MemberAnswer), ...nextShape }),
    errors: ['permission', 'not_found'],
    examples: { page: { summary: 'A page', query: { [idField]: example, limit: '10' } } },
    handle: async (actor, { query }) => {
      const wanted = { group: groupOf(query, spec), ...toPage(query) }
      const { records, next } = await findMembers(actor, wanted, parts.callers)
      return jsonAnswer(200, { members: records.map((member) => toAnswer('member', member)), ...nextFields(next) })
    },
  })
}

function addMembers(parts: AdminParts, spec: MemberSpec): Route {
  const { base, idField, example } = spec
  return defineManaged(parts, {
    method: 'POST',
    paths: [`${base}/member_add`],
    access: 'caller',
    summary: 'Gives one user or several a place; ends at the first that has one.',
    body: MemberFields.omit({ role: true }).extend({
      [idField]: recordId,
      member: z.union([place, z.array(place).min(1).max(100)]),
    }),
    response: z.object({ [idField]: z.string(), members: z.array(MemberAnswer) }),
    errors: ['permission', 'not_found', 'conflict'],
    examples: {
      one: {
        summary: 'One user, with a budget of its own',
        body: { [idField]: example, member: { user_id: 'ann', role: 'user' }, max_budget: 5 },
      },
    },
    handle: async (actor, { body }) => {
      const { [idField]: id, member, ...own } = body
      const group = groupOf(body, spec)
      const members: JsonObject[] = []
      for (const { user_id: user, role } of z.array(place).parse([member].flat())) {
        const fields = { ...toFields(own), ...(role !== undefined && { role }) }
        members.push(toAnswer('member', await addMember(actor, { group, user, fields }, parts.callers)))
      }
      return jsonAnswer(200, { [idField]: id, members })
    },
  })
}

function changeMember(parts: AdminParts, spec: MemberSpec): Route {
  const { base, idField, example } = spec
  return defineManaged(parts, {
    method: 'POST',
    paths: [`${base}/member_update`],
    access: 'caller',
    summary: 'Changes the fields of a place that are named.',
    body: MemberFields.extend({ [idField]: recordId, user_id: recordId }),
    response: MemberAnswer.extend({ [idField]: z.string() }),
    errors: ['permission', 'not_found'],
    examples: { budget: { summary: 'Another budget', body: { [idField]: example, user_id: 'ann', max_budget: 10 } } },
    handle: async (actor, { body }) => {
      const { [idField]: id, user_id: user, ...own } = body
      const change = { group: groupOf(body, spec), user: String(user), fields: toFields(own) }
      return jsonAnswer(200, { [idField]: id, ...toAnswer('member', await updateMember(actor, change, parts.callers)) })
    },
  })
}

function deleteMember(parts: AdminParts, spec: MemberSpec): Route {
  const { base, idField, example } = spec
  return defineManaged(parts, {
    method: 'POST',
    paths: [`${base}/member_delete`],
    access: 'caller',
    summary: "Takes a user's place away, and the user's keys in it.",
    body: z.strictObject({ [idField]: recordId, user_id: recordId }),
    response: z.object({ [idField]: z.string(), deleted_members: z.array(shownAs('ann', z.string())) }),
    errors: ['permission', 'not_found'],
    examples: { one: { summary: 'One user', body: { [idField]: example, user_id: 'ann' } } },
    handle: async (actor, { body }) => {
      const { [idField]: id, user_id: user } = body
      await removeMember(actor, { group: groupOf(body, spec), user: String(user) }, parts.callers)
      return jsonAnswer(200, { [idField]: id, deleted_members: [user] })
    },
  })
}

function groupOf(given: JsonObject, { idField, toGroup }: MemberSpec): MemberGroup {
  return toGroup(String(given[idField]))
}

function toDelete(methods: readonly Route['method'][]): readonly Route['method'][] {
  return methods.map((method) => (method === 'PATCH' ? 'DELETE' : method))
}

/** A place's fields under our names. */
function toFields(given: JsonObject): MemberInput {
  const named = Object.entries(given).map(([name, value]) => [isAlias(name) ? aliases[name] : name, value] as const)
  return MemberInput.parse(Object.fromEntries(named))
}

function isAlias(name: string): name is keyof typeof aliases {
  return Object.hasOwn(aliases, name)
}
