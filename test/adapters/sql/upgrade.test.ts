import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { sqlStores } from '../../../adapters/sql.js'
import type { LedgerEntry, LedgerStore, ScopeKind, SpendGroup } from '../../../src/ports/ledger.js'
import { toDay } from '../../../src/stores/roll-ups.js'
import { createMemoryLedger } from '../../../src/stores/memory-ledger.js'
import { hostileTexts, sampleEntry, sampleTime } from '../../../src/testing/contracts/sample-entry.js'
import { emptyTables, migratedStores, testDatabases } from './databases.js'
import { asVersionOne, toVersionOneSchema } from './version-one.js'

const dayMs = 86_400_000
const team = { kind: 'team', id: 'red' } as const
const kinds: readonly ScopeKind[] = ['team', 'user', 'customer', 'gateway']
const money = fc.bigInt({ min: 0n, max: 10n ** 21n })
const modelIds = ['a', 'x/one', 'x/two', ...hostileTexts]
const scopes = fc.uniqueArray(
  fc.oneof(
    fc.record({ kind: fc.constant<ScopeKind>('model'), id: fc.constantFrom(...modelIds) }),
    fc.record({ kind: fc.constantFrom(...kinds), id: fc.constantFrom('a', 'b') }),
  ),
  { maxLength: 6, selector: ({ kind, id }) => `${kind} ${id}` },
)
const entry = fc
  .record({
    at: fc.integer({ min: sampleTime - 30 * dayMs, max: sampleTime }),
    scopes,
    modelName: fc.constantFrom('small', 'large'),
    charged: money,
    cost: money,
    ownCharge: fc.option(money, { nil: undefined }),
  })
  .map(({ ownCharge, ...fields }): Omit<LedgerEntry, 'id'> => {
    const own = ownCharge === undefined ? team : { ...team, charged: ownCharge }
    return sampleEntry({
      id: '',
      ...fields,
      scopes: [own, ...fields.scopes.filter(({ kind, id }) => kind !== 'team' || id !== 'red')],
    })
  })
const batch = fc.array(entry, { minLength: 1, maxLength: 6 })
const price = fc.record({ row: fc.nat(20), charged: money, cost: money })
const draw = fc.record({
  before: fc.array(batch, { maxLength: 3 }),
  after: fc.array(batch, { maxLength: 2 }),
  prices: fc.array(price, { maxLength: 3 }),
})

const groupings: readonly (readonly SpendGroup[])[] = [[], ['model', 'provider'], ['team'], ['user'], ['team', 'user']]
const windows: readonly (readonly [number, number])[] = [
  [0, Infinity],
  [sampleTime - 20 * dayMs, sampleTime - 3 * dayMs],
  [sampleTime - 26 * dayMs - 1_234_567, Infinity],
]

/** Every sum that a later version keeps apart, as somebody asks for it. */
async function sumsOf(store: LedgerStore): Promise<unknown> {
  const days = windows.map(([from, until]) => ({ fromDay: toDay(from), untilDay: toDay(Math.min(until, sampleTime)) }))
  const reports = days.flatMap((range) => groupings.map((by) => store.report({ ...range, by })))
  const asked = windows.flatMap(([from, until]) =>
    ['small', 'a', 'x/*', '*', ...hostileTexts].map((model) =>
      store.total(team, from, until === Infinity ? undefined : until, model),
    ),
  )
  return { reports: await Promise.all(reports), totals: await Promise.all(asked) }
}

