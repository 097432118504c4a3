import type { HttpRequest } from './http/message.js'

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
