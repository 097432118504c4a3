import { describe, expect, it } from 'vitest'
import { inputBuckets, outputBuckets } from '../../src/spend/usage-buckets.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { createMemoryRecords } from '../../src/stores/memory-records.js'
import { describeContract } from '../../src/testing/contracts/contract.js'
import { ledgerStoreContract } from '../../src/testing/contracts/ledger-store.js'
import { recordStoreContract } from '../../src/testing/contracts/record-store.js'
import { sampleEntry, sampleTime } from '../../src/testing/contracts/sample-entry.js'
import { FakeClock } from '../support/fake-clock.js'

describe('in memory', () => {
  describeContract({ describe, it }, ledgerStoreContract, () => ({ store: createMemoryLedger() }))
  describeContract({ describe, it }, recordStoreContract, () => {
    const clock = new FakeClock()
    const pass = (milliseconds: number): void => clock.advance(milliseconds)
    return { store: createMemoryRecords({ clock }), now: () => clock.now(), pass }
  })

  it('forgets the oldest entries beyond its bound and keeps their sums', async () => {
    const store = createMemoryLedger({ maxEntries: 2 })
    await store.append([3, 1, 2].map((n) => sampleEntry({ id: `e${n}`, at: sampleTime + n, charged: 1n })))
    expect((await store.query({})).entries.map(({ id }) => id)).toEqual(['e3', 'e2'])
    expect(await store.total({ kind: 'user', id: 'ann' }, 0)).toBe(3n)
  })

  it('holds no more roll-ups than its bound', async () => {
    const store = createMemoryLedger({ maxRollUps: 3 })
    const scopes = (n: number) => [{ kind: 'session', id: `s${n}` }] as const
    await store.append([1, 2, 3, 4, 5, 6].map((n) => sampleEntry({ id: `e${n}`, scopes: scopes(n) })))
    const rows = await store.report({ fromDay: '2026-11-25', untilDay: '2026-11-25', by: ['session'] })
    expect(rows.map(({ group }) => group[0])).toEqual(['s4', 's5', 's6'])
  })

  it('counts no less for a window whose first rows are gone, and exactly where only earlier ones are', async () => {
    const store = createMemoryLedger({ maxEntries: 2 })
    await store.append([1, 2, 3, 4, 5].map((n) => sampleEntry({ id: `e${n}`, at: sampleTime + n, charged: 1n })))
    const totals = [2, 3, 4, 5, 6].map((n) => store.total({ kind: 'user', id: 'ann' }, sampleTime + n))
    expect(await Promise.all(totals)).toEqual([5n, 5n, 2n, 1n, 0n])
    const until = (n: number) => store.total({ kind: 'user', id: 'ann' }, 0, sampleTime + n, 'small')
    expect(await Promise.all([3, 4, 5, 6].map(until))).toEqual([3n, 3n, 4n, 5n])
  })

  it('bounds hours in all, and forgets the oldest hours first', async () => {
    const store = createMemoryLedger({ maxRollUps: 4 })
    const users = ['ann', 'bob', 'eve'].map((id) => ({ kind: 'user', id }) as const)
    for (const [index, user] of users.entries()) {
      const row = (n: number) =>
        sampleEntry({ id: `${index} ${n}`, at: sampleTime - n * 3_600_000, charged: 1n, scopes: [user] })
      await store.append([2, 1, 0].map(row))
    }
    const totals = await Promise.all(users.map((user) => store.total(user, 0)))
    expect(totals.reduce((sum, total) => sum + total, 0n)).toBe(4n)
    for (const user of users) expect(await store.total(user, sampleTime - 1_800_000)).toBe(1n)
  })

  it('keeps what everybody shares through a flood of scopes that come once', async () => {
    const store = createMemoryLedger({ maxRollUps: 10 })
    const shared = { kind: 'organization', id: 'acme' } as const
    for (let n = 0; n < 100; n += 1) {
      const scopes = [shared, { kind: 'session', id: `s${n}` } as const]
      await store.append([sampleEntry({ id: `e${n}`, charged: 1n, scopes })])
    }
    expect(await store.total(shared, 0)).toBe(100n)
  })

  it('counts the tokens of every bucket that usage is divided into', async () => {
    const store = createMemoryLedger()
    const usage = Object.fromEntries([...inputBuckets, ...outputBuckets].map((bucket) => [bucket, 1]))
    await store.append([sampleEntry({ id: 'a', usage })])
    const [row] = await store.report({ fromDay: '2026-11-25', untilDay: '2026-11-25', by: [] })
    expect(row).toMatchObject({
      inputTokens: inputBuckets.length,
      outputTokens: outputBuckets.length,
      cacheReadTokens: inputBuckets.filter((bucket) => bucket.startsWith('cacheRead')).length,
    })
  })

  it('refuses records beyond its bound, and forgets the oldest of the audit', async () => {
    const store = createMemoryRecords({ maxRecords: 2 })
    for (const id of ['a', 'b']) await store.insert('key', { id, data: {} })
    await expect(store.insert('key', { id: 'c', data: {} })).rejects.toThrow(/takes no more/)
    for (const id of ['a', 'b', 'c']) await store.insert('audit', { id, data: {} })
    expect((await store.find('audit', {})).records.map(({ id }) => id)).toEqual(['c', 'b'])
  })
})
