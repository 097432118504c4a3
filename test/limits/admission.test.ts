import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import type { AdmittedCall } from '../../src/limits/admission.js'
import type { Scope } from '../../src/ports.js'
import { createLab, levelOf, pass, pico, quiet } from './admission-lab.js'

const team: Scope = { kind: 'team', id: 'acme', budget: { maxBudget: 1 } }
const key: Scope = { kind: 'key', id: 'k1', rpm: 3, tpm: 1_000, maxParallelRequests: 2 }

async function refusal(asked: Promise<AdmittedCall>): Promise<GatewayError> {
  const thrown: unknown = await asked.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!GatewayError.isInstance(thrown)) throw new Error('it was let in')
  return thrown
}

describe('admission', () => {
  it('asks no store for a caller without budgets and limits', async () => {
    const { admit, counters, ledger } = createLab()
    const call = await admit([
      { kind: 'user', id: 'u1' },
      { kind: 'team', id: 't1', modelBudgets: {} },
    ])
    call.settle({ charged: () => pico(1), tokens: 5 })
    call.release()
    await quiet()
    expect([call.headers, counters.calls, ledger.questions]).toEqual([{}, [], 0])
  })

  it('asks the store once before the call and once after it, whatever the number of scopes', async () => {
    const { admit, finish, counters } = createLab()
    const scopes = [{ ...team, kind: 'organization' }, team, { ...key, budget: { maxBudget: 1 } }] as const
    finish(await admit(scopes), team, 0.01)
    await quiet()
    counters.calls.length = 0
    const call = await admit(scopes)
    expect(counters.calls).toEqual(['reserve'])
    finish(call, team, 0.01)
    await quiet()
    expect(counters.calls).toEqual(['reserve', 'settle'])
  })

  it('lets 37 of 500 calls at once into a budget for exactly 37, which are all settled exactly', async () => {
    const { admit, finish, counters, ledger, clock } = createLab()
    const scope: Scope = { ...team, budget: { maxBudget: 0.37 } }
    const asked = await Promise.allSettled(Array.from({ length: 500 }, () => admit([scope])))
    const calls = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(calls.length).toBe(37)
    for (const call of calls) finish(call, scope, 0.01)
    await quiet()
    expect(await levelOf(counters.store, scope, clock.now())).toMatchObject({ used: 370_000_000, held: 0 })
    expect(ledger.questions).toBe(1)
  })

  it('begins with what the ledger knows of the window', async () => {
    const { admit, ledger, clock } = createLab()
    const scope: Scope = { ...team, budget: { maxBudget: 1, budgetDuration: '1d' } }
    const yesterday = clock.now() - 86_400_000
    ledger.rows.push({ scope, modelName: 'fast', at: clock.now() - 1, charged: pico(0.995) })
    ledger.rows.push({ scope, modelName: 'fast', at: yesterday, charged: pico(5) })
    await admit([scope], 0.005)
    expect((await refusal(admit([scope], 0.001))).kind).toBe('budget_exceeded')
  })

  it('counts a row that reaches the ledger after the budget was added up', async () => {
    const { admit, ledger, clock, counters } = createLab()
    const before = clock.now() - 1
    await admit([team], 0.01)
    ledger.rows.push({ scope: team, modelName: 'fast', at: before, charged: pico(0.5) })
    clock.advance(6_000)
    await quiet()
    expect(await levelOf(counters.store, team, clock.now())).toMatchObject({ used: 500_000_000 })
    ledger.rows.push({ scope: team, modelName: 'fast', at: before, charged: pico(0.25) })
    await pass(clock, 61)
    expect(await levelOf(counters.store, team, clock.now())).toMatchObject({ used: 750_000_000 })
    await pass(clock, 700)
    expect(clock.pending).toBe(1)
  })

  it('counts a call that ends while its budget is added up', async () => {
    let answer = (): void => {}
    const { admit, finish, clock, counters, admission } = createLab({
      ledgerTotal: async () => {
        if (clock.now() > start) await new Promise<void>((resolve) => (answer = resolve))
        return 0n
      },
    })
    const start = clock.now()
    const running = await admit([team], 0.5)
    clock.advance(1)
    await admission.recount([team])
    const next = admit([team], 0.1)
    await quiet()
    clock.advance(1)
    finish(running, team, 0.4)
    await quiet()
    answer()
    ;(await next).release()
    await quiet()
    expect(await levelOf(counters.store, team, clock.now())).toMatchObject({ used: 400_000_000, held: 0 })
  })

  it('settles in the window that the call began in', async () => {
    const { admit, finish, clock, counters } = createLab()
    const scope: Scope = { ...team, budget: { maxBudget: 1, budgetDuration: '1h' } }
    const call = await admit([scope], 0.9)
    const began = clock.now()
    clock.advance(3_600_000)
    const next = await admit([scope], 1)
    finish(call, scope, 0.8)
    await quiet()
    expect(await levelOf(counters.store, scope, began)).toMatchObject({ used: 800_000_000, held: 0 })
    expect(await levelOf(counters.store, scope, clock.now())).toMatchObject({ used: 0, held: 1_000_000_000 })
    next.release()
  })

  it('holds limits of single models and of families, beside those of the scope', async () => {
    const { admit } = createLab()
    const scope: Scope = {
      kind: 'key',
      id: 'k1',
      rpm: 4,
      modelLimits: { 'openai/*': { rpm: 2 }, fast: { tpm: 10 }, 'openai/gpt': { rpm: 1 } },
    }
    await admit([scope], 0.01, 1, 'openai/gpt')
    const own = await refusal(admit([scope], 0.01, 1, 'openai/gpt'))
    expect(own.message).toContain('rate limit of key k1 for openai/gpt is reached: 1 of 1 requests per minute')
    await admit([scope], 0.01, 1, 'openai/other')
    const family = await refusal(admit([scope], 0.01, 1, 'openai/third'))
    expect(family.message).toContain('key k1 for openai/* is reached: 2 of 2 requests')
    await admit([scope], 0.01, 8, 'fast')
    expect((await refusal(admit([scope], 0.01, 8, 'fast'))).message).toContain('key k1 for fast is reached')
    await admit([scope], 0.01, 1, 'slow')
    expect((await refusal(admit([scope], 0.01, 1, 'slow'))).message).toContain('key k1 is reached: 4 of 4 requests')
  })

  it('refuses a call whose model budget is used up, and no other model', async () => {
    const { admit } = createLab()
    const scope: Scope = {
      kind: 'key',
      id: 'k1',
      modelBudgets: { 'openai/*': { maxBudget: 0.01 }, fast: { maxBudget: 0.02 } },
    }
    await admit([scope], 0.01, 1, 'openai/gpt')
    const error = await refusal(admit([scope], 0.01, 1, 'openai/other'))
    expect(error.message).toContain('budget of key k1 for openai/* is exceeded: $0.01 of $0.01')
    await admit([scope], 0.02, 1, 'fast')
    await admit([scope], 1, 1, 'slow')
  })

  it('refuses everything where the budget is 0, also what costs nothing', async () => {
    const { admit } = createLab()
    expect((await refusal(admit([{ ...team, budget: { maxBudget: 0 } }], 0))).code).toBe('budget_exceeded')
  })

  it('tells a refused caller which budget, how much of it is used, and when it resets; and not to retry', async () => {
    const { admit, clock } = createLab()
    const scope: Scope = { ...team, budget: { maxBudget: 1, budgetDuration: '1d' } }
    await admit([scope], 0.9)
    const error = await refusal(admit([scope], 0.2))
    const endsAt = Math.ceil((clock.now() + 1) / 86_400_000) * 86_400_000
    expect(error).toMatchObject({ status: 429, code: 'budget_exceeded', retryAfterMs: endsAt - clock.now() })
    expect(error.headers).toEqual({ 'x-should-retry': 'false' })
    expect(error.rule).toMatchObject({ retry: false, reroute: false, unhealthy: false })
    expect(error.message).toBe(
      'The budget of team acme is exceeded: $0.90 of $1.00 are spent or held by running calls, and this call may cost ' +
        `up to $0.20. It resets at ${new Date(endsAt).toISOString()}.`,
    )
  })

  it('counts nothing of a refused call in any of its scopes', async () => {
    const { admit, counters } = createLab()
    const busy: Scope = { kind: 'user', id: 'u1', maxParallelRequests: 0 }
    for (let call = 0; call < 5; call++) await refusal(admit([team, key, busy]))
    const levels = await counters.store.read('all', [
      { counter: 'rpm:key:k1', kind: 'rate', amount: 1, limit: 3 },
      { counter: 'tpm:key:k1', kind: 'rate', amount: 1, limit: 3 },
      { counter: 'parallel:key:k1', kind: 'lease', amount: 1, limit: 3 },
    ])
    expect(levels.map(({ used, held }) => used + held)).toEqual([0, 0, 0])
    expect(await levelOf(counters.store, team, 0)).toMatchObject({ used: 0, held: 0 })
  })

  it('lets the next request of a minute in when the first has left it, to the millisecond', async () => {
    const { admit, clock } = createLab()
    const scope: Scope = { kind: 'key', id: 'k1', rpm: 3 }
    const headersOf = async () => (await admit([scope])).headers
    expect(await headersOf()).toEqual({
      'x-ratelimit-limit-requests': '3',
      'x-ratelimit-remaining-requests': '2',
      'x-ratelimit-reset-requests': '1m0s',
    })
    clock.advance(20_000)
    await headersOf()
    expect(await headersOf()).toMatchObject({ 'x-ratelimit-remaining-requests': '0' })
    clock.advance(39_999)
    const error = await refusal(admit([scope]))
    expect(error).toMatchObject({ kind: 'limit_exceeded', status: 429, code: 'rate_limit_exceeded', retryAfterMs: 1 })
    expect(error.headers).toEqual({
      'x-ratelimit-limit-requests': '3',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1ms',
    })
    clock.advance(1)
    await headersOf()
    expect((await refusal(admit([scope]))).retryAfterMs).toBe(20_000)
  })

  it('counts the tokens that were used in place of those that were held', async () => {
    const { admit, finish } = createLab()
    const scope: Scope = { kind: 'key', id: 'k1', tpm: 1_000 }
    finish(await admit([scope], 0, 900), scope, 0, 100)
    await quiet()
    expect((await admit([scope], 0, 900)).headers).toMatchObject({ 'x-ratelimit-remaining-tokens': '0' })
    expect((await refusal(admit([scope], 0, 1))).message).toContain('1000 of 1000 tokens per minute are used')
  })

  it('lets a call that may put out more than a minute allows wait for an empty minute, and one that puts in more never in', async () => {
    const { admission, admit } = createLab()
    const scope: Scope = { kind: 'key', id: 'k1', tpm: 1_000 }
    const estimate = { charged: () => 0n, inputTokens: 10, outputTokens: 16_000 }
    const call = await admission.admit({ scopes: [scope], modelName: 'fast', estimate })
    call.release()
    const error = await refusal(admit([scope], 0, 1_001))
    expect([error.headers?.['x-should-retry'], error.retryAfterMs]).toEqual(['false', undefined])
  })

  it('frees the slot of a call when it ends', async () => {
    const { admit, finish } = createLab()
    const scope: Scope = { kind: 'key', id: 'k1', maxParallelRequests: 1 }
    const call = await admit([scope])
    expect((await refusal(admit([scope]))).message).toBe(
      'The limit of key k1 is reached: 1 of 1 calls at once are running. Try again when one has ended.',
    )
    finish(call, scope, 0)
    await quiet()
    await admit([scope])
  })

  it('gives back everything that a released call held, and hears only the first end of it', async () => {
    const { admit, counters, clock } = createLab()
    const call = await admit([team, key], 0.5, 500)
    call.release()
    call.settle({ charged: () => pico(0.5), tokens: 500 })
    await quiet()
    expect(await levelOf(counters.store, team, clock.now())).toMatchObject({ used: 0, held: 0 })
    expect((await admit([key], 0, 1_000)).headers).toMatchObject({ 'x-ratelimit-remaining-requests': '2' })
    expect(counters.calls.filter((name) => name === 'settle')).toEqual([])
  })

  it('keeps what running calls hold, with one timer, and none when none runs', async () => {
    const { admit, clock, counters } = createLab({ ttlMs: 30_000 })
    const scope: Scope = { kind: 'key', id: 'k1', maxParallelRequests: 3 }
    const calls = [await admit([scope]), await admit([scope]), await admit([scope])]
    for (let passed = 0; passed < 20; passed++) {
      expect(clock.pending).toBe(1)
      clock.advance(10_000)
      await quiet()
      await refusal(admit([scope]))
    }
    expect(counters.calls.filter((name) => name === 'renew').length).toBe(20)
    for (const call of calls) call.release()
    clock.advance(10_000)
    await quiet()
    expect(clock.pending).toBe(0)
  })

  it('tells once that a soft budget was passed, by what was spent and not by what was held', async () => {
    const { admit, finish, events } = createLab()
    const scope: Scope = { kind: 'team', id: 'acme', budget: { softBudget: 0.5 } }
    const calls = [await admit([scope], 3), await admit([scope], 3), await admit([scope], 3)]
    await quiet()
    expect(events).toEqual([])
    for (const call of calls) {
      finish(call, scope, 0.3)
      await quiet()
    }
    expect(events).toEqual([
      {
        scope: { kind: 'team', id: 'acme' },
        model: undefined,
        softBudget: 0.5,
        spent: 0.6,
        window: { id: 'all@0', startsAt: 0, endsAt: undefined },
      },
    ])
  })

  it('takes the tighter limit of a scope that comes twice, and counts it once', async () => {
    const { admit } = createLab()
    const call = await admit([
      { kind: 'key', id: 'k1', rpm: 9 },
      { kind: 'key', id: 'k1', rpm: 5 },
    ])
    expect(call.headers).toMatchObject({ 'x-ratelimit-limit-requests': '5', 'x-ratelimit-remaining-requests': '4' })
  })

  it('keeps scopes apart whose names look alike', async () => {
    const { admit } = createLab()
    await admit([{ kind: 'key', id: 'a:model:b', budget: { maxBudget: 0.01 } }])
    await admit([{ kind: 'key', id: 'a', modelBudgets: { b: { maxBudget: 0.01 } } }], 0.01, 1, 'b')
    await admit([{ kind: 'user', id: 'a:model:b', budget: { maxBudget: 0.01 } }])
  })
})
