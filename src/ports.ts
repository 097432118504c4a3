import type { Deployment } from './deployment.js'
import type { HttpRequest } from './http/message.js'
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
  readonly tags?: readonly string[]
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** One level that a call counts against. */
export interface Scope {
  readonly kind: 'organization' | 'team' | 'user' | 'key' | 'customer' | 'session' | 'model' | 'deployment'
  readonly id: string
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
