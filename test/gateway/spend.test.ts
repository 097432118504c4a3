import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Caller, GatewayEvent, GatewayOptions, LedgerEntry, ScopeKind } from '../../src/index.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { anyCaller } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab, textOf } from '../support/gateway.js'

let lab: GatewayLab

beforeAll(async () => {
  lab = await startGatewayLab()
})

afterAll(() => lab.close())

// The fake counts words: a prompt of three words, an answer of as many.
const price = { input: 1, output: 2 }
const models = [
  { modelName: 'main', model: 'fake/main', prices: price },
  { modelName: 'down', model: 'fake/status-500', prices: price },
  { modelName: 'flaky', model: 'fake/cut-2', prices: price },
  { modelName: 'odd', model: 'fake/odd' },
]

const callerOf = (scopes: Caller['scopes'], own: Partial<Caller> = {}): GatewayOptions['auth'] => ({
  identify: () => ({ ...anyCaller, scopes, ...own }),
})

/** A gateway with a ledger, and what comes to stand in it. */
function start(options: Partial<GatewayOptions> = {}) {
  const ledger = createMemoryLedger()
  const usage: LedgerEntry[] = []
  const gateway = lab.start(models, {
    retries: 0,
    stores: { ledger },
    spend: { onUsage: (entries) => void usage.push(...entries) },
    ...options,
  })
  return { gateway, ledger, usage, rows: async () => (await gateway.close(), (await ledger.query({})).entries) }
}

describe('the ledger', () => {
  it.each([false, true])('has one row for an answer, priced exactly, with stream: %s', async (stream) => {
    const { gateway, rows } = start({ auth: callerOf([{ kind: 'team', id: 't1' }], { tags: ['blue'] }) })
    const body = chat('main', { stream, user: 'their-customer', tags: ['label'] })
    const answer = await ask(gateway, 'POST', '/v1/chat/completions', body)
    await textOf(answer)
    const [row, ...more] = await rows()
    expect(more).toEqual([])
    const { inputUncached = 0, outputText = 0 } = row?.usage ?? {}
    expect(inputUncached).toBeGreaterThan(0)
    expect(row).toMatchObject({
      callId: answer.headers['x-request-id'],
      operation: 'chat',
      caller: anyCaller.id,
      modelName: 'main',
      provider: 'fake',
      cost: BigInt(inputUncached * 1_000_000 + outputText * 2_000_000),
      priced: true,
      estimated: false,
      aborted: false,
      cached: false,
      billable: true,
      status: 200,
      endUser: 'their-customer',
      tags: ['blue', 'label'],
    })
    expect(row?.charged).toBe(row?.cost)
    const scopes = row?.scopes.map(({ kind, id }) => `${kind}:${id}`)
    expect(scopes).toEqual(expect.arrayContaining(['team:t1', 'model:main', 'provider:fake', 'tag:blue']))
    expect(scopes).not.toContain('tag:label')
  })

  it('counts a call that outlasts its window in that window alone, and knows when it began', async () => {
    const clock = new FakeClock()
    const hour = 3_600_000
    const next = Math.floor(clock.now() / hour + 1) * hour
    const budget = { maxBudget: 1, budgetDuration: '1h' }
    const auth = callerOf([
      { kind: 'team', id: 'outlasting', budget },
      { kind: 'user', id: 'outlasting', budget: { maxBudget: 1, budgetDuration: '1d' } },
    ])
    const { gateway, ledger } = start({ auth, clock })
    clock.advance(next - 1_000 - clock.now())
    const began = clock.now()
    lab.upstream.script(() => {
      clock.advance(3_000)
      return undefined
    })
    await textOf(await ask(gateway, 'POST', '/v1/chat/completions', chat('odd')))
    clock.advance(1_000)
    await vi.waitFor(async () => expect((await ledger.query({})).entries).toHaveLength(1))
    const [row] = (await ledger.query({})).entries
    expect(row).toMatchObject({ at: next - 1, latencyMs: 3_000, price: { circumstances: { at: began } } })
  })

  it('charges the innermost mark-up, and each scope its own', async () => {
    const { gateway, rows } = start({
      auth: callerOf([
        { kind: 'organization', id: 'o' },
        { kind: 'team', id: 't', markUp: 3 },
        { kind: 'user', id: 'u' },
        { kind: 'key', id: 'k', markUp: 1.5 },
      ]),
    })
    await ask(gateway, 'POST', '/v1/chat/completions', chat('main'))
    const [row] = await rows()
    const cost = row?.cost ?? 0n
    expect(row?.charged).toBe((cost * 3n) / 2n)
    await gateway.spend.flush()
    const spent = (kind: ScopeKind, id: string) => gateway.spend.total({ kind, id }, 0)
    expect(await spent('organization', 'o')).toBe(cost)
    expect(await spent('team', 't')).toBe(cost * 3n)
    expect(await spent('user', 'u')).toBe(cost * 3n)
    expect(await spent('key', 'k')).toBe((cost * 3n) / 2n)
    expect(await spent('model', 'main')).toBe((cost * 3n) / 2n)
  })

  it('has no row for what a provider refuses', async () => {
    const { gateway, rows } = start()
    expect((await ask(gateway, 'POST', '/v1/chat/completions', chat('down'))).status).toBeGreaterThanOrEqual(500)
    expect(await rows()).toEqual([])
  })

  it('has an estimated row for a stream that broke off', async () => {
    const { gateway, rows } = start()
    const text = await textOf(await ask(gateway, 'POST', '/v1/chat/completions', chat('flaky', { stream: true })))
    expect(text).not.toContain('[DONE]')
    expect(await rows()).toMatchObject([{ aborted: true, estimated: true, failure: expect.any(String) }])
  })

  it.each([false, true])('estimates the output of an answer without token counts, with stream: %s', async (stream) => {
    const { gateway, rows } = start()
    lab.upstream.script('no-usage')
    await textOf(await ask(gateway, 'POST', '/v1/chat/completions', chat('main', { stream })))
    const [row] = await rows()
    expect(row).toMatchObject({ estimated: true, aborted: false })
    expect(row?.usage['outputText']).toBeGreaterThan(0)
  })

  it('flags what has no price, and never counts it as known to be free', async () => {
    const { gateway, rows } = start()
    await ask(gateway, 'POST', '/v1/chat/completions', chat('odd'))
    expect(await rows()).toMatchObject([{ priced: false, cost: 0n, price: null }])
  })

  it('is told to the host’s billing, each row once', async () => {
    const { gateway, usage, rows } = start()
    for (let call = 0; call < 3; call += 1) await ask(gateway, 'POST', '/v1/chat/completions', chat('main'))
    const written = await rows()
    expect(usage.map(({ id }) => id).toSorted()).toEqual(written.map(({ id }) => id).toSorted())
    expect(new Set(usage.map(({ id }) => id)).size).toBe(3)
  })
})

