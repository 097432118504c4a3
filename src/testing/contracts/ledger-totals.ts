import { equal } from 'node:assert/strict'
import type { LedgerStore } from '../../ports/ledger.js'
import type { Contract } from './contract.js'
import { ann, hour, minute, red } from './ledger-samples.js'
import { sampleEntry, sampleTime } from './sample-entry.js'

/** Totals: what a scope was charged within a window. */
export const totalClauses: Contract<LedgerStore>['clauses'] = {
  async 'totals a window that begins and ends at any moment'({ store }) {
    const times = [0, 1, 29 * minute, 30 * minute, hour, 3 * hour, 26 * hour].map((offset) => sampleTime + offset)
    await store.append(times.map((at, index) => sampleEntry({ id: `e${index}`, at, charged: 10n ** BigInt(index) })))
    const exact = (from: number, until: number): bigint =>
      times.reduce((sum, at, index) => (at >= from && at < until ? sum + 10n ** BigInt(index) : sum), 0n)
    const edges = [sampleTime - 2 * hour, ...times.flatMap((at) => [at - 1, at, at + 1]), sampleTime + 30 * minute]
    for (const from of edges) {
      equal(await store.total(ann, from), exact(from, Infinity))
      for (const until of edges) equal(await store.total(ann, from, until), exact(from, until), `${from} to ${until}`)
    }
  },
  async 'totals rows that come late'({ store }) {
    await store.append([sampleEntry({ id: 'a', at: sampleTime + hour, charged: 1n })])
    await store.append([sampleEntry({ id: 'b', at: sampleTime - 48 * hour, charged: 2n })])
    equal(await store.total(ann, sampleTime - 48 * hour), 3n)
    equal(await store.total(ann, sampleTime), 1n)
  },
  async 'totals one model, or those of a pattern, in any window; what a fallback served once'({ store }) {
    const times = [-50, -1, 0, 10, 40, 59.9, 60, 95].map((minutes) => sampleTime - 3 * hour + minutes * minute)
    const served: readonly (readonly string[])[] = [['small'], ['large'], ['small', 'large'], ['x/one', 'x/two'], []]
    const entries = times.flatMap((at, index) =>
      served.map((models, place) => {
        const scopes = [ann, ...models.map((id) => ({ kind: 'model', id }) as const)]
        return sampleEntry({ id: `${index} ${place}`, at, charged: 10n ** BigInt(place), scopes })
      }),
    )
    await store.append(entries)
    await store.append(entries.slice(0, 7))
    const expected = { small: 101n, large: 110n, 'x/*': 1_000n, 'x/two': 1_000n, '*': 1_111n, 'sm*': 101n, none: 0n }
    for (const [model, each] of Object.entries(expected)) {
      for (const [from, until] of [...times.map((at) => [at, Infinity]), [0, times[3]], [times[1], times[6]]]) {
        const within = times.filter((at) => at >= (from ?? 0) && at < (until ?? 0)).length
        const end = until === Infinity ? undefined : until
        equal(await store.total(ann, from ?? 0, end, model), each * BigInt(within), `${model} ${from} ${until}`)
      }
    }
    const cheaper = { id: '3 2', charged: 1n, cost: 1n, price: null, priced: true }
    await store.reprice([cheaper])
    equal(await store.total(ann, 0, undefined, 'small'), 101n * BigInt(times.length) - 99n)
    equal(await store.total(red, 0, undefined, 'small'), 0n)
  },
  async 'totals nothing for a scope it does not know'({ store }) {
    await store.append([sampleEntry({ id: 'a' })])
    equal(await store.total({ kind: 'team', id: 'ann' }, 0), 0n)
    equal(await store.total({ kind: 'user', id: 'Ann' }, 0), 0n)
    equal(await store.total({ kind: 'user', id: 'ann ' }, 0), 0n)
  },
}
