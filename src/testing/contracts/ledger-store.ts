import { deepEqual, equal, rejects } from 'node:assert/strict'
import type { LedgerEntry, LedgerQuery, LedgerStore, ScopeRef, SpendQuery, UsageEvent } from '../../ports/ledger.js'
import type { Contract } from './contract.js'
import { hostileTexts, sampleEntry, sampleTime } from './sample-entry.js'

const minute = 60_000
const hour = 60 * minute
const today = { fromDay: '2026-11-25', untilDay: '2026-11-25' } as const
const ann: ScopeRef = { kind: 'user', id: 'ann' }
const red: ScopeRef = { kind: 'team', id: 'red' }

/** What every LedgerStore must do. */
export const ledgerStoreContract: Contract<LedgerStore> = {
  name: 'a ledger store',
  clauses: {
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
    async 'totals nothing for a scope it does not know'({ store }) {
      await store.append([sampleEntry({ id: 'a' })])
      equal(await store.total({ kind: 'team', id: 'ann' }, 0), 0n)
      equal(await store.total({ kind: 'user', id: 'Ann' }, 0), 0n)
      equal(await store.total({ kind: 'user', id: 'ann ' }, 0), 0n)
    },
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
    async 'reports sums by any kept combination'({ store }) {
      await store.append(reported)
      for (const [query, rows] of reports) {
        const found = await store.report({ ...today, ...query })
        deepEqual(
          found.map(({ group, charged }) => `${group.join('/')}=${charged}`),
          rows,
          JSON.stringify(query),
        )
      }
    },
    async 'reports counts and tokens'({ store }) {
      await store.append([
        sampleEntry({ id: 'a', usage: { inputUncached: 1, cacheRead: 2, cacheWrite5m: 4, audioInput: 8, images: 3 } }),
        sampleEntry({ id: 'b', usage: { outputText: 16, reasoning: 32 }, failure: 'timeout', cost: 9n }),
      ])
      const [row] = await store.report({ ...today, by: [] })
      deepEqual(row && { ...row, charged: 0n }, {
        group: [],
        charged: 0n,
        cost: 7_000_010n,
        calls: 2,
        failures: 1,
        inputTokens: 15,
        outputTokens: 48,
        cacheReadTokens: 2,
      })
    },
    async 'reports nothing where there is nothing'({ store }) {
      deepEqual(await store.report({ ...today, by: [] }), [])
      deepEqual(await store.report({ ...today, by: ['team', 'day'] }), [])
    },
    async 'refuses a combination that is not kept rather than to search all rows'({ store }) {
      await rejects(store.report({ ...today, by: ['tag', 'user'] }))
      await rejects(store.report({ ...today, by: ['session'], scope: red }))
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
      const scopes = [ann, red, ...of({ session: 's', model: 'small', provider: 'openai' })]
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
      const scopes = [ann, ...of({ session: 's', model: 'small' })]
      await store.append([sampleEntry({ id: 'a', at: Date.parse('2026-01-05'), charged: 1n, scopes })])
      await store.pruneSums({ before: Date.parse('2026-06-01') })
      equal(await peer.total({ kind: 'session', id: 's' }, 0), 1n)
      await peer.pruneSums({ sessionsBefore: Date.parse('2026-03-01') })
      for (const model of [undefined, '*']) {
        equal(await store.total({ kind: 'session', id: 's' }, 0, undefined, model), 0n)
        equal(await store.total(ann, 0, undefined, model), 1n)
      }
    },
    async 'keeps an event with every new entry where it is told to, until it is forgotten'({ store, peer }) {
      const [quiet, full, bare] = ['quiet', 'full', 'bare'].map((id) => sampleEntry({ id }))
      if (!quiet || !full || !bare) return
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
  },
}

function byId<Entry extends Pick<LedgerEntry, 'id'>>(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

async function idsOf(store: LedgerStore, query: LedgerQuery): Promise<readonly string[]> {
  const ids: string[] = []
  let after: string | undefined
  do {
    const page = await store.query({ ...query, ...(after !== undefined && { after }) })
    ids.push(...page.entries.map(({ id }) => id))
    after = page.next
  } while (after !== undefined)
  return ids
}

function reportedEntry(id: string, charged: bigint, fields: Partial<LedgerEntry>): LedgerEntry {
  return sampleEntry({ id, charged, ...fields })
}

const of = (scopes: Readonly<Partial<Record<ScopeRef['kind'], string>>>): readonly ScopeRef[] =>
  Object.entries(scopes).map(([kind, id]) => ({ kind, id }) as ScopeRef)

const reported: readonly LedgerEntry[] = [
  reportedEntry('a', 1n, { scopes: of({ organization: 'o', team: 'red', user: 'ann', key: 'k1', deployment: 'd1' }) }),
  reportedEntry('b', 10n, { scopes: of({ organization: 'o', team: 'red', user: 'bob', key: 'k2', customer: 'c' }) }),
  reportedEntry('c', 100n, { scopes: of({ team: 'blue', user: 'ann' }), modelName: 'large', provider: 'groq' }),
  reportedEntry('d', 1_000n, {
    scopes: [...of({ user: 'ann', session: 's' }), { kind: 'tag', id: 'x' }, { kind: 'tag', id: 'y' }],
    modelName: 'large',
  }),
  reportedEntry('e', 10_000n, { scopes: of({ team: 'red' }), at: sampleTime - 24 * hour }),
  reportedEntry('f', 100_000n, { scopes: [] }),
]

const reports: readonly (readonly [Partial<SpendQuery> & Pick<SpendQuery, 'by'>, readonly string[]])[] = [
  [{ by: [] }, ['=101111']],
  [{ by: ['day'] }, ['2026-11-25=101111']],
  [{ by: ['day'], fromDay: '2026-11-24' }, ['2026-11-24=10000', '2026-11-25=101111']],
  [{ by: ['model'] }, ['large=1100', 'small=100011']],
  [{ by: ['provider', 'model'] }, ['groq/large=100', 'openai/large=1000', 'openai/small=100011']],
  [{ by: ['team'] }, ['blue=100', 'red=11']],
  [
    { by: ['team', 'day'], fromDay: '2026-11-24' },
    ['blue/2026-11-25=100', 'red/2026-11-24=10000', 'red/2026-11-25=11'],
  ],
  [{ by: ['team', 'user'] }, ['blue/ann=100', 'red/ann=1', 'red/bob=10']],
  [{ by: ['organization', 'key', 'model'] }, ['o/k1/small=1', 'o/k2/small=10']],
  [{ by: ['user'], scope: red }, ['ann=1', 'bob=10']],
  [{ by: ['model'], scope: ann }, ['large=1100', 'small=1']],
  [{ by: ['user'], scope: ann }, ['ann=1101']],
  [{ by: [], scope: ann }, ['=1101']],
  [{ by: ['team'], scope: { kind: 'model', id: 'large' } }, ['blue=100']],
  [{ by: ['day'], scope: { kind: 'provider', id: 'groq' } }, ['2026-11-25=100']],
  [{ by: ['tag'] }, ['x=1000', 'y=1000']],
  [{ by: ['tag', 'model'], scope: { kind: 'tag', id: 'y' } }, ['y/large=1000']],
  [{ by: ['customer'] }, ['c=10']],
  [{ by: ['session', 'provider'] }, ['s/openai=1000']],
  [{ by: ['deployment'] }, ['d1=1']],
  [{ by: ['user'], scope: { kind: 'team', id: 'nobody' } }, []],
]
