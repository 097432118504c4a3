import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { LedgerEntry, LedgerStore, ScopeKind, SpendGroup } from '../../../src/ports/ledger.js'
import { toDay } from '../../../src/stores/roll-ups.js'
import { createMemoryLedger } from '../../../src/stores/memory-ledger.js'
import { sampleEntry, sampleTime } from '../../../src/testing/contracts/sample-entry.js'
import { emptyTables, migratedStores, testDatabases } from './databases.js'

const kinds: readonly ScopeKind[] = ['organization', 'team', 'user', 'key', 'customer', 'tag', 'deployment']
const dayMs = 86_400_000
const money = fc.bigInt({ min: -(10n ** 6n), max: 10n ** 21n })
const scopes = fc.uniqueArray(
  fc.record({ kind: fc.constantFrom(...kinds), id: fc.constantFrom('a', 'A', 'b', 'ключ', "o'b") }),
  { maxLength: 6, selector: ({ kind, id }) => `${kind} ${id}` },
)
const entry = fc
  .record({
    id: fc.integer({ min: 0, max: 30 }).map(String),
    at: fc.integer({ min: sampleTime - 30 * dayMs, max: sampleTime }),
    scopes,
    modelName: fc.constantFrom('small', 'large'),
    provider: fc.constantFrom('openai', 'groq'),
    charged: money,
    cost: money,
  })
  .map((fields): LedgerEntry => sampleEntry(fields))
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ append: fc.array(entry, { maxLength: 8 }) }) },
  fc.record({
    reprice: fc.array(fc.record({ id: fc.integer({ min: 0, max: 30 }).map(String), charged: money, cost: money })),
  }),
)
type Step =
  | { readonly append: readonly LedgerEntry[] }
  | { readonly reprice: readonly Pick<LedgerEntry, 'id' | 'charged' | 'cost'>[] }

async function take(store: LedgerStore, one: Step): Promise<void> {
  if ('append' in one) await store.append(one.append)
  else await store.reprice(one.reprice.map((price) => ({ ...price, price: null, priced: true })))
}

const groupings: readonly (readonly SpendGroup[])[] = [
  [],
  ['day'],
  ['model', 'provider'],
  ['user'],
  ['tag', 'day'],
  ['customer'],
  ['organization', 'team', 'user', 'key'],
  ['team', 'model'],
]
/** Some days of five weeks, so that a report reads weeks, days, or both. */
const windows = fc
  .tuple(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 0, max: 32 }))
  .map((ago) => ago.toSorted((a, b) => b - a).map((days) => toDay(sampleTime - days * dayMs)))

/** Sums from the rows themselves. */
async function rowsTotal(
  store: LedgerStore,
  scope: { kind: ScopeKind; id: string },
  from: number,
  until: number,
): Promise<bigint> {
  const { entries } = await store.query({ scope, from, until, limit: 1_000 })
  return entries.reduce((sum, { charged }) => sum + charged, 0n)
}

for (const [name, open] of Object.entries(testDatabases)) {
  const test = await open()
  if (!test) continue
  // Here rather than in the suite: it runs although a filter skips the suite.
  afterAll(() => test.close())

  describe(`roll-ups on ${name}`, () => {
    it(
      'are what the rows add up to, whatever is appended, repeated and priced again',
      { timeout: 120_000 },
      async () => {
        const { ledger } = await migratedStores(test)
        const cuts = fc.tuple(fc.integer({ min: 0, max: 4 * 86_400_000 }), fc.integer({ min: 0, max: 4 * 86_400_000 }))
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), cuts, windows, async (...drawn) => {
            const [steps, [first, second], [fromDay = '', untilDay = '']] = drawn
            const window = { fromDay, untilDay }
            await emptyTables(test)
            const memory = createMemoryLedger()
            for (const one of steps) for (const store of [ledger, memory]) await take(store, one)
            for (const by of groupings)
              expect(await ledger.report({ ...window, by })).toEqual(await memory.report({ ...window, by }))
            const [from, until] = [sampleTime - first, sampleTime - second]
            for (const kind of kinds) {
              const scope = { kind, id: 'b' }
              const total = await ledger.total(scope, from, until)
              expect(total).toBe(await memory.total(scope, from, until))
              expect(total).toBe(await rowsTotal(ledger, scope, from, until))
            }
          }),
          { numRuns: 8 },
        )
      },
    )
  })
}
