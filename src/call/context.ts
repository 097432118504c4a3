import type { Callbacks } from '../callbacks/index.js'
import type { GatewayError } from '../errors.js'
import type { Prompts } from '../prompts/index.js'
import type { CallHooks, Guardrails } from '../guardrails/index.js'
import type { LeaveSignal } from '../http/message.js'
import type { Caller, Clock, Logger } from '../ports.js'
import type { Accounts } from './accounts/accounts.js'
import type { CallerAccess } from './caller-access.js'
import type { EarlierAnswers } from './earlier-answers.js'
import type { ReasoningMemory } from './reasoning-memory.js'
import type { ReadFacts } from './routing-facts.js'
import type { Hedging } from './hedge.js'
import type { MidStreamPolicy } from '../router/options.js'
import type { ModelDirectory } from '../router/directory.js'
import type { RouterParts } from '../router/route.js'
import type { CallTrail } from '../router/trail.js'
import type { Registry } from '../providers/registry.js'
import type { Target } from '../providers/target.js'
import type { Deployment } from '../deployment.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamClient } from '../upstream/client.js'
import type { MediaFetcher } from '../upstream/media-fetcher.js'
import type { TokenCache } from '../upstream/token-cache.js'

/** The parts that every call uses; built once per gateway. */
export interface CallParts {
  readonly directory: ModelDirectory
  /** How deployments are picked, and what is done when they fail. */
  readonly router: RouterParts
  /** What a request tells the router of itself. */
  readonly readFacts: ReadFacts
  readonly registry: Registry
  readonly client: UpstreamClient
  readonly tokens: TokenCache
  readonly reasoning: ReasoningMemory
  readonly clock: Clock
  /** Unique, `[A-Za-z0-9]{24}`. */
  readonly createId: () => string
  readonly logger: Logger
  /** Largest whole answer of a provider that is held in memory, in bytes. */
  readonly maxAnswerBytes: number
  /** Addresses of deployments, computed once each. */
  readonly targets: WeakMap<Deployment, Target>
  readonly running: RunningCalls
  /** Set where callers may bring credentials of their own. */
  readonly callerAccess: CallerAccess | undefined
  /** What happens when a stream breaks off after content. */
  readonly midStream: MidStreamPolicy
  /** Set where a second deployment may be asked beside a slow one. */
  readonly hedging: Hedging | undefined
  /** The host's hooks; undefined where it has none. */
  readonly hooks: CallHooks | undefined
  readonly guardrails: Guardrails
  /** Prompts that requests name; undefined where the host has none. */
  readonly prompts: Prompts | undefined
  /** Who is told how calls end; undefined where nobody is. */
  readonly callbacks: Callbacks | undefined
  /** Answers that need not be made again. */
  readonly earlier: EarlierAnswers
  /** Budgets, limits and the ledger. */
  readonly accounts: Accounts
  /** Set where media may be fetched for providers that take no URLs. */
  readonly media: MediaFetcher | undefined
  /** Whether answers carry the trail of their attempts; undefined: where the request asks. */
  readonly explain: boolean | undefined
  /** How much each cache of this gateway holds; bytes where they are known. */
  readonly sizes: () => Readonly<Record<string, CacheSize>>
}

/** How full a cache is. */
export interface CacheSize {
  readonly entries: number
  readonly bytes?: number | undefined
}

/** Calls under way, so that closing the gateway can wait for them and then end them. */
export interface RunningCalls {
  enter(signal: CallSignal): void
  leave(signal: CallSignal): void
  /** Resolves when none is left or after `drainMs`; then ends the rest with `reason`. */
  drain(drainMs: number, reason: GatewayError): Promise<void>
  readonly closed: boolean
  readonly size: number
}

/** One call's own circumstances. */
export interface CallContext {
  readonly caller: Caller
  readonly requestId: string
  /** Aborts when whoever asked no longer wants the answer. */
  readonly signal: LeaveSignal | undefined
  /** What the request's headers say to the gateway, by lower-case name; empty for calls in this process. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Filled while the call runs. */
  readonly trail: CallTrail
}
