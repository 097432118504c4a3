import { describe, expect, it } from 'vitest'
import { type FailureKind, GatewayError, type GatewayErrorOptions } from '../../src/errors.js'
import { type CooldownPolicy, defaultCooldown } from '../../src/router/cooldown.js'
import { Member } from '../../src/router/model-group.js'
import { type RouterEvent, createRouterState } from '../../src/router/router-state.js'
import { deploymentOf } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'

/** One deployment under a policy; `fail` and `succeed` are attempts that end so, and `rests` tells for how long. */
function lab(policy: Partial<CooldownPolicy> = {}, isReplaceable = true) {
  const clock = new FakeClock()
  clock.advance(60_000 - (clock.now() % 60_000))
  const events: RouterEvent[] = []
  const state = createRouterState({
    clock,
    cooldown: { ...defaultCooldown, ...policy },
    emit: (one) => events.push(one),
  })
  const member = new Member(deploymentOf({ id: 'a' }), state.of('a'))
  const attempt = (end: () => void): void => {
    const probe = state.begin(member)
    end()
    state.end(member, probe)
  }
  return {
    clock,
    events,
    fail: (kind: FailureKind, options?: GatewayErrorOptions) =>
      attempt(() => state.failed(member, new GatewayError(kind, kind, options), isReplaceable)),
    succeed: () => attempt(() => state.succeeded(member, {})),
    get restsMs() {
      return Math.max(0, member.state.coolingUntil - clock.now())
    },
  }
}

const atOnce: readonly FailureKind[] = [
  'rate_limited',
  'upstream_authentication',
  'upstream_permission',
  'upstream_model_not_found',
  'payment_required',
  'gone',
]
const inRow: readonly FailureKind[] = [
  'timeout',
  'upstream_error',
  'upstream_invalid',
  'upstream_connection',
  'stream_truncated',
  'overloaded',
  'unavailable',
  'conflict',
  'upstream_not_found',
]
const never: readonly FailureKind[] = [
  'invalid_request',
  'unsupported_parameter',
  'context_window',
  'content_policy',
  'authentication',
  'permission',
  'model_not_allowed',
  'model_not_found',
  'payload_too_large',
  'unprocessable',
  'budget_exceeded',
  'limit_exceeded',
  'deployment_limited',
  'client_closed',
  'internal',
]

describe('a deployment rests', () => {
  it.each(atOnce)('at once after %s', (kind) => {
    const one = lab()
    one.fail(kind)
    expect(one.restsMs).toBe(5_000)
  })

  it.each(inRow)('after three times %s in a row, and not where one answer comes between', (kind) => {
    const one = lab({ failureShare: 1 })
    for (const end of [
      () => one.fail(kind),
      () => one.fail(kind),
      one.succeed,
      () => one.fail(kind),
      () => one.fail(kind),
    ]) {
      end()
      expect(one.restsMs).toBe(0)
    }
    one.fail(kind)
    expect(one.restsMs).toBe(5_000)
  })

  it.each(never)('never after %s, which is not its fault', (kind) => {
    const one = lab({ consecutiveFailures: 1, minimumRequests: 1, failureShare: 0 })
    for (let times = 0; times < 20; times += 1) one.fail(kind)
    expect(one.events).toEqual([])
  })

  it('where more than half of a minute’s attempts failed, once there were five', () => {
    const one = lab({ consecutiveFailures: 100 })
    for (const isBad of [true, true, false, true]) {
      if (isBad) one.fail('upstream_error')
      else one.succeed()
    }
    expect(one.restsMs).toBe(0)
    one.fail('upstream_error')
    expect(one.restsMs).toBe(5_000)
  })

  it('not where half of them failed, and a new minute begins anew', () => {
    const one = lab({ consecutiveFailures: 100 })
    for (let times = 0; times < 10; times += 1) {
      one.succeed()
      one.fail('upstream_error')
    }
    expect(one.restsMs).toBe(0)
    one.clock.advance(60_000)
    for (let times = 0; times < 4; times += 1) one.fail('upstream_error')
    expect(one.restsMs).toBe(0)
    one.fail('upstream_error')
    expect(one.restsMs).toBe(5_000)
  })

  it('after as many failures of a class in a minute as the host allows, and one more, whatever else says', () => {
    const one = lab({ allowedFails: { rateLimit: 2, timeout: 0 } })
    one.fail('rate_limited')
    one.fail('rate_limited')
    expect(one.restsMs).toBe(0)
    one.fail('rate_limited')
    expect(one.restsMs).toBe(5_000)
    const other = lab({ allowedFails: { rateLimit: 2, timeout: 0 } })
    other.fail('timeout')
    expect(other.restsMs).toBe(5_000)
  })

  it('as long as the provider asks where that is longer, an hour at most', () => {
    for (const [askedMs, restsMs] of [
      [1_000, 5_000],
      [90_000, 90_000],
      [24 * 60 * 60_000, 60 * 60_000],
    ] as const) {
      const one = lab()
      one.fail('rate_limited', { retryAfterMs: askedMs })
      expect(one.restsMs).toBe(restsMs)
    }
  })

  it('not where nothing could take over, unless a thousand attempts of a minute had no answer', () => {
    const one = lab({}, false)
    for (let times = 0; times < 999; times += 1) one.fail('upstream_authentication')
    expect(one.restsMs).toBe(0)
    one.fail('upstream_authentication')
    expect(one.restsMs).toBe(5_000)
  })

  it('no longer for what was under way when its rest began, and again at once where the one that tries it fails', () => {
    const one = lab()
    one.fail('rate_limited')
    one.clock.advance(2_000)
    one.fail('upstream_error')
    expect(one.restsMs).toBe(3_000)
    one.clock.advance(3_000)
    one.fail('upstream_error')
    expect(one.restsMs).toBe(5_000)
  })
})
