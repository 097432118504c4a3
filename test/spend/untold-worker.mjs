// The process of untold-events.mjs: its ledger is in a database of the test, and it is killed once it says what it told.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { leaveUntold } from './untold-events.mjs'

const { SOURCES, UPSTREAM, DATABASE, DATABASE_URL, PREFIX, UNPRICED } = process.env
const load = (file) => import(pathToFileURL(join(SOURCES, file)).href)
const [{ createGateway, fromLine }, { fakeProvider }, { mysql, postgres, sqlite, sqlStores }] = await Promise.all(
  ['src/index.js', 'src/testing/index.js', 'adapters/sql.js'].map(load),
)
const open = {
  async SQLite() {
    const { default: Sqlite } = await import('better-sqlite3')
    return sqlite(new Sqlite(DATABASE_URL))
  },
  async PostgreSQL() {
    const { Pool } = await import('pg')
    return postgres(new Pool({ connectionString: DATABASE_URL }))
  },
  async MariaDB() {
    const { createPool } = await import('mysql2/promise')
    return mysql(createPool({ uri: DATABASE_URL }))
  },
}
const { ledger } = sqlStores(await open[DATABASE](), { prefix: PREFIX })
const sources = { createGateway, fakeProvider }
const told = await leaveUntold(sources, { ledger, upstream: UPSTREAM, unpriced: fromLine(UNPRICED) })
// Whoever started this kills it now.
console.log(`listening on http://told/${told.join(',')}`)
