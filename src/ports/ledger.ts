import type { JsonObject } from '../wire/json.js'

/** Every kind of scope that budgets, limits and spend are kept for. */
export type ScopeKind =
  /** All callers of a gateway together, see `spend.everybody`. */
  | 'gateway'
  | 'organization'
  | 'team'
  /** A user's place in a team or an organization. */
  | 'member'
  | 'user'
  | 'key'
  | 'customer'
  | 'session'
  | 'model'
  | 'provider'
  | 'deployment'
  | 'tag'
  /** With the id `hit`: answers from the cache. */
  | 'cache'

/** True where a pattern of `modelBudgets` (`gpt-4o`, `openai/*`, `*`) speaks of this model name. */
export function isModelMatch(pattern: string, modelName: string): boolean {
  return pattern.endsWith('*') ? modelName.startsWith(pattern.slice(0, -1)) : pattern === modelName
}

/** Names one scope. */
export interface ScopeRef {
  readonly kind: ScopeKind
  readonly id: string
}

/** A scope that an entry counts for. */
export interface ChargedScope extends ScopeRef {
  /** What this scope is charged; absent where it is the entry's `charged`. */
  readonly charged?: bigint
}

/** Pico-dollars that an entry charges to a scope. */
export function chargedTo(
  { scopes, charged }: Pick<LedgerEntry, 'scopes' | 'charged'>,
  { kind, id }: ScopeRef,
): bigint {
  return scopes.find((scope) => scope.kind === kind && scope.id === id)?.charged ?? charged
}

/** One billed attempt, or one answer from the cache. Written once, never changed but by `reprice`. */
export interface LedgerEntry {
  /** Unique; appending it again does nothing. */
  readonly id: string
  /** All attempts of one call have it in common; the answer's `x-request-id`. */
  readonly callId: string
  /**
   * When its call ended, in milliseconds since the epoch; of one that outlasted a budget's window the last millisecond of
   * that window, which it counts in. All rows of a call have one date, as they are settled at once.
   */
  readonly at: number
  readonly operation: string
  /** `Caller.id`. */
  readonly caller: string
  /** Everything that the spend counts for, each once: the caller's scopes, model, provider, deployment, tags, cache. */
  readonly scopes: readonly ChargedScope[]
  /** The model group that was asked for. */
  readonly modelName: string
  readonly deployment: string
  readonly provider: string
  /** The model's name at the provider. */
  readonly model: string
  /** Tokens by disjoint bucket; other quantities (images, seconds) likewise. */
  readonly usage: Readonly<Record<string, number>>
  /**
   * What the price was at that time, and how the cost came about: line by line, or (`source: 'reported'`) the amount that
   * the provider told. Null where no price is known. Of a row that is not `priced` also what its price depends on beside
   * the row: mark-up, service tier, place, size and quality of images.
   */
  readonly price: JsonObject | null
  /** What the provider charges, in pico-dollars (1e-12): as it says itself, else by the price. */
  readonly cost: bigint
  /** What the call is charged: `cost` with the innermost mark-up; 0 where not billable. A scope with another has its own. */
  readonly charged: bigint
  /** False where no price is known: `cost` is 0 until `reprice`. */
  readonly priced: boolean
  /** The usage was not told by the provider. */
  readonly estimated: boolean
  /** The attempt was cut off by the client, a deadline, or a hedge that won. */
  readonly aborted: boolean
  /** The answer came from the cache. */
  readonly cached: boolean
  /** False where the caller's own credentials paid. */
  readonly billable: boolean
  readonly latencyMs: number
  /** Streams: until the first content. */
  readonly firstTokenMs: number | undefined
  /** HTTP status of the attempt: 200, or that of its failure. */
  readonly status: number
  /** `FailureKind` of a failed attempt. */
  readonly failure: string | undefined
  /** Free labels of caller and request; never identity. */
  readonly tags: readonly string[]
  /** `user` of the request body: a label of the client. */
  readonly endUser: string | undefined
  readonly metadata: JsonObject | undefined
}

/** What the host's own billing is told: a row of the ledger, or the correction of one. */
export interface UsageEvent extends LedgerEntry {
  /**
   * Set where a row was priced again: that row's id. `cost` and `charged` are what comes to those of the row, less where
   * negative; there is no `usage`. Its own id is the same however often it is told.
   */
  readonly corrects?: string
}

/** Which rows are wanted; every field narrows. */
export interface LedgerQuery {
  readonly scope?: ScopeRef
  readonly callId?: string
  readonly modelName?: string
  /** At or after, in milliseconds. */
  readonly from?: number
  /** Before, in milliseconds. */
  readonly until?: number
  /** True: with a `failure`. */
  readonly failed?: boolean
  readonly priced?: boolean
  /** @default 100; at most 1,000 */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string
}

/** Rows, newest first, and where the next page begins. */
export interface LedgerPage {
  readonly entries: readonly LedgerEntry[]
  readonly next: string | undefined
}

