import { describe, expect, it } from 'vitest'
import { createMemoryCalls } from '../../src/stores/memory-calls.js'
import { callStoreContract } from '../../src/testing/contracts/call-store.js'
import { describeContract } from '../../src/testing/contracts/contract.js'
import { sampleCall } from '../../src/testing/contracts/sample-call.js'
import { sampleTime } from '../../src/testing/contracts/sample-entry.js'

describe('in memory', () => {
  describeContract({ describe, it }, callStoreContract, () => ({ store: createMemoryCalls() }))

  it('forgets the calls that ended first once all together take too much memory', async () => {
    const store = createMemoryCalls({ maxBytes: 200_000 })
    const request = { prompt: 'x'.repeat(20_000) }
    const calls = Array.from({ length: 50 }, (_, n) => sampleCall({ id: `c${n}`, endedAt: sampleTime + n, request }))
    for (const call of calls) await store.append([call])
    const ids = (await store.query({})).records.map(({ id }) => id)
    expect(ids).toEqual(['c49', 'c48', 'c47', 'c46'])
    expect(await store.get('c45')).toBeUndefined()
    await store.append([sampleCall({ id: 'huge', endedAt: sampleTime + 99, request: { prompt: 'x'.repeat(200_000) } })])
    expect((await store.query({})).records).toEqual([])
  })
})
