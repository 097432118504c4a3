import { z } from 'zod'
import { GatewayError, InvalidRequestError } from '../../errors.js'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import { addDuration } from '../../keys/duration.js'
import {
  type Actor,
  KeyInput,
  KeyText,
  createKey,
  deleteKeys,
  findRecords,
  regenerateKey,
  setKeyBlocked,
  toKeyId,
  updateKey,
  viewKey,
} from '../../keys/management/index.js'
import type { JsonObject } from '../../wire/json.js'
import { toKeyAnswer } from './answers.js'
import { readBudgetStatus } from './budget-status.js'
import { keyAliases } from './key-aliases.js'
import { keyList } from './key-list.js'
import { defineManaged } from './managed.js'
import type { AdminParts } from './parts.js'
import {
  ChangedKeyAnswer,
  ChangedKeysAnswer,
  DeletedKeysAnswer,
  KeyAnswer,
  KeyInfoAnswer,
  KeysInfoAnswer,
  NewKeyAnswer,
  RenewedKeyAnswer,
  exampleKey,
} from './shapes.js'

/** A key's text, or its hash. */
const key = z.string().min(1).max(400)

const GenerateBody = KeyInput.extend({ key: KeyText.optional() })
const UpdateBody = KeyInput.extend({ key })
const BulkUpdateBody = z.strictObject({ keys: z.array(UpdateBody).min(1).max(500) })
const RegenerateBody = KeyInput.extend({
  key,
  new_key: KeyText.optional(),
  /** How long the old text works on, such as `24h`. @default not at all */
  grace_period: z.string().nullish(),
})
const DeleteBody = z
  .strictObject({ keys: z.array(key).max(1_000).optional(), key_aliases: z.array(key).max(1_000).optional() })
  .refine(({ keys, key_aliases }) => (keys?.length ?? 0) + (key_aliases?.length ?? 0) > 0, {
    error: 'Name the keys to delete in keys or key_aliases.',
  })
const KeyBody = z.strictObject({ key })
const KeysBody = z.strictObject({ keys: z.array(key).min(1).max(100) })

/** `/key/*`: virtual keys. */
export function keyRoutes(parts: AdminParts): readonly Route[] {
  return [
    generate(parts),
    update(parts),
    updateMany(parts),
    regenerate(parts),
    remove(parts),
    blocking(parts, '/key/block', true),
    blocking(parts, '/key/unblock', false),
    keyInfo(parts),
    keysInfo(parts),
    keyList(parts),
    keyAliases(parts),
  ]
}

function generate(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/key/generate'],
    access: 'caller',
    summary: 'Makes a virtual key. Its text is in this answer and nowhere else.',
    body: GenerateBody,
    response: NewKeyAnswer,
    errors: ['permission', 'not_found', 'conflict'],
    examples: {
      simple: {
        summary: 'A key for some models, for a while',
        body: { models: ['demo'], duration: '20m', metadata: { user: 'ann@example.com' } },
      },
      owned: {
        summary: "A user's key in a team, with a budget and limits, and a text of one's own",
        body: {
          key: exampleKey,
          key_alias: 'ann-laptop',
          user_id: 'ann',
          team_id: 'search',
          max_budget: 25,
          budget_duration: '30d',
          rpm_limit: 100,
          tags: ['production'],
        },
      },
    },
    handle: async (actor, { body: { key: text, ...fields } }) => {
      const made = await createKey(actor, { fields, text }, parts.callers)
      return jsonAnswer(200, { key: made.key.reveal(), ...toKeyAnswer(made.record), spend: 0 })
    },
  })
}

function update(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/key/update'],
    access: 'caller',
    summary: 'Changes the fields that are named; null takes one away.',
    body: UpdateBody,
    response: ChangedKeyAnswer,
    errors: ['permission', 'not_found', 'conflict'],
    examples: {
      budget: { summary: 'Another budget, no alias', body: { key: exampleKey, max_budget: 50, key_alias: null } },
    },
    handle: async (actor, { body: { key: given, ...fields } }) => {
      const record = await updateKey(actor, { id: needKeyId(given, parts), fields }, parts.callers)
      return jsonAnswer(200, { key: record.id, ...toKeyAnswer(record) })
    },
  })
}

function updateMany(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/key/bulk_update'],
    access: 'caller',
    summary: 'Changes up to 500 keys, each by itself; tells which changes failed, and why.',
    body: BulkUpdateBody,
    response: ChangedKeysAnswer,
    examples: {
      budgets: {
        summary: 'One that is there, and one that is not',
        body: {
          keys: [
            { key: exampleKey, max_budget: 50 },
            { key: 'sk-unknown-0123456789', max_budget: 50 },
          ],
        },
      },
    },
    handle: async (actor, { body: { keys } }) => {
      const successful: unknown[] = []
      const failed: unknown[] = []
      for (const { key: given, ...fields } of keys) {
        try {
          const record = await updateKey(actor, { id: needKeyId(given, parts), fields }, parts.callers)
          successful.push({ key: record.id, key_info: toKeyAnswer(record) })
        } catch (error) {
          if (!GatewayError.isInstance(error) || error.status >= 500) throw error
          // A key's text is shown once and never again.
          failed.push({ key: toKeyId(given, parts.callers) ?? null, failed_reason: error.message })
        }
      }
      const counts = { total_requested: keys.length, successful_updates: successful, failed_updates: failed }
      return jsonAnswer(200, counts)
    },
  })
}

