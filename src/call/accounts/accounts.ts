import type { Admission, AdmittedCall } from '../../limits/admission.js'
import type { Caller, Clock, Logger, Scope } from '../../ports.js'
import type { LedgerEntry } from '../../ports/ledger.js'
import type { ModelGroup } from '../../router/model-group.js'
import type { CallTrail } from '../../router/trail.js'
import type { PlannedCall } from '../../spend/index.js'
import { toFactor } from '../../spend/index.js'
import { type SharedBudgets, scopesOf } from './budget-scopes.js'
import { type CallFacts, toLedgerEntries, tokensOf } from './ledger-entries.js'
import type { Pricing } from './pricing.js'

/** A call that is to be let in. */
export interface BilledCall {
  readonly planned: PlannedCall
  readonly caller: Caller
  readonly callId: string
  readonly group: ModelGroup
  /** Labels of the caller and of the request, each once. */
  readonly readTags: () => readonly string[]
}

/** Where one call's money goes. */
export interface CallAccount {
  /** `x-ratelimit-*`; empty where there is no limit. */
  readonly headers: Readonly<Record<string, string>>
  /** The call is over, however it went: writes down what was billed, and settles what was held. Never throws; only the first counts. */
  close(trail: CallTrail): void
  /** The answer came from the cache. */
  cached(trail: CallTrail, origin: CachedOrigin): void
}

/** Who produced an answer that came from the cache. */
export interface CachedOrigin {
  readonly deployment: string
  readonly provider: string
  readonly model: string
}

/** Lets calls in that their budgets have room for, and keeps the books. */
export interface Accounts {
  /**
   * Undefined, at once, where nobody wants to know: the caller has no budgets or limits and no ledger is kept.
   * @throws GatewayError budget_exceeded, limit_exceeded, or that of a model without a price
   */
  open(call: BilledCall): Promise<CallAccount> | undefined
}

/** What accounts are kept with. */
export interface AccountsParts {
  readonly admission: Admission
  readonly pricing: Pricing
  readonly budgets: SharedBudgets
  /** True where every call is written down, not only those of callers with budgets. */
  readonly keepsLedger: boolean
  /** Takes rows at once; sees to it that they are kept. */
  readonly write: (entry: LedgerEntry) => void
  readonly clock: Clock
  readonly createId: () => string
  readonly logger: Logger
}

/** Builds the accounts of one gateway. */
export function createAccounts(parts: AccountsParts): Accounts {
  return {
    open(call) {
      const scopes = scopesOf(call, parts.budgets)
      if (!parts.keepsLedger && !scopes.some(isLimited)) return undefined
      return openAccount(call, scopes, parts)
    },
  }
}

function isLimited({ budget, modelBudgets, rpm, tpm, maxParallelRequests }: Scope): boolean {
  return (budget ?? modelBudgets ?? rpm ?? tpm ?? maxParallelRequests) !== undefined
}

async function openAccount(call: BilledCall, scopes: readonly Scope[], parts: AccountsParts): Promise<CallAccount> {
  const { pricing, admission } = parts
  await pricing.ready()
  pricing.requirePrices(call.group)
  // The innermost mark-up counts, once: a row of the ledger is charged one amount, to all of its scopes.
  const markUp = toFactor(scopes.findLast((scope) => scope.markUp !== undefined)?.markUp ?? 1)
  const admitted = scopes.some(isLimited)
    ? await admission.admit({ scopes, modelName: call.group.name, estimate: pricing.estimate(call, markUp) })
    : undefined
  const facts: CallFacts = { call, scopes, markUp, pricing, clock: parts.clock, createId: parts.createId }
  return new OpenAccount(facts, admitted, parts)
}

class OpenAccount implements CallAccount {
  readonly #facts: CallFacts
  readonly #admitted: AdmittedCall | undefined
  readonly #parts: AccountsParts
  #open = true

  constructor(facts: CallFacts, admitted: AdmittedCall | undefined, parts: AccountsParts) {
    this.#facts = facts
    this.#admitted = admitted
    this.#parts = parts
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#admitted?.headers ?? {}
  }

  close(trail: CallTrail): void {
    this.#end(() => {
      const entries = toLedgerEntries(trail, this.#facts)
      // What never left this process counts for nothing.
      if (!trail.entries.some(({ sent }) => sent)) this.#admitted?.release()
      else this.#settle(entries)
      return entries
    })
  }

  cached(trail: CallTrail, origin: CachedOrigin): void {
    this.#end(() => {
      const entries = toLedgerEntries(trail, this.#facts, origin)
      this.#settle(entries)
      return entries
    })
  }

  #end(toEntries: () => readonly LedgerEntry[]): void {
    if (!this.#open) return
    this.#open = false
    try {
      for (const entry of toEntries()) this.#parts.write(entry)
    } catch (error) {
      // A call is never harmed by its bookkeeping; what is held then ends by itself.
      this.#parts.logger.error({ error, callId: this.#facts.call.callId }, 'A call could not be written down.')
    }
  }

  #settle(entries: readonly LedgerEntry[]): void {
    const charged = entries.reduce((sum, entry) => sum + entry.charged, 0n)
    const tokens = entries.reduce((sum, entry) => sum + tokensOf(entry), 0)
    const at = entries.at(-1)?.at
    this.#admitted?.settle({ charged: () => charged, tokens, ...(at !== undefined && { at }) })
  }
}
