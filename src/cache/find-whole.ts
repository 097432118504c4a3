import type { Operation } from '../wire/operations.js'
import { type CacheCore, refuseToAsk } from './cache-core.js'
import type { CachePlan, CacheQuestion } from './cache-plan.js'
import type { StoredAnswer } from './entry.js'
import type { Flight } from './flights.js'
import type { WholeHit, WholeMiss } from './found.js'
import { fromStored, toStored } from './stored-whole.js'

/** Looks a whole answer up. @throws GatewayError permission, not_cached, client_closed */
export async function findWhole<K extends Operation>(
  question: CacheQuestion<K>,
  core: CacheCore,
): Promise<WholeHit<K> | WholeMiss<K>> {
  const plan = core.planFor(question, false)
  if (!plan) return bypassWhole(question)
  const { flight, landed } = await core.takeSeat(plan, question)
  const source = landed ?? (await core.read([plan.key], plan))[0]
  const hit = source && toWholeHit<K>(plan, source, core)
  if (!hit) {
    refuseToAsk(question)
    return toMiss(question, plan, flight, core)
  }
  flight?.land(hit.source)
  flight?.leave()
  return hit
}

/** The hit that an answer makes; undefined where it is no whole answer. */
export function toWholeHit<K extends Operation>(
  plan: CachePlan,
  source: StoredAnswer,
  core: CacheCore,
): WholeHit<K> | undefined {
  const answer = fromStored<K>(source)
  return answer && { ...core.toHit(plan, source), answer }
}

/** A call that takes no part. @throws GatewayError not_cached */
export function bypassWhole<K extends Operation>(question: CacheQuestion<K>): WholeMiss<K> {
  refuseToAsk(question)
  return { status: 'bypass', key: undefined, request: question.request, keep: (answer) => answer, release() {} }
}

function toMiss<K extends Operation>(
  { request }: CacheQuestion<K>,
  plan: CachePlan,
  flight: Flight<StoredAnswer> | undefined,
  core: CacheCore,
): WholeMiss<K> {
  let kept = false
  return {
    status: 'miss',
    key: plan.key,
    request,
    keep(answer, producer) {
      const stored = plan.mayKeep(producer) ? toStored(answer, core.originOf(producer)) : undefined
      if (!stored) return answer
      kept = true
      core.keep({ answer: stored, entries: [[plan.keyFor(plan.digest, producer), stored]] }, plan, flight)
      return answer
    },
    release() {
      if (!kept) flight?.leave()
    },
  }
}
