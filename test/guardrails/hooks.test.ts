import { describe, expect, it } from 'vitest'
import { GatewayError, InvalidRequestError } from '../../src/errors.js'
import { createHooks } from '../../src/guardrails/index.js'
import type { HookCall, Hooks } from '../../src/ports/hooks.js'
import { FakeClock } from '../support/fake-clock.js'
import { ada, ask, chunk, completion } from './lab.js'

function begin(hooks: Hooks) {
  const clock = new FakeClock()
  const warned: object[] = []
  const log = (): void => {}
  const logger = { debug: log, info: log, warn: (fields: object) => void warned.push(fields), error: log }
  const hooked = createHooks(hooks, { clock, logger })?.begin({ operation: 'chat', callId: 'c', caller: ada })
  if (!hooked) throw new Error('There are no hooks.')
  return { hooked, clock, warned }
}

const failure = new GatewayError('upstream_error', 'It broke.')

describe('hooks of the host', () => {
  it('cost nothing where there are none', () => {
    const parts = { clock: new FakeClock(), logger: { debug() {}, info() {}, warn() {}, error() {} } }
    expect(createHooks(undefined, parts)).toBeUndefined()
    expect(createHooks({}, parts)).toBeUndefined()
    expect(begin({ beforeCall: () => undefined }).hooked).toMatchObject({
      during: undefined,
      after: undefined,
      chunk: undefined,
      error: undefined,
    })
  })

  it('change requests, answers, chunks and errors, and share what they know of a call', async () => {
    const { hooked } = begin({
      beforeCall: (request, call) => (call.state.set('model', request.model), { ...request, model: 'other' }),
      afterCall: async (answer, { state, caller }: HookCall) => ({
        ...answer,
        model: `${String(state.get('model'))} for ${caller.id}`,
      }),
      onStream: (one) => (one.choices.length === 0 ? null : [one, one]),
      onError: (error) => new GatewayError('rate_limited', `Softly: ${error.message}`),
    })
    expect((await hooked.before?.(ask('x')))?.model).toBe('other')
    expect((await hooked.after?.(completion({ content: 'x' })))?.model).toBe('m for ada')
    expect(await hooked.chunk?.(chunk({ content: 'x' }))).toHaveLength(2)
    expect(await hooked.chunk?.({ ...chunk({}), choices: [] })).toEqual([])
    expect((await hooked.error?.(failure))?.message).toBe('Softly: It broke.')
  })

  it('leave everything as it is where they give nothing', async () => {
    const nothing = (): void => {}
    const { hooked } = begin({
      beforeCall: nothing,
      duringCall: nothing,
      afterCall: nothing,
      onStream: nothing,
      onError: nothing,
    })
    const [request, answer, one] = [ask('x'), completion({ content: 'x' }), chunk({ content: 'x' })]
    expect(await hooked.before?.(request)).toBe(request)
    expect(await hooked.during?.(request)).toBeUndefined()
    expect(await hooked.after?.(answer)).toBe(answer)
    expect(await hooked.chunk?.(one)).toEqual([one])
    expect(await hooked.error?.(failure)).toBe(failure)
  })

  it.each(['open', 'closed'] as const)(
    'refuse with an error of the gateway, whatever the policy (%s)',
    async (fail) => {
      const refuse = (): never => {
        throw new InvalidRequestError('Not on Sundays.')
      }
      const { hooked } = begin({ beforeCall: { run: refuse, fail }, duringCall: { run: async () => refuse(), fail } })
      await expect(hooked.before?.(ask('x'))).rejects.toMatchObject({ status: 400, message: 'Not on Sundays.' })
      await expect(hooked.during?.(ask('x'))).rejects.toMatchObject({ status: 400 })
    },
  )

  it.each(['beforeCall', 'duringCall', 'afterCall', 'onStream'] as const)(
    '%s that throws or hangs fails the call, or is left out',
    async (name) => {
      const call = (hooks: Hooks) => {
        const lab = begin(hooks)
        const { before, during, after, chunk: piece } = lab.hooked
        const work = {
          beforeCall: before?.(ask('x')),
          duringCall: during?.(ask('x')),
          afterCall: after?.(completion({ content: 'x' })),
          onStream: piece?.(chunk({})),
        }[name]
        return { ...lab, work: Promise.resolve<unknown>(work) }
      }
      const throwing = (): never => {
        throw new Error('my secret')
      }
      const closed = call({ [name]: throwing })
      await expect(closed.work).rejects.toMatchObject({
        status: 500,
        code: 'hook_failed',
        message: `The host's hook ${name} failed.`,
      })
      const open = call({ [name]: { run: throwing, fail: 'open' } })
      await expect(open.work).resolves.not.toThrow()
      expect(open.warned).toHaveLength(1)
      const hanging = call({ [name]: { run: () => new Promise(() => {}), deadlineMs: 50 } })
      const late = expect(hanging.work).rejects.toMatchObject({ status: 503, code: 'hook_unavailable' })
      await Promise.resolve()
      hanging.clock.advance(50)
      await late
      expect(hanging.clock.pending).toBe(0)
      const tolerant = call({ [name]: { run: () => new Promise(() => {}), deadlineMs: 50, fail: 'open' } })
      await Promise.resolve()
      tolerant.clock.advance(50)
      await expect(tolerant.work).resolves.not.toThrow()
    },
  )

  it("a hook that rejects after its deadline is nobody's rejection", async () => {
    let reject: (error: Error) => void = () => {}
    const { hooked, clock } = begin({
      beforeCall: { run: () => new Promise((_, fail) => (reject = fail)), deadlineMs: 5 },
    })
    const late = expect(hooked.before?.(ask('x'))).rejects.toMatchObject({ status: 503 })
    await Promise.resolve()
    clock.advance(5)
    await late
    // An unhandled rejection would fail the run.
    reject(new Error('late'))
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('a failing onError does not hide the failure that it was told of', async () => {
    const throwing = (): never => {
      throw new Error('again')
    }
    expect(await begin({ onError: throwing }).hooked.error?.(failure)).toBe(failure)
    expect(await begin({ onError: { run: throwing, fail: 'closed' } }).hooked.error?.(failure)).toMatchObject({
      code: 'hook_failed',
    })
    const answering = (): never => {
      throw new InvalidRequestError('Try later.')
    }
    expect(await begin({ onError: answering }).hooked.error?.(failure)).toMatchObject({ status: 400 })
  })
})
