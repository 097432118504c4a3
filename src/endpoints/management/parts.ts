import type { Pricing } from '../../call/accounts/pricing.js'
import type { Actor, ManagementParts } from '../../keys/management/index.js'
import type { BudgetWindows } from '../../limits/budget-window.js'
import type { Clock } from '../../ports.js'
import type { CallStore } from '../../ports/calls.js'
import type { LedgerStore } from '../../ports/ledger.js'
import type { ModelDirectory } from '../../router/directory.js'
import type { LedgerQueue } from '../../spend/ledger-queue.js'
import type { JsonObject } from '../../wire/json.js'

/** What the management API is made of. */
export interface AdminParts {
  /** The records of callers, and who has to hear of their changes. */
  readonly callers: ManagementParts
  readonly models: RuntimeModels
  readonly directory: ModelDirectory
  readonly ledger: LedgerStore
  /** Undefined where no call log is kept. */
  readonly calls: CallStore | undefined
  /** Rows on their way to the ledger. */
  readonly queue: Pick<LedgerQueue, 'flush'>
  readonly pricing: Pick<Pricing, 'ready' | 'find'>
  readonly budgetWindows: BudgetWindows
  /** The configuration in force, without its secrets. */
  readonly settings: () => JsonObject
  readonly clock: Clock
}

/** A deployment in LiteLLM's words. */
export interface ModelInput {
  readonly model_name: string
  /** Where and how it is called: `model`, `api_key`, `api_base` and the rest. */
  readonly litellm_params: JsonObject
  /** Free data. */
  readonly model_info: JsonObject
}

/** A deployment that was made at run time, without its credentials. */
export interface RuntimeModel extends ModelInput {
  readonly id: string
}

/** Deployments that are kept in records, beside those of the host's model list. */
export interface RuntimeModels {
  get(id: string): RuntimeModel | undefined
  /** @throws GatewayError invalid_request for one that cannot work, conflict for an id that exists */
  add(actor: Actor, id: string, input: ModelInput): Promise<RuntimeModel>
  /** Replaces the members that are given; null takes one away. @throws as `add`, and not_found */
  update(actor: Actor, id: string, change: Partial<ModelInput>): Promise<RuntimeModel>
  /** @throws GatewayError not_found */
  remove(actor: Actor, id: string): Promise<void>
}
