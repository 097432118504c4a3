import { deepEqual, equal } from 'node:assert/strict'
import type { LedgerStore } from '../../ports/ledger.js'
import type { Contract } from './contract.js'
import { ann, hour, idsOf, red, today } from './ledger-samples.js'
import { sampleEntry, sampleTime } from './sample-entry.js'

/** Prices: what a scope is charged, and the sums after a row is priced again. */
export const repricingClauses: Contract<LedgerStore>['clauses'] = {
  async 'charges a scope what is its own, in rows, sums and when it is priced again'({ store }) {
    const scopes = [{ ...red, charged: 30n }, ann, { kind: 'model', id: 'small' } as const]
    await store.append([sampleEntry({ id: 'a', cost: 10n, charged: 15n, scopes, at: sampleTime - 2 * hour })])
    await store.append([sampleEntry({ id: 'b', cost: 10n, charged: 15n, scopes })])
    deepEqual(
      (await store.query({ scope: red })).entries.map((entry) => entry.scopes),
      [scopes, scopes],
    )
    const check = async (team: bigint, user: bigint): Promise<void> => {
      for (const model of [undefined, 'small']) {
        equal(await store.total(red, 0, undefined, model), team)
        equal(await store.total(ann, 0, undefined, model), user)
      }
      const ofTeam = await store.report({ ...today, by: ['team'] })
      deepEqual(
        ofTeam.map(({ charged, calls }) => [charged, calls]),
        [[team, 2]],
      )
      equal((await store.report({ ...today, by: ['user'] }))[0]?.charged, user)
      equal((await store.report({ ...today, by: [] }))[0]?.charged, user)
    }
    await check(60n, 30n)
    const price = { cost: 20n, charged: 40n, price: null, priced: true }
    await store.reprice([
      { id: 'a', ...price, scopes: [{ ...red, charged: 70n }, ann, { kind: 'model', id: 'small' }] },
    ])
    await check(100n, 55n)
    await store.reprice([{ id: 'b', ...price }])
    await check(110n, 80n)
  },
  async 'prices rows again and corrects every sum'({ store, peer }) {
    const unpriced = { priced: false, price: null, cost: 0n, charged: 0n }
    await store.append([
      sampleEntry({ id: 'a', ...unpriced }),
      sampleEntry({ id: 'b', charged: 3n, cost: 3n }),
      sampleEntry({ id: 'c', ...unpriced }),
    ])
    const price = { source: 'later' }
    const repriced = { priced: true, price, cost: 50n, charged: 60n }
    equal(
      await peer.reprice([
        { id: 'a', ...repriced },
        { id: 'missing', ...repriced },
      ]),
      1,
    )
    equal(
      await store.reprice([
        { id: 'b', ...repriced, charged: 1n, cost: 1n },
        { id: 'a', ...repriced },
      ]),
      2,
    )
    equal(await store.total(ann, 0), 61n)
    equal(await store.total(ann, sampleTime, sampleTime + 1), 61n)
    const [row] = await store.report({ ...today, by: ['key', 'team'] })
    deepEqual([row?.charged, row?.cost, row?.calls], [61n, 51n, 3])
    deepEqual(await idsOf(store, { priced: false }), ['c'])
    const { entries } = await store.query({ callId: 'call of a' })
    deepEqual(entries, [sampleEntry({ id: 'a', ...repriced })])
  },
  async 'prices the same row again from two sides without counting it twice'({ store, peer }) {
    const batch = Array.from({ length: 10 }, (_, index) => sampleEntry({ id: `e${index}`, cost: 0n, charged: 0n }))
    await store.append(batch)
    const prices = (charged: bigint) =>
      batch.map(({ id }) => ({ id, cost: charged, charged, price: null, priced: true }))
    await Promise.all([store.reprice(prices(5n)), peer.reprice(prices(5n).toReversed()), store.reprice(prices(5n))])
    equal(await store.total(ann, 0), 50n)
    equal((await store.report({ ...today, by: [] }))[0]?.charged, 50n)
  },
}
