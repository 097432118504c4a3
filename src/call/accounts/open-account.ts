import { GatewayError } from '../../errors.js'
import type { AdmittedCall } from '../../limits/admission.js'
import type { CallDemand } from '../../limits/holds.js'
import { type LedgerEntry, type ScopeRef, chargedTo } from '../../ports/ledger.js'
import type { AttemptEntry, CallTrail } from '../../router/trail.js'
import type { AccountTools, BilledCall, CachedOrigin, CallAccount } from './accounts.js'
import { budgetsOf } from './budget-scopes.js'
import { type CallFacts, isBilled, toCachedEntry, toLedgerEntry, tokensOf } from './ledger-entries.js'

/** The account's facts, with what its estimates are made from. */
interface AccountFacts extends CallFacts {
  readonly call: BilledCall
}

/** What is held for one attempt alone. */
type OwnDemand = Pick<CallDemand, 'modelName' | 'scopes'>

/** What the provider, the deployment and, of a fallback, the model of one attempt hold for it. */
interface HeldAttempt {
  readonly entry: AttemptEntry
  readonly admitted: AdmittedCall
}

/** The account of one call, from its admission to its end. */
export class OpenAccount implements CallAccount {
  readonly #facts: AccountFacts
  readonly #admitted: AdmittedCall | undefined
  readonly #tools: AccountTools
  /** Held beside `#admitted`, for attempts beyond those that the estimate allowed for. */
  readonly #further: AdmittedCall[] = []
  #attempts: readonly HeldAttempt[] = []
  #open = true
  rows: readonly LedgerEntry[] = []

  constructor(facts: AccountFacts, admitted: AdmittedCall | undefined, tools: AccountTools) {
    this.#facts = facts
    this.#admitted = admitted
    this.#tools = tools
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#admitted?.headers ?? {}
  }

  attempt(entry: AttemptEntry, trail: CallTrail): Promise<void> | undefined {
    const { pricing, shared } = this.#tools
    pricing.requirePrice(entry.target)
    this.#endUnbilled()
    const { call, scopes } = this.#facts
    const asked = call.group.name
    const own = [
      { modelName: asked, scopes: shared.ofAttempt(entry.target) },
      { modelName: entry.modelName, scopes: shared.ofFallback(entry.modelName, { modelName: asked, scopes }) },
    ].filter((demand) => demand.scopes.length > 0)
    const isFurther = this.#isFurther(entry, trail)
    return isFurther || own.length > 0 ? this.#hold(entry, own, isFurther) : undefined
  }

