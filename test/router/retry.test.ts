import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { type FailureKind, GatewayError, type GatewayErrorOptions } from '../../src/errors.js'
import { type RetryContext, withRetries } from '../../src/router/retry.js'
import { simpleShuffle } from '../../src/router/strategies/simple-shuffle.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { FakeClock } from '../support/fake-clock.js'
import { deploymentOf } from '../support/deployment.js'

const policy = { retries: 2, initialDelayMs: 100, maxDelayMs: 1_000, maxRetryAfterMs: 10_000 }

function harness(totalMs = 0): { clock: FakeClock; signal: CallSignal; context: RetryContext } {
  const clock = new FakeClock()
  const signal = new CallSignal(clock, totalMs)
  return { clock, signal, context: { policy, strategy: simpleShuffle, signal, clock, random: () => 0 } }
}

const failure = (kind: FailureKind, options?: GatewayErrorOptions): GatewayError =>
  new GatewayError(kind, kind, options)

/** Runs to the end, letting the clock jump whenever nothing else moves; gives the outcome and the waits. */
async function run(
  deployments: readonly Deployment[],
  outcomes: readonly (GatewayError | string)[],
  { clock, context }: { clock: FakeClock; context: RetryContext },
): Promise<{ asked: string[]; waited: number; result: unknown }> {
  const asked: string[] = []
  const startedAt = clock.now()
  let settled = false
  const running = withRetries(deployments, context, async (deployment) => {
    const outcome = outcomes[asked.length]
    asked.push(deployment.id)
    if (typeof outcome === 'string') return outcome
    throw outcome ?? new Error('asked too often')
  }).then(
    (value: unknown) => value,
    (error: unknown) => error,
  )
  void running.finally(() => (settled = true))
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve))
    if (!settled) clock.advance(10)
  }
  return { asked, waited: clock.now() - startedAt, result: await running }
}

const one = [deploymentOf({ id: 'a' })]
const two = [deploymentOf({ id: 'a' }), deploymentOf({ id: 'b' })]

describe('withRetries', () => {
  it('gives the first answer', async () => {
    expect(await run(one, ['ok'], harness())).toEqual({ asked: ['a'], waited: 0, result: 'ok' })
  })

  it('asks the only deployment again after a transient failure, more patiently each time', async () => {
    const { asked, waited, result } = await run(
      one,
      [failure('upstream_error'), failure('overloaded'), 'ok'],
      harness(),
    )
    expect({ asked, result }).toEqual({ asked: ['a', 'a', 'a'], result: 'ok' })
    expect(waited).toBe(50 + 100)
  })

  it('asks another deployment at once', async () => {
    expect(await run(two, [failure('rate_limited'), 'ok'], harness())).toEqual({
      asked: ['a', 'b'],
      waited: 0,
      result: 'ok',
    })
  })

  it('gives up after the configured number of retries, with the last failure', async () => {
    const last = failure('unavailable')
    const { asked, result } = await run(one, [failure('upstream_error'), failure('upstream_error'), last], harness())
    expect(asked).toHaveLength(3)
    expect(result).toBe(last)
  })

  it.each<FailureKind>([
    'invalid_request',
    'context_window',
    'content_policy',
    'unprocessable',
    'client_closed',
    'internal',
  ])('never repeats %s, which another attempt cannot mend', async (kind) => {
    expect((await run(two, [failure(kind), 'ok'], harness())).asked).toEqual(['a'])
  })

  it.each<FailureKind>(['timeout', 'upstream_authentication', 'upstream_not_found'])(
    'does not ask the same deployment again after %s, but another one',
    async (kind) => {
      expect((await run(one, [failure(kind), 'ok'], harness())).asked).toEqual(['a'])
      expect((await run(two, [failure(kind), 'ok'], harness())).asked).toEqual(['a', 'b'])
    },
  )

  it('waits as long as the provider asks', async () => {
    const { waited } = await run(one, [failure('rate_limited', { retryAfterMs: 2_000 }), 'ok'], harness())
    expect(waited).toBe(2_000)
  })

  it('hands a longer wait on to the caller', async () => {
    const refused = failure('rate_limited', { retryAfterMs: 60_000 })
    expect(await run(one, [refused, 'ok'], harness())).toEqual({ asked: ['a'], waited: 0, result: refused })
  })

  it('does not begin a wait that the total deadline would cut', async () => {
    const refused = failure('rate_limited', { retryAfterMs: 2_000 })
    expect((await run(one, [refused, 'ok'], harness(1_500))).result).toBe(refused)
  })

  it('stops waiting when the client leaves', async () => {
    const { clock, signal, context } = harness()
    const gone = failure('client_closed')
    let asked = 0
    const running = withRetries(one, context, () => {
      asked += 1
      return Promise.reject(failure('upstream_error'))
    })
    await new Promise((resolve) => setImmediate(resolve))
    signal.end(gone)
    await expect(running).rejects.toBe(gone)
    clock.advance(10_000)
    expect(asked).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('uses deployments of a higher order only when the lower ones have failed', async () => {
    const tiers = [deploymentOf({ id: 'a', order: 1 }), deploymentOf({ id: 'b', order: 2, weight: 1_000 })]
    expect((await run(tiers, ['ok'], harness())).asked).toEqual(['a'])
    expect((await run(tiers, [failure('unavailable'), 'ok'], harness())).asked).toEqual(['a', 'b'])
  })

  it('turns what is not a GatewayError into one', async () => {
    const context = harness().context
    await expect(withRetries(one, context, () => Promise.reject(new TypeError('bug')))).rejects.toMatchObject({
      kind: 'internal',
      message: expect.not.stringContaining('bug'),
    })
  })
})
