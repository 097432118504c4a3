import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { FakeClock } from '../support/fake-clock.js'

const gone = new GatewayError('client_closed', 'gone')

function start(): { clock: FakeClock; signal: CallSignal; ends: string[]; forkOf: (name: string) => CallSignal } {
  const clock = new FakeClock()
  const ends: string[] = []
  const signal = new CallSignal(clock, 1_000, () => ends.push('call'))
  const forkOf = (name: string): CallSignal => {
    const fork = signal.fork()
    fork.listen((error) => ends.push(`${name} ${error.code}`))
    return fork
  }
  return { clock, signal, ends, forkOf }
}

describe('a fork of a CallSignal', () => {
  it('ends with the call', () => {
    const { signal, ends, forkOf } = start()
    const [one, two] = [forkOf('one'), forkOf('two')]
    signal.end(gone)
    expect(ends).toEqual(['one client_closed_request', 'two client_closed_request', 'call'])
    expect([one.ended, two.ended]).toEqual([gone, gone])
  })

  it('is over at once where the call is over', () => {
    const { signal, ends, forkOf } = start()
    signal.end(gone)
    forkOf('late')
    expect(ends).toEqual(['call', 'late client_closed_request'])
  })

  it('has phases of its own', () => {
    const { clock, ends, forkOf } = start()
    const [one, two] = [forkOf('one'), forkOf('two')]
    one.enter('headers', 100)
    two.enter('headers', 300)
    clock.advance(200)
    expect(ends).toEqual(['one headers_timeout'])
    clock.advance(100)
    expect(ends).toEqual(['one headers_timeout', 'two headers_timeout'])
  })

  it('does not end the call while it carries no answer', () => {
    const { signal, ends, forkOf } = start()
    const one = forkOf('one')
    one.end(gone)
    expect(signal.ended).toBeUndefined()
    expect(ends).toEqual(['one client_closed_request'])
  })

  it('ends the call at the total deadline once it carries the answer, counted from the start of the call', () => {
    const { clock, signal, ends, forkOf } = start()
    clock.advance(400)
    const one = forkOf('one')
    one.answered()
    one.enter('idle', 5_000)
    clock.advance(599)
    expect(ends).toEqual([])
    clock.advance(1)
    expect(ends).toEqual(['one total_timeout', 'call'])
    expect(signal.ended?.code).toBe('total_timeout')
  })

  it('tells the call of the deadline that its deployment brings', () => {
    const { signal, forkOf } = start()
    forkOf('one').limitTotal(5_000)
    expect(signal.remainingMs).toBe(5_000)
  })

  it('leaves no timer behind, disposed of alone or with the call', () => {
    const { clock, signal, ends, forkOf } = start()
    const [one, two] = [forkOf('one'), forkOf('two')]
    one.enter('idle', 100)
    two.enter('idle', 100)
    one.dispose()
    expect(clock.pending).toBe(1)
    signal.dispose()
    expect(clock.pending).toBe(0)
    signal.end(gone)
    expect(ends).toEqual([])
  })
})
