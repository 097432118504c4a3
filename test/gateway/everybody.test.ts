import { afterAll, beforeAll, expect, it } from 'vitest'
import type { GatewayOptions } from '../../src/index.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab } from '../support/gateway.js'

let lab: GatewayLab

beforeAll(async () => {
  lab = await startGatewayLab()
})

afterAll(() => lab.close())

/** Every call has another caller. */
function strangers(): GatewayOptions['auth'] {
  let count = 0
  return {
    identify: () => {
      count += 1
      return { ...anyCaller, id: `caller-${count}`, scopes: [{ kind: 'user', id: `user-${count}` }] }
    },
  }
}

const models = [{ modelName: 'main', model: 'fake/main', prices: { input: 1, output: 1 } }]
const call = (gateway: Parameters<typeof ask>[0]) =>
  ask(gateway, 'POST', '/v1/chat/completions', chat('main', { max_tokens: 10 }))

it('holds all callers together to one budget, and keeps what they spent under one name', async () => {
  const ledger = createMemoryLedger()
  const everybody = { budget: { maxBudget: 0.000_05, budgetDuration: '1mo' } }
  const gateway = lab.start(models, { retries: 0, auth: strangers(), stores: { ledger }, spend: { everybody } })
  const answers = await Promise.all(Array.from({ length: 30 }, () => call(gateway)))
  const admitted = answers.filter(({ status }) => status === 200)
  const refused = answers.filter(({ status }) => status === 429)
  expect(admitted.length).toBeGreaterThan(0)
  expect(refused.length).toBeGreaterThan(0)
  expect(admitted.length + refused.length).toBe(30)
  for (const answer of refused) {
    const message = expect.stringContaining('gateway everybody')
    expect(jsonOf(answer).error).toMatchObject({ code: 'budget_exceeded', message })
  }
  await gateway.close()
  const { entries } = await ledger.query({})
  expect(entries).toHaveLength(admitted.length)
  const spent = await ledger.total({ kind: 'gateway', id: 'everybody' }, 0)
  expect(spent).toBe(entries.reduce((sum, { charged }) => sum + charged, 0n))
  expect(spent).toBeLessThanOrEqual(50_000_000n)
})

it('goes on with what the ledger says was spent, after a restart', async () => {
  const ledger = createMemoryLedger()
  const options = (maxBudget: number) => ({
    retries: 0,
    auth: strangers(),
    stores: { ledger },
    spend: { everybody: { budget: { maxBudget } } },
  })
  const first = lab.start(models, options(1))
  expect((await call(first)).status).toBe(200)
  await first.close()
  const spent = Number(await ledger.total({ kind: 'gateway', id: 'everybody' }, 0)) / 1e12
  const second = lab.start(models, options(spent))
  expect((await call(second)).status).toBe(429)
  await second.close()
})

it('limits the requests of all callers together', async () => {
  const gateway = lab.start(models, { retries: 0, auth: strangers(), spend: { everybody: { rpm: 2 } } })
  const statuses: number[] = []
  for (let count = 0; count < 3; count += 1) statuses.push((await call(gateway)).status)
  expect(statuses).toEqual([200, 200, 429])
  await gateway.close()
})
