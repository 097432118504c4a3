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
    return { store: createMemoryRecords({ clock }), pass: (milliseconds) => clock.advance(milliseconds) }
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
