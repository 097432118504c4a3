import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sqlStores } from '../../../adapters/sql.js'
import type { CounterStore, Hold } from '../../../src/index.js'
import { emptyTables, testDatabases } from './databases.js'

const tenant = 'acme'
const budget: Hold = { counter: 'budget:team:t', kind: 'budget', amount: 3, limit: 100 }

for (const [name, open] of Object.entries(testDatabases)) {
  const test = await open()
  if (!test) continue
  // Here rather than in the suite: it runs although a filter skips the suite.
  afterAll(() => test.close())
  const { database, prefix } = test
  let transactions = 0
  const counted: typeof database = {
    ...database,
    transact(work) {
      transactions += 1
      return database.transact(work)
    },
  }
  const stores = sqlStores(counted, { prefix })
  await stores.migrate()
  const reserve = (store: CounterStore, id: string, hold = budget) =>
    store.reserve([hold], { id, tenant, ttlMs: 60_000 })

  describe(`counters of ${name} that many ask at once`, () => {
    beforeEach(async () => {
      await emptyTables(test)
      await stores.counters.seed(tenant, [{ counter: budget.counter, spent: 0, until: 1 }])
      transactions = 0
    })

    it('decide hundreds of calls on one budget in a handful of transactions, and end them in as many', async () => {
      const ids = Array.from({ length: 500 }, (_, index) => `call ${index}`)
      const results = await Promise.all(ids.map((id) => reserve(stores.counters, id)))
      const granted = results.flatMap((result) => ('granted' in result ? [result.granted] : []))
      expect(granted.map(({ id }) => id)).toEqual(ids.slice(0, 33))
      expect(granted.map(({ used }) => used[0])).toEqual(granted.map((_, index) => 3 * (index + 1)))
      expect(results.slice(33).every((result) => 'refused' in result && result.refused.used === 99)).toBe(true)
      const few = Math.ceil(500 / database.dialect.entriesAtOnce) + 1
      expect(transactions).toBeLessThanOrEqual(few)
      const spent = await Promise.all(granted.map((one) => stores.counters.settle(one, [2], 5)))
      expect(spent.map(([level]) => level)).toEqual(granted.map((_, index) => 2 * (index + 1)))
      expect(transactions).toBeLessThanOrEqual(2 * few)
      expect(await stores.counters.read(tenant, [budget])).toMatchObject([{ used: 66, held: 0 }])
    })

    it('release what was asked for a moment before, in that order', async () => {
      const reservation = { id: 'call', tenant, holds: [budget], used: [] }
      const [result] = await Promise.all([reserve(stores.counters, 'call'), stores.counters.release(reservation)])
      expect(result).toMatchObject({ granted: { used: [3] } })
      expect(await stores.counters.read(tenant, [budget])).toMatchObject([{ used: 0, held: 0 }])
    })

    it('are not failed by the one that asks for what is no number', async () => {
      const outcomes = await Promise.allSettled([
        reserve(stores.counters, 'good'),
        reserve(stores.counters, 'bad', { ...budget, amount: Number.NaN }),
        reserve(stores.counters, 'also good'),
      ])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(await stores.counters.read(tenant, [budget])).toMatchObject([{ held: 6 }])
    })
  })
}
