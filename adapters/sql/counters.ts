import type { CounterStore, Reservation } from '../../src/index.js'
import type { CounterOperation } from './counter-operations.js'
import { type CounterContext, counterId } from './counter-rows.js'
import { forget, readLevels, seed, split } from './counter-seeding.js'
import { runOperations } from './counter-transaction.js'
import { type SqlDatabase, type Work, ask } from './database.js'
import { GroupCommit, type Operation } from './group-commit.js'
import type { Tables } from './schema.js'

const sweepEveryMs = 60_000

/**
 * Counts in the host's database: the rows of a reservation's counters are locked in one order, so whoever asks at the
 * same moment waits its turn, and those of one process take it together. A few round trips per call; where there is a
 * Redis, count there. The processes' clocks have to agree.
 */
export function sqlCounters(database: SqlDatabase, tables: Tables, clock: () => number): CounterStore {
  const { dialect } = database
  const context: CounterContext = { dialect, tables, clock }
  const commits = new GroupCommit<CounterOperation>({
    run: (operations) => database.transact(() => runOperations(context, operations)),
    atOnce: dialect.entriesAtOnce,
  })
  let sweptAt = clock()

  /** Now and then, on the way of a call that has been answered; what fails is done by the next one. */
  async function sweep(): Promise<void> {
    if (clock() - sweptAt < sweepEveryMs) return
    sweptAt = clock()
    await database.transact(() => deleteExpired(context)).catch(() => undefined)
  }

  function end(
    reservation: Reservation,
    settled: { readonly actual: readonly number[]; readonly at: number } | undefined,
  ): Promise<readonly (number | undefined)[]> {
    return new Promise((answer, fail) => {
      requireWhole(settled?.actual ?? [])
      commits.add({ kind: 'end', reservation, settled, answer, fail, ...placeOf([reservation]) })
    })
  }

  return {
    // Contention is not an outage: calls that wait are gathered, and this passes only while no transaction ends.
    deadlineMs: 5_000,
    reserve(holds, { id, tenant, ttlMs }) {
      const reservation = { id, tenant, holds }
      return new Promise((answer, fail) => {
        requireWhole(holds.map(({ amount }) => amount))
        commits.add({ kind: 'reserve', reservation, ttlMs, answer, fail, ...placeOf([reservation]) })
      })
    },
    renew(reservations, ttlMs) {
      return new Promise((answer, fail) => {
        commits.add({ kind: 'renew', reservations, ttlMs, answer, fail, ...placeOf(reservations) })
      })
    },
    async settle(reservation, actual, at) {
      const spent = await end(reservation, { actual, at })
      await sweep()
      return spent
    },
    async release(reservation) {
      await end(reservation, undefined)
    },
    seed: (tenant, counters) => database.transact(() => seed(context, tenant, counters)),
    split: (tenant, counters, at) => database.transact(() => split(context, tenant, { counters, at })),
    forget: (tenant, counters) => database.transact(() => forget(context, tenant, counters)),
    read: (tenant, holds) => database.transact(() => readLevels(context, tenant, holds)),
  }
}

/** What no column takes would fail the whole transaction. @throws TypeError */
function requireWhole(amounts: readonly number[]): void {
  const wrong = amounts.find((amount) => !Number.isSafeInteger(amount))
  if (wrong !== undefined) throw new TypeError(`A counter counts whole numbers, not ${wrong}.`)
}

/** What an operation about these locks and names. */
function placeOf(reservations: readonly Omit<Reservation, 'used'>[]): Pick<Operation, 'locks' | 'names'> {
  return {
    locks: reservations.flatMap(({ tenant, holds }) => holds.map(({ counter }) => counterId(tenant, counter))),
    names: reservations.map(({ id }) => id),
  }
}

/** Forgets what has no effect any more: nothing that counts is touched. */
function* deleteExpired({ tables, clock }: CounterContext): Work<void> {
  const now = clock()
  const { counters, holds, reservations } = tables
  yield* ask(`DELETE FROM ${holds.name} WHERE expires_at <= ?`, now)
  yield* ask(`DELETE FROM ${reservations.name} WHERE forget_at <= ?`, now)
  yield* ask(
    `DELETE FROM ${counters.name} WHERE (kind <> 'budget' OR ends_at <= ?) AND NOT EXISTS (SELECT 1 FROM ${holds.name} h WHERE h.counter_id = ${counters.name}.id)`,
    now,
  )
}
