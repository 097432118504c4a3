import { z } from 'zod'
import { GatewayError } from '../../errors.js'
import { jsonAnswer } from '../../http/answer.js'
import { namedShape } from '../../http/openapi/schema.js'
import type { Route } from '../../http/route.js'
import { type Stored, readRecord, toStored } from '../../keys/management/index.js'
import type { BudgetData } from '../../keys/records.js'
import type { StoredRecord } from '../../ports/records.js'
import type { JsonObject } from '../../wire/json.js'
import { readBudgetStatus } from './budget-status.js'
import { dollarsOf } from './dollars.js'
import { defineManaged } from './managed.js'
import { wholeNumber } from './paging.js'
import type { AdminParts } from './parts.js'
import { toDays } from './period.js'
import { readLedger } from './read-ledger.js'
import { seesAll } from './spend-scope.js'

const UsageQuery = z.strictObject({
  /** How many budgets. @default 8 */
  limit: wholeNumber.refine((count) => count >= 1 && count <= 100, { error: 'must be from 1 to 100' }).optional(),
})

/** Kinds of records whose budgets are watched. */
const kinds = ['organization', 'team', 'key', 'user', 'customer'] as const
type Kind = (typeof kinds)[number]

const UsageAnswer = namedShape(
  'BudgetUsage',
  z.object({
    kind: z.enum(kinds),
    id: z.string(),
    name: z.string(),
    spend: z.number(),
    budget_reset_at: z.iso.datetime().nullable(),
    max_budget: z.number(),
    soft_budget: z.number().nullable(),
    budget_duration: z.string().nullable(),
  }),
)

const example: z.infer<typeof UsageAnswer> = {
  kind: 'team',
  id: 'search',
  name: 'Search',
  spend: 21.5,
  budget_reset_at: '2026-12-01T00:00:00.000Z',
  max_budget: 25,
  soft_budget: null,
  budget_duration: '30d',
}

/** Records of a kind that are looked through, the newest; of older ones, those whose scopes spent most. */
const mostRecords = 5_000
const mostOlder = 100
const readAtOnce = 1_000
/** Days whose sums tell which budgets are worth a closer look. */
const days = 31

/** `GET /budget/usage`: the budgets that are nearest their limit. */
export function budgetUsage(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/budget/usage'],
    access: 'caller',
    summary:
      'Tells the budgets of organizations, teams, keys, users and customers that are nearest their limit, for those who see all.',
    query: UsageQuery,
    response: z.object({ budgets: z.array(UsageAnswer) }),
    errors: ['permission', 'unavailable'],
    examples: {
      closest: { summary: 'The three nearest their limit', query: { limit: '3' }, answer: { budgets: [example] } },
    },
    handle: async (actor, { query: { limit = 8 } }) => {
      if (!seesAll(actor)) throw new GatewayError('permission', 'Only admins see all budgets.')
      const candidates = (await Promise.all(kinds.map((kind) => findCandidates(kind, parts)))).flat()
      const closest = candidates.toSorted((a, b) => b.share - a.share).slice(0, limit)
      const budgets = await Promise.all(closest.map((candidate) => toUsage(candidate, parts)))
      return jsonAnswer(200, { budgets: budgets.toSorted((a, b) => b.share - a.share).map(({ answer }) => answer) })
    },
  })
}

interface Candidate {
  readonly kind: Kind
  /** Of the scope that spend is kept for. */
  readonly id: string
  readonly name: string
  readonly record: Stored<Kind>['data']
  readonly maxBudget: number
  /** Of the budget, by what the last days' sums say. */
  readonly share: number
}

