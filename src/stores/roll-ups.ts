import { GatewayError } from '../errors.js'
import {
  type LedgerEntry,
  type RepricedEntry,
  type ScopeKind,
  type ScopeRef,
  type SpendGroup,
  type SpendQuery,
  type SpendRow,
  type UsageEvent,
  chargedTo,
} from '../ports/ledger.js'

/** What roll-ups add up. */
export type Sums = Omit<SpendRow, 'group'>

/** An entry and what it adds to the sums: all of it when it is new, the difference when it is priced again. */
export interface Change {
  readonly entry: Pick<LedgerEntry, 'at' | 'scopes' | 'modelName' | 'provider'>
  readonly sums: Sums
}

/** A day, or another period that a store keeps, of one scope, or of everything (`all`, with an empty id), by model and provider. */
export interface DayRollUp extends Sums {
  readonly day: string
  readonly kind: ScopeKind | 'all'
  readonly id: string
  readonly model: string
  readonly provider: string
}

/** The same of one combination of caller scopes, by model and provider; empty where the entry has no such scope. */
export interface CallerRollUp extends Sums {
  readonly day: string
  readonly organization: string
  readonly team: string
  readonly user: string
  readonly key: string
  readonly model: string
  readonly provider: string
}

/** What one scope was charged within one hour, which begins at `hour` in milliseconds. */
export interface HourRollUp {
  readonly kind: ScopeKind
  readonly id: string
  readonly hour: number
  readonly charged: bigint
}

/** What one scope was charged within one hour for entries of the same models. */
export interface ModelHourRollUp extends HourRollUp {
  /** Ids of their scopes of kind `model`: a budget of one model, or of a pattern, counts each entry once. */
  readonly models: readonly string[]
}

/** Everything that a batch of changes adds to the roll-ups: one row per key, sorted by key. */
export interface RollUps {
  readonly days: readonly DayRollUp[]
  readonly callers: readonly CallerRollUp[]
  readonly hours: readonly HourRollUp[]
  readonly modelHours: readonly ModelHourRollUp[]
}

/** Length of the windows of `HourRollUp`. */
export const hourMs = 3_600_000

/** The UTC day of a time in milliseconds since the epoch. */
export function toDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

const cacheReadBuckets = ['cacheRead', 'cacheReadAudio', 'cacheReadImage']
const inputBuckets = [
  'inputUncached',
  ...cacheReadBuckets,
  'cacheWrite5m',
  'cacheWrite1h',
  'audioInput',
  'imageInput',
  'videoInput',
  'toolPrompt',
]
const outputBuckets = ['outputText', 'reasoning', 'audioOutput', 'imageOutput']
const callerKinds = ['organization', 'team', 'user', 'key'] as const
const columnsOfEntry: ReadonlySet<unknown> = new Set<SpendGroup>(['day', 'model', 'provider'])

/** True for what every roll-up has a column for; the other groups are ids of scopes. */
export function isColumnOfEntry(group: SpendGroup | undefined): group is 'day' | 'model' | 'provider' {
  return columnsOfEntry.has(group)
}

/** What a new entry adds. */
export function sumsOf(entry: LedgerEntry): Sums {
  const count = (buckets: readonly string[]): number =>
    Math.round(buckets.reduce((sum, bucket) => sum + (entry.usage[bucket] ?? 0), 0))
  return {
    charged: entry.charged,
    cost: entry.cost,
    calls: 1,
    failures: entry.failure === undefined ? 0 : 1,
    inputTokens: count(inputBuckets),
    outputTokens: count(outputBuckets),
    cacheReadTokens: count(cacheReadBuckets),
  }
}

/** What an entry adds when only its price changes. */
export function priceDifference(from: Pick<LedgerEntry, 'cost' | 'charged'>, to: typeof from): Sums {
  const [charged, cost] = [to.charged - from.charged, to.cost - from.cost]
  return { charged, cost, calls: 0, failures: 0, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0 }
}

