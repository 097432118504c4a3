import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { RecordIndex } from '../ports/records.js'
import { isDuration } from './duration.js'

/**
 * The data of records as they are stored, in LiteLLM's words where it has one. Null and absent both mean: not set.
 * `index` tells which fields of a kind can be searched for.
 */
const name = z.string().refine(isName, { error: 'must have 1 to 200 bytes, and no control characters' })
const id = name
const dollars = z.number().min(0).max(9_000_000)
const whole = z.int().min(0)
const duration = z.string().refine(isDuration, { error: 'must be a number and s, m, h, d, w, mo or y, such as 30d' })
const timeZone = z.string().refine(isTimeZone, { error: 'must be the IANA name of a time zone, such as Europe/Berlin' })
const instant = z.iso.datetime({ offset: true })
const metadata = z.record(z.string(), z.unknown())
const models = z.array(name).max(1_000)
const tags = z.array(name).max(50)
const aliases = z.record(name, name)

/** A window of a key's budget, beside its own one. */
const BudgetLimit = z.strictObject({ max_budget: dollars, budget_duration: duration })

/** A budget of one model or, as `openai/*`, a family of them; a number alone never starts again. */
const ModelBudget = z.union([
  dollars,
  z.strictObject({ budget_limit: dollars, time_period: duration.nullish() }),
  z.strictObject({ max_budget: dollars, budget_duration: duration.nullish() }),
])

const budgetFields = {
  /** Dollars. */
  max_budget: dollars.nullish(),
  /** Dollars; passing it only raises an event. */
  soft_budget: dollars.nullish(),
  /** @default one window without end */
  budget_duration: duration.nullish(),
  /** Where days and months begin. @default UTC */
  budget_time_zone: timeZone.nullish(),
  /** What was spent before no longer counts, and windows follow each other from here. @default the calendar's */
  budget_starts_at: instant.nullish(),
  model_max_budget: z.record(name, ModelBudget).nullish(),
  rpm_limit: whole.nullish(),
  tpm_limit: whole.nullish(),
  /** Of one model or, as `openai/*`, a family of them. */
  model_rpm_limit: z.record(name, whole).nullish(),
  model_tpm_limit: z.record(name, whole).nullish(),
  max_parallel_requests: whole.nullish(),
}

/** Limits of a record of its own; where one is not set, that of the tier `budget_id` counts. */
const limitFields = { ...budgetFields, budget_id: id.nullish() }

const bookkeeping = {
  /** Ids of the callers that wrote the record. */
  created_by: z.string().nullish(),
  updated_by: z.string().nullish(),
}

/** What a key may be used for: everything, models, management, or looking only. */
export const keyTypes = ['default', 'llm_api', 'management', 'read_only'] as const

/** A virtual key; the record's id is its hash. */
export const KeyData = z.object({
  /** Names the key's spend and budgets; stays when the key gets a new text. The hash of the first one. */
  key_id: id,
  /** `sk-...` and the last four characters. */
  key_name: z.string(),
  key_alias: name.nullish(),
  user_id: id.nullish(),
  team_id: id.nullish(),
  organization_id: id.nullish(),
  /** The customer that all calls of the key count for. */
  customer_id: id.nullish(),
  models: models.nullish(),
  aliases: aliases.nullish(),
  tags: tags.nullish(),
  metadata: metadata.nullish(),
  ...limitFields,
  budget_limits: z.array(BudgetLimit).max(10).nullish(),
  expires: instant.nullish(),
  blocked: z.boolean().nullish(),
  /** Hash of the key that took its place; it works on until it expires. */
  replaced_by: z.string().nullish(),
  /** Hash of the key whose place it took, as long as that may work on. */
  replaces: z.string().nullish(),
  key_type: z.enum(keyTypes).nullish(),
  /** Paths, `/v1/*`, or names of groups such as `llm_api_routes`. @default all that `key_type` allows */
  allowed_routes: z.array(name).max(100).nullish(),
  ...bookkeeping,
})
export type KeyData = z.infer<typeof KeyData>

/** What a user may do to records; that of an organization's or team's admin comes from the membership. */
export const userRoles = ['proxy_admin', 'proxy_admin_viewer', 'internal_user', 'internal_user_viewer'] as const

/** A person; the record's id is the `user_id`. */
export const UserData = z.object({
  user_email: name.nullish(),
  user_alias: name.nullish(),
  /** @default internal_user */
  user_role: z.enum(userRoles).nullish(),
  organization_id: id.nullish(),
  sso_user_id: name.nullish(),
  /** `no-default-models`: none but those of the user's teams. */
  models: models.nullish(),
  metadata: metadata.nullish(),
  ...limitFields,
  blocked: z.boolean().nullish(),
  /** Keys that belong to it open nothing from then on. */
  expires: instant.nullish(),
  ...bookkeeping,
})
export type UserData = z.infer<typeof UserData>

/** What members of a team may do with its keys, beside its admins. */
export const memberPermissions = [
  '/key/info',
  '/key/list',
  '/key/generate',
  '/key/update',
  '/key/delete',
  '/key/regenerate',
  '/key/block',
  '/key/unblock',
] as const

/** A group of users with keys of its own; the record's id is the `team_id`. */
export const TeamData = z.object({
  team_alias: name.nullish(),
  organization_id: id.nullish(),
  models: models.nullish(),
  model_aliases: aliases.nullish(),
  tags: tags.nullish(),
  metadata: metadata.nullish(),
  ...limitFields,
  /** Of each member that has none of its own. */
  team_member_budget: dollars.nullish(),
  team_member_budget_duration: duration.nullish(),
  team_member_rpm_limit: whole.nullish(),
  team_member_tpm_limit: whole.nullish(),
  team_member_permissions: z.array(z.enum(memberPermissions)).nullish(),
  blocked: z.boolean().nullish(),
  /** Keys that belong to it open nothing from then on. */
  expires: instant.nullish(),
  ...bookkeeping,
})
export type TeamData = z.infer<typeof TeamData>

