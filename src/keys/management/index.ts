export { type Actor, toActor } from './actor.js'
export {
  type BlockableKind,
  type GroupChange,
  type GroupRequest,
  createGroup,
  deleteGroup,
  setGroupBlocked,
  updateGroup,
  viewGroup,
} from './groups.js'
export {
  BudgetInput,
  CustomerInput,
  KeyInput,
  KeyText,
  MemberInput,
  OrganizationInput,
  TagInput,
  TeamInput,
  UserInput,
} from './inputs.js'
export {
  type KeyChange,
  type KeyQuery,
  type KeyRenewal,
  type KeyRequest,
  type NewKey,
  createKey,
  deleteKeys,
  findKeys,
  regenerateKey,
  setKeyBlocked,
  toKeyId,
  updateKey,
  viewKey,
} from './keys.js'
export { type MemberGroup, type PlaceChange, addMember, findMembers, removeMember, updateMember } from './members.js'
export type { ManagementParts } from './parts.js'
export { type GroupKind, type Rank, rankOver } from './rights.js'
export { type Stored, type StoredPage, everyRecord, findRecords, needRecord, readRecord, toStored } from './stored.js'
export { type AuditedChange, audit } from './write.js'
