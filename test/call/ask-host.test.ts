import { describe, expect, it } from 'vitest'
import { askHost } from '../../src/call/ask-host.js'
import { GatewayError } from '../../src/errors.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { FakeClock } from '../support/fake-clock.js'

function deadline(totalMs = 0) {
  const clock = new FakeClock()
  return { milliseconds: 1_000, clock, signal: new CallSignal(clock, totalMs) }
}

const never = (): Promise<never> => new Promise(() => {})

describe('askHost', () => {
  it('gives what a hook gives, at once or later, and leaves no timer behind', async () => {
    const limits = deadline()
    expect(await askHost('it', () => 1, limits)).toBe(1)
    expect(await askHost('it', () => Promise.resolve(2), limits)).toBe(2)
    expect(limits.clock.pending).toBe(0)
  })

  it('gives up after the deadline', async () => {
    const limits = deadline()
    const asked = askHost('the thing', never, limits)
    limits.clock.advance(1_000)
    await expect(asked).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'The host did not give the thing in time.',
    })
  })

  it('ends with the call, by its client or by its total deadline', async () => {
    const left = deadline()
    const asked = askHost('it', never, left)
    left.signal.end(new GatewayError('client_closed', 'gone'))
    await expect(asked).rejects.toMatchObject({ kind: 'client_closed' })
    const short = deadline(500)
    const late = askHost('it', never, short)
    short.clock.advance(500)
    await expect(late).rejects.toMatchObject({ code: 'total_timeout' })
  })

  it('makes an internal error of what a hook throws, and passes a GatewayError on', async () => {
    const thrown = new Error('secret')
    const throwing = (error: Error) => () => {
      throw error
    }
    await expect(askHost('it', throwing(thrown), deadline())).rejects.toMatchObject({
      kind: 'internal',
      message: 'The host failed to give it.',
      cause: thrown,
    })
    const own = new GatewayError('payment_required', 'pay')
    await expect(askHost('it', throwing(own), deadline())).rejects.toBe(own)
  })
})
