import type { Deployment } from '../deployment.js'
import type { Clock } from '../ports.js'
import type { Protocol } from '../protocols/protocol.js'
import type { CostReport } from '../spend/index.js'
import type { TokenCache } from '../upstream/token-cache.js'
import type { UpstreamRequest } from '../upstream/message.js'
import type { Operation } from '../wire/operations.js'

/** Where a provider stands in its life. */
export type ProviderStatus = 'active' | 'limited' | 'retiring' | 'retired' | 'self-hosted'

/** A base URL with a region in it. */
export interface RegionalBaseUrl {
  /** With `{region}` where the region belongs. */
  readonly template: string
  /** Environment variables looked up, in order, for the region. */
  readonly regionEnv: readonly string[]
  readonly defaultRegion: string
}

/** One setting of a provider's deployments. */
export interface SettingRule {
  /** Environment variables looked up, in order, where a deployment does not set it. */
  readonly env: readonly string[]
  /** Kept as a Secret. */
  readonly secret?: boolean
}

/** What signing a request may need besides the request. */
export interface AuthorizeContext {
  readonly clock: Clock
  /** Tokens of this gateway, fetched by one caller at a time. */
  readonly tokens: TokenCache
  /** Scheme, host, port and whole path that the request will go to. */
  readonly url: string
}

/** Where to talk and who it is; how to talk is the protocol's business. */
export interface Provider {
  /** The prefix of model names: `name/model`. */
  readonly name: string
  readonly displayName: string
  /** Other prefixes that mean the same provider. */
  readonly aliases: readonly string[]
  readonly protocol: Protocol
  /** Without trailing slash; undefined where every deployment must bring its own (self-hosted). */
  readonly baseUrl: string | ((deployment: Deployment) => string) | undefined
  /** Environment variables looked up, in order, for a deployment that brings no `baseUrl`. */
  readonly baseUrlEnv: readonly string[]
  /** Environment variables looked up, in order, for a deployment that brings no `apiKey`. */
  readonly apiKeyEnv: readonly string[]
  readonly apiKeyRequired: boolean
  /** The operations this provider answers; `stream` tells whether chat and completions can stream, few have `moderations`. */
  readonly capabilities: { readonly [K in Exclude<Operation, 'moderations'>]: boolean } & {
    readonly stream: boolean
    readonly moderations?: boolean
  }
  readonly status: ProviderStatus
  /** For a retired provider: what a call to its default address is told. */
  readonly notice: string | undefined
  /** The default base URL where it depends on a region; used only when nothing else names one. */
  readonly regional?: RegionalBaseUrl
  /** Brings a base URL that a host or a variable gave to the one our paths are appended to. */
  completeBaseUrl?(url: string): string
  /** Header → environment variables, looked up in order, that a deployment's headers take a value from if they lack it. */
  readonly headersEnv?: Readonly<Record<string, readonly string[]>>
  /** What a deployment of this provider may set besides key and address (`settings`), by name; nothing else is accepted. */
  readonly settings?: Readonly<Record<string, SettingRule>>
  /**
   * Where its answers tell what it bills, which a ledger row then costs; absent where they do not, or where its documents
   * do not say that the amount is the one billed.
   */
  readonly costReport?: CostReport
  /**
   * Path of the member in which a request may say what it costs at most: `prompt` and `completion` in dollars per million
   * tokens, `request` and `image` in dollars each.
   */
  readonly priceLimit?: string
  /**
   * Adds the credential; the only place where a key is revealed. A promise where a token is fetched first; then
   * `context` gives the way out and keeps tokens.
   */
  authorize(
    request: UpstreamRequest,
    deployment: Deployment,
    context: AuthorizeContext,
  ): UpstreamRequest | Promise<UpstreamRequest>
}
