import type { Caller } from '../../ports.js'
import type { KeyData, MemberData } from '../records.js'
import type { ManagementParts } from './parts.js'
import { everyRecord, readRecord } from './stored.js'

/** Whoever manages records: a caller, and what the records say of it. */
export interface Actor {
  readonly caller: Caller
  /** `user_id`, else the caller's id: what records and the audit know it by. */
  readonly name: string
  /** `admin` may do everything, `viewer` see everything, `member` what its places allow, `onlooker` only see its own. */
  readonly level: 'admin' | 'viewer' | 'member' | 'onlooker'
  readonly userId: string | undefined
  /** Its places, by `team_id` and by `organization_id`. */
  readonly teams: ReadonlyMap<string, MemberData>
  readonly organizations: ReadonlyMap<string, MemberData>
  /** The virtual key that it came with. */
  readonly key: { readonly hash: string; readonly data: KeyData } | undefined
}

const levels = { proxy_admin_viewer: 'viewer', internal_user_viewer: 'onlooker' } as const

/** Reads what the records say of a caller. Roles come from `Caller.role` and the user's record, never from the request. */
export async function toActor(caller: Caller, parts: ManagementParts): Promise<Actor> {
  const userId = idOf(caller, 'user')
  const hash = parts.directory.hashOf(caller)
  const [user, key] = await Promise.all([
    userId === undefined ? undefined : readRecord({ kind: 'user', id: userId }, parts),
    hash === undefined ? undefined : readRecord({ kind: 'key', id: hash }, parts),
  ])
  const teams = new Map<string, MemberData>()
  const organizations = new Map<string, MemberData>()
  if (userId !== undefined) {
    for await (const { data } of everyRecord('member', { user: userId }, parts)) {
      if (data.team_id) teams.set(data.team_id, data)
      if (data.organization_id) organizations.set(data.organization_id, data)
    }
  }
  return {
    caller,
    name: userId ?? caller.id,
    level: caller.role === 'admin' ? 'admin' : levelOf(user?.data.user_role),
    userId,
    teams,
    organizations,
    key: hash !== undefined && key ? { hash, data: key.data } : undefined,
  }
}

/** The id of the caller's scope of a kind. */
export function idOf({ scopes }: Caller, kind: 'user' | 'team' | 'organization'): string | undefined {
  return scopes?.find((scope) => scope.kind === kind)?.id
}

function levelOf(role: string | null | undefined): Actor['level'] {
  return role === 'proxy_admin_viewer' || role === 'internal_user_viewer' ? levels[role] : 'member'
}
