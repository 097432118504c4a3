import { expect, it } from 'vitest'
import { createMemoryRecords } from '../../../src/stores/memory-records.js'
import { createMemoryLedger } from '../../../src/stores/memory-ledger.js'
import { sampleEntry } from '../../../src/testing/contracts/sample-entry.js'
import type { ScopeKind } from '../../../src/ports/ledger.js'
import { type Json, hostCaller, startAdminLab } from './lab.js'
import { newKey } from './samples.js'

const dollar = 1_000_000_000_000n

it('tells the budgets of every kind, the one nearest its limit first, with what tiers give', async () => {
  const ledger = createMemoryLedger()
  const lab = await startAdminLab({ stores: { ledger } })
  await lab.send('POST', '/organization/new', { organization_id: 'o', organization_alias: 'House', max_budget: 100 })
  await lab.send('POST', '/team/new', { team_id: 't', team_alias: 'Search', max_budget: 10, budget_duration: '1d' })
  await lab.send('POST', '/team/new', { team_id: 'free' })
  await lab.send('POST', '/budget/new', { budget_id: 'tier', max_budget: 4 })
  await lab.send('POST', '/customer/new', { user_id: 'c', alias: 'Acme', budget_id: 'tier' })
  const key = await newKey(lab, { key_alias: 'shop', max_budget: 2 })
  const { body } = await lab.send('GET', `/key/info?key=${key}`)
  const spent = (kind: ScopeKind, id: string, dollars: bigint) =>
    sampleEntry({ id: `${kind} ${id}`, at: Date.now(), charged: dollars * dollar, scopes: [{ kind, id }] })
  await ledger.append([
    spent('organization', 'o', 50n),
    spent('team', 't', 9n),
    spent('team', 'free', 900n),
    spent('customer', 'c', 1n),
    spent('key', String((body['info'] as Json)['key_id'] ?? body['key']), 3n),
  ])
  const usage = async (query = ''): Promise<readonly Json[]> =>
    (await lab.send('GET', `/budget/usage${query}`)).body['budgets'] as Json[]
  expect(await usage()).toMatchObject([
    { kind: 'key', name: 'shop', spend: 3, max_budget: 2 },
    { kind: 'team', id: 't', name: 'Search', spend: 9, max_budget: 10, budget_reset_at: expect.any(String) },
    { kind: 'organization', name: 'House', spend: 50, max_budget: 100 },
    { kind: 'customer', name: 'Acme', spend: 1, max_budget: 4, budget_reset_at: null },
  ])
  expect(await usage('?limit=1')).toHaveLength(1)
  expect((await lab.send('GET', '/budget/usage', undefined, hostCaller('member'))).status).toBe(403)
  await lab.close()
})

it('finds a budget that is nearly used up among many newer records, and among very many by what was spent', async () => {
  const [ledger, records] = [createMemoryLedger(), createMemoryRecords()]
  const insert = async (from: number, until: number) => {
    for (let n = from; n < until; n += 1) await records.insert('team', { id: `t${n}`, data: { max_budget: 10 } })
  }
  const spend = (n: number, dollars: bigint) => {
    const scopes = [{ kind: 'team', id: `t${n}` } as const]
    return sampleEntry({ id: `e${n}`, at: Date.now(), charged: dollars * dollar, scopes })
  }
  const lab = await startAdminLab({ stores: { ledger, records } })
  const first = async (limit: number): Promise<unknown> => {
    const { body } = await lab.send('GET', `/budget/usage?limit=${limit}`)
    return (body['budgets'] as Json[]).map(({ id, spend: dollars }) => [id, dollars])
  }
  await insert(0, 2_500)
  await ledger.append([spend(0, 9n), spend(1_200, 8n), spend(2_400, 7n)])
  expect(await first(3)).toEqual([
    ['t0', 9],
    ['t1200', 8],
    ['t2400', 7],
  ])
  await insert(2_500, 7_600)
  expect(await first(3)).toEqual([
    ['t0', 9],
    ['t1200', 8],
    ['t2400', 7],
  ])
  await lab.close()
})

it('tells a key once that got a new text while the old one works on', async () => {
  const ledger = createMemoryLedger()
  const lab = await startAdminLab({ stores: { ledger } })
  const key = await newKey(lab, { key_alias: 'shop', max_budget: 2 })
  await lab.send('POST', '/key/regenerate', { key, grace_period: '1h' })
  const { body } = await lab.send('GET', '/budget/usage')
  expect(body['budgets']).toMatchObject([{ kind: 'key', name: 'shop' }])
  await lab.close()
})