/**
 * What spend is summed up by: UTC days (`2026-11-25`), or ids of the entries' scopes of a kind. `model` and `provider`
 * are the entries' `modelName` and `provider`, whatever their scopes say.
 */
export type SpendGroup = 'day' | ScopeKind

/**
 * Sums from the daily roll-ups. Organization, team, user, key, model, provider and day combine freely, `scope` included;
 * customer, session, deployment, tag and cache each combine with model, provider and day only.
 */
export interface SpendQuery {
  /** First and last day, both included. */
  readonly fromDay: string
  readonly untilDay: string
  /** Only what counts for this scope. */
  readonly scope?: ScopeRef
  /** One row per different combination. An entry without a scope of a kind is in no row; with two, in two rows. */
  readonly by: readonly SpendGroup[]
}

/** One row of a spend report. */
export interface SpendRow {
  /** In the order of `by`. */
  readonly group: readonly string[]
  readonly charged: bigint
  readonly cost: bigint
  /** Entries: attempts and answers from the cache. */
  readonly calls: number
  /** Entries with a `failure`. */
  readonly failures: number
  /** All that went in: uncached, read from and written to the provider's cache, audio, images. */
  readonly inputTokens: number
  /** All that came out: text, reasoning, audio, images. */
  readonly outputTokens: number
  readonly cacheReadTokens: number
}

/** A row's price anew. */
export interface RepricedEntry extends Pick<LedgerEntry, 'id' | 'cost' | 'charged' | 'price' | 'priced'> {
  readonly scopes?: readonly ChargedScope[]
  /** Id of the event that tells what comes to the row, which is kept together with it; undefined: nobody is told. */
  readonly tellAs?: string
}

/** Which sums are forgotten; times in milliseconds since the epoch, each taken back to its week's Monday (UTC). */
export interface SumsPruning {
  /** Sums by day from before then, and hours before then but for one sum of each month. @default all stay */
  readonly before?: number
  /** All sums of sessions that were charged nothing since then, and sessions' sums by day from before. @default as `before` */
  readonly sessionsBefore?: number
}

/** Which events are taken, and for how long; times in milliseconds since the epoch. */
export interface EventClaim {
  /** At most so many. */
  readonly limit: number
  readonly now: number
  /** Till then nobody else is given them. */
  readonly until: number
}

/** Append-only rows and their daily sums. Every method may reject; whoever calls it has the deadline and the queue. */
export interface LedgerStore {
  /**
   * Keeps each entry and its part of the roll-ups, or neither; entries whose id is known change nothing. A batch that
   * rejects may have been kept in part: appending it again is safe. `tell`: each new entry is an event too, kept together
   * with it until it is forgotten.
   * @throws GatewayError unavailable or overloaded where no row is at fault: rows are kept, and none is taken for refused
   */
  append(entries: readonly LedgerEntry[], options?: { readonly tell?: boolean }): Promise<void>
  /**
   * Pico-dollars charged to a scope from `from` (included) until `until` (excluded, default: now and later), in
   * milliseconds; exact, however late rows came. Where rows of the first or last hour were pruned, that hour counts as
   * a whole: too much rather than too little. `model`: only entries that have a scope of kind `model` that it matches, see `isModelMatch`;
   * a fallback's entry has two, and counts once.
   */
  total(scope: ScopeRef, from: number, until?: number, model?: string): Promise<bigint>
  query(query: LedgerQuery): Promise<LedgerPage>
  /**
   * Read from roll-ups, never from rows; sorted by group.
   * @throws GatewayError invalid_request for a combination that is not kept
   */
  report(query: SpendQuery): Promise<readonly SpendRow[]>
  /**
   * Replaces cost, charge, price and `priced` of rows, and what their scopes are charged, and corrects the roll-ups; gives
   * how many rows were found. `scopes`: those of the row. @default each is charged what the row is. `tellAs`: the change
   * becomes an event of that id, unless there is none.
   */
  reprice(entries: readonly RepricedEntry[]): Promise<number>
  /** Forgets rows from before the hour (UTC) that `before` (milliseconds) lies in; roll-ups and events stay. Gives how many. */
  prune(before: number): Promise<number>
  /**
   * Forgets old sums, of which the rows may be gone or not; gives how many. Before `before` each scope keeps one sum of
   * each month (UTC), which counts in the last hour of that month that it was charged in: totals without a beginning stay
   * exact, one that begins before `before` counts its first month as a whole where it was charged later in it. Sums by
   * model likewise. A ledger without it keeps its sums for ever.
   */
  pruneSums?(pruning: SumsPruning): Promise<number>
  /** Gives events that were neither forgotten nor taken until a time to come, and takes them; those never taken first. */
  takeEvents(claim: EventClaim): Promise<readonly UsageEvent[]>
  /** Forgets events that were told, by their ids; unknown ones change nothing. */
  forgetEvents(ids: readonly string[]): Promise<void>
}
