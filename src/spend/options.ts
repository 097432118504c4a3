import { z } from 'zod'
import { PriceOptions, PriceTable } from '../catalog/prices/index.js'
import type { Scope } from '../ports.js'
import type { UsageEvent } from '../ports/ledger.js'

/** Budgets and limits of all callers together. */
export type SharedLimits = Pick<Scope, 'budget' | 'rpm' | 'tpm' | 'maxParallelRequests'>

/** How money is counted. */
export interface SpendOptions {
  /** Prices by `provider/model` or `model`; they hide those that come with the package, and what a provider says it bills. */
  readonly prices?: PriceTable | undefined
  /**
   * Calls of models without a known price: `allow` (written down as unpriced, to be priced later), `refuse`, or a price
   * to count with. @default 'allow'
   */
  readonly unknownPrice?: 'allow' | 'refuse' | PriceOptions | undefined
  /** While counters do not answer: count in this process, or answer 503. @default 'degrade' */
  readonly onStoreFailure?: 'degrade' | 'refuse' | undefined
  /** A directory where rows lie until the ledger has them, so that a killed process loses none. @default memory only */
  readonly journalDirectory?: string | undefined
  /** Of all calls together; gateways that share their counters and their ledger share it. */
  readonly everybody?: SharedLimits | undefined
  /** Limits by model group. */
  readonly models?: Readonly<Record<string, SharedLimits>> | undefined
  /** Limits by tag of the caller; tags of requests are labels and count for nothing. */
  readonly tags?: Readonly<Record<string, SharedLimits>> | undefined
  /** Limits by provider, whoever calls: at one that has reached its limit no attempt is made, another deployment is asked. */
  readonly providers?: Readonly<Record<string, SharedLimits>> | undefined
  /** The same by id of the deployment. */
  readonly deployments?: Readonly<Record<string, SharedLimits>> | undefined
  /**
   * Told of every row once the ledger has it, and of corrections, in batches; repeated until it resolves, with the same
   * ids, so that whoever bills by them can tell repetitions. What it was not told waits in the ledger, where any process
   * that has an `onUsage` finds it within two minutes after another was killed.
   */
  readonly onUsage?: ((entries: readonly UsageEvent[]) => PromiseLike<void> | void) | undefined
  /** Rows older than so many days are forgotten, by whole hours; sums by hour and day stay. @default never */
  readonly retentionDays?: number | undefined
  /**
   * Sums older than so many days are forgotten, by whole weeks: reports know no more of those days. What a budget may need
   * stays: one sum of each month for every scope, so that of a window that began earlier than that, which only one of more
   * than a year can, the first month counts as a whole. At least 367. @default never
   */
  readonly sumsRetentionDays?: number | undefined
  /**
   * Sessions without a call for so many days are forgotten, by whole weeks, and with them what they have spent; of others
   * the days before that. @default as all sums
   */
  readonly sessionsRetentionDays?: number | undefined
}

const limit = z.number().positive().optional()

/** Shape of `Budget`. */
export const BudgetSchema = z.strictObject({
  maxBudget: z.number().nonnegative().optional(),
  softBudget: z.number().nonnegative().optional(),
  budgetDuration: z.string().optional(),
  timeZone: z.string().optional(),
  startsAt: z.number().optional(),
})

const sharedLimits = z.strictObject({
  budget: BudgetSchema.optional(),
  rpm: limit,
  tpm: limit,
  maxParallelRequests: limit,
})

/** Shape of `SpendOptions`; unknown settings are errors. */
export const SpendOptionsSchema = z.strictObject({
  prices: PriceTable.optional(),
  unknownPrice: z.union([z.enum(['allow', 'refuse']), PriceOptions]).optional(),
  onStoreFailure: z.enum(['degrade', 'refuse']).optional(),
  journalDirectory: z.string().min(1).optional(),
  everybody: sharedLimits.optional(),
  models: z.record(z.string(), sharedLimits).optional(),
  tags: z.record(z.string(), sharedLimits).optional(),
  providers: z.record(z.string(), sharedLimits).optional(),
  deployments: z.record(z.string(), sharedLimits).optional(),
  onUsage: z.custom<() => void>((value) => typeof value === 'function', { error: 'must be a function' }).optional(),
  retentionDays: z.number().positive().optional(),
  // Longer than any year: what the budgets of a year add up is never cut into.
  sumsRetentionDays: z.number().min(367).optional(),
  sessionsRetentionDays: z.number().positive().optional(),
})