/** Roles within a team (`admin`, `user`) or an organization (`org_admin`, `user`). */
export const memberRoles = ['admin', 'org_admin', 'user'] as const

/** A user's place in a team or an organization, one of which is set; the record's id is `memberId` of both. */
export const MemberData = z.object({
  user_id: id,
  team_id: id.nullish(),
  organization_id: id.nullish(),
  role: z.enum(memberRoles),
  /** Narrow what the member's keys in the team may use. */
  models: models.nullish(),
  /** What the member may spend and ask within the team. */
  ...limitFields,
  ...bookkeeping,
})
export type MemberData = z.infer<typeof MemberData>

/** Teams with a common budget; the record's id is the `organization_id`. */
export const OrganizationData = z.object({
  organization_alias: name.nullish(),
  models: models.nullish(),
  metadata: metadata.nullish(),
  ...limitFields,
  blocked: z.boolean().nullish(),
  /** Keys that belong to it open nothing from then on. */
  expires: instant.nullish(),
  ...bookkeeping,
})
export type OrganizationData = z.infer<typeof OrganizationData>

/** A customer of the host or of a key's owner; the record's id is its `user_id`. */
export const CustomerData = z.object({
  alias: name.nullish(),
  models: models.nullish(),
  metadata: metadata.nullish(),
  /** The region that the customer's calls must stay in. */
  allowed_model_region: name.nullish(),
  ...limitFields,
  blocked: z.boolean().nullish(),
  /** Keys that belong to it open nothing from then on. */
  expires: instant.nullish(),
  ...bookkeeping,
})
export type CustomerData = z.infer<typeof CustomerData>

/** A named tier of limits; the record's id is the `budget_id`. */
export const BudgetData = z.object({ ...budgetFields, ...bookkeeping })
export type BudgetData = z.infer<typeof BudgetData>

/** Limits of everything that carries a tag; the record's id is the tag. */
export const TagData = z.object({ description: z.string().max(2_000).nullish(), ...limitFields, ...bookkeeping })
export type TagData = z.infer<typeof TagData>

/** What was done to a record. */
export const auditActions = ['created', 'updated', 'deleted', 'blocked', 'unblocked', 'regenerated'] as const

/** One change: who, what, when, and the fields that differ. Never holds a credential. */
export const AuditData = z.object({
  action: z.enum(auditActions),
  /** Kind and id of the record. */
  table_name: z.string(),
  object_id: z.string(),
  /** `user_id` of the actor, else the caller's id. */
  changed_by: z.string(),
  /** `Caller.id`. */
  changed_by_api_key: z.string(),
  /** Only the fields that changed; null where there was none. */
  before_value: z.record(z.string(), z.unknown()),
  updated_values: z.record(z.string(), z.unknown()),
  updated_at: instant,
})
export type AuditData = z.infer<typeof AuditData>

/** The schema of each kind's data. */
export const recordData = {
  key: KeyData,
  user: UserData,
  team: TeamData,
  member: MemberData,
  organization: OrganizationData,
  customer: CustomerData,
  budget: BudgetData,
  tag: TagData,
  audit: AuditData,
} as const

/** Kinds of records that this folder reads and writes. */
export type CallerRecordKind = keyof typeof recordData

/** The data of a kind. */
export type DataOf<Kind extends CallerRecordKind> = z.infer<(typeof recordData)[Kind]>

/** Which fields of a kind's data can be searched for. */
export const recordIndex: { readonly [Kind in CallerRecordKind]: (data: DataOf<Kind>) => RecordIndex } = {
  key: (key) =>
    toIndex({ user: key.user_id, team: key.team_id, organization: key.organization_id, alias: key.key_alias }),
  user: (user) => toIndex({ organization: user.organization_id, alias: user.user_email }),
  team: (team) => toIndex({ organization: team.organization_id, alias: team.team_alias }),
  member: (member) => toIndex({ user: member.user_id, team: member.team_id, organization: member.organization_id }),
  organization: (organization) => toIndex({ alias: organization.organization_alias }),
  customer: (customer) => toIndex({ alias: customer.alias }),
  budget: () => ({}),
  tag: () => ({}),
  audit: (entry) => toIndex({ user: entry.changed_by, alias: auditAlias(entry.table_name, entry.object_id) }),
}

/** Kinds whose alias no other record of the kind may have. */
export const uniqueAliases: ReadonlySet<CallerRecordKind> = new Set<CallerRecordKind>(['key', 'user'])

/** Id of a membership. */
export function memberId(group: { readonly team: string } | { readonly organization: string }, user: string): string {
  const [kind, groupId] = 'team' in group ? ['team', group.team] : ['organization', group.organization]
  return shortened([kind, groupId, user].map(encodeURIComponent).join(':'))
}

/** What the audit entries of one record have in common in their index. */
export function auditAlias(kind: string, recordId: string): string {
  return shortened(`${kind}:${recordId}`)
}

/** Databases index no more than some 230 bytes. */
function shortened(text: string): string {
  return Buffer.byteLength(text) <= 200 ? text : createHash('sha256').update(text).digest('hex')
}

function toIndex(fields: { readonly [Name in keyof RecordIndex]: string | null | undefined }): RecordIndex {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined))
}

function isName(text: string): boolean {
  return text !== '' && Buffer.byteLength(text) <= 200 && !/[\p{Cc}\p{Surrogate}]/u.test(text)
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).format(0) !== ''
  } catch {
    return false
  }
}
