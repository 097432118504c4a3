import { GatewayError, InvalidRequestError } from '../../errors.js'
import { type JsonObject, stringOf } from '../../wire/json.js'
import type { CallerRecordKind } from '../records.js'
import type { Actor } from './actor.js'
import type { ManagementParts } from './parts.js'
import { readRecord } from './stored.js'
import { insertRecord } from './write.js'

const kinds = {
  user_id: 'user',
  team_id: 'team',
  organization_id: 'organization',
  customer_id: 'customer',
  budget_id: 'budget',
} as const

/**
 * Makes sure that everything a record names exists. Users and customers, who live in the host's own system, are made
 * where they are not known yet.
 * @throws InvalidRequestError naming the field that names nothing
 */
export async function ensureNamed(actor: Actor, named: JsonObject, parts: ManagementParts): Promise<void> {
  for (const field of ['team_id', 'organization_id', 'budget_id'] as const) {
    const id = stringOf(named[field])
    if (!id || (await readRecord({ kind: kinds[field], id }, parts))) continue
    throw new InvalidRequestError(`There is no ${kinds[field]} ${JSON.stringify(id)}.`, field)
  }
  for (const field of ['user_id', 'customer_id'] as const) {
    const id = stringOf(named[field])
    if (id) await ensure(actor, kinds[field], id, parts)
  }
}

/** True where everything that a record names is there still. */
export async function areNamedThere(named: JsonObject, parts: ManagementParts): Promise<boolean> {
  const refs: (readonly [CallerRecordKind, string])[] = []
  for (const field of ['user_id', 'team_id', 'organization_id', 'customer_id'] as const) {
    const id = stringOf(named[field])
    if (id) refs.push([kinds[field], id])
  }
  const found = await Promise.all(refs.map(([kind, id]) => parts.records.get(kind, id)))
  return found.every((record) => record !== undefined)
}

async function ensure(actor: Actor, kind: 'user' | 'customer', id: string, parts: ManagementParts): Promise<void> {
  if (await readRecord({ kind, id }, parts)) return
  try {
    await insertRecord(actor, { kind, id, data: {} }, parts)
  } catch (error) {
    // Somebody else made it meanwhile.
    if (!(GatewayError.isInstance(error) && error.kind === 'conflict')) throw error
  }
}
