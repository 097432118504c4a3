import { deepEqual, equal, ok } from 'node:assert/strict'
import type { CounterStore, Hold, Reservation, ReserveResult } from '../../ports/counters.js'
import type { Contract, Trial } from './contract.js'

const tenant = 'acme {1}'
const ttlMs = 60_000
const hour = 3_600_000
const date = 1_800_000_000_000

const budget = (amount: number, limit = 100, counter = 'budget:team:acme'): Hold => ({
  counter,
  kind: 'budget',
  amount,
  limit,
  endsAt: Date.now() + hour,
})
const rate = (amount: number, limit = 10, windowMs = 60_000): Hold => ({
  counter: 'tpm:key:k1',
  kind: 'rate',
  amount,
  limit,
  windowMs,
})
const lease = (limit = 2): Hold => ({ counter: 'parallel:key:k1', kind: 'lease', amount: 1, limit })

/** What every CounterStore must do. Trials of a store that many share need names of their own: a prefix, a schema. */
export const counterStoreContract: Contract<CounterStore> = {
  name: 'a counter store',
  clauses: {
    async 'misses budgets that were never seeded, and holds nothing then'({ store }) {
      const holds = [budget(1), lease(), budget(1, 100, 'budget:user:u1')]
      deepEqual(await reserve(store, 'a', holds), { missing: ['budget:team:acme', 'budget:user:u1'] })
      const found = await store.read(tenant, holds)
      deepEqual([levels(found), seededAt(found)], [Array(3).fill([0, 0]), Array(3).fill(undefined)])
    },
    async 'grants what fits, all holds at once, and tells how full each counter is'({ store }) {
      await seeded(store, 40)
      const { used } = await granted(store, 'a', [budget(30), rate(4), lease()])
      deepEqual(used, [70, 4, 1])
      deepEqual((await granted(store, 'b', [budget(30), rate(6), lease()])).used, [100, 10, 2])
    },
    async 'holds nothing of a refused reservation'({ store }) {
      await seeded(store)
      const holds = [budget(50), rate(4), lease(0)]
      equal((await refused(store, 'a', holds)).index, 2)
      deepEqual(used(await store.read(tenant, holds)), [0, 0, 0])
    },
    async 'names the hold that takes longest to fit, how full it is and when it fits'({ store }) {
      await seeded(store, 95)
      await granted(store, 'a', [rate(8), lease(1)])
      const shortage = await refused(store, 'b', [lease(1), rate(4), budget(6)])
      deepEqual([shortage.index, shortage.used], [2, 95])
      between(shortage.retryAfterMs, hour - 5_000, hour + 5_000)
      const second = await refused(store, 'b', [lease(1), rate(4)])
      deepEqual([second.index, second.used], [1, 8])
      between(second.retryAfterMs, 50_000, 60_000)
      deepEqual(await refused(store, 'b', [lease(1)]), { index: 0, used: 1, retryAfterMs: undefined })
    },
    async 'does not say when an amount fits that is larger than its limit'({ store }) {
      deepEqual(await refused(store, 'a', [rate(11)]), { index: 0, used: 0, retryAfterMs: undefined })
    },
    async 'only counts where the limit is infinite'({ store }) {
      await seeded(store)
      const free = [budget(1_000, Infinity), rate(1_000, Infinity), lease(Infinity)]
      await granted(store, 'a', free)
      deepEqual((await granted(store, 'b', free)).used, [2_000, 2_000, 2])
    },
    async 'keeps large sums exact'({ store }) {
      const large = 9_007_199_254_740_000
      await seeded(store, large)
      const holds = [budget(900, Number.MAX_SAFE_INTEGER)]
      await store.settle(await granted(store, 'a', holds), [991], date)
      deepEqual(used(await store.read(tenant, holds)), [large + 991])
      equal((await refused(store, 'b', holds)).used, large + 991)
    },
    async 'takes an empty list of holds'({ store }) {
      const empty = await granted(store, 'a', [])
      deepEqual([empty.used, await store.settle(empty, [], date), await store.read(tenant, [])], [[], [], []])
    },
    async 'gives the same id what it was granted first, once'({ store, peer }) {
      await seeded(store)
      const holds = [budget(60)]
      const first = await granted(store, 'a', holds)
      deepEqual(await granted(peer, 'a', holds), first)
      deepEqual(held(await store.read(tenant, holds)), [60])
    },
    async 'keeps tenants apart'({ store }) {
      await store.reserve([lease(1)], { id: 'a', tenant: 'one', ttlMs })
      ok('granted' in (await store.reserve([lease(1)], { id: 'b', tenant: 'two', ttlMs })))
    },
    async 'replaces what was held by what was used'({ store, peer }) {
      await seeded(store, 10)
      const holds = [budget(50), rate(8), lease()]
      const reservation = await granted(store, 'a', holds)
      deepEqual(await peer.settle(reservation, [7, 3, 0], date), [17, undefined, undefined])
      deepEqual(levels(await store.read(tenant, holds)), [
        [17, 0],
        [3, 0],
        [0, 0],
      ])
    },
    async 'settles once'({ store, peer }) {
      await seeded(store)
      const reservation = await granted(store, 'a', [budget(50), rate(5), lease()])
      await store.settle(reservation, [7, 9, 0], date)
      deepEqual(await peer.settle({ ...reservation }, [7, 9, 0], date), [])
      await store.release(reservation)
      deepEqual(levels(await store.read(tenant, reservation.holds)), [
        [7, 0],
        [9, 0],
        [0, 0],
      ])
    },
    async 'gives everything back that is released'({ store }) {
      await seeded(store, 10)
      const reservation = await granted(store, 'a', [budget(50), rate(5), lease()])
      await store.release(reservation)
      await store.release(reservation)
      deepEqual(await store.settle(reservation, [7, 5, 0], date), [])
      deepEqual(levels(await store.read(tenant, reservation.holds)), [
        [10, 0],
        [0, 0],
        [0, 0],
      ])
    },
    async 'lets rates slide: what was taken leaves at its own time'({ store, pass }) {
      const holds = [rate(4, 10, 1_600)]
      await granted(store, 'a', holds)
      await pass(800)
      await granted(store, 'b', holds)
      between((await refused(store, 'c', holds)).retryAfterMs, 50, 800)
      await pass(1_000)
      deepEqual((await granted(store, 'c', holds)).used, [8])
      await refused(store, 'd', holds)
      await pass(1_800)
      deepEqual(used(await store.read(tenant, holds)), [0])
    },
    async 'counts what was used beyond a rate from now on'({ store, pass }) {
      const reservation = await granted(store, 'a', [rate(1, 10, 1_600)])
      await pass(1_200)
      await store.settle(reservation, [9], date)
      deepEqual(used(await store.read(tenant, reservation.holds)), [9])
      await pass(800)
      deepEqual(used(await store.read(tenant, reservation.holds)), [8])
      await pass(1_200)
      deepEqual(used(await store.read(tenant, reservation.holds)), [0])
    },
    async 'lets an abandoned reservation expire'({ store, peer, pass }) {
      await seeded(store)
      const holds = [budget(100), lease(1)]
      await granted(store, 'a', holds, 600)
      await refused(peer, 'b', holds)
      await pass(800)
      deepEqual((await granted(peer, 'b', holds)).used, [100, 1])
    },
    async 'counts what was spent by a reservation that had expired, once'({ store, pass }) {
      await seeded(store)
      const reservation = await granted(store, 'a', [budget(60), lease(1)], 200)
      await pass(320)
      await granted(store, 'b', [budget(60), lease(1)])
      deepEqual(await store.settle(reservation, [33, 0], date), [33, undefined])
      deepEqual(await store.settle(reservation, [33, 0], date), [])
      deepEqual(levels(await store.read(tenant, reservation.holds)), [
        [33, 60],
        [0, 1],
      ])
    },
    async 'counts what was spent by a reservation that it never saw'({ store }) {
      await seeded(store)
      const reservation = { id: 'elsewhere', tenant, holds: [budget(60), lease()], used: [60, 1] }
      deepEqual(await store.settle(reservation, [33, 0], date), [33, undefined])
      deepEqual(levels(await store.read(tenant, reservation.holds)), [
        [33, 0],
        [0, 0],
      ])
    },
    async 'keeps a renewed reservation, and tells which are gone'({ store, pass }) {
      await seeded(store)
      const holds = [budget(60), lease()]
      const kept = await granted(store, 'kept', holds, 1_200)
      const ended = await granted(store, 'ended', [lease()], 1_200)
      await store.release(ended)
      await pass(800)
      deepEqual(await store.renew([kept, ended], 1_200), ['ended'])
      await pass(800)
      deepEqual(held(await store.read(tenant, holds)), [60, 1])
      await pass(800)
      deepEqual(await store.renew([kept], 1_200), ['kept'])
      deepEqual(held(await store.read(tenant, holds)), [0, 0])
    },
    async 'renews hundreds at once, of several tenants'({ store }) {
      const asked = Array.from({ length: 300 }, (_, at) =>
        store.reserve([lease(Infinity)], { id: `call ${at}`, tenant: `tenant ${at % 3}`, ttlMs }),
      )
      const all = (await Promise.all(asked)).flatMap((result) => ('granted' in result ? [result.granted] : []))
      await Promise.all(all.slice(100).map((reservation) => store.release(reservation)))
      const gone = await store.renew(all, ttlMs)
      deepEqual(
        gone.toSorted(),
        all
          .slice(100)
          .map(({ id }) => id)
          .toSorted(),
      )
    },
    async 'seeds a counter once'({ store, peer }) {
      await seeded(store, 10)
      await peer.seed(tenant, [{ counter: 'budget:team:acme', spent: 90, until: date - 5 }])
      const found = await store.read(tenant, [budget(1)])
      deepEqual([levels(found), seededAt(found)], [[[10, 0]], [date - 10]])
    },
    async 'takes a later count of the same rows, beside what was settled since'({ store, peer }) {
      await seeded(store, 10)
      await store.settle(await granted(store, 'a', [budget(5)]), [5], date)
      await peer.seed(tenant, [{ counter: 'budget:team:acme', spent: 12, until: date - 10 }])
      deepEqual(used(await store.read(tenant, [budget(1)])), [17])
    },
    async 'does not count a row that the seed has counted'({ store }) {
      await seeded(store, 10)
      const reservation = await granted(store, 'a', [budget(5)])
      deepEqual(await store.settle(reservation, [5], date - 11), [undefined])
      deepEqual(levels(await store.read(tenant, [budget(1)])), [[10, 0]])
      deepEqual(await store.settle(await granted(store, 'b', [budget(5)]), [5], date - 10), [15])
    },
    async 'never lowers what the ledger has told'({ store, peer }) {
      await seeded(store, 12)
      await seeded(peer, 10)
      deepEqual(used(await store.read(tenant, [budget(1)])), [12])
    },
    async 'begins anew where it was split: with what the ledger has until then, and what was settled since'(trial) {
      const { store, peer } = trial
      await seeded(store, 10)
      await settled(store, 'a', 5, date - 1)
      await peer.split(tenant, ['budget:team:acme'], date)
      deepEqual(splitAt(await store.read(tenant, [budget(1)])), [date])
      await settled(store, 'b', 7, date - 1)
      deepEqual(await settled(peer, 'c', 20, date), [42])
      // The counter has missed rows of 8.
      await peer.seed(tenant, [{ counter: 'budget:team:acme', spent: 30, until: date, endsAt: Date.now() + hour }])
      const found = await store.read(tenant, [budget(1)])
      deepEqual([levels(found), seededAt(found), splitAt(found)], [[[50, 0]], [date], [undefined]])
      deepEqual(await settled(store, 'd', 1, date - 1), [undefined])
      deepEqual(await settled(store, 'e', 1, date), [51])
      await peer.seed(tenant, [{ counter: 'budget:team:acme', spent: 33, until: date }])
      deepEqual(used(await store.read(tenant, [budget(1)])), [54])
    },
    async 'has no less than before when it begins anew, as rows may be late'({ store }) {
      await seeded(store, 10)
      await settled(store, 'a', 5, date - 1)
      await store.split(tenant, ['budget:team:acme'], date)
      await settled(store, 'b', 20, date + 1)
      await store.seed(tenant, [{ counter: 'budget:team:acme', spent: 11, until: date }])
      deepEqual(used(await store.read(tenant, [budget(1)])), [35])
      await store.seed(tenant, [{ counter: 'budget:team:acme', spent: 16, until: date }])
      deepEqual(used(await store.read(tenant, [budget(1)])), [36])
    },
    async 'is split at one date at a time, which lies after that of its seed'({ store, peer }) {
      const names = ['budget:team:acme', 'budget:user:u1']
      await store.split(tenant, names, date)
      await seeded(store)
      const read = () => store.read(tenant, [budget(1), budget(1, 100, 'budget:user:u1')])
      deepEqual(splitAt(await read()), [undefined, undefined])
      await peer.split(tenant, names, date - 10)
      deepEqual(splitAt(await read()), [undefined, undefined])
      await Promise.all([store.split(tenant, names, date), store.split(tenant, names, date)])
      await peer.split(tenant, names, date + 5)
      deepEqual(splitAt(await read()), [date, undefined])
      await store.seed(tenant, [{ counter: 'budget:team:acme', spent: 90, until: date + 5 }])
      deepEqual(seededAt(await read()), [date - 10, undefined])
    },
    async 'is split no longer once it was forgotten'({ store, peer }) {
      await seeded(store, 10)
      await store.split(tenant, ['budget:team:acme'], date)
      await settled(store, 'a', 5, date)
      await peer.forget(tenant, ['budget:team:acme'])
      await seeded(store, 20)
      const found = await store.read(tenant, [budget(1)])
      deepEqual([levels(found), splitAt(found)], [[[20, 0]], [undefined]])
    },
    async 'forgets what was spent, but not what is held'({ store }) {
      await seeded(store, 10)
      const reservation = await granted(store, 'a', [budget(30)])
      await store.forget(tenant, ['budget:team:acme'])
      deepEqual(await reserve(store, 'b', [budget(1)]), { missing: ['budget:team:acme'] })
      deepEqual(await store.settle(await granted(store, 'c', [lease()]), [0], date), [undefined])
      await seeded(store, 20)
      deepEqual(levels(await store.read(tenant, [budget(1)])), [[20, 30]])
      deepEqual(await store.settle(reservation, [7], date), [27])
    },
    async 'does not count in a counter that is missing'({ store }) {
      const reservation = { id: 'a', tenant, holds: [budget(60)], used: [60] }
      deepEqual(await store.settle(reservation, [33], date), [undefined])
      deepEqual(seededAt(await store.read(tenant, reservation.holds)), [undefined])
    },
    async 'grants a budget for exactly 37 to exactly 37 of 500 at once'({ store, peer }) {
      await seeded(store)
      const holds = [budget(1_000_003, 37 * 1_000_003), rate(1, 1_000), lease(Infinity)]
      const asked = Array.from({ length: 500 }, (_, at) => reserve(at % 2 ? store : peer, `call ${at}`, holds))
      const admitted = (await Promise.all(asked)).flatMap((result) => ('granted' in result ? [result.granted] : []))
      equal(admitted.length, 37)
      await Promise.all(admitted.map((reservation) => peer.settle(reservation, [1_000_003, 1, 0], date)))
      deepEqual(levels(await store.read(tenant, holds)), [
        [37 * 1_000_003, 0],
        [37, 0],
        [0, 0],
      ])
    },
    async 'never exceeds a limit while reservations come and go'({ store, peer }) {
      await seeded(store)
      let running = 0
      let most = 0
      const call = async (at: number): Promise<void> => {
        const result = await reserve(at % 2 ? store : peer, `call ${at}`, [budget(1, 1_000), lease(5)])
        if (!('granted' in result)) return
        most = Math.max(most, ++running)
        // It is held for a while, as others ask; given back, it may be another's before that is heard of.
        await store.read(tenant, [lease()])
        running--
        await (at % 3 ? peer.settle(result.granted, [1, 0], date) : peer.release(result.granted))
      }
      for (let wave = 0; wave < 20; wave++)
        await Promise.all(Array.from({ length: 10 }, (_, at) => call(wave * 10 + at)))
      ok(most > 1 && most <= 5, `${most} at once`)
      deepEqual(held(await store.read(tenant, [budget(1), lease()])), [0, 0])
    },
  },
}

