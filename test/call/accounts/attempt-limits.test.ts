import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Budget, GatewayOptions } from '../../../src/index.js'
import { anyCaller } from '../../support/deployment.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab, textOf } from '../../support/gateway.js'
import { chargedOf, intercepted, levelsOf, openMemory, price, rowsOf } from '../../spend/proof-lab.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const models = [
  { modelName: 'pair', model: 'fake/first', id: 'first', order: 1, prices: price },
  { modelName: 'pair', model: 'fake/second', id: 'second', order: 2, prices: price },
  { modelName: 'busy', model: 'fake/slow-150ms', id: 'busy', prices: price },
  { modelName: 'shaky', model: 'fake/main', id: 'shaky', prices: price },
]
const path = '/v1/chat/completions'

function start(spend: GatewayOptions['spend'], own: Partial<GatewayOptions> = {}) {
  const proof = openMemory()
  const events: string[] = []
  const gateway = lab.start(models, {
    stores: proof.stores,
    spend,
    retries: 2,
    onEvent: ({ type }) => void events.push(type),
    ...own,
  })
  const call = (model: string, body: object = {}) =>
    ask(gateway, 'POST', path, chat(model, { max_tokens: 10, ...body }))
  const servedBy = async (model: string, body: object = {}) => {
    const answer = await call(model, body)
    await textOf(answer)
    return answer.headers['x-sluice-deployment']
  }
  return { gateway, proof, call, servedBy, events }
}