  close(trail: CallTrail): void {
    this.#end(() => {
      const billed = trail.entries.filter(isBilled)
      const now = this.#tools.clock.now()
      // One date for all rows of a call, as all of them are settled at once.
      const at = this.#dateWithin(billed.reduce((latest, { endedAt = now }) => Math.max(latest, endedAt), 0))
      const { call, scopes, markUps } = this.#facts
      const facts = { call, scopes, markUps, at }
      const rows = billed.map((entry) => toLedgerEntry(entry, facts, this.#tools))
      // What never left this process counts for nothing.
      if (trail.entries.some(({ sent }) => sent)) settle(this.#admitted, rows)
      else this.#admitted?.release()
      for (const further of this.#further) further.release()
      for (const held of this.#attempts) {
        const row = rows[billed.indexOf(held.entry)]
        endAttempt(held, row ? [row] : [])
      }
      return rows
    })
  }

  cached(origin: CachedOrigin): void {
    this.#end(() => {
      const rows = [toCachedEntry(origin, this.#facts, this.#tools)]
      settle(this.#admitted, rows)
      return rows
    })
  }

  /** A call counts in the windows that it began in, and so do its rows. */
  #dateWithin(endedAt: number): number {
    let date = endedAt
    for (const { endsAt } of this.#holders()) if (endsAt !== undefined && endsAt <= date) date = endsAt - 1
    return date
  }

  #holders(): readonly AdmittedCall[] {
    const own = this.#attempts.map(({ admitted }) => admitted)
    return this.#admitted ? [this.#admitted, ...this.#further, ...own] : own
  }

  /** True where what is held for the call is used up by attempts that were billed, or may be, or was not meant for this one. */
  #isFurther(entry: AttemptEntry, { entries }: CallTrail): boolean {
    if (!this.#admitted?.isHeld) return false
    const { pricing } = this.#tools
    const held = pricing.billedAttempts + this.#further.length
    const others = entries.filter((other) => other !== entry && (other.outcome === 'running' || isBilled(other)))
    return others.length >= held || !pricing.covers(this.#facts.call.group, entry.target)
  }

  async #hold(entry: AttemptEntry, own: readonly OwnDemand[], isFurther: boolean): Promise<void> {
    const { call, scopes, markUps } = this.#facts
    const { admission, pricing } = this.#tools
    const estimate = pricing.estimateAttempt(call, entry, markUps)
    if (isFurther) {
      const demand = { modelName: call.group.name, scopes: budgetsOf(scopes), estimate }
      const further = await admission.admit(demand).catch(notTheDeployment)
      if (!this.#open) return further.release()
      this.#further.push(further)
    }
    for (const demand of own) {
      const admitted = await admission.admit({ ...demand, estimate, isAttempt: true }).catch(toDeploymentLimited)
      // The call may have ended meanwhile.
      if (!this.#open) return admitted.release()
      this.#attempts = [...this.#attempts, { entry, admitted }]
    }
  }

  /** The next attempt may need the room of those that failed for nothing. */
  #endUnbilled(): void {
    if (this.#attempts.length === 0) return
    const isOver = ({ entry }: HeldAttempt): boolean => entry.outcome !== 'running' && !isBilled(entry)
    const over = this.#attempts.filter(isOver)
    this.#attempts = this.#attempts.filter((held) => !isOver(held))
    for (const held of over) endAttempt(held, [])
  }

  #end(toRows: () => readonly LedgerEntry[]): void {
    if (!this.#open) return
    this.#open = false
    const { write, logger } = this.#tools
    try {
      this.rows = toRows()
      for (const row of this.rows) write(row)
    } catch (error) {
      // A call is never harmed by its bookkeeping, and holds nothing once it is over.
      logger.error({ error, callId: this.#facts.call.callId }, 'A call could not be written down.')
      for (const held of this.#holders()) held.release()
    }
  }
}

/** A request that was sent counts as one, whatever came of it. */
function endAttempt({ entry, admitted }: HeldAttempt, rows: readonly LedgerEntry[]): void {
  if (entry.sent) settle(admitted, rows)
  else admitted.release()
}

function settle(admitted: AdmittedCall | undefined, rows: readonly LedgerEntry[]): void {
  if (!admitted) return
  let tokens = 0
  for (const row of rows) tokens += tokensOf(row)
  const charged = (scope: ScopeRef): bigint => {
    let sum = 0n
    for (const row of rows) sum += chargedTo(row, scope)
    return sum
  }
  const at = rows.at(-1)?.at
  admitted.settle(at === undefined ? { charged, tokens } : { charged, tokens, at })
}

/** What the host has set for a provider is no caller's business: another deployment is asked, and no amount is told. */
function toDeploymentLimited(thrown: unknown): never {
  if (!GatewayError.isInstance(thrown) || thrown.status !== 429) return notTheDeployment(thrown)
  const { code, type, retryAfterMs } = thrown
  const text = 'Every deployment that could answer has used up what this gateway allows it. Try again later.'
  throw new GatewayError('deployment_limited', text, {
    cause: thrown,
    code,
    type,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

/** A counter store that does not answer says nothing about the deployment's health. */
function notTheDeployment(thrown: unknown): never {
  if (!GatewayError.isInstance(thrown) || thrown.kind !== 'unavailable') throw thrown
  const { message, status, code, type } = thrown
  throw new GatewayError('deployment_limited', message, { cause: thrown, status, code, type })
}
