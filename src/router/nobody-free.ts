import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import { type Choice, type Obstacle, earliestRecovery, obstacleOf } from './choose.js'
import type { ModelGroup } from './model-group.js'

const busyRetryMs = 1_000
const minuteMs = 60_000

/** Why none of a group's deployments can be asked now, as the caller gets it. */
export function nobodyFree(group: ModelGroup, choice: Choice, clock: Clock): GatewayError {
  const obstacles = new Map<Obstacle, number>()
  for (const member of group.members) {
    const obstacle = obstacleOf(member, choice)
    if (obstacle) obstacles.set(obstacle, (obstacles.get(obstacle) ?? 0) + 1)
  }
  if (obstacles.has('slots')) {
    return new GatewayError('rate_limited', `Every deployment of ${name(group)} is busy.`, {
      retryAfterMs: busyRetryMs,
    })
  }
  if (obstacles.has('cooling')) return allCooling(group, clock)
  if (obstacles.has('rates')) {
    return new GatewayError('rate_limited', `Every deployment of ${name(group)} is at its limits of this minute.`, {
      retryAfterMs: minuteMs - (clock.now() % minuteMs),
    })
  }
  if (obstacles.has('context_window')) {
    return new GatewayError(
      'context_window',
      `The prompt is longer than the context window of every deployment of ${name(group)}.`,
      { param: 'messages' },
    )
  }
  return notServed(group, obstacles)
}

function notServed(group: ModelGroup, obstacles: ReadonlyMap<Obstacle, number>): GatewayError {
  if (obstacles.has('tags')) {
    return new GatewayError('permission', `No deployment of ${name(group)} has the tags of this request.`, {
      code: 'tags_not_allowed',
    })
  }
  if (obstacles.has('region')) {
    return new GatewayError('permission', `No deployment of ${name(group)} is in the region of this caller.`, {
      code: 'region_not_allowed',
    })
  }
  if (obstacles.has('capability')) {
    return new GatewayError('invalid_request', `No deployment of ${name(group)} can do what this request asks for.`)
  }
  return new GatewayError('unavailable', `No deployment of ${name(group)} can be asked now.`)
}

/** The first cause is told, not that everything rests: it is what has to be mended. */
function allCooling(group: ModelGroup, clock: Clock): GatewayError {
  const now = clock.now()
  const states = group.members.map((member) => member.state)
  const resting = states.filter((state) => state.cause && !state.isOpen(now))
  const first = resting.toSorted((a, b) => a.cooledAt - b.cooledAt)[0]?.cause
  const until = earliestRecovery(states, clock) ?? now
  const retryAfterMs = Math.max(until - now, 1)
  const cause = first ? `, after ${first.status} (${first.kind})` : ''
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
  return new GatewayError(
    first?.kind === 'rate_limited' ? 'rate_limited' : 'unavailable',
    `Every deployment of ${name(group)} is cooling down${cause}. Try again in ${seconds} s.`,
    { retryAfterMs },
  )
}

/** Names come from clients: short, and on one line. */
function name(group: ModelGroup): string {
  return JSON.stringify(group.name.length > 100 ? `${group.name.slice(0, 100)}…` : group.name)
}
