import type { Member, Tier } from './model-group.js'

const tries = 16

/**
 * Picks a free member at random in proportion to the weights, without looking at the others: whoever is not free is
 * drawn again, which keeps the proportions among the free. Undefined after 16 draws: the caller then looks at all.
 */
export function sampleWeighted(
  tier: Tier,
  isFree: (member: Member) => boolean,
  random: () => number,
): Member | undefined {
  const { members, cumulated } = tier
  const total = cumulated.at(-1) ?? 0
  for (let drawn = 0; drawn < tries; drawn += 1) {
    const member = members[positionOf(random() * total, cumulated)]
    if (member && isFree(member)) return member
  }
  return undefined
}

/** Position of the first sum above `point`. */
function positionOf(point: number, cumulated: Float64Array): number {
  let low = 0
  let high = cumulated.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((cumulated[middle] ?? 0) > point) high = middle
    else low = middle + 1
  }
  return low
}