/** The change that another price makes, to each scope by what it is charged; `after` is the entry with it. */
export function priceChange<Entry extends LedgerEntry>(before: LedgerEntry, after: Entry): Change {
  const scopes = after.scopes.map(({ kind, id }) => {
    return { kind, id, charged: chargedTo(after, { kind, id }) - chargedTo(before, { kind, id }) }
  })
  return { entry: { ...after, scopes }, sums: priceDifference(before, after) }
}

/** The event that tells what comes to a row whose price has changed; undefined where nothing has. */
export function correctionOf(before: LedgerEntry, after: LedgerEntry, id: string): UsageEvent | undefined {
  const { entry, sums } = priceChange(before, after)
  const { cost, charged } = sums
  const isChanged = after.priced !== before.priced || cost !== 0n || charged !== 0n
  if (!isChanged && entry.scopes.every((scope) => scope.charged === 0n)) return undefined
  return { ...after, scopes: entry.scopes, id, corrects: before.id, usage: {}, cost, charged }
}

/** A row with another price: without a word of its scopes each is charged what the row is. */
export function withPrice(entry: LedgerEntry, { cost, charged, price, priced, scopes }: RepricedEntry): LedgerEntry {
  const charges = scopes ?? entry.scopes.map(({ kind, id }) => ({ kind, id }))
  return { ...entry, cost, charged, price, priced, scopes: charges }
}

/** Adds one set of sums to another. */
export function addSums(a: Sums, b: Sums): Sums {
  return {
    charged: a.charged + b.charged,
    cost: a.cost + b.cost,
    calls: a.calls + b.calls,
    failures: a.failures + b.failures,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  }
}

/**
 * Adds up a batch, so that a store touches every roll-up once and all writers in one order, which keeps them from
 * deadlocks. `periodsOf` names what a day counts for: itself alone, unless a store keeps longer periods too.
 */
export function rollUp(
  changes: readonly Change[],
  periodsOf: (day: string) => readonly string[] = (day) => [day],
): RollUps {
  const days = new Groups<Omit<DayRollUp, keyof Sums>, Sums>(addSums)
  const callers = new Groups<Omit<CallerRollUp, keyof Sums>, Sums>(addSums)
  const hours = new Groups<Omit<HourRollUp, 'charged'>, Pick<Sums, 'charged'>>(addCharges)
  const modelHours = new Groups<Omit<ModelHourRollUp, 'charged'>, Pick<Sums, 'charged'>>(addCharges)
  for (const { entry, sums } of changes) {
    const { charged } = sums
    const { modelName: model, provider, scopes } = entry
    const periods = periodsOf(toDay(entry.at))
    const hour = hourOf(entry.at)
    const models = modelsOf(scopes)
    const addDays = (kind: DayRollUp['kind'], id: string, added: Sums): void => {
      for (const day of periods) {
        days.add([day, kind, id, model, provider], () => ({ day, kind, id, model, provider }), added)
      }
    }
    addDays('all', '', sums)
    for (const { kind, id, charged: own = charged } of scopes) {
      hours.add([kind, id, hour], () => ({ kind, id, hour }), { charged: own })
      modelHours.add([kind, id, hour, ...models], () => ({ kind, id, hour, models }), { charged: own })
      if (isColumnOfEntry(kind)) continue
      addDays(kind, id, own === charged ? sums : { ...sums, charged: own })
    }
    for (const caller of callersOf(scopes)) {
      const names = [model, provider, caller.organization, caller.team, caller.user, caller.key]
      for (const day of periods) callers.add([day, ...names], () => ({ day, ...caller, model, provider }), sums)
    }
  }
  return {
    days: days.sorted(),
    callers: callers.sorted(),
    hours: hours.sorted(),
    modelHours: modelHours.sorted(),
  }
}

function addCharges(a: Pick<Sums, 'charged'>, b: Pick<Sums, 'charged'>): Pick<Sums, 'charged'> {
  return { charged: a.charged + b.charged }
}

/** The models that an entry counts for, in one order. */
export function modelsOf(scopes: readonly ScopeRef[]): readonly string[] {
  return scopes.flatMap(({ kind, id }) => (kind === 'model' ? id : [])).toSorted()
}

