/** What one process did with a deployment. Totals of its own, so that a report which is lost or comes twice does no harm. */
export interface DeploymentReport {
  readonly id: string
  readonly inFlight: number
  /** The minute that the counts are of: milliseconds since the epoch / 60,000, rounded down. */
  readonly minute: number
  readonly requests: number
  readonly tokens: number
  /** Averages of this process's recent calls, in milliseconds; undefined before the first. */
  readonly firstTokenMs: number | undefined
  readonly perTokenMs: number | undefined
  /** One of the attempts in flight tries whether a cooldown may end. @default false */
  readonly probing?: boolean | undefined
}

/** A deployment rests, or works again. */
export interface CooldownReport {
  readonly id: string
  /** When it was decided, in milliseconds since the epoch; a later decision wins, of two of one moment that told last. */
  readonly at: number
  /** Until when it rests, in milliseconds since the epoch; 0: it works again. */
  readonly until: number
  /** Class of the failure, for `GET /health/deployments`. */
  readonly kind: string
  readonly status: number
}

/** What one process tells the others. */
export interface RouterReport {
  /** Unique per gateway. */
  readonly process: string
  readonly deployments: readonly DeploymentReport[]
  readonly cooldowns: readonly CooldownReport[]
}

/** Carries what processes learn about deployments from one to the other. Every method may reject. */
export interface RouterStore {
  /**
   * Tells the others what changed here (nothing: undefined), and gives what they told since this process asked last;
   * the first time all that is still of worth. One round trip.
   */
  exchange(process: string, report: RouterReport | undefined): Promise<readonly RouterReport[]>
  /** Calls back as soon as another process has told something, where the store can push. Gives what ends it. */
  watch?(onNews: () => void): () => void
}