async function seeded(store: Trial<CounterStore>['store'], spent = 0): Promise<void> {
  await store.seed(tenant, [{ counter: 'budget:team:acme', spent, until: date - 10, endsAt: Date.now() + hour }])
}

async function settled(store: CounterStore, id: string, amount: number, at: number) {
  return store.settle(await granted(store, id, [budget(0, Infinity)]), [amount], at)
}

function reserve(store: CounterStore, id: string, holds: readonly Hold[], lifeMs = ttlMs): Promise<ReserveResult> {
  return store.reserve(holds, { id, tenant, ttlMs: lifeMs })
}

async function granted(store: CounterStore, id: string, holds: readonly Hold[], lifeMs = ttlMs): Promise<Reservation> {
  const result = await reserve(store, id, holds, lifeMs)
  if ('granted' in result) return result.granted
  throw new Error(`not granted: ${JSON.stringify(result)}`)
}

type Refused = Extract<ReserveResult, { refused: unknown }>['refused']

async function refused(store: CounterStore, id: string, holds: readonly Hold[]): Promise<Refused> {
  const result = await reserve(store, id, holds)
  if ('refused' in result) return result.refused
  throw new Error(`not refused: ${JSON.stringify(result)}`)
}

type Levels = Awaited<ReturnType<CounterStore['read']>>

const used = (list: Levels): number[] => list.map((level) => level.used)
const held = (list: Levels): number[] => list.map((level) => level.held)
const seededAt = (list: Levels): (number | undefined)[] => list.map((level) => level.seededUntil)
const splitAt = (list: Levels): (number | undefined)[] => list.map((level) => level.splitAt)
const levels = (list: Levels): number[][] => list.map((level) => [level.used, level.held])

function between(value: number | undefined, least: number, most: number): void {
  ok(value !== undefined && value >= least && value <= most, `${value} is not between ${least} and ${most}`)
}
