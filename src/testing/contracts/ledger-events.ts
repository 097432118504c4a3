import { deepEqual, equal } from 'node:assert/strict'
import type { LedgerEntry, LedgerStore, UsageEvent } from '../../ports/ledger.js'
import type { Contract } from './contract.js'
import { ann, hour, red } from './ledger-samples.js'
import { sampleEntry, sampleTime } from './sample-entry.js'

/** Events: each is taken by one at a time, until it is forgotten. */
export const eventClauses: Contract<LedgerStore>['clauses'] = {
  async 'keeps an event with every new entry where it is told to, until it is forgotten'({ store, peer }) {
    const [quiet, full, bare] = [sampleEntry({ id: 'quiet' }), sampleEntry({ id: 'full' }), sampleEntry({ id: 'bare' })]
    await store.append([quiet])
    await store.append([quiet, full, { ...bare, failure: undefined }], { tell: true })
    await peer.append([full], { tell: true })
    deepEqual(byId(await peer.takeEvents({ limit: 10, now: 1_000, until: 2_000 })), [bare, full])
    await store.forgetEvents(['full', 'quiet', 'none'])
    deepEqual(await store.takeEvents({ limit: 10, now: 1_999, until: 3_000 }), [])
    deepEqual(await store.takeEvents({ limit: 10, now: 2_000, until: 3_000 }), [bare])
    await store.forgetEvents([])
    await store.forgetEvents(['bare'])
    deepEqual(await peer.takeEvents({ limit: 10, now: 9_000, until: 9_001 }), [])
  },
  async 'gives an event to one at a time, and as many as are wanted'({ store, peer }) {
    const batch = Array.from({ length: 40 }, (_, index) => sampleEntry({ id: `e${index}` }))
    await store.append(batch, { tell: true })
    const claim = { limit: 7, now: 1_000, until: 2_000 }
    const taken: UsageEvent[] = []
    for (let times = 0; times < 20 && taken.length < batch.length; times += 1) {
      const each = await Promise.all([store, peer, store, peer].map((one) => one.takeEvents(claim)))
      for (const events of each) equal(events.length <= claim.limit, true)
      taken.push(...each.flat())
    }
    deepEqual(byId(taken), byId(batch))
  },
  async 'gives events that were never taken before those that were'({ store, peer }) {
    const batch = Array.from({ length: 5 }, (_, index) => sampleEntry({ id: `e${index}` }))
    await store.append(batch, { tell: true })
    const first = await store.takeEvents({ limit: 2, now: 1_000, until: 2_000 })
    const second = await peer.takeEvents({ limit: 3, now: 2_000, until: 3_000 })
    deepEqual(byId([...first, ...second]), byId(batch))
  },
  async 'keeps what comes to a row that is priced again as an event, and none where nothing does'({ store, peer }) {
    const scopes = [{ ...red, charged: 30n }, ann]
    const row = sampleEntry({ id: 'a', cost: 10n, charged: 20n, scopes, priced: false, price: null })
    await store.append([row, sampleEntry({ id: 'b', at: sampleTime - 48 * hour })])
    const price = { price: { source: 'later' }, priced: true }
    const ofA = { id: 'a', ...price, cost: 15n, charged: 18n, scopes: [{ ...red, charged: 37n }, ann] }
    await store.reprice([
      { ...ofA, tellAs: 'first' },
      { id: 'b', ...price, cost: 1n, charged: 1n },
    ])
    await peer.reprice([
      { ...ofA, tellAs: 'again' },
      { ...ofA, id: 'missing', tellAs: 'never' },
    ])
    await store.prune(sampleTime + hour)
    const told = [
      { ...red, charged: 7n },
      { ...ann, charged: -2n },
    ]
    const changes = { id: 'first', corrects: 'a', usage: {}, cost: 5n, charged: -2n, scopes: told }
    deepEqual(await peer.takeEvents({ limit: 10, now: 1, until: 2 }), [{ ...row, ...price, ...changes }])
  },
}

function byId<Entry extends Pick<LedgerEntry, 'id'>>(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
