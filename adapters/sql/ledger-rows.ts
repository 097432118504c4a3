import {
  type ChargedScope,
  type LedgerEntry,
  type RollUps,
  type ScopeRef,
  isObject,
  parseJson,
} from '../../src/index.js'
import type { SqlRow } from './database.js'
import { fromMoney } from './dialect.js'
import { digestOf, toKey, toText } from './text.js'

/** An entry as its row. */
export function toLedgerRow(entry: LedgerEntry): SqlRow {
  return {
    id: toKey(entry.id),
    call_id: toKey(entry.callId),
    model_name: toKey(entry.modelName),
    at_ms: Math.trunc(entry.at),
    operation: toText(entry.operation),
    caller: toText(entry.caller),
    deployment: toText(entry.deployment),
    provider: toText(entry.provider),
    model: toText(entry.model),
    scopes_json: JSON.stringify(
      entry.scopes.map(({ kind, id, charged }) => ({
        kind,
        id,
        charged: charged === undefined ? charged : String(charged),
      })),
    ),
    usage_json: JSON.stringify(entry.usage),
    tags_json: JSON.stringify(entry.tags),
    price_json: entry.price && JSON.stringify(entry.price),
    metadata_json: entry.metadata === undefined ? null : JSON.stringify(entry.metadata),
    failure: entry.failure === undefined ? null : toText(entry.failure),
    end_user: entry.endUser === undefined ? null : toText(entry.endUser),
    cost: entry.cost,
    charged: entry.charged,
    priced: Number(entry.priced),
    estimated: Number(entry.estimated),
    aborted: Number(entry.aborted),
    cached: Number(entry.cached),
    billable: Number(entry.billable),
    status: Math.trunc(entry.status),
    latency_ms: entry.latencyMs,
    first_token_ms: entry.firstTokenMs ?? null,
  }
}

/** An entry from its row; money as `moneyText` selects it. */
export function fromLedgerRow(row: SqlRow): LedgerEntry {
  const text = (name: string): string => String(row[name])
  const optional = (name: string): string | undefined => (row[name] === null ? undefined : text(name))
  const flag = (name: string): boolean => Number(row[name]) === 1
  const json = (name: string): unknown => parseJson(text(name))
  const price = json('price_json')
  const metadata = json('metadata_json')
  return {
    id: text('id'),
    callId: text('call_id'),
    at: Number(row['at_ms']),
    operation: text('operation'),
    caller: text('caller'),
    scopes: toArray<StoredScope>(json('scopes_json')).map(toScope),
    modelName: text('model_name'),
    deployment: text('deployment'),
    provider: text('provider'),
    model: text('model'),
    usage: toUsage(json('usage_json')),
    price: isObject(price) ? price : null,
    cost: fromMoney(row['cost']),
    charged: fromMoney(row['charged']),
    priced: flag('priced'),
    estimated: flag('estimated'),
    aborted: flag('aborted'),
    cached: flag('cached'),
    billable: flag('billable'),
    latencyMs: Number(row['latency_ms']),
    firstTokenMs: row['first_token_ms'] === null ? undefined : Number(row['first_token_ms']),
    status: Number(row['status']),
    failure: optional('failure'),
    tags: toArray<string>(json('tags_json')),
    endUser: optional('end_user'),
    metadata: isObject(metadata) ? metadata : undefined,
  }
}

/** The scopes of a row's `scopes_json`, with ids as the roll-ups' columns hold them. */
export function toScopes(json: unknown): readonly ScopeRef[] {
  return toArray<StoredScope>(parseJson(String(json))).map(({ kind, id }) => ({ kind, id: toKey(id) }))
}

type StoredScope = ScopeRef & { readonly charged?: string }

function toScope({ kind, id, charged }: StoredScope): ChargedScope {
  return charged === undefined ? { kind, id } : { kind, id, charged: BigInt(charged) }
}

/** What this adapter wrote itself as an array of these. */
function toArray<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? value : []
}

function toUsage(value: unknown): Readonly<Record<string, number>> {
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, count]) => [name, Number(count)])) : {}
}

/** Marks that are kept like scopes, so that rare entries are found without a search through all others. */
export const marks = {
  failed: { kind: 'mark', scope: 'failed' },
  unpriced: { kind: 'mark', scope: 'unpriced' },
} as const

/** The rows that find an entry by its scopes. */
export function toScopeRows(entry: LedgerEntry): readonly SqlRow[] {
  const scopes = entry.scopes.map(({ kind, id, charged }) => ({ kind, scope: toKey(id), charged }))
  const each = new Map(scopes.map((scope) => [`${scope.kind} ${scope.scope}`, scope]))
  return [...each.values()].map(({ charged = entry.charged, ...scope }) => ({ ...withEntry(entry)(scope), charged }))
}

/** The rows that mark an entry, none for most. */
export function toMarkRows(entry: LedgerEntry): readonly SqlRow[] {
  const marked = [...(entry.failure === undefined ? [] : [marks.failed]), ...(entry.priced ? [] : [marks.unpriced])]
  return marked.map(withEntry(entry))
}

function withEntry(entry: LedgerEntry): (scope: SqlRow) => SqlRow {
  const of = { entry_id: toKey(entry.id), at_ms: Math.trunc(entry.at), charged: entry.charged }
  return (scope) => ({ ...scope, ...of })
}

/** The entry with its ids as the roll-ups' columns hold them. */
export function withKeys(entry: LedgerEntry): LedgerEntry {
  return {
    ...entry,
    scopes: entry.scopes.map((scope) => ({ ...scope, id: toKey(scope.id) })),
    modelName: toKey(entry.modelName),
    provider: toKey(entry.provider),
  }
}

/** The rows of each table of roll-ups. */
export function toRollUpRows({ hours, modelHours, days, callers }: RollUps): {
  readonly hours: readonly SqlRow[]
  readonly modelHours: readonly SqlRow[]
  readonly days: readonly SqlRow[]
  readonly callerDays: readonly SqlRow[]
} {
  return {
    hours: hours.map(({ kind, id, hour, charged }) => ({ kind, scope: id, hour_ms: hour, charged })),
    modelHours: modelHours.map(({ kind, id, hour, models, charged }) => {
      return toModelHourRow({ kind, scope: id, hour }, JSON.stringify(models), charged)
    }),
    days: days.map(({ kind, id, day, model, provider, ...sums }) => {
      return { kind, scope: id, day, model, provider, ...toSumColumns(sums) }
    }),
    callerDays: callers
      .map(({ day, organization, team, user, key, model, provider, ...sums }) => {
        const id = digestOf(JSON.stringify([day, organization, team, user, key, model, provider]))
        const caller = { organization_id: organization, team_id: team, user_id: user, key_id: key }
        return { id, day, ...caller, model, provider, ...toSumColumns(sums) }
      })
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  }
}

/** The row of an hour and models, these as JSON of their ids. */
export function toModelHourRow(
  { kind, scope, hour }: { readonly kind: string; readonly scope: string; readonly hour: number },
  models: string,
  charged: bigint,
): SqlRow {
  return { kind, scope, hour_ms: hour, models: toKey(models), models_json: models, charged }
}

function toSumColumns(
  sums: Pick<
    RollUps['days'][number],
    'charged' | 'cost' | 'calls' | 'failures' | 'inputTokens' | 'outputTokens' | 'cacheReadTokens'
  >,
): SqlRow {
  const { charged, cost, calls, failures, inputTokens, outputTokens, cacheReadTokens } = sums
  return {
    charged,
    cost,
    calls,
    failures,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cache_read_tokens: cacheReadTokens,
  }
}
