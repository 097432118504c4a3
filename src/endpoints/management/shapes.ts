import { z } from 'zod'
import { namedShape, shownAs } from '../../http/openapi/schema.js'
import { AuditData, type CallerRecordKind, recordData } from '../../keys/records.js'
import { unset } from './answers.js'

type Kind = Exclude<CallerRecordKind, 'audit'>
type Fields = Readonly<Record<string, z.ZodType>>

const instant = z.iso.datetime()
const hash = shownAs('88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b', z.string())
/** A key's text in examples. */
export const exampleKey = 'sk-example-0123456789abcdef'
/** A key's text, told once. */
export const keyText = shownAs(exampleKey, z.string())
const dollars = z.number()
const count = z.int()

/** What `toAnswer` writes of a kind: the fields of `unset` always, the others where they are set. */
function recordFields(kind: Kind): Fields {
  const always = unset[kind]
  const data: Fields = recordData[kind].shape
  const fields = Object.entries(data).map(([name, field]) => {
    const inner = withoutNull(field)
    if (name in always) return [name, always[name] === null ? inner.nullable() : inner] as const
    return [name, inner === field ? field : inner.optional()] as const
  })
  return { ...Object.fromEntries(fields), created_at: instant, updated_at: instant }
}

/** What a field holds where it is set. */
function withoutNull(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodOptional || field instanceof z.ZodNullable) return withoutNull(field.unwrap() as z.ZodType)
  return field
}

/** How a budget stands, beside the record that has it. */
const status = { spend: dollars, budget_reset_at: instant.nullable() }

const keyFields = { token: hash, token_id: hash, ...recordFields('key') }
const { token: _, ...keyInfoFields } = keyFields

/** Shapes of the answers that tell of keys. */
export const KeyAnswer = namedShape('Key', z.object(keyFields))
export const NewKeyAnswer = namedShape('NewKey', z.object({ key: keyText, ...keyFields, spend: dollars }))
export const RenewedKeyAnswer = namedShape('RenewedKey', z.object({ key: keyText, ...keyFields }))
export const ChangedKeyAnswer = namedShape('ChangedKey', z.object({ key: hash, ...keyFields }))
const KeyInfo = namedShape('KeyInfo', z.object({ ...keyInfoFields, ...status }))
export const KeyInfoAnswer = z.object({ key: hash, info: KeyInfo })
export const KeysInfoAnswer = z.object({ key: z.array(hash), info: z.array(KeyInfo) })
export const DeletedKeysAnswer = z.object({ deleted_keys: z.array(hash) })

/** Where the next page begins, where pages follow each other. */
export const nextShape = { next: z.string().nullable(), has_more: z.boolean() }
/** The same, and the numbers of a page, of which an answer has one or the other. */
export const eitherPage = { next: z.string().nullable().optional(), has_more: z.boolean().optional() }

export const KeyListAnswer = z.object({
  keys: z.union([z.array(hash), z.array(KeyAnswer)]),
  total_count: count.nullable().optional(),
  current_page: count.optional(),
  total_pages: count.nullable().optional(),
  ...eitherPage,
})

/** What became of each of many changes. */
export const ChangedKeysAnswer = z.object({
  total_requested: count,
  successful_updates: z.array(z.object({ key: hash, key_info: KeyAnswer })),
  failed_updates: z.array(z.object({ key: hash.nullable(), failed_reason: z.string() })),
})

export const KeyAliasesAnswer = z.object({
  aliases: z.array(z.string()),
  total_count: count.nullable(),
  current_page: count,
  total_pages: count.nullable(),
  size: count,
})

/** The header that leads to the next page of an array. */
export const nextHeader = { 'x-sluice-next': 'The `after` of the next page; absent on the last one.' }

/** A record of a kind with its id. */
export function groupShape(kind: Kind, idField: string): z.ZodObject {
  const names: Readonly<Record<Kind, string>> = {
    key: 'Key',
    user: 'User',
    team: 'Team',
    organization: 'Organization',
    customer: 'Customer',
    member: 'Member',
    budget: 'Budget',
    tag: 'Tag',
  }
  return namedShape(names[kind], z.object({ [idField]: z.string(), ...recordFields(kind) }))
}

/** The same, and how its budget stands. */
export function groupStatusShape(kind: Kind, idField: string): z.ZodObject {
  return z.object({ [idField]: z.string(), ...recordFields(kind), ...status })
}

export const MemberAnswer = namedShape('Member', z.object(recordFields('member')))

/** One change of a record. */
export const AuditAnswer = namedShape('Change', z.object({ id: z.string(), ...AuditData.shape }))
