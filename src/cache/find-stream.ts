import type { StreamOperation } from '../wire/operations.js'
import { type CacheCore, refuseToAsk } from './cache-core.js'
import type { CachePlan, CacheQuestion } from './cache-plan.js'
import type { StoredAnswer } from './entry.js'
import type { Flight } from './flights.js'
import type { StreamHit, StreamMiss } from './found.js'
import { replayLines } from './stream-text.js'

/**
 * Looks a stream up. An identical call that waits gets the stream when it is complete, not as it comes: half of an
 * answer whose other half then fails could be given to nobody else.
 * @throws GatewayError permission, not_cached, client_closed
 */
export async function findStream<K extends StreamOperation>(
  question: CacheQuestion<K>,
  core: CacheCore,
): Promise<StreamHit<K> | StreamMiss> {
  const plan = core.planFor(question, true)
  if (!plan) {
    refuseToAsk(question)
    return { status: 'bypass', key: undefined, collect() {}, complete() {}, release() {} }
  }
  const { flight, landed } = await core.takeSeat(plan, question)
  const source = landed ?? (await core.read([plan.key], plan))[0]
  if (source?.kind !== 'stream') {
    refuseToAsk(question)
    return toMiss(plan, flight, core)
  }
  flight?.land(source)
  flight?.leave()
  return { ...core.toHit(plan, source), parts: replayLines(source.text) }
}

function toMiss(plan: CachePlan, flight: Flight<StoredAnswer> | undefined, core: CacheCore): StreamMiss {
  const collector = core.collector(() => flight?.scatter())
  let kept = false
  return {
    status: 'miss',
    key: plan.key,
    collect(pieces) {
      if (plan.writes) collector.add(pieces)
    },
    complete(producer) {
      const collected = collector.finish()
      if (!collected || !plan.mayKeep(producer)) return
      const stored: StoredAnswer = { ...core.originOf(producer), kind: 'stream', ...collected }
      kept = true
      core.keep({ answer: stored, entries: [[plan.keyFor(plan.digest, producer), stored]] }, plan, flight)
    },
    release() {
      collector.abandon()
      if (!kept) flight?.leave()
    },
  }
}
