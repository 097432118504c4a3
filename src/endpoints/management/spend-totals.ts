import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import type { Actor } from '../../keys/management/index.js'
import type { SpendRow } from '../../ports/ledger.js'
import type { JsonObject } from '../../wire/json.js'
import { dollarsOf } from './dollars.js'
import { defineManaged } from './managed.js'
import type { AdminParts } from './parts.js'
import { type PeriodQuery, examplePeriod, periodFields, toDays } from './period.js'
import { readLedger } from './read-ledger.js'
import { ownScope, seesAll } from './spend-scope.js'

const TotalsQuery = z.strictObject(periodFields)

type TotalKind = 'key' | 'user' | 'team' | 'tag'

interface Totals {
  readonly path: string
  readonly kind: TotalKind
  readonly summary: string
  /** Of a row. */
  readonly shape: z.ZodType
  readonly toRow: (id: string, row: SpendRow) => JsonObject
}

const sums = {
  spend: z.number(),
  provider_cost: z.number(),
  api_requests: z.int(),
  failed_requests: z.int(),
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
}

const table: readonly Totals[] = [
  {
    path: '/spend/keys',
    kind: 'key',
    summary: 'What each key has spent, most first; a key is named by its `key_id`.',
    shape: z.object({ api_key: z.string(), ...sums }),
    toRow: (id, row) => ({ api_key: id, ...toSums(row) }),
  },
  {
    path: '/spend/users',
    kind: 'user',
    summary: 'What each user has spent, most first.',
    shape: z.object({ user_id: z.string(), ...sums }),
    toRow: (id, row) => ({ user_id: id, ...toSums(row) }),
  },
  {
    path: '/spend/teams',
    kind: 'team',
    summary: 'What each team has spent, most first.',
    shape: z.object({ team_id: z.string(), ...sums }),
    toRow: (id, row) => ({ team_id: id, ...toSums(row) }),
  },
  {
    path: '/spend/tags',
    kind: 'tag',
    summary: 'What the calls with each tag of callers have spent, most first.',
    shape: z.object({
      individual_request_tag: z.string(),
      log_count: z.int(),
      total_spend: z.number(),
      ...sums,
    }),
    toRow: (id, row) => ({
      individual_request_tag: id,
      log_count: row.calls,
      total_spend: dollarsOf(row.charged),
      ...toSums(row),
    }),
  },
]

/** `GET /spend/keys`, `/users`, `/teams` and `/tags`; members see what is theirs. */
export function spendTotals(parts: AdminParts): readonly Route[] {
  return table.map(({ path, kind, summary, shape, toRow }) =>
    defineManaged(parts, {
      method: 'GET',
      paths: [path],
      access: 'caller',
      summary,
      query: TotalsQuery,
      response: z.array(shape),
      errors: ['permission', 'unavailable'],
      examples: { month: { summary: 'Of a month', query: examplePeriod } },
      handle: async (actor, { query }) => {
        const rows = await findTotals(actor, kind, query, parts)
        return jsonAnswer(
          200,
          rows.map((row) => toRow(row.group[0] ?? '', row)),
        )
      },
    }),
  )
}

async function findTotals(
  actor: Actor,
  kind: TotalKind,
  query: PeriodQuery,
  parts: AdminParts,
): Promise<readonly SpendRow[]> {
  const days = toDays(query, parts.clock.now())
  // Sums by tag are not kept together with those of others.
  if (kind === 'tag' && !seesAll(actor)) return []
  const scope = seesAll(actor) ? undefined : ownScope(actor)
  const rows = await readLedger(parts, (ledger) => ledger.report({ ...days, by: [kind], ...(scope && { scope }) }))
  return rows.toSorted((a, b) => (a.charged === b.charged ? 0 : a.charged < b.charged ? 1 : -1))
}

function toSums(row: SpendRow): JsonObject {
  return {
    spend: dollarsOf(row.charged),
    provider_cost: dollarsOf(row.cost),
    api_requests: row.calls,
    failed_requests: row.failures,
    prompt_tokens: row.inputTokens,
    completion_tokens: row.outputTokens,
    total_tokens: row.inputTokens + row.outputTokens,
  }
}
