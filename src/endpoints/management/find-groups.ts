import {
  type Actor,
  type GroupKind,
  type Stored,
  type StoredPage,
  findRecords,
  readRecord,
} from '../../keys/management/index.js'
import { notAllowed, placeInOrganization } from '../../keys/management/rights.js'
import type { RecordQuery } from '../../ports/records.js'
import type { AdminParts } from './parts.js'
import { seesAll } from './spend-scope.js'

/**
 * A page of a kind. Who does not see all sees, at once, what it has a place in: its own user, its teams and
 * organizations; whoever leads an organization, all of its teams.
 * @throws GatewayError permission for kinds that nobody has a place in
 */
export async function findGroups<Kind extends GroupKind>(
  actor: Actor,
  kind: Kind,
  query: RecordQuery,
  { callers }: AdminParts,
): Promise<StoredPage<Kind>> {
  const { organization } = query.index ?? {}
  if (seesAll(actor) || (kind === 'team' && leads(actor, organization))) return findRecords(kind, query, callers)
  const ids = placesOf(actor, kind)
  if (!ids) throw notAllowed(`see every ${kind}`)
  const found = await Promise.all(ids.map((id) => readRecord({ kind, id }, callers)))
  const records = found
    .filter((record): record is Stored<Kind> => record !== undefined)
    .filter(({ index }) => organization === undefined || index.organization === organization)
  return { records, next: undefined }
}

function leads(actor: Actor, organization: string | undefined): boolean {
  return organization !== undefined && placeInOrganization(actor, organization) === 'organization'
}

function placesOf({ userId, teams, organizations }: Actor, kind: GroupKind): readonly string[] | undefined {
  if (kind === 'user') return userId === undefined ? [] : [userId]
  if (kind === 'team') return [...teams.keys()]
  return kind === 'organization' ? [...organizations.keys()] : undefined
}
