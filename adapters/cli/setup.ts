import type { GatewayOptions } from '../../src/index.js'
import type { NodeRequest } from '../node.js'
import type { MetricsHandler } from './prometheus.js'

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What is to be served. */
export interface Setup {
  readonly options: GatewayOptions<NodeRequest>
  /** Printed to stderr before the start. */
  readonly warnings: readonly string[]
  /** Asked before the gateway. */
  readonly metrics?: MetricsHandler | undefined
  /** What else the user is told once the server listens. */
  banner?(url: string, masterKey: string): string
  /** Ends what the setup has started. */
  close?(): Promise<void>
}
