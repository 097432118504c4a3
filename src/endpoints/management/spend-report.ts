import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import { shownAs } from '../../http/openapi/schema.js'
import type { Route } from '../../http/route.js'
import type { ScopeKind, ScopeRef, SpendGroup, SpendRow } from '../../ports/ledger.js'
import type { JsonObject } from '../../wire/json.js'
import { dollarsOf } from './dollars.js'
import { groupRows } from './group-rows.js'
import { defineManaged } from './managed.js'
import type { AdminParts } from './parts.js'
import { examplePeriod, periodFields, toDays } from './period.js'
import { readLedger } from './read-ledger.js'
import { scopeFields, seesAll, toSpendScope } from './spend-scope.js'

const ReportQuery = z.strictObject({
  ...periodFields,
  ...scopeFields,
  /** @default team */
  group_by: z.enum(['team', 'organization', 'internal_user', 'customer', 'api_key']).optional(),
})

const total = {
  total_spend: z.number(),
  metadata: shownAs(
    [{ model: 'demo', spend: 0.0125, total_tokens: 1_500, api_requests: 31 }],
    z.array(
      z.object({
        model: z.string(),
        spend: z.number(),
        total_tokens: z.int(),
        api_requests: z.int(),
        api_key: z.string().optional(),
      }),
    ),
  ),
}
const day = z.object({ group_by_day: z.string() })
const ReportAnswer = z.array(
  z.union([
    day.extend({ teams: z.array(z.object({ team_name: z.string(), ...total })) }),
    day.extend({ organizations: z.array(z.object({ organization_name: z.string(), ...total })) }),
    day.extend({ users: z.array(z.object({ user_id: z.string(), ...total })) }),
    day.extend({ customers: z.array(z.object({ customer: z.string(), ...total })) }),
    day.extend({ keys: z.array(z.object({ api_key: z.string(), ...total })) }),
  ]),
)

interface Grouping {
  readonly kind: ScopeKind
  /** The list of a day's entries, and the name of each. */
  readonly list: string
  readonly name: string
  /** Whether spend is also kept by key; of customers it is not. */
  readonly byKey: boolean
}

const groupings: Readonly<Record<NonNullable<z.infer<typeof ReportQuery>['group_by']>, Grouping>> = {
  team: { kind: 'team', list: 'teams', name: 'team_name', byKey: true },
  organization: { kind: 'organization', list: 'organizations', name: 'organization_name', byKey: true },
  internal_user: { kind: 'user', list: 'users', name: 'user_id', byKey: true },
  customer: { kind: 'customer', list: 'customers', name: 'customer', byKey: false },
  api_key: { kind: 'key', list: 'keys', name: 'api_key', byKey: false },
}

const defaultDays = 30

/** `GET /global/spend/report`: spend by day, group and model; by key too, where that is kept. */
export function spendReport(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/global/spend/report'],
    access: 'caller',
    summary: 'Reports spend by day and team, organization, user, customer or key, and by model within.',
    query: ReportQuery,
    response: ReportAnswer,
    errors: ['permission', 'not_found', 'unavailable'],
    examples: { teams: { summary: 'By team', query: { group_by: 'team', ...examplePeriod } } },
    handle: async (actor, { query }) => {
      const grouping = groupings[query.group_by ?? 'team']
      const scope = await toSpendScope(actor, query, parts)
      if (!grouping.byKey && grouping.kind !== 'key' && !seesAll(actor)) return jsonAnswer(200, [])
      const days = toDays(query, parts.clock.now(), defaultDays)
      return jsonAnswer(200, await report(grouping, { ...days, scope }, parts))
    },
  })
}

async function report(
  grouping: Grouping,
  {
    fromDay,
    untilDay,
    scope,
  }: { readonly fromDay: string; readonly untilDay: string; readonly scope: ScopeRef | undefined },
  parts: AdminParts,
): Promise<readonly JsonObject[]> {
  const by: readonly SpendGroup[] = ['day', grouping.kind, 'model', ...(grouping.byKey ? (['key'] as const) : [])]
  const rows = await readLedger(parts, (ledger) => ledger.report({ fromDay, untilDay, by, ...(scope && { scope }) }))
  return [...groupRows(rows, 0)].map(([day, ofDay]) => ({
    group_by_day: day,
    [grouping.list]: [...groupRows(ofDay, 1)].map(([id, ofGroup]) => ({
      [grouping.name]: id,
      total_spend: dollarsOf(ofGroup.reduce((sum, { charged }) => sum + charged, 0n)),
      metadata: ofGroup.map(toDetail),
    })),
  }))
}

function toDetail({ group: [, , model, key], ...row }: SpendRow): JsonObject {
  return {
    model: model ?? '',
    spend: dollarsOf(row.charged),
    total_tokens: row.inputTokens + row.outputTokens,
    api_requests: row.calls,
    ...(key !== undefined && { api_key: key }),
  }
}