for (const [name, open] of Object.entries(testDatabases)) {
  const test = await open()
  if (!test) continue
  // Here rather than in the suite: it runs although a filter skips the suite.
  afterAll(() => test.close())
  const { database, peer, prefix } = test
  const older = sqlStores(asVersionOne(database), { prefix }).ledger
  const { ledger } = sqlStores(peer, { prefix })
  beforeEach(async () => {
    await migratedStores(test)
    await emptyTables(test)
  })

  describe(`an installation on ${name} that is brought up to date`, () => {
    it('has the sums of a ledger that wrote the same rows', { timeout: 120_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(draw, fc.boolean(), async ({ before, after, prices }, byHand) => {
          await migratedStores(test)
          await emptyTables(test)
          const memory = createMemoryLedger()
          let rows = 0
          const append = async (store: LedgerStore, batches: readonly (readonly Omit<LedgerEntry, 'id'>[])[]) => {
            for (const one of batches) {
              const entries = one.map((fields) => ({ ...fields, id: `e${(rows += 1)}` }))
              for (const each of [store, memory]) await each.append(entries)
            }
          }
          const repriced = prices.map(({ row, ...own }) => ({ ...own, id: `e${row}`, price: null, priced: true }))
          await append(older, before)
          for (const each of [older, memory]) await each.reprice(repriced)
          await toVersionOneSchema(test)
          const stores = sqlStores(database, { prefix })
          if (byHand) await test.run(stores.printMigrations())
          else await stores.migrate()
          expect(await sumsOf(ledger)).toEqual(await sumsOf(memory))
          await append(ledger, after)
          for (const each of [ledger, memory]) await each.reprice(repriced.map((one) => ({ ...one, charged: 7n })))
          expect(await sumsOf(ledger)).toEqual(await sumsOf(memory))
          await append(older, after)
          for (const each of [older, memory]) await each.reprice(repriced)
          expect(await sumsOf(ledger)).toEqual(await sumsOf(memory))
        }),
        { numRuns: 10 },
      )
    })

    it('fills the tables themselves, whichever of its versions wrote the rows', async () => {
      const model = (id: string) => ({ kind: 'model', id }) as const
      const served = [
        [model('small')],
        [model('x/"two"'), model('small'), model('Small')],
        [model('m'.repeat(229))],
        [],
      ]
      const entries = Array.from({ length: 300 }, (_, index) =>
        sampleEntry({
          id: `e${index}`,
          at: sampleTime - index * 7_654_321,
          charged: BigInt(index + 1),
          scopes: [team, ...(served[index % served.length] ?? [])],
        }),
      )
      const kept = async () => {
        const days = `SELECT day, scope, model, SUM(calls) AS calls, SUM(input_tokens) AS tokens FROM ${prefix}spend_days WHERE day > 'week' GROUP BY day, scope, model ORDER BY day, scope`
        const callers = `SELECT day, team_id, key_id, SUM(calls) AS calls FROM ${prefix}spend_caller_days WHERE day > 'week' GROUP BY day, team_id, key_id ORDER BY day`
        const hours = `SELECT kind, scope, hour_ms, models_json, charged FROM ${prefix}spend_model_hours ORDER BY kind, scope, hour_ms, models_json`
        const all = [days, callers, hours].map((sql) => database.query({ sql, values: [] }))
        return (await Promise.all(all)).map(({ rows }) => rows.map((row) => Object.values(row).map(String)))
      }
      await ledger.append(entries)
      const wanted = await kept()
      await emptyTables(test)
      await older.append(entries.slice(0, 150))
      // Some weeks and hours are there in part, as they are after version 4 of the schema.
      await ledger.append(entries.slice(100))
      await test.run(`DELETE FROM ${prefix}migrations WHERE version > 4`)
      await sqlStores(database, { prefix }).migrate()
      expect(await kept()).toEqual(wanted)
      await test.run(`DELETE FROM ${prefix}migrations WHERE version > 4`)
      await sqlStores(database, { prefix }).migrate()
      expect(await kept()).toEqual(wanted)
    })

    it('loses and doubles nothing that either version writes meanwhile', { timeout: 60_000 }, async () => {
      const memory = createMemoryLedger()
      const entriesOf = (sort: string): LedgerEntry[] =>
        Array.from({ length: 150 }, (_, index) =>
          sampleEntry({ id: `${sort}${index}`, at: sampleTime - (index % 30) * dayMs, charged: BigInt(index + 1) }),
        )
      await older.append(entriesOf('first'))
      await toVersionOneSchema(test)
      const ten = Array.from({ length: 10 }, (_, index) => sqlStores(index % 2 ? database : peer, { prefix }))
      const writeSlowly = async (store: LedgerStore, entries: readonly LedgerEntry[]): Promise<void> => {
        for (let from = 0; from < entries.length; from += 10) await store.append(entries.slice(from, from + 10))
      }
      const [first, ...others] = ten.map((stores) => stores.migrate())
      const writing = [writeSlowly(older, entriesOf('older'))]
      // A process of this version begins to write once its own migration is done.
      writing.push(Promise.resolve(first).then(() => writeSlowly(ledger, entriesOf('newer'))))
      await Promise.all([...others, ...writing])
      for (const sort of ['first', 'older', 'newer']) await memory.append(entriesOf(sort))
      expect(await sumsOf(ledger)).toEqual(await sumsOf(memory))
      await test.run(`DELETE FROM ${prefix}migrations WHERE version > 4`)
      await Promise.all(ten.map((stores) => stores.migrate()))
      expect(await sumsOf(ledger)).toEqual(await sumsOf(memory))
    })

    it.for(['migrated', 'read'])(
      'keeps what sums tell of hours whose rows were pruned, where they are %s',
      async (how) => {
        const hour = 3_600_000
        const at = Math.floor(sampleTime / hour) * hour
        const row = (id: string, offset: number): LedgerEntry => sampleEntry({ id, at: at + offset, charged: 1n })
        await ledger.append([row('a', -hour), row('b', 0), row('c', 1)])
        await older.append([row('d', -hour + 1), row('e', 2), row('f', 3)])
        // As older versions did it, in the middle of an hour.
        for (const table of ['ledger', 'ledger_scopes'])
          await test.run(`DELETE FROM ${prefix}${table} WHERE at_ms < ${at + 3}`)
        if (how === 'migrated') {
          await test.run(`DELETE FROM ${prefix}migrations WHERE version > 5`)
          await sqlStores(database, { prefix }).migrate()
        }
        expect(await ledger.total(team, 0, undefined, 'small')).toBe(3n)
        expect(await ledger.total(team, at, at + hour, 'small')).toBe(2n)
        expect(await ledger.total(team, 0)).toBe(6n)
      },
    )
  })
}
