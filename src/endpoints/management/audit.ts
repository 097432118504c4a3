import { z } from 'zod'
import { GatewayError } from '../../errors.js'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import { findRecords, needRecord } from '../../keys/management/index.js'
import { auditAlias } from '../../keys/records.js'
import { defineManaged } from './managed.js'
import { nextFields, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { AuditAnswer, nextShape } from './shapes.js'
import { seesAll } from './spend-scope.js'

const text = z.string().min(1).max(400).optional()

const AuditQuery = z
  .strictObject({ ...pagingFields, changed_by: text, table_name: text, object_id: text })
  .refine(({ table_name, object_id }) => (table_name === undefined) === (object_id === undefined), {
    error: 'needs both table_name and object_id to look for one record',
    path: ['object_id'],
  })

/** `GET /audit`: every change of every record, newest first; `GET /audit/{id}`: one. */
export function auditRoutes(parts: AdminParts): readonly Route[] {
  return [
    defineManaged(parts, {
      method: 'GET',
      paths: ['/audit'],
      access: 'caller',
      summary: 'Lists the changes of records, newest first, for those who see all.',
      query: AuditQuery,
      response: z.object({ audit_logs: z.array(AuditAnswer), ...nextShape }),
      errors: ['permission'],
      examples: {
        record: { summary: 'What was changed of one record', query: { table_name: 'user', object_id: 'ann' } },
      },
      handle: async (actor, { query }) => {
        if (!seesAll(actor)) throw refused()
        const { changed_by: user, table_name: kind, object_id: id } = query
        const alias = kind === undefined || id === undefined ? undefined : auditAlias(kind, id)
        const index = { ...(user !== undefined && { user }), ...(alias !== undefined && { alias }) }
        const { records, next } = await findRecords('audit', { index, ...toPage(query) }, parts.callers)
        return jsonAnswer(200, { audit_logs: records.map((row) => ({ id: row.id, ...row.data })), ...nextFields(next) })
      },
    }),
    defineManaged(parts, {
      method: 'GET',
      paths: ['/audit/{id}'],
      access: 'caller',
      summary: 'Tells one change, for those who see all.',
      response: AuditAnswer,
      errors: ['permission', 'not_found'],
      examples: { one: { summary: 'One change', params: { id: '0198f3a2-7c1e-7d4b-9a55-6f2d1e0c3b4a' } } },
      handle: async (actor, { params }) => {
        if (!seesAll(actor)) throw refused()
        const { id, data } = await needRecord({ kind: 'audit', id: params['id'] ?? '' }, parts.callers)
        return jsonAnswer(200, { id, ...data })
      },
    }),
  ]
}

function refused(): GatewayError {
  return new GatewayError('permission', 'Only admins see the audit.')
}
