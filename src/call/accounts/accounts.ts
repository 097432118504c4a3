import type { Admission, AdmittedCall } from '../../limits/admission.js'
import type { CallDemand } from '../../limits/holds.js'
import type { Caller, Clock, Logger, Scope } from '../../ports.js'
import type { LedgerEntry } from '../../ports/ledger.js'
import type { ModelGroup } from '../../router/model-group.js'
import type { AttemptEntry, CallTrail } from '../../router/trail.js'
import type { PlannedCall } from '../../spend/index.js'
import { type SharedBudgets, type SharedScopes, createSharedScopes, isLimited } from './budget-scopes.js'
import { type CallFacts, isBilled, toLedgerEntry } from './ledger-entries.js'
import { markUpsOf, noMarkUps } from './mark-ups.js'
import { OpenAccount } from './open-account.js'
import type { Pricing } from './pricing.js'

/** A call that is to be let in. */
export interface BilledCall {
  readonly planned: PlannedCall
  readonly caller: Caller
  readonly callId: string
  readonly group: ModelGroup
  /** Labels of the caller and of the request, each once; does not throw. */
  readonly readTags: () => readonly string[]
}

/** A call as its rows tell of it. */
export interface RecordedCall extends Omit<BilledCall, 'group'> {
  readonly group: Pick<ModelGroup, 'name'>
}

/** Where one call's money goes. */
export interface CallAccount {
  /** What was written down, once it is closed. */
  readonly rows: readonly LedgerEntry[]
  /** `x-ratelimit-*`; empty where there is no limit. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * Lets one attempt in, whose entry stands in the trail: holds what the budgets and limits of its provider and its
   * deployment ask for, and more of the call's budgets where earlier attempts used up what was held for the call.
   * Undefined, at once, where nothing has to be held.
   * @throws GatewayError deployment_limited, budget_exceeded, or that of a model without a price
   */
  attempt(entry: AttemptEntry, trail: CallTrail): Promise<void> | undefined
  /** The call is over, however it went: writes down what was billed, and settles what was held. Never throws; only the first counts. */
  close(trail: CallTrail): void
  /** The answer came from the cache. */
  cached(origin: CachedOrigin): void
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
  open(call: BilledCall): Promise<CallAccount> | CallAccount | undefined
  /**
   * Writes down one attempt of the gateway's own that has ended, where every call is written down and the provider bills
   * it. Nobody is charged, and no budget or limit asked. Never rejects.
   */
  record(call: RecordedCall, entry: AttemptEntry): Promise<void>
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

/** What every account of a gateway shares. */
export interface AccountTools extends Omit<AccountsParts, 'budgets' | 'keepsLedger'> {
  readonly shared: SharedScopes
}

/** Builds the accounts of one gateway. */
export function createAccounts(parts: AccountsParts): Accounts {
  const tools: AccountTools = { ...parts, shared: createSharedScopes(parts.budgets) }
  return {
    open(call) {
      const scopes = tools.shared.ofCall(call)
      const isHeld = scopes.some(isLimited)
      if (!isHeld && !parts.keepsLedger) return undefined
      // Most calls need not wait for anything.
      const opening = parts.pricing.ready()
      if (opening) return openLater(call, scopes, { tools, isHeld, ready: opening })
      parts.pricing.requirePrices(call.group)
      const facts = { call, scopes, markUps: markUpsOf(call.caller.scopes) }
      if (!isHeld) return new OpenAccount(facts, unheld(facts, tools), tools)
      const admitted = parts.admission.admitNow(demandOf(facts, parts))
      return admitted ? new OpenAccount(facts, admitted, tools) : openLater(call, scopes, { tools, isHeld })
    },
    async record(call, entry) {
      if (!parts.keepsLedger || !isBilled(entry)) return
      entry.billable = false
      try {
        await parts.pricing.ready()
        const at = entry.endedAt ?? parts.clock.now()
        parts.write(toLedgerEntry(entry, { call, scopes: [], markUps: noMarkUps, at }, tools))
      } catch (error) {
        parts.logger.error({ error, callId: call.callId }, 'A call could not be written down.')
      }
    },
  }
}

interface Opening {
  readonly tools: AccountTools
  readonly isHeld: boolean
  /** Resolves once prices can be asked for. */
  readonly ready?: Promise<void>
}

async function openLater(
  call: BilledCall,
  scopes: readonly Scope[],
  { tools, isHeld, ready }: Opening,
): Promise<CallAccount> {
  await ready
  tools.pricing.requirePrices(call.group)
  const facts = { call, scopes, markUps: markUpsOf(call.caller.scopes) }
  const admitted = isHeld ? await tools.admission.admit(demandOf(facts, tools)) : unheld(facts, tools)
  return new OpenAccount(facts, admitted, tools)
}

/** A budget may be set while the call runs. */
function unheld(
  { call, scopes }: CallFacts & { readonly call: BilledCall },
  { admission }: Pick<AccountTools, 'admission'>,
): AdmittedCall | undefined {
  return scopes.length > 0 ? admission.watch({ scopes, modelName: call.group.name }) : undefined
}

function demandOf(
  { call, scopes, markUps }: CallFacts & { readonly call: BilledCall },
  { pricing }: Pick<AccountTools, 'pricing'>,
): CallDemand {
  return { scopes, modelName: call.group.name, estimate: pricing.estimate(call, markUps) }
}
