import { deepEqual, equal } from 'node:assert/strict'
import type { LedgerStore } from '../../ports/ledger.js'
import type { Contract } from './contract.js'
import { ann, hour, idsOf, minute, red, scopesOf } from './ledger-samples.js'
import { sampleEntry, sampleTime } from './sample-entry.js'

/** Pruning: old rows, sums and sessions are forgotten, and totals stay. */
export const pruningClauses: Contract<LedgerStore>['clauses'] = {
  async 'prunes old rows and keeps the sums'({ store }) {
    await store.append([
      sampleEntry({ id: 'old', at: sampleTime - 48 * hour, charged: 1n, failure: 'timeout', priced: false }),
      sampleEntry({ id: 'edge', at: sampleTime, charged: 2n }),
      sampleEntry({ id: 'new', at: sampleTime + 1, charged: 4n }),
    ])
    equal(await store.prune(sampleTime), 1)
    equal(await store.prune(sampleTime), 0)
    deepEqual(await idsOf(store, {}), ['new', 'edge'])
    deepEqual(await idsOf(store, { scope: ann }), ['new', 'edge'])
    deepEqual(await idsOf(store, { failed: true }), [])
    equal(await store.total(ann, 0), 7n)
    const [row] = await store.report({ fromDay: '2026-11-01', untilDay: '2026-11-30', by: [] })
    deepEqual([row?.charged, row?.calls], [7n, 3])
  },
  async 'prunes whole hours: what begins later is exact, and what began before counts its first hour as a whole'({
    store,
  }) {
    // At 9:00, 9:50, 10:10, 10:20 and 10:35.
    const times = [-90, -40, -20, -10, 5].map((minutes) => sampleTime + minutes * minute)
    await store.append(times.map((at, index) => sampleEntry({ id: `e${index}`, at, charged: 10n ** BigInt(index) })))
    equal(await store.prune(sampleTime - 15 * minute), 2)
    const expected = [
      { from: -95, total: 11_111n },
      { from: -60, total: 11_111n },
      { from: -30, total: 11_100n },
      { from: -19, total: 11_000n },
      { from: -15, total: 11_000n },
      { from: 1, total: 10_000n },
      { from: -60, until: 0, total: 1_111n },
      { from: -60, until: -45, total: 11n },
    ]
    for (const model of [undefined, 'small']) {
      for (const { from, until, total } of expected) {
        const end = until === undefined ? undefined : sampleTime + until * minute
        equal(await store.total(ann, sampleTime + from * minute, end, model), total, `${from} ${until} ${model}`)
      }
    }
  },
  async 'forgets sums by whole weeks where it can, and keeps one of each month for totals'({ store, peer }) {
    if (!store.pruneSums || !peer.pruneSums) return
    // Wednesdays, the newest this week's; the 4th, 11th and 25th are of one month.
    const days = ['2025-10-01', '2026-03-04', '2026-03-11', '2026-03-25', '2026-11-25']
    const scopes = [ann, red, ...scopesOf({ session: 's', model: 'small', provider: 'openai' })]
    const entries = days.flatMap((day, index) =>
      [9, 9.5, 14].map((time, place) => {
        const at = Date.parse(day) + time * hour
        return sampleEntry({ id: `${index} ${place}`, at, charged: 10n ** BigInt(index), cost: 1n, scopes })
      }),
    )
    await store.append(entries)
    // A Friday: its week began on the 23rd.
    const before = Date.parse('2026-03-27')
    const pruned = await Promise.all([store.pruneSums({ before }), peer.pruneSums({ before })])
    equal(Math.max(...pruned) > 0, true)
    equal(await peer.pruneSums({ before }), 0)
    const period = { fromDay: '2025-01-01', untilDay: '2026-11-30' }
    for (const by of [[], ['user'], ['team', 'user'], ['session'], ['model']] as const) {
      const rows = await store.report({ ...period, by })
      deepEqual(
        rows.map(({ charged, calls }) => [charged, calls]),
        [[33_000n, 6]],
        by.join(),
      )
    }
    deepEqual(
      (await store.report({ ...period, by: ['day'] })).map(({ group }) => group[0]),
      ['2026-03-25', '2026-11-25'],
    )
    const expected = [
      { from: '1970-01-01', total: 33_333n },
      { from: '2025-11-01', total: 33_330n },
      { from: '2026-03-05', total: 33_330n },
      { from: '2026-03-12', total: 33_000n },
      { from: '2026-03-25', total: 33_000n },
      { from: '2026-03-25T12:00:00Z', total: 31_000n },
      { from: '2026-04-01', total: 30_000n },
    ]
    for (const { kind, id } of scopes) {
      for (const model of [undefined, 'small', '*']) {
        for (const { from, total } of expected) {
          equal(await peer.total({ kind, id }, Date.parse(from), undefined, model), total, `${kind} ${from} ${model}`)
        }
      }
    }
    equal(await store.reprice([{ id: '1 0', charged: 0n, cost: 0n, price: null, priced: true }]), 1)
    await store.pruneSums({ before })
    for (const { kind, id } of scopes) equal(await peer.total({ kind, id }, 0), 33_323n, kind)
    deepEqual((await store.report({ ...period, by: ['day'] })).length, 2)
    deepEqual((await idsOf(store, {})).length, entries.length)
  },
  async 'forgets sessions where it can that had no call since, and nothing else'({ store, peer }) {
    if (!store.pruneSums || !peer.pruneSums) return
    const row = (id: string, day: string, session: string) =>
      sampleEntry({
        id,
        at: Date.parse(day) + 9 * hour,
        charged: 1n,
        scopes: [ann, { kind: 'session', id: session }],
      })
    await store.append([
      row('a', '2026-11-04', 'old'),
      row('b', '2026-11-05', 'old'),
      row('c', '2026-11-05', 'running'),
      row('d', '2026-11-25', 'running'),
      row('e', '2026-11-25', 'new'),
    ])
    const sessionsBefore = Date.parse('2026-11-20')
    equal((await store.pruneSums({ sessionsBefore })) > 0, true)
    equal(await peer.pruneSums({ sessionsBefore }), 0)
    const totals = ['old', 'running', 'new'].map((id) => peer.total({ kind: 'session', id }, 0, undefined, undefined))
    deepEqual(await Promise.all(totals), [0n, 2n, 1n])
    equal(await peer.total({ kind: 'session', id: 'old' }, 0, undefined, '*'), 0n)
    equal(await peer.total(ann, 0), 5n)
    const month = { fromDay: '2026-11-01', untilDay: '2026-11-30' }
    const sessions = await store.report({ ...month, by: ['session'] })
    deepEqual(
      sessions.map(({ group, calls }) => [...group, calls]),
      [
        ['new', 1],
        ['running', 1],
      ],
    )
    equal((await store.report({ ...month, by: ['user'] }))[0]?.calls, 5)
    await store.pruneSums({ sessionsBefore: Date.parse('2026-12-07') })
    equal(await store.total({ kind: 'session', id: 'running' }, 0), 0n)
  },
  async 'forgets sessions where it can whose sums by day are gone already'({ store, peer }) {
    if (!store.pruneSums || !peer.pruneSums) return
    const scopes = [ann, ...scopesOf({ session: 's', model: 'small' })]
    await store.append([sampleEntry({ id: 'a', at: Date.parse('2026-01-05'), charged: 1n, scopes })])
    await store.pruneSums({ before: Date.parse('2026-06-01') })
    equal(await peer.total({ kind: 'session', id: 's' }, 0), 1n)
    await peer.pruneSums({ sessionsBefore: Date.parse('2026-03-01') })
    for (const model of [undefined, '*']) {
      equal(await store.total({ kind: 'session', id: 's' }, 0, undefined, model), 0n)
      equal(await store.total(ann, 0, undefined, model), 1n)
    }
  },
}
