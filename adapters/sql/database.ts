import { setTimeout as pause } from 'node:timers/promises'
import type { Dialect } from './dialect.js'

/** What a statement may carry. */
export type SqlValue = string | number | null

/** One statement with `?` for each value. */
export interface Statement {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** What came of a statement: its rows, or how many rows it changed. */
export interface SqlResult {
  readonly rows: readonly SqlRow[]
  readonly changes: number
}

/** A row by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>

/**
 * Statements that belong together, as a generator: SQLite runs it in one go, so that nothing of the host's can slip
 * into the transaction on their shared connection; the others await each statement.
 */
export type Work<T> = Generator<Statement, T, SqlResult>

/**
 * The whole of what the stores need from a database. An own port and no query builder: there are few tables, upserts
 * and bulk inserts differ by dialect anyway, and the host gets no further dependency.
 */
export interface SqlDatabase {
  readonly dialect: Dialect
  /** Runs one statement by itself. */
  query(statement: Statement): Promise<SqlResult>
  /** Runs work within one transaction, on one connection; with a lock, one process at a time, until it is committed. */
  transact<T>(work: () => Work<T>, lock?: string): Promise<T>
}

/** Runs one statement within work. */
export function* ask(sql: string, ...values: readonly SqlValue[]): Work<SqlResult> {
  return yield { sql, values }
}

/** Drives work over a connection that answers later. */
export async function runAsync<T>(work: Work<T>, query: (statement: Statement) => Promise<SqlResult>): Promise<T> {
  let step = work.next()
  while (!step.done) {
    const answer = await settle(query(step.value))
    step = 'error' in answer ? work.throw(answer.error) : work.next(answer.result)
  }
  return step.value
}

/** Drives work over a connection that answers at once. */
export function runSync<T>(work: Work<T>, query: (statement: Statement) => SqlResult): T {
  let step = work.next()
  while (!step.done) {
    let result: SqlResult
    try {
      result = query(step.value)
    } catch (error) {
      step = work.throw(error)
      continue
    }
    step = work.next(result)
  }
  return step.value
}

async function settle(
  result: Promise<SqlResult>,
): Promise<{ readonly result: SqlResult } | { readonly error: unknown }> {
  try {
    return { result: await result }
  } catch (error) {
    return { error }
  }
}

const maxTries = 12

/** Begins a transaction again that lost against another: deadlock, serialization failure, lock timeout, busy file. */
export async function retrying<T>(dialect: Dialect, run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run()
    } catch (error) {
      if (tries === maxTries || !dialect.isContention(error)) throw error
    }
    await pause(Math.random() * Math.min(5 * 2 ** tries, 500))
  }
}