describe('budgets and limits of providers and deployments', () => {
  it.each([false, true])(
    'send calls to another deployment, and leave its health alone, with stream: %s',
    async (stream) => {
      const { gateway, proof, servedBy, events } = start({ deployments: { first: { rpm: 2 } } })
      const served = []
      for (let times = 0; times < 4; times += 1) served.push(await servedBy('pair', { stream }))
      expect(served).toEqual(['first', 'first', 'second', 'second'])
      expect(events).not.toContain('cooldown')
      await gateway.close()
      expect(await rowsOf(proof.stores.ledger)).toHaveLength(4)
    },
  )

  it('answer 429 without amounts or names where no deployment is left', async () => {
    const { call } = start({ providers: { fake: { budget: { maxBudget: 0.000_000_001 } } } })
    const before = lab.upstream.requests.length
    const answer = await call('pair')
    expect(answer.status).toBe(429)
    const { error } = jsonOf(answer)
    expect(error).toMatchObject({ code: 'budget_exceeded', type: 'budget_exceeded' })
    expect(error?.['message']).not.toMatch(/fake|\d/)
    expect(lab.upstream.requests).toHaveLength(before)
  })

  it('are settled with what their own attempt was charged', async () => {
    const budget = { maxBudget: 1 }
    const { gateway, proof, call } = start({
      providers: { fake: { budget, tpm: 10_000 } },
      deployments: { first: { budget }, second: { budget } },
    })
    lab.upstream.script('status-503')
    await call('pair')
    await call('pair')
    await gateway.close()
    const rows = await rowsOf(proof.stores.ledger)
    const levels = new Map((await levelsOf(proof)).map(({ counter, ...level }) => [counter, level]))
    const nano = (id?: string): number =>
      Number(chargedOf(rows.filter(({ deployment }) => id === undefined || deployment === id)) / 1_000n)
    expect(rows.map(({ deployment }) => deployment).toSorted()).toEqual(['first', 'second'])
    expect(levels.get('budget:provider:fake:all@0')).toMatchObject({ used: nano(), held: 0 })
    expect(levels.get('budget:deployment:first:all@0')).toMatchObject({ used: nano('first'), held: 0 })
    expect(levels.get('budget:deployment:second:all@0')).toMatchObject({ used: nano('second'), held: 0 })
    expect(levels.get('tpm:provider:fake')?.used).toBe(
      rows.reduce((sum, { usage }) => sum + (usage['inputUncached'] ?? 0) + (usage['outputText'] ?? 0), 0),
    )
  })

  it('free a failed attempt’s slot before the next attempt', async () => {
    const { gateway, proof, call } = start({ providers: { fake: { maxParallelRequests: 1 } } })
    lab.upstream.script('status-503')
    expect((await call('shaky')).status).toBe(200)
    await gateway.close()
    expect((await levelsOf(proof)).map(({ held }) => held)).toEqual([0])
  })

  it('let in no more attempts at once than they say, and hold nothing of calls that left while they waited', async () => {
    const { gateway, proof, call } = start({ providers: { fake: { maxParallelRequests: 3 } } }, { retries: 0 })
    const answers = await Promise.all(Array.from({ length: 10 }, () => call('busy')))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7)
    await gateway.close()
    expect((await levelsOf(proof)).map(({ held }) => held)).toEqual([0])
  })

  it('give back what is held for an attempt whose call ends while the store is asked', async () => {
    const proof = openMemory()
    const leaving = new AbortController()
    const counters = intercepted(proof.stores.counters, async ({ name, go }) => {
      const result: unknown = await go()
      if (name !== 'reserve') return result
      leaving.abort()
      await new Promise((resolve) => setTimeout(resolve, 5))
      return result
    })
    const { gateway } = start(
      { providers: { fake: { maxParallelRequests: 3 } } },
      { stores: { ...proof.stores, counters } },
    )
    const before = lab.upstream.requests.length
    const request = { model: 'shaky', messages: [{ role: 'user' as const, content: 'hello' }] }
    const calling = gateway.call('chat', request, anyCaller, { signal: leaving.signal })
    await expect(calling).rejects.toMatchObject({ kind: 'client_closed' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await gateway.close()
    expect(lab.upstream.requests).toHaveLength(before)
    expect((await levelsOf(proof)).map(({ held }) => held)).toEqual([0])
  })
})

describe('a fallback', () => {
  const models = [
    { modelName: 'cheap', model: 'fake/cheap', id: 'cheap', prices: price },
    { modelName: 'dear', model: 'fake/dear', id: 'dear', prices: price },
    { modelName: 'dear', model: 'fake/dear', id: 'd2', prices: price, weight: 0 },
  ]
  const auth = (modelBudgets: Readonly<Record<string, Budget>>) => ({
    identify: () => ({ ...anyCaller, scopes: [{ kind: 'key' as const, id: 'k', modelBudgets }] }),
  })
  async function fallBack(own: Partial<GatewayOptions>, body: object) {
    const proof = openMemory()
    const gateway = lab.start(models, { stores: proof.stores, retries: 0, ...own })
    lab.upstream.reset()
    lab.upstream.script('status-503')
    const answer = await ask(gateway, 'POST', path, chat('cheap', { max_tokens: 10, ...body }))
    await gateway.close()
    return { status: answer.status, asked: lab.upstream.requests.length, proof }
  }

  it.each([
    ['the caller, by name', { fallbacks: ['dear'] }, { auth: auth({ dear: { maxBudget: 0 } }) }],
    ['the caller, by pattern', { fallbacks: ['dear'] }, { auth: auth({ 'd*': { maxBudget: 0 } }) }],
    ['the caller, by the id of a deployment', { fallbacks: ['d2'] }, { auth: auth({ dear: { maxBudget: 0 } }) }],
    [
      'the caller, per minute',
      { fallbacks: ['dear'] },
      {
        auth: {
          identify: () => ({
            ...anyCaller,
            scopes: [{ kind: 'key' as const, id: 'k', modelLimits: { dear: { rpm: 0 } } }],
          }),
        },
      },
    ],
    ['all callers', { fallbacks: ['dear'] }, { spend: { models: { dear: { budget: { maxBudget: 0 } } } } }],
    [
      'the host’s own table',
      {},
      { routing: { fallbacks: { cheap: ['dear'] } }, auth: auth({ dear: { maxBudget: 0 } }) },
    ],
  ])('leads past no budget or limit of its model: that of %s', async (_, body, own) => {
    expect(await fallBack(own, body)).toMatchObject({ status: 503, asked: 1 })
  })

  it('counts for both models, in the counters as in the ledger, and for a pattern that covers both once', async () => {
    const budget = { maxBudget: 1 }
    const { status, proof } = await fallBack(
      { auth: auth({ dear: budget, cheap: budget, '*': budget }), spend: { models: { dear: { budget } } } },
      { fallbacks: ['dear'] },
    )
    expect(status).toBe(200)
    const rows = await rowsOf(proof.stores.ledger)
    expect(rows).toMatchObject([{ modelName: 'cheap', deployment: 'dear' }])
    const used = Number(chargedOf(rows) / 1_000n)
    const levels = await levelsOf(proof)
    expect(levels.map(({ counter, used: spent, held }) => [counter, spent, held])).toEqual(
      expect.arrayContaining(
        ['key:k:model:dear:', 'key:k:model:cheap:', 'key:k:model:*:', 'model:dear:'].map((name) => [
          `budget:${name}all@0`,
          used,
          0,
        ]),
      ),
    )
    // A process that begins with an empty counter store finds the same in the ledger.
    const fresh = openMemory()
    const auths = auth({ dear: { maxBudget: used / 1e9 } })
    const gateway = lab.start(models, { stores: { ...fresh.stores, ledger: proof.stores.ledger }, auth: auths })
    expect((await ask(gateway, 'POST', path, chat('dear', { max_tokens: 10 }))).status).toBe(429)
  })
})

describe('labels of a client', () => {
  it.each([
    { tags: 7 },
    { tags: [{}] },
    { metadata: { tags: [{}] } },
    { tags: 'x'.repeat(100_000) },
    { tags: Array.from({ length: 5_000 }, (_, index) => `tag-${index}`) },
    { metadata: { note: 'x'.repeat(1_000_000) } },
    { user: 'x'.repeat(1_000_000) },
  ])('make no call free, whatever they hold', async (labels) => {
    const { gateway, proof, call } = start({ everybody: { budget: { maxBudget: 1 }, maxParallelRequests: 5 } })
    expect((await call('shaky', labels)).status).toBe(200)
    await gateway.close()
    const rows = await rowsOf(proof.stores.ledger)
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? '' : value)).length).toBeLessThan(
      100_000,
    )
    expect(await levelsOf(proof)).toMatchObject([{ used: Number(chargedOf(rows) / 1_000n), held: 0 }, { held: 0 }])
  })

  it('that are no JSON make no call free either', async () => {
    const { gateway, proof } = start({ everybody: { budget: { maxBudget: 1 } } })
    const metadata: Record<string, unknown> = { count: 1n }
    metadata['self'] = metadata
    const request = { model: 'shaky', messages: [{ role: 'user' as const, content: 'hello' }] }
    await gateway.call('embeddings', { model: 'shaky', input: 'hello', metadata }, anyCaller).catch(() => undefined)
    await gateway.call('chat', request, anyCaller)
    await gateway.close()
    expect((await levelsOf(proof)).map(({ held }) => held)).toEqual([0])
  })
})