function regenerate(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/key/regenerate', '/key/{key}/regenerate'],
    pathIntoBody: ['key'],
    access: 'caller',
    summary: 'Gives a key a new text; what it is and has spent stays.',
    body: RegenerateBody,
    response: RenewedKeyAnswer,
    errors: ['permission', 'not_found', 'conflict'],
    examples: {
      grace: { summary: 'The old text works for another day', body: { key: exampleKey, grace_period: '24h' } },
    },
    handle: async (actor, { body: { key: given, new_key: text, grace_period: grace, ...fields } }) => {
      const renewal = { id: needKeyId(given, parts), fields, text, graceMs: toGrace(grace, parts) }
      const made = await regenerateKey(actor, renewal, parts.callers)
      return jsonAnswer(200, { key: made.key.reveal(), ...toKeyAnswer(made.record) })
    },
  })
}

function remove(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/key/delete'],
    access: 'caller',
    summary: 'Deletes keys by text, hash or alias; they open nothing from then on.',
    body: DeleteBody,
    response: DeletedKeysAnswer,
    errors: ['permission', 'not_found'],
    examples: {
      keys: { summary: 'By their texts or hashes', body: { keys: [exampleKey] } },
      aliases: { summary: 'By their aliases', body: { key_aliases: ['ann-laptop'] } },
    },
    handle: async (actor, { body: { keys = [], key_aliases: aliases = [] } }) => {
      const named = await Promise.all(aliases.map((alias) => idOfAlias(alias, parts)))
      const ids = [...new Set([...keys.map((given) => needKeyId(given, parts)), ...named])]
      return jsonAnswer(200, { deleted_keys: await deleteKeys(actor, ids, parts.callers) })
    },
  })
}

function blocking(parts: AdminParts, path: string, blocked: boolean): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: [path],
    access: 'caller',
    summary: blocked ? 'Blocks a key.' : 'Lets a blocked key work again.',
    body: KeyBody,
    response: KeyAnswer,
    errors: ['permission', 'not_found'],
    examples: { one: { summary: 'One key', body: { key: exampleKey } } },
    handle: async (actor, { body }) =>
      jsonAnswer(
        200,
        toKeyAnswer(await setKeyBlocked(actor, { id: needKeyId(body.key, parts), blocked }, parts.callers)),
      ),
  })
}

function keyInfo(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/key/info'],
    access: 'caller',
    summary: 'Tells all of a key but its text; without `key`, of the one that asks.',
    query: z.strictObject({ key: key.optional() }),
    response: KeyInfoAnswer,
    errors: ['permission', 'not_found'],
    examples: { one: { summary: 'One key', query: { key: exampleKey } } },
    handle: async (actor, { query }) => {
      const id = query.key === undefined ? ownKeyId(actor) : needKeyId(query.key, parts)
      return jsonAnswer(200, { key: id, info: await describeKey(actor, id, parts) })
    },
  })
}

function keysInfo(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'POST',
    paths: ['/v2/key/info'],
    access: 'caller',
    summary: 'Tells all of several keys but their texts; of none, where one of them cannot be seen.',
    body: KeysBody,
    response: KeysInfoAnswer,
    errors: ['permission', 'not_found', 'unavailable'],
    examples: { one: { summary: 'A list of one', body: { keys: [exampleKey] } } },
    handle: async (actor, { body: { keys } }) => {
      const ids = keys.map((given) => needKeyId(given, parts))
      return jsonAnswer(200, { key: ids, info: await Promise.all(ids.map((id) => describeKey(actor, id, parts))) })
    },
  })
}

/** A key as it is told, and how its budget stands. @throws GatewayError not_found */
async function describeKey(actor: Actor, id: string, parts: AdminParts): Promise<JsonObject> {
  const record = await viewKey(actor, id, parts.callers)
  const { token: _, ...info } = toKeyAnswer(record)
  return { ...info, ...(await readBudgetStatus({ kind: 'key', id: record.data.key_id }, record.data, parts)) }
}

function ownKeyId({ key: own }: Actor): string {
  if (own) return own.hash
  throw new InvalidRequestError('Name a key: you did not come with one.', 'key')
}

/** @throws InvalidRequestError for what is neither a key nor a hash */
function needKeyId(given: string, { callers }: AdminParts): string {
  const id = toKeyId(given, callers)
  if (id !== undefined) return id
  throw new InvalidRequestError("This is neither a key nor a key's hash.", 'key')
}

async function idOfAlias(alias: string, { callers }: AdminParts): Promise<string> {
  const { records } = await findRecords('key', { index: { alias }, limit: 1 }, callers)
  const [found] = records
  if (found) return found.id
  throw new GatewayError('not_found', 'There is no such key.', { param: 'key_aliases' })
}

function toGrace(grace: string | null | undefined, { clock }: AdminParts): number {
  if (grace === null || grace === undefined) return 0
  const now = clock.now()
  const end = addDuration(now, grace)
  if (end === undefined) throw new InvalidRequestError('Invalid duration; it looks like 24h.', 'grace_period')
  return end - now
}
