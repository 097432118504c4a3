import type { Deployment } from '../deployment.js'
import type { Choice } from './choose.js'
import type { Member } from './model-group.js'
import { TextHash } from './text-hash.js'

/** What keeps calls at one deployment: a session, the beginning of the prompt, or who calls. */
export const affinityKinds = ['session', 'prompt-prefix', 'caller'] as const

/** One of `affinityKinds`. */
export type AffinityKind = (typeof affinityKinds)[number]

/** Gives what sends calls of one key to one deployment. */
export type Affinity = (key: TextHash) => NonNullable<Choice['prefer']>

/**
 * Sends calls with one key to one deployment for as long as it can be asked, in proportion to the weights. Every member
 * draws a number from the key and its id, and the best draw wins (weighted rendezvous hashing): nothing is stored, all
 * processes agree, and where a deployment drops out only its own keys move, until it is back.
 */
export function createAffinity(): Affinity {
  const hashes = new WeakMap<Deployment, TextHash>()
  const hashOf = (deployment: Deployment): TextHash => {
    const hash = hashes.get(deployment) ?? new TextHash().add(deployment.id)
    hashes.set(deployment, hash)
    return hash
  }
  return (key) => (members) => {
    const weightless = members.every(({ weight }) => weight === 0)
    let best: Member | undefined
    let least = Number.POSITIVE_INFINITY
    for (const member of members) {
      const { weight } = member
      // Exponential draws: the least of them falls to each member as often as its share of the weights.
      const draw = -Math.log(key.fractionWith(hashOf(member.deployment))) / (weightless ? 1 : weight)
      if (draw >= least) continue
      least = draw
      best = member
    }
    return best
  }
}
