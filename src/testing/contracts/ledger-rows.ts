import { deepEqual, equal } from 'node:assert/strict'
import type { LedgerStore } from '../../ports/ledger.js'
import type { Contract } from './contract.js'
import { ann, idsOf, red, today } from './ledger-samples.js'
import { hostileTexts, sampleEntry, sampleTime } from './sample-entry.js'

/** Rows: each counts once and exactly, whoever writes it, and comes back as it was. */
export const rowClauses: Contract<LedgerStore>['clauses'] = {
  async 'gives back every field as it was'({ store }) {
    const full = sampleEntry({ id: 'full', at: sampleTime + 1 })
    const bare = sampleEntry({
      id: 'bare',
      scopes: [],
      usage: {},
      price: null,
      priced: false,
      estimated: true,
      aborted: true,
      cached: true,
      billable: false,
      firstTokenMs: undefined,
      status: 503,
      failure: 'overloaded',
      tags: [],
      endUser: undefined,
      metadata: undefined,
    })
    await store.append([full, bare])
    deepEqual(await store.query({}), { entries: [full, bare], next: undefined })
  },
  async 'takes an empty batch'({ store }) {
    await store.append([])
    equal(await store.reprice([]), 0)
    deepEqual(await store.query({}), { entries: [], next: undefined })
  },
  async 'counts an id once: within a batch, in a later one, from another process'({ store, peer }) {
    const entry = sampleEntry({ id: 'a', charged: 5n })
    const other = sampleEntry({ id: 'b', charged: 100n })
    await store.append([entry, { ...entry, charged: 6n }])
    await peer.append([{ ...entry, charged: 7n }, other])
    await store.append([entry, other])
    equal(await store.total(ann, 0), 105n)
    deepEqual(await idsOf(store, {}), ['b', 'a'])
    equal((await store.report({ ...today, by: [] }))[0]?.calls, 2)
  },
  async 'counts an id once where it comes several times at the same moment'({ store, peer }) {
    const batch = Array.from({ length: 20 }, (_, index) => sampleEntry({ id: `e${index}`, charged: 1n }))
    await Promise.all([store, peer, store, peer].map((one) => one.append(batch)))
    equal(await store.total(ann, 0), 20n)
    equal((await store.report({ ...today, by: ['user'] }))[0]?.calls, 20)
  },
  async 'adds up exactly what writers append at the same moment'({ store, peer }) {
    const batches = Array.from({ length: 12 }, (_, batch) =>
      Array.from({ length: 25 }, (_unused, index) =>
        sampleEntry({
          id: `${batch}/${index}`,
          charged: 1_000_000_000_001n,
          scopes: index % 2 ? [ann, red] : [red, ann],
        }),
      ),
    )
    await Promise.all(batches.map((batch, index) => (index % 2 ? store : peer).append(batch)))
    for (const scope of [ann, red]) equal(await store.total(scope, 0), 300n * 1_000_000_000_001n)
    equal((await store.report({ ...today, by: ['team'] }))[0]?.charged, 300n * 1_000_000_000_001n)
  },
  async 'is exact beyond 64 bits and below nothing'({ store }) {
    const [huge, refund] = [123_456_789_012_345_678_901n, -999_999n]
    await store.append([
      sampleEntry({ id: 'a', charged: huge, cost: huge + 1n }),
      sampleEntry({ id: 'b', charged: huge, cost: huge }),
      sampleEntry({ id: 'c', charged: refund, cost: refund }),
      sampleEntry({ id: 'd', charged: 1n, cost: -1_000_001n }),
    ])
    const expected = 2n * huge + refund + 1n
    equal(await store.total(ann, 0), expected)
    equal(await store.total(ann, sampleTime, sampleTime + 1), expected)
    const [row] = await store.report({ ...today, by: ['day'] })
    deepEqual([row?.charged, row?.cost], [expected, 2n * huge + 1n + refund - 1_000_001n])
    deepEqual(
      (await store.query({})).entries.map(({ charged }) => charged),
      [1n, refund, huge, huge],
    )
  },
  async 'takes any text in any field, and finds it by the same text'({ store }) {
    const entries = hostileTexts.map((text, index) =>
      sampleEntry({
        id: `e${index}`,
        callId: text,
        caller: text,
        operation: text,
        modelName: text,
        deployment: text,
        provider: text,
        model: text,
        failure: text,
        endUser: text,
        scopes: [{ kind: 'tag', id: text }, ann],
        tags: [text],
        metadata: { [text]: text },
        price: { text },
        usage: { [text]: 1 },
        charged: 1n,
      }),
    )
    await store.append(entries)
    equal(await store.total(ann, 0), BigInt(hostileTexts.length))
    for (const [index, text] of hostileTexts.entries()) {
      const scope = { kind: 'tag', id: text } as const
      equal(await store.total(scope, 0), 1n, text)
      deepEqual(await idsOf(store, { scope }), [`e${index}`])
      deepEqual(await idsOf(store, { callId: text }), [`e${index}`])
      deepEqual(await idsOf(store, { modelName: text }), [`e${index}`])
      if (text !== '') equal((await store.report({ ...today, scope, by: ['model'] }))[0]?.calls, 1)
      const [found] = (await store.query({ scope })).entries
      deepEqual([found?.tags, found?.metadata, found?.usage], [[text], { [text]: text }, { [text]: 1 }])
    }
  },
  async 'takes a hostile id'({ store }) {
    for (const text of hostileTexts) await store.append([sampleEntry({ id: text, charged: 1n })])
    for (const text of hostileTexts) await store.append([sampleEntry({ id: text, charged: 1n })])
    equal(await store.total(ann, 0), BigInt(hostileTexts.length))
  },
}
