import { type ZodType, z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import { shownAs } from '../../http/openapi/schema.js'
import type { Route } from '../../http/route.js'
import {
  type BlockableKind,
  type GroupKind,
  createGroup,
  deleteGroup,
  setGroupBlocked,
  updateGroup,
} from '../../keys/management/index.js'
import { type DataOf, MemberData } from '../../keys/records.js'
import type { JsonObject } from '../../wire/json.js'
import { toAnswer } from './answers.js'
import { findGroups } from './find-groups.js'
import { defineManaged } from './managed.js'
import { arrayAnswer, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { groupShape, nextHeader } from './shapes.js'

/** How one kind of records is written over HTTP. */
export interface GroupSpec<Kind extends GroupKind> {
  readonly kind: Kind
  /** Where its paths are: `/customer`, and LiteLLM's other name for it, `/end_user`. */
  readonly bases: readonly string[]
  /** What its id is called. */
  readonly idField: string
  /** True where a new one has to be named, as its id says what it is. */
  readonly isNamed?: boolean
  /** What a list of ids is called. */
  readonly idsField: string
  /** For the documentation: an id, the fields of a new one, and a change. */
  readonly example: { readonly id: string; readonly fields: JsonObject; readonly change: JsonObject }
  /** Its fields, strict. */
  readonly input: z.ZodObject & ZodType<DataOf<Kind>>
}

/** An id as databases can keep it. */
export const recordId = MemberData.shape.user_id

/** `…/new`: makes one, with the id that is given or a new one. */
export function createRoute<Kind extends GroupKind>(parts: AdminParts, spec: GroupSpec<Kind>): Route {
  const { kind, idField, input, example } = spec
  return defineManaged(parts, {
    method: 'POST',
    paths: pathsOf(spec, 'new'),
    access: 'caller',
    summary: `Makes a ${kind}.`,
    body: withId(spec, spec.isNamed ? recordId : recordId.optional()),
    response: groupShape(kind, idField),
    errors: ['permission', 'not_found', 'conflict'],
    examples: { one: { summary: `A ${kind}`, body: { [idField]: example.id, ...example.fields } } },
    handle: async (actor, { body }) => {
      const { [idField]: id, ...data } = body
      const record = await createGroup(actor, { kind, id: textOf(id), data: input.parse(data) }, parts.callers)
      return jsonAnswer(200, toGroupAnswer(spec, record))
    },
  })
}

/** `…/update`: changes the fields that are named. */
export function updateRoute<Kind extends GroupKind>(parts: AdminParts, spec: GroupSpec<Kind>): Route {
  const { kind, idField, input, example } = spec
  return defineManaged(parts, {
    method: 'POST',
    paths: pathsOf(spec, 'update'),
    access: 'caller',
    summary: `Changes the fields of a ${kind} that are named; null takes one away.`,
    body: withId(spec, recordId),
    response: groupShape(kind, idField),
    errors: ['permission', 'not_found', 'conflict'],
    examples: { some: { summary: 'Some fields', body: { [idField]: example.id, ...example.change } } },
    handle: async (actor, { body }) => {
      const { [idField]: id, ...fields } = body
      const change = { kind, id: textOf(id) ?? '', fields: input.parse(fields) }
      return jsonAnswer(200, toGroupAnswer(spec, await updateGroup(actor, change, parts.callers)))
    },
  })
}

/** `…/delete`: all that are named, one after the other. */
export function deleteRoute<Kind extends GroupKind>(parts: AdminParts, spec: GroupSpec<Kind>): Route {
  const { kind, idsField, example } = spec
  return defineManaged(parts, {
    method: 'POST',
    paths: pathsOf(spec, 'delete'),
    access: 'caller',
    summary: `Deletes each ${kind} that is named, with all that belongs to it; ends at the first that cannot be deleted.`,
    body: listOf(idsField),
    response: z.object({ [`deleted_${kind}s`]: z.array(shownAs(example.id, z.string())) }),
    errors: ['permission', 'not_found'],
    examples: { one: { summary: `One ${kind}`, body: { [idsField]: [example.id] } } },
    handle: async (actor, { body }) => {
      const ids = [...new Set(body[idsField] ?? [])]
      for (const id of ids) await deleteGroup(actor, { kind, id }, parts.callers)
      return jsonAnswer(200, { [`deleted_${kind}s`]: ids })
    },
  })
}

/** `…/block` and `…/unblock`. */
export function blockRoutes<Kind extends BlockableKind>(
  parts: AdminParts,
  spec: GroupSpec<Kind>,
  /** One id, or a list of them. */
  field: string,
): readonly Route[] {
  const { kind, idField, example } = spec
  const isList = field === spec.idsField
  const shape = groupShape(kind, idField)
  const body: ZodType<Readonly<Record<string, string | string[]>>> = isList
    ? listOf(field)
    : z.strictObject({ [field]: recordId })
  return [true, false].map((blocked) =>
    defineManaged(parts, {
      method: 'POST',
      paths: pathsOf(spec, blocked ? 'block' : 'unblock'),
      access: 'admin',
      summary: blocked ? `Blocks a ${kind} with all keys that belong to it.` : `Lets a blocked ${kind} work again.`,
      body,
      response: isList ? z.object({ [`${blocked ? '' : 'un'}blocked_${kind}s`]: z.array(shape) }) : shape,
      errors: ['not_found'],
      examples: { one: { summary: `One ${kind}`, body: { [field]: isList ? [example.id] : example.id } } },
      handle: async (actor, { body: given }) => {
        const ids = [given[field] ?? []].flat()
        const records: JsonObject[] = []
        for (const id of ids) {
          records.push(toGroupAnswer(spec, await setGroupBlocked(actor, { kind, id, blocked }, parts.callers)))
        }
        return jsonAnswer(200, isList ? { [`${blocked ? '' : 'un'}blocked_${kind}s`]: records } : records[0])
      },
    }),
  )
}

/** `…/list`: an array, as in LiteLLM. */
export function listRoute<Kind extends GroupKind>(parts: AdminParts, spec: GroupSpec<Kind>): Route {
  const { kind, idField } = spec
  return defineManaged(parts, {
    method: 'GET',
    paths: pathsOf(spec, 'list'),
    access: 'caller',
    summary: `Lists each ${kind} that the caller may see, newest first; the header x-sluice-next leads to the next page.`,
    query: z.strictObject(pagingFields),
    response: z.array(groupShape(kind, idField)),
    errors: ['permission'],
    answerHeaders: nextHeader,
    examples: { page: { summary: 'A page', query: { limit: '10' } } },
    handle: async (actor, { query }) => {
      const { records, next } = await findGroups(actor, kind, toPage(query), parts)
      return arrayAnswer(
        records.map((record) => toGroupAnswer(spec, record)),
        next,
      )
    },
  })
}

/** The record as it is answered, with its id. */
export function toGroupAnswer<Kind extends GroupKind>(
  { kind, idField }: GroupSpec<Kind>,
  record: Parameters<typeof toAnswer<Kind>>[1] & { readonly id: string },
): JsonObject {
  return { [idField]: record.id, ...toAnswer(kind, record) }
}

/** The paths of an action under all names of the kind. */
export function pathsOf({ bases }: Pick<GroupSpec<GroupKind>, 'bases'>, action: string): readonly string[] {
  return bases.map((base) => `${base}/${action}`)
}

/** A body that holds nothing but a list of ids. */
export function listOf(field: string, most = 1_000): ZodType<Record<string, string[]>> {
  return z.strictObject({ [field]: z.array(recordId).min(1).max(most) })
}

function withId({ input, idField }: GroupSpec<GroupKind>, id: ZodType): ZodType<JsonObject> {
  return input.extend({ [idField]: id })
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