describe('budgets and limits', () => {
  it('refuse with 429, say whose and that a retry is of no use, and leave the provider alone', async () => {
    const { gateway, rows } = start({
      auth: callerOf([{ kind: 'key', id: 'k1', budget: { maxBudget: 0.000_000_001 } }]),
    })
    const before = lab.upstream.requests.length
    const answer = await ask(gateway, 'POST', '/v1/chat/completions', chat('main', { max_tokens: 10 }))
    expect(answer.status).toBe(429)
    expect(jsonOf(answer).error).toMatchObject({ code: 'budget_exceeded', message: expect.stringContaining('key k1') })
    expect(answer.headers).toMatchObject({ 'x-should-retry': 'false' })
    expect(lab.upstream.requests.length).toBe(before)
    expect(await rows()).toEqual([])
  })

  it('let exactly as many concurrent calls in as the limit says, and tell what is left', async () => {
    const { gateway } = start({ auth: callerOf([{ kind: 'user', id: 'u1', rpm: 3 }]) })
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ask(gateway, 'POST', '/v1/chat/completions', chat('main'))),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(7)
    expect(refused[0]?.headers).toMatchObject({ 'retry-after': expect.any(String) })
    const left = answers.map(({ headers }) => headers['x-ratelimit-remaining-requests'])
    expect(left).toEqual(expect.arrayContaining(['2', '1', '0']))
  })

  it('count what was spent, not what was held: a small budget serves many small calls', async () => {
    const events: GatewayEvent[] = []
    const budget = { maxBudget: 0.001, softBudget: 0.000_01 }
    const { gateway, rows } = start({
      auth: callerOf([{ kind: 'key', id: 'k2', budget }]),
      onEvent: (event) => void events.push(event),
    })
    for (let call = 0; call < 20; call += 1) {
      const body = chat('main', { max_tokens: 200 })
      expect((await ask(gateway, 'POST', '/v1/chat/completions', body)).status).toBe(200)
    }
    expect(await rows()).toHaveLength(20)
    expect(events.filter(({ type }) => type === 'soft_budget')).toHaveLength(1)
  })

  it('hold for all callers of a model where the host says so', async () => {
    const { gateway } = start({ spend: { models: { main: { rpm: 1 } } } })
    expect((await ask(gateway, 'POST', '/v1/chat/completions', chat('main'))).status).toBe(200)
    const refused = await ask(gateway, 'POST', '/v1/chat/completions', chat('main'))
    expect(jsonOf(refused).error).toMatchObject({ message: expect.stringContaining('model main') })
  })

  it('refuse models without a price where the host wants that', async () => {
    const { gateway } = start({ spend: { unknownPrice: 'refuse' } })
    const answer = await ask(gateway, 'POST', '/v1/chat/completions', chat('odd'))
    expect(answer.status).toBe(403)
    expect(jsonOf(answer).error).toMatchObject({ code: 'unknown_price' })
  })
})
