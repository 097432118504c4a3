import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { FakeClock } from '../support/fake-clock.js'

function start(totalMs = 0): { clock: FakeClock; signal: CallSignal; heard: GatewayError[] } {
  const clock = new FakeClock()
  const signal = new CallSignal(clock, totalMs)
  const heard: GatewayError[] = []
  signal.listen((error) => heard.push(error))
  return { clock, signal, heard }
}

describe('CallSignal', () => {
  it('tells the listener when a phase takes too long, and lets the call go on', () => {
    const { clock, signal, heard } = start()
    signal.enter('connect', 100)
    clock.advance(99)
    expect(heard).toEqual([])
    clock.advance(1)
    expect(heard.map((error) => [error.kind, error.code])).toEqual([['timeout', 'connect_timeout']])
    expect(signal.ended).toBeUndefined()
  })

  it('starts a phase anew each time it is entered', () => {
    const { clock, signal, heard } = start()
    for (let piece = 0; piece < 10; piece += 1) {
      signal.enter('idle', 100)
      clock.advance(60)
    }
    expect(heard).toEqual([])
    clock.advance(60)
    expect(heard.map((error) => error.code)).toEqual(['idle_timeout'])
  })

  it('shortens the deadline when a shorter phase follows a longer one', () => {
    const { clock, signal, heard } = start()
    signal.enter('headers', 10_000)
    signal.enter('idle', 50)
    clock.advance(50)
    expect(heard.map((error) => error.code)).toEqual(['idle_timeout'])
  })

  it('does not count time in which nobody waits for the upstream', () => {
    const { clock, signal, heard } = start()
    signal.enter('idle', 100)
    signal.leave()
    clock.advance(10_000)
    expect(heard).toEqual([])
  })

  it('ends an answered call at the total deadline, also between phases', () => {
    const { clock, signal, heard } = start(1_000)
    signal.answered()
    signal.enter('idle', 100)
    clock.advance(50)
    signal.leave()
    clock.advance(949)
    expect(heard).toEqual([])
    clock.advance(1)
    expect(heard.map((error) => error.code)).toEqual(['total_timeout'])
    expect(signal.ended?.code).toBe('total_timeout')
  })

  it('ends only the attempt at its deployment’s total deadline, counted from the start of the call', () => {
    const { clock, signal, heard } = start(300)
    signal.enter('headers', 10_000)
    clock.advance(300)
    expect(heard.map((error) => error.code)).toEqual(['total_timeout'])
    expect(signal.ended).toBeUndefined()
    signal.limitTotal(1_000)
    expect(signal.remainingMs).toBe(700)
    signal.enter('headers', 10_000)
    clock.advance(700)
    expect(heard).toHaveLength(2)
  })

  it('ends a call that nobody listens to', () => {
    const { clock, signal } = start(300)
    signal.listen(undefined)
    signal.enter('idle', 0)
    clock.advance(300)
    expect(signal.ended?.code).toBe('total_timeout')
  })

  it('tells a later listener that the call is over, and keeps the first reason', () => {
    const { signal } = start()
    const reason = new GatewayError('client_closed', 'gone')
    signal.end(reason)
    signal.end(new GatewayError('internal', 'later'))
    const heard: GatewayError[] = []
    signal.listen((error) => heard.push(error))
    expect(heard).toEqual([reason])
  })

  it('never expires with deadlines of 0', () => {
    const { clock, signal, heard } = start()
    signal.enter('headers', 0)
    clock.advance(1_000_000)
    expect(heard).toEqual([])
    expect(signal.remainingMs).toBe(Number.POSITIVE_INFINITY)
  })

  it('tells its owner of an early end also where no step listens, but not after it was over', () => {
    const clock = new FakeClock()
    let ended = 0
    const early = new CallSignal(clock, 100, () => (ended += 1))
    early.enter('idle', 50)
    early.listen(undefined)
    clock.advance(200)
    expect(ended).toBe(1)
    const over = new CallSignal(clock, 100, () => (ended += 1))
    over.dispose()
    over.end(new GatewayError('client_closed', 'gone'))
    expect(ended).toBe(1)
  })

  it('leaves no timer behind', () => {
    const { clock, signal } = start(1_000)
    signal.enter('idle', 100)
    signal.dispose()
    expect(clock.pending).toBe(0)
  })
})