/** Sums by the values that name them. */
class Groups<Key extends object, Sum extends object> {
  readonly #groups = new Map<string, { readonly key: Key; sum: Sum }>()
  readonly #plus: (a: Sum, b: Sum) => Sum

  constructor(plus: (a: Sum, b: Sum) => Sum) {
    this.#plus = plus
  }

  add(name: readonly (string | number)[], key: () => Key, sum: Sum): void {
    const joined = JSON.stringify(name)
    const known = this.#groups.get(joined)
    if (known) known.sum = this.#plus(known.sum, sum)
    else this.#groups.set(joined, { key: key(), sum })
  }

  sorted(): (Key & Sum)[] {
    return [...this.#groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { key, sum }]) => ({ ...key, ...sum }))
  }
}

/** Every combination of the entry's caller scopes; one, unless it has several scopes of a kind. */
function callersOf(scopes: readonly ScopeRef[]): Pick<CallerRollUp, (typeof callerKinds)[number]>[] {
  let callers = [{ organization: '', team: '', user: '', key: '' }]
  for (const kind of callerKinds) {
    const ids = scopes.filter((scope) => scope.kind === kind).map(({ id }) => id)
    if (ids.length > 0) callers = callers.flatMap((caller) => ids.map((id) => ({ ...caller, [kind]: id })))
  }
  return callers
}

/** Where a report is read from, and which columns narrow and group it. */
export type ReportPlan = {
  readonly by: readonly SpendGroup[]
  readonly where: readonly (readonly [SpendGroup, string])[]
} & (
  | { readonly from: 'callers' }
  /** `kind` names the rows, and is the group or filter that their id stands for. */
  | { readonly from: 'days'; readonly kind: SpendGroup | 'all' }
)

/**
 * Chooses the smallest roll-ups that answer a report.
 * @throws GatewayError invalid_request for a combination that is not kept
 */
export function planReport({ by, scope }: SpendQuery): ReportPlan {
  const where: ReportPlan['where'] = scope ? [[scope.kind, scope.id]] : []
  const asked = [...by, ...where.map(([group]) => group)]
  const kinds = new Set(asked.filter((group) => !isColumnOfEntry(group)))
  const [kind] = kinds
  if (kinds.size <= 1) return { from: 'days', kind: kind ?? 'all', by, where }
  const strange = [...kinds].find((one) => !callerKinds.some((known) => known === one))
  if (strange === undefined) return { from: 'callers', by, where }
  throw new GatewayError('invalid_request', `Spend by "${strange}" is not kept together with other scopes.`, {
    param: 'by',
  })
}

/** The order of a report's rows: by the first different group, in code units. */
export function compareGroups({ group: a }: SpendRow, { group: b }: SpendRow): number {
  const place = a.findIndex((id, index) => id !== b[index])
  if (place === -1) return 0
  return (a[place] ?? '') < (b[place] ?? '') ? -1 : 1
}

/** A window as whole hours, less what of them is not the window's; times in milliseconds. */
export interface WindowParts {
  /** From the first until before the second hour. */
  readonly hours: { readonly from: number; readonly until: number }
  /** What of the first and the last hour lies before and after the window. */
  readonly outside: readonly { readonly from: number; readonly until: number }[]
}

/** As good as never: stores keep times as integers. */
const forever = Math.floor(Number.MAX_SAFE_INTEGER / hourMs) * hourMs

/**
 * Cuts a window so that rows need to be read of parts of hours only: those that do not count. Where these were pruned,
 * the hour counts as a whole, and never too little. Undefined where nothing lies within.
 */
export function windowParts(from: number, until: number = forever): WindowParts | undefined {
  const [begin, end] = [Math.ceil(Math.max(from, 0)), Math.ceil(Math.min(until, forever))]
  if (begin >= end) return undefined
  const hours = { from: hourOf(begin), until: hourOf(end + hourMs - 1) }
  const outside = [
    { from: hours.from, until: begin },
    { from: end, until: hours.until },
  ].filter((part) => part.from < part.until)
  return { hours, outside }
}

/** When the hour of a time begins. */
export function hourOf(at: number): number {
  return Math.floor(at / hourMs) * hourMs
}
