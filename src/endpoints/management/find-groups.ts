import {
  type Actor,
  type GroupKind,
  type Stored,
  type StoredPage,
  findRecords,
  readRecord,
} from '../../keys/management/index.js'
import { notAllowed } from '../../keys/management/rights.js'
import type { RecordQuery } from '../../ports/records.js'
import type { AdminParts } from './parts.js'
import { seesAll } from './spend-scope.js'

/**
 * A page of a kind. Who does not see all sees, at once, what it has a place in: its own user, its teams and
 * organizations.
 * @throws GatewayError permission for kinds that nobody has a place in
 */
export async function findGroups<Kind extends GroupKind>(
  actor: Actor,
  kind: Kind,
  query: RecordQuery,
  { callers }: AdminParts,
): Promise<StoredPage<Kind>> {
  if (seesAll(actor)) return findRecords(kind, query, callers)
  const ids = placesOf(actor, kind)
  if (!ids) throw notAllowed(`see every ${kind}`)
  const found = await Promise.all(ids.map((id) => readRecord({ kind, id }, callers)))
  const { organization } = query.index ?? {}
  const records = found
    .filter((record): record is Stored<Kind> => record !== undefined)
    .filter(({ index }) => organization === undefined || index.organization === organization)
  return { records, next: undefined }
}

function placesOf({ userId, teams, organizations }: Actor, kind: GroupKind): readonly string[] | undefined {
  if (kind === 'user') return userId === undefined ? [] : [userId]
  if (kind === 'team') return [...teams.keys()]
  return kind === 'organization' ? [...organizations.keys()] : undefined
}
