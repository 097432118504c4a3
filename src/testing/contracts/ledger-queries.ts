import { deepEqual, equal, rejects } from 'node:assert/strict'
import type { LedgerQuery, LedgerStore } from '../../ports/ledger.js'
import type { Contract } from './contract.js'
import { ann, idsOf, red } from './ledger-samples.js'
import { sampleEntry, sampleTime } from './sample-entry.js'

/** Queries: pages of rows, newest first, narrowed by any field. */
export const queryClauses: Contract<LedgerStore>['clauses'] = {
  async 'pages newest first, every entry once, also within one millisecond'({ store }) {
    const entries = Array.from({ length: 23 }, (_, index) =>
      sampleEntry({ id: `e${String(index).padStart(2, '0')}`, at: sampleTime + Math.floor(index / 10) }),
    )
    await store.append(entries)
    const newestFirst = entries.map(({ id }) => id).toReversed()
    for (const scope of [undefined, red]) {
      deepEqual(await idsOf(store, { limit: 4, ...(scope && { scope }) }), newestFirst)
      deepEqual(await idsOf(store, { limit: 23, ...(scope && { scope }) }), newestFirst)
    }
  },
  async 'pages on without a gap while newer entries arrive'({ store }) {
    await store.append([1, 2, 3].map((index) => sampleEntry({ id: `e${index}`, at: sampleTime + index })))
    const first = await store.query({ limit: 2 })
    await store.append([sampleEntry({ id: 'e4', at: sampleTime + 4 })])
    const second = await store.query({ limit: 2, ...(first.next !== undefined && { after: first.next }) })
    deepEqual(
      [...first.entries, ...second.entries].map(({ id }) => id),
      ['e3', 'e2', 'e1'],
    )
  },
  async 'refuses a page marker that it did not give'({ store }) {
    await rejects(store.query({ after: "'; --" }))
  },
  async 'narrows by every field of a query'({ store }) {
    await store.append([
      sampleEntry({ id: 'a', at: sampleTime, callId: 'c1' }),
      sampleEntry({ id: 'b', at: sampleTime + 1, callId: 'c1', failure: 'timeout', status: 504 }),
      sampleEntry({ id: 'c', at: sampleTime + 2, modelName: 'large', priced: false, price: null }),
      sampleEntry({ id: 'd', at: sampleTime + 3, scopes: [ann], priced: false, failure: 'overloaded' }),
    ])
    const expected: readonly (readonly [LedgerQuery, string])[] = [
      [{ callId: 'c1' }, 'b a'],
      [{ callId: 'c1', failed: false }, 'a'],
      [{ failed: true }, 'd b'],
      [{ failed: false }, 'c a'],
      [{ priced: false }, 'd c'],
      [{ priced: true }, 'b a'],
      [{ priced: false, failed: true }, 'd'],
      [{ modelName: 'large' }, 'c'],
      [{ scope: red }, 'c b a'],
      [{ scope: red, failed: true }, 'b'],
      [{ scope: red, modelName: 'small', from: sampleTime + 1 }, 'b'],
      [{ scope: ann, until: sampleTime + 3, from: sampleTime + 1 }, 'c b'],
      [{ from: sampleTime + 2 }, 'd c'],
      [{ until: sampleTime }, ''],
    ]
    for (const [query, ids] of expected) equal((await idsOf(store, query)).join(' '), ids, JSON.stringify(query))
  },
}
