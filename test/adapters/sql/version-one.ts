import type { SqlDatabase } from '../../../adapters/sql.js'
import type { Statement, Work } from '../../../adapters/sql/database.js'
import type { TestDatabase } from './databases.js'

/** A database as processes of the first version write to it: without sums by hour and model, and without weeks. */
export function asVersionOne(database: SqlDatabase): SqlDatabase {
  return { ...database, transact: (work, lock) => database.transact(() => asWritten(work()), lock) }
}

function* asWritten<T>(work: Work<T>): Work<T> {
  let step = work.next()
  while (!step.done) {
    const statement = toVersionOne(step.value)
    let result = { rows: [] as readonly Readonly<Record<string, unknown>>[], changes: 0 }
    try {
      if (statement) result = { ...(yield statement) }
    } catch (error) {
      step = work.throw(error)
      continue
    }
    step = work.next(result)
  }
  return step.value
}

function toVersionOne(statement: Statement): Statement | undefined {
  const [, table] = /^INSERT INTO \S*(spend_model_hours|spend_days|spend_caller_days)\b/.exec(statement.sql) ?? []
  if (table === undefined) return statement
  if (table === 'spend_model_hours') return undefined
  const rows: readonly { readonly day: string }[] = JSON.parse(String(statement.values[0]))
  return { ...statement, values: [JSON.stringify(rows.filter(({ day }) => !day.startsWith('week ')))] }
}

/** Takes back what later versions added to the schema. */
export async function toVersionOneSchema(test: TestDatabase): Promise<void> {
  const added = ['spend_model_hours', 'calls', 'call_marks', 'usage_events']
  for (const table of added) await test.run(`DROP TABLE IF EXISTS ${test.prefix}${table}`)
  await test.run(`DELETE FROM ${test.prefix}migrations WHERE version > 1`)
}
