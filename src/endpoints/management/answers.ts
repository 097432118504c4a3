import type { CallerRecordKind } from '../../keys/records.js'
import type { Stored } from '../../keys/management/index.js'
import type { JsonObject } from '../../wire/json.js'

/** What LiteLLM's clients find in every answer, set or not. */
const limits = {
  max_budget: null,
  soft_budget: null,
  budget_duration: null,
  model_max_budget: {},
  rpm_limit: null,
  tpm_limit: null,
  model_rpm_limit: null,
  model_tpm_limit: null,
  max_parallel_requests: null,
}
const carried = { ...limits, budget_id: null }
const described = { models: [], metadata: {}, blocked: false }

/** Of each kind the fields that are in every answer, as they are where they are not set. */
export const unset: Readonly<Record<Exclude<CallerRecordKind, 'audit'>, JsonObject>> = {
  key: {
    key_alias: null,
    user_id: null,
    team_id: null,
    organization_id: null,
    ...described,
    aliases: {},
    tags: [],
    ...carried,
    budget_limits: [],
    expires: null,
    key_type: 'default',
    allowed_routes: [],
  },
  user: {
    user_email: null,
    user_alias: null,
    user_role: 'internal_user',
    organization_id: null,
    ...described,
    ...carried,
  },
  team: { team_alias: null, organization_id: null, ...described, model_aliases: {}, tags: [], ...carried },
  organization: { organization_alias: null, ...described, ...carried },
  customer: { alias: null, ...described, allowed_model_region: null, ...carried },
  member: { role: 'user', models: [], ...carried },
  budget: limits,
  tag: { description: null, ...carried },
}

/** A record as it is answered: its fields, LiteLLM's defaults for those that are not set, and when it was written. */
export function toAnswer<Kind extends Exclude<CallerRecordKind, 'audit'>>(
  kind: Kind,
  { data, createdAt, updatedAt }: Pick<Stored<Kind>, 'data' | 'createdAt' | 'updatedAt'>,
): JsonObject {
  const set = Object.entries(data).filter(([, value]) => value !== null && value !== undefined)
  return {
    ...unset[kind],
    ...Object.fromEntries(set),
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
  }
}

/** A key as it is answered; `token` is its hash. Its text is in no record. */
export function toKeyAnswer({ id, ...stored }: Stored<'key'>): JsonObject {
  return { token: id, token_id: id, ...toAnswer('key', stored) }
}
