import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GatewayOptions, LedgerStore, UsageEvent } from '../../src/index.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, startGatewayLab, textOf } from '../support/gateway.js'
import { billOf, chargedOf, levelsOf, openMemory, price, rowsOf } from './proof-lab.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const odd = { modelName: 'odd', model: 'fake/odd', id: 'odd' }
const scopes = [{ kind: 'team', id: 't', budget: { maxBudget: 1 }, markUp: 1.5 }] as const

function start(own: Partial<GatewayOptions> = {}) {
  lab.upstream.reset()
  const proof = openMemory()
  const auth = { identify: () => ({ ...anyCaller, scopes }) }
  const gateway = lab.start([odd], { stores: proof.stores, auth, ...own })
  const call = async (body: object = {}) =>
    textOf(await ask(gateway, 'POST', '/v1/chat/completions', chat('odd', { max_tokens: 20, ...body })))
  const day = new Date().toISOString().slice(0, 10)
  const report = () => gateway.spend.report({ fromDay: day, untilDay: '9999-12-31', by: ['team'] })
  const team = async () => (await levelsOf(proof)).find(({ counter }) => counter.startsWith('budget:team:t'))
  return { gateway, proof, call, report, team }
}

describe('reprice', () => {
  it('prices rows that had no price, with their mark-up, and corrects sums and budgets', async () => {
    const { gateway, proof, call, report, team } = start()
    for (let times = 0; times < 3; times += 1) await call()
    await gateway.spend.flush()
    expect(await rowsOf(proof.stores.ledger)).toMatchObject(Array(3).fill({ priced: false, cost: 0n, charged: 0n }))
    expect(await gateway.spend.reprice()).toEqual({ rows: 0, unpriced: 3, charged: 0n })

    gateway.deployments.update('odd', { ...odd, prices: price })
    const bill = billOf(lab.upstream)
    const charged = (bill * 3n) / 2n
    expect(await gateway.spend.reprice()).toEqual({ rows: 3, unpriced: 0, charged })
    const rows = await rowsOf(proof.stores.ledger)
    expect(rows.every(({ priced }) => priced)).toBe(true)
    expect(rows.reduce((sum, { cost }) => sum + cost, 0n)).toBe(bill)
    expect(chargedOf(rows)).toBe(charged)
    expect(await report()).toMatchObject([{ group: ['t'], cost: bill, charged, calls: 3 }])
    expect(await gateway.spend.total({ kind: 'team', id: 't' }, 0)).toBe(charged)

    await call()
    await gateway.spend.flush()
    expect(await gateway.spend.reprice()).toEqual({ rows: 0, unpriced: 0, charged: 0n })
    const all = await rowsOf(proof.stores.ledger)
    expect(await team()).toMatchObject({ used: Number(chargedOf(all) / 1_000n), held: 0 })
  })

  it('leaves no call out of a budget that ends while it runs, and whose row is not written yet', async () => {
    const proof = openMemory()
    const { ledger } = proof.stores
    let meanwhile = async (): Promise<unknown> => undefined
    const reprice: LedgerStore['reprice'] = async (entries) => {
      await meanwhile()
      return ledger.reprice(entries)
    }
    const { gateway, call } = start({ stores: { ...proof.stores, ledger: { ...ledger, reprice } } })
    await call()
    await gateway.spend.flush()
    gateway.deployments.update('odd', { ...odd, prices: price })
    meanwhile = call
    expect(await gateway.spend.reprice()).toMatchObject({ rows: 1 })
    await call()
    const [team] = await levelsOf(proof)
    await gateway.spend.flush()
    expect(team).toMatchObject({ used: Number(chargedOf(await rowsOf(ledger)) / 1_000n), held: 0 })
  })

  it('corrects budgets also where the ledger took the prices and its answer was lost', async () => {
    const proof = openMemory()
    const { ledger } = proof.stores
    const reprice: LedgerStore['reprice'] = async (entries) => {
      await ledger.reprice(entries)
      throw new Error('The answer was lost.')
    }
    const { gateway, call } = start({ stores: { ...proof.stores, ledger: { ...ledger, reprice } } })
    await call()
    await gateway.spend.flush()
    gateway.deployments.update('odd', { ...odd, prices: price })
    await expect(gateway.spend.reprice()).rejects.toThrow('The answer was lost.')
    await call()
    const [team] = await levelsOf(proof)
    await gateway.spend.flush()
    expect(team).toMatchObject({ used: Number(chargedOf(await rowsOf(ledger)) / 1_000n), held: 0 })
  })

  it('tells the billing of the host what comes to each row, by names that stay', async () => {
    const told: UsageEvent[] = []
    const { gateway, call, proof } = start({ spend: { onUsage: (events) => void told.push(...events) } })
    for (let times = 0; times < 2; times += 1) await call()
    await gateway.spend.flush()
    gateway.deployments.update('odd', { ...odd, prices: price })
    await gateway.spend.reprice()
    await gateway.spend.reprice()
    await gateway.close()
    const rows = await rowsOf(proof.stores.ledger)
    const corrections = told.filter(({ corrects }) => corrects !== undefined)
    expect(rows).toHaveLength(2)
    expect(told).toHaveLength(4)
    expect(new Set(told.map(({ id }) => id)).size).toBe(4)
    for (const { id, cost, charged } of rows) {
      expect(corrections.filter(({ corrects }) => corrects === id)).toEqual([
        expect.objectContaining({ usage: {}, cost, charged, priced: true }),
      ])
    }
    expect(told.reduce((sum, { charged }) => sum + charged, 0n)).toBe(chargedOf(rows))
  })

  it('charges each scope its own mark-up, in its budget as in the ledger', async () => {
    const budget = { maxBudget: 1 }
    const nested = [
      { kind: 'organization', id: 'o', budget },
      { kind: 'team', id: 't', budget, markUp: 2 },
      { kind: 'key', id: 'k', budget, modelBudgets: { odd: budget }, markUp: 1.5 },
    ] as const
    const { gateway, proof, call } = start({ auth: { identify: () => ({ ...anyCaller, scopes: nested }) } })
    const check = async (bill: bigint) => {
      const expected = { 'organization:o': bill, 'team:t': bill * 2n, 'key:k': (bill * 3n) / 2n }
      for (const [name, charged] of Object.entries(expected)) {
        const [scope] = nested.filter(({ kind, id }) => `${kind}:${id}` === name)
        if (!scope) throw new Error(name)
        expect(await gateway.spend.total(scope, 0), name).toBe(charged)
        expect(await proof.stores.ledger.total(scope, 0, undefined, 'odd'), name).toBe(charged)
        const levels = (await levelsOf(proof)).filter(({ counter }) => counter.startsWith(`budget:${name}`))
        expect(
          levels.map(({ used }) => used),
          name,
        ).toEqual(levels.map(() => Number(charged / 1_000n)))
      }
    }
    await call()
    await gateway.spend.flush()
    await check(0n)
    gateway.deployments.update('odd', { ...odd, prices: price })
    await gateway.spend.reprice()
    // The first call since then adds budgets up anew.
    await call()
    await gateway.spend.flush()
    await check(billOf(lab.upstream))
  })

  it('leaves out rows of other times', async () => {
    const { gateway, call } = start()
    await call()
    await gateway.spend.flush()
    gateway.deployments.update('odd', { ...odd, prices: price })
    expect(await gateway.spend.reprice({ until: 1 })).toMatchObject({ rows: 0, unpriced: 0 })
    expect(await gateway.spend.reprice({ from: 1 })).toMatchObject({ rows: 1 })
  })

  it('finds the price of what a wildcard stood for', async () => {
    lab.upstream.reset()
    const { stores } = openMemory()
    const wildcard = { modelName: 'any/*', model: 'fake/*', id: 'any' }
    const gateway = lab.start([wildcard], {
      stores,
      auth: { identify: () => anyCaller },
      spend: { unknownPrice: { input: 9, output: 9 }, prices: { 'fake/odd': price } },
    })
    await textOf(await ask(gateway, 'POST', '/v1/chat/completions', chat('any/odd', { max_tokens: 20 })))
    await gateway.spend.flush()
    const [row] = await rowsOf(stores.ledger)
    if (!row) throw new Error('There is no row.')
    expect(row).toMatchObject({ priced: true, model: 'odd' })
    const unpriced = { ...row, id: 'as-it-was-unknown', cost: 0n, charged: 0n, priced: false, price: null }
    await stores.ledger.append([unpriced])
    expect(await gateway.spend.reprice()).toEqual({ rows: 1, unpriced: 0, charged: row.cost })
  })

  it('knows of the service tier that served a row', async () => {
    const { gateway, proof, call } = start()
    lab.upstream.onRequest(() => ({
      body: {
        id: 'x',
        object: 'chat.completion',
        created: 1,
        model: 'odd',
        service_tier: 'flex',
        choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
      },
    }))
    await call()
    lab.upstream.onRequest(undefined)
    gateway.deployments.update('odd', {
      ...odd,
      prices: { ...price, serviceTiers: { flex: { input: 0.5, output: 1 } } },
    })
    expect(await gateway.spend.reprice()).toMatchObject({ rows: 1 })
    expect(await rowsOf(proof.stores.ledger)).toMatchObject([{ priced: true, cost: 15_000_000n }])
  })
})

describe('gateway.spend', () => {
  it('tells what waits, what was written, and what was lost', async () => {
    const { gateway, call } = start()
    await call()
    expect(gateway.spend).toMatchObject({ pending: 1, written: 0, lost: 0 })
    expect(await gateway.spend.flush()).toBe(true)
    expect(gateway.spend).toMatchObject({ pending: 0, written: 1, lost: 0 })
    expect((await gateway.spend.query({ modelName: 'odd' })).entries).toHaveLength(1)
  })
})
