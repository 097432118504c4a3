import type { Deployment } from '../../deployment.js'

/** Picks one of several deployments that may all serve the request. */
export interface Strategy {
  /** `candidates` is never empty. `random` is uniform in [0, 1). */
  pick(candidates: readonly Deployment[], random: () => number): Deployment
}