/** Records with a budget, and roughly how much of it is used: from sums by day, which is one question for all. */
async function findCandidates(kind: Kind, parts: AdminParts): Promise<readonly Candidate[]> {
  const spent = await readSpent(kind, parts)
  const records = await findSpenders(kind, spent, parts)
  const tiers = await readTiers(records, parts)
  return records.flatMap((record): Candidate | [] => {
    const { data } = record
    const tier = data.budget_id ? tiers.get(data.budget_id) : undefined
    const maxBudget = data.max_budget ?? tier?.max_budget
    if (maxBudget === null || maxBudget === undefined) return []
    const id = scopeIdOf(record)
    const used = spent.get(id) ?? 0
    return { kind, id, name: nameOf(data) ?? id, record: data, maxBudget, share: shareOf(used, maxBudget) }
  })
}

/** The records of scopes that spent anything, and besides these the newest: each scope once. */
async function findSpenders(
  kind: Kind,
  spent: ReadonlyMap<string, number>,
  { callers }: AdminParts,
): Promise<readonly Stored<Kind>[]> {
  const unseen = new Map(spent)
  const found = new Map<string, Stored<Kind>>()
  let [read, after]: [number, string | undefined] = [0, undefined]
  do {
    const page = await callers.records.find(kind, { limit: readAtOnce, ...(after !== undefined && { after }) })
    for (const record of page.records) {
      const id = scopeIdOf(record)
      // To check the data is half of the work, and most have spent nothing.
      const isWanted = unseen.delete(id) || (read === 0 && !found.has(id))
      if (isWanted) found.set(id, toStored(kind, record))
    }
    read += readAtOnce
    after = page.next
  } while (after !== undefined && unseen.size > 0 && read < mostRecords)
  if (after === undefined) return [...found.values()]
  const most = [...unseen].toSorted(([, a], [, b]) => b - a).slice(0, mostOlder)
  const older = await Promise.all(most.map(([id]) => readRecord({ kind, id }, callers)))
  return [...found.values(), ...older.filter((record) => record !== undefined)]
}

/** The id that a record's spend is kept under: a key's stays while its record gets another. */
function scopeIdOf({ id, data }: Pick<StoredRecord, 'id' | 'data'>): string {
  return typeof data['key_id'] === 'string' ? data['key_id'] : id
}

async function readSpent(kind: Kind, parts: AdminParts): Promise<ReadonlyMap<string, number>> {
  const period = toDays({}, parts.clock.now(), days)
  const rows = await readLedger(parts, (ledger) => ledger.report({ ...period, by: [kind] }))
  return new Map(rows.map(({ group, charged }) => [group[0] ?? '', dollarsOf(charged)]))
}

async function readTiers(
  records: readonly Stored<Kind>[],
  { callers }: AdminParts,
): Promise<ReadonlyMap<string, BudgetData>> {
  const ids = new Set(records.flatMap(({ data }) => (data.budget_id ? [data.budget_id] : [])))
  const found = await Promise.all([...ids].map((id) => readRecord({ kind: 'budget', id }, callers)))
  return new Map(found.flatMap((tier) => (tier ? [[tier.id, tier.data] as const] : [])))
}

/** The name for people, under whichever field the kind keeps it. */
function nameOf(record: Stored<Kind>['data']): string | undefined {
  const fields = ['organization_alias', 'team_alias', 'key_alias', 'user_alias', 'user_email', 'alias']
  const name: unknown = fields.map((field) => Reflect.get(record, field)).find((value) => typeof value === 'string')
  return typeof name === 'string' && name !== '' ? name : undefined
}

function shareOf(used: number, maxBudget: number): number {
  return maxBudget > 0 ? used / maxBudget : Number.POSITIVE_INFINITY
}

async function toUsage(
  { kind, id, name, record, maxBudget }: Candidate,
  parts: AdminParts,
): Promise<{ readonly share: number; readonly answer: JsonObject }> {
  const status = await readBudgetStatus({ kind, id }, record, parts)
  const { soft_budget = null, budget_duration = null } = record
  const answer = { kind, id, name, ...status, max_budget: maxBudget, soft_budget, budget_duration }
  return { share: shareOf(status.spend, maxBudget), answer }
}
