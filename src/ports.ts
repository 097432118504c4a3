import type { Deployment } from './deployment.js'
import type { HttpRequest } from './http/message.js'
import type { ScopeRef } from './ports/ledger.js'
import type { Secret } from './secret.js'

/** Decides who calls. */
export interface Auth<Host = unknown> {
  /** Resolves to the caller, or to null for an unknown one (401). Awaited with a deadline of 10 s. */
  identify(request: HttpRequest<Host>): Promise<Caller | null> | Caller | null
}

/** Whoever a call is billed to. A host maps its own user to this. */
export interface Caller {
  readonly id: string
  readonly role: 'admin' | 'member'
  /** Model names this caller may use; `anthropic/*` allows a prefix. */
  readonly models: readonly string[] | 'all'
  /** Budgets and limits that a call counts against, outermost first. */
  readonly scopes: readonly Scope[]
  /** Labels of all its calls, see `routing.tagFiltering`. */
  readonly tags?: readonly string[]
  /** Free data; of it `allowedModelRegion` (`eu`) keeps every call at deployments of that region. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** What this caller's own names for models stand for; the name that one stands for must be in `models`. */
  readonly aliases?: Readonly<Record<string, string>>
}

/** Limits of a scope for one model, or a family of them. */
export interface ModelLimit {
  /** Requests per minute. */
  readonly rpm?: number
  /** Tokens per minute, input and output. */
  readonly tpm?: number
}

/** One level that a call counts against, and what it is held to there. */
export interface Scope extends ScopeRef {
  readonly budget?: Budget
  /** Budgets for single models or, as `openai/*`, families of them. */
  readonly modelBudgets?: Readonly<Record<string, Budget>>
  /** Requests per minute. */
  readonly rpm?: number
  /** Tokens per minute, input and output. */
  readonly tpm?: number
  /** Requests and tokens per minute of single models or, as `openai/*`, families of them. */
  readonly modelLimits?: Readonly<Record<string, ModelLimit>>
  readonly maxParallelRequests?: number
  /** What the scope is charged per dollar of cost, such as 1.2. @default that of the nearest scope around it, else 1 */
  readonly markUp?: number
}

/** An amount of money that may be spent within a window. */
export interface Budget {
  /** Dollars; a call that might exceed it is refused. */
  readonly maxBudget?: number
  /** Dollars; passing it raises an event. */
  readonly softBudget?: number
  /** Length of the window: `30s 30m 1h 24h 7d 30d 1mo`; months are calendar months. @default one window without end */
  readonly budgetDuration?: string
  /** Where days and months begin, an IANA name. @default UTC */
  readonly timeZone?: string
  /** When the first window begins, in milliseconds since the epoch. @default windows follow the calendar */
  readonly startsAt?: number
}

/** What a caller brings to a provider in place of the platform's; lives as long as one attempt. */
export interface CallerCredentials {
  readonly apiKey?: string | Secret | undefined
  /** An endpoint of the caller's own; refused unless `callerEndpoints` allows it. @default the deployment's address */
  readonly baseUrl?: string | undefined
  /** @default the deployment's */
  readonly apiVersion?: string | undefined
  readonly organization?: string | undefined
  /** In place of the deployment's own headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * In place of the deployment's own settings, of which only `region` and `location` stay. Read like a host's own
   * configuration, where some values name files or profiles: check what comes from a form.
   */
  readonly settings?: Readonly<Record<string, unknown>> | undefined
}

/**
 * Decides whose credentials an attempt uses: the caller's own ones, or `'platform'` for the deployment's. Nothing
 * (null, undefined) refuses the deployment to the caller with a 403: there is no silent way back to the platform's key.
 * Awaited with a deadline of 10 s; asked for every attempt, never remembered.
 */
export type CredentialsHook = (
  caller: Caller,
  deployment: Deployment,
) => PromiseLike<CallerCredentials | 'platform' | null | undefined> | CallerCredentials | 'platform' | null | undefined

/** Time, injected so that tests never sleep. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  setTimeout(callback: () => void, milliseconds: number): Timer
}

/** A running timer of a Clock. */
export interface Timer {
  cancel(): void
}

/** A logger of pino's shape. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
