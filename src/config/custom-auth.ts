import type { ZodType } from 'zod'
import { GatewayError } from '../errors.js'
import { isCaller } from '../http/caller.js'
import type { HttpRequest } from '../http/message.js'
import { admit } from '../keys/key-auth.js'
import { hashKey, isKeyHash, nameOfKey } from '../keys/key-material.js'
import { CustomerData, KeyData, OrganizationData, TeamData, UserData } from '../keys/records.js'
import { toAnswer } from '../keys/resolve-caller.js'
import type { CallerRecords } from '../keys/to-caller.js'
import type { Auth } from '../ports.js'
import { isObject, type JsonObject } from '../wire/json.js'

/**
 * A login as LiteLLM's `custom_auth` has it: gets the request and the credential that came with it (empty where none
 * did). Gives a caller, an object with the fields of LiteLLM's `UserAPIKeyAuth`, a text that stands for one with this
 * `api_key`, or nothing for somebody unknown. To throw means to refuse too.
 */
export type LiteLLMAuthHook<Host = unknown> = (request: HttpRequest<Host>, apiKey: string) => unknown

/**
 * Makes an `auth` of LiteLLM's `custom_auth`. Budgets and limits that the hook gives are kept: `max_budget`, `rpm_limit`
 * and their like for the key, with `team_`, `user_`, `organization_` or `end_user_` before them for who it belongs to.
 * A TypeError or ReferenceError of the hook, such as that of a failed fetch, is a fault (500) and no refusal (401).
 */
export function fromLiteLLMAuth<Host>(hook: LiteLLMAuthHook<Host>): Auth<Host> {
  return {
    async identify(request) {
      const apiKey = credentialOf(request.headers)
      const answer = await ask(hook, request, apiKey)
      if (answer === undefined || answer === null || answer === false) return null
      if (isCaller(answer)) return answer
      const records = toRecords(typeof answer === 'string' ? { api_key: answer } : answer, apiKey)
      return admit(
        toAnswer(records, Date.now(), () => undefined),
        request,
      )
    },
  }
}

async function ask<Host>(hook: LiteLLMAuthHook<Host>, request: HttpRequest<Host>, apiKey: string): Promise<unknown> {
  try {
    return await hook(request, apiKey)
  } catch (error) {
    if (GatewayError.isInstance(error) || error instanceof TypeError || error instanceof ReferenceError) throw error
    throw new GatewayError('authentication', 'The credential was refused.', { cause: error })
  }
}

const headerNames = ['x-litellm-api-key', 'authorization', 'api-key', 'x-api-key', 'x-goog-api-key'] as const

function credentialOf(headers: HttpRequest['headers']): string {
  const given = headerNames.map((name) => headers[name]).find((value) => value)
  return given?.replace(/^Bearer +/i, '').trim() ?? ''
}

/** The fields of `UserAPIKeyAuth` as the records that a virtual key would have. */
function toRecords(answer: unknown, apiKey: string): CallerRecords {
  if (!isObject(answer)) throw new TypeError('custom_auth must give a caller, an object, a text or nothing')
  const { user_id: userId, team_id: teamId, end_user_id: customerId, user_role: role, metadata } = answer
  const organizationId = answer['org_id'] ?? answer['organization_id']
  const text = textOf(answer['api_key']) ?? apiKey
  const key = read(KeyData, '', {
    ...answer,
    key_id: textOf(answer['token']) ?? toKeyId(text, textOf(userId)),
    key_name: nameOfKey(text),
    organization_id: organizationId,
    customer_id: customerId,
    tags: answer['tags'] ?? (isObject(metadata) ? metadata['tags'] : undefined),
  })
  // Without its tier a key would be without its limits.
  if (key.budget_id) throw new TypeError('custom_auth gave a budget_id; give the limits themselves')
  const of = <T>(schema: ZodType<T>, id: unknown, prefix: string, own: JsonObject = {}): T | undefined =>
    isSet(id) ? read(schema, prefix, { ...withPrefix(answer, prefix), ...own }) : undefined
  const admin = role === 'proxy_admin' ? { user_role: role } : undefined
  return {
    key,
    user: of(UserData, userId ?? admin, 'user_', admin),
    team: of(TeamData, teamId, 'team_'),
    member: undefined,
    organizationMember: undefined,
    organization: of(OrganizationData, organizationId, 'organization_'),
    organizationId: key.organization_id ?? undefined,
    customer: of(CustomerData, customerId, 'end_user_'),
    tags: new Map(),
    tiers: new Map(),
  }
}

/** Callers without a credential of their own are told apart by their users. */
function toKeyId(key: string, user: string | undefined): string {
  if (key !== '') return isKeyHash(key) ? key : hashKey(key)
  if (user !== undefined) return hashKey(`user ${user}`)
  throw new TypeError('custom_auth gave an object without api_key and user_id')
}

/** Names fields, never values: they may be credentials. */
function read<T>(schema: ZodType<T>, prefix: string, data: JsonObject): T {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.map(({ path, message }) => `${prefix}${path.join('.')} ${message}`)
  throw new TypeError(`custom_auth gave an object that is not valid: ${fields.join('; ')}`)
}

/** The fields whose names begin with a prefix, without it. */
function withPrefix(answer: JsonObject, prefix: string): JsonObject {
  const entries = Object.entries(answer).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]))
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null
}
