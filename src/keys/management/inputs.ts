import { z } from 'zod'
import { isDuration } from '../duration.js'
import { isKeyText } from '../key-material.js'
import {
  BudgetData,
  CustomerData,
  KeyData,
  MemberData,
  OrganizationData,
  TagData,
  TeamData,
  UserData,
} from '../records.js'

// What may be written of each kind; any other field is refused. Null takes a value away.
const stamps = { created_by: true, updated_by: true } as const

/** Fields of a key, and how long it lives from now. */
export const KeyInput = KeyData.omit({ ...stamps, key_id: true, key_name: true, replaced_by: true, replaces: true })
  .extend({
    /** Instead of `expires`; null: for ever. */
    duration: z
      .string()
      .refine(isDuration, { error: 'must be a number and s, m, h, d, w, mo or y, such as 30d' })
      .nullish(),
  })
  .strict()
export type KeyInput = z.infer<typeof KeyInput>

/** A key's text of one's own. */
export const KeyText = z
  .string()
  .refine((text) => isKeyText(text), { error: 'must be sk- and at least 13 letters, digits or dashes' })

/** Fields of a user. */
export const UserInput = UserData.omit(stamps).strict()
/** Fields of a team. */
export const TeamInput = TeamData.omit(stamps).strict()
/** Fields of an organization. */
export const OrganizationInput = OrganizationData.omit(stamps).strict()
/** Fields of a customer. */
export const CustomerInput = CustomerData.omit(stamps).strict()
/** Fields of a tier. */
export const BudgetInput = BudgetData.omit(stamps).strict()
/** Fields of a tag. */
export const TagInput = TagData.omit(stamps).strict()

/** A user's place, without whose and where. */
export const MemberInput = MemberData.omit({ ...stamps, user_id: true, team_id: true, organization_id: true })
  .partial()
  .strict()
export type MemberInput = z.infer<typeof MemberInput>
