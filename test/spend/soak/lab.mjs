// What the soak runs have in common.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileSources } from '../../support/compile-sources.mjs'

/** Sources as JavaScript: a folder of somebody who has compiled them, or one of this process. */
const own = process.env.SOURCES ? undefined : compileSources()
export const sources = process.env.SOURCES ?? own.folder
process.once('exit', () => own?.remove())

export const urls = {
  redis: process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379',
  postgres: process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test',
  mysql: process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/test',
}

export const load = (file) => import(pathToFileURL(join(sources, file)).href)

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Waits until something holds; gives up with an error. */
export async function until(holds, milliseconds, what) {
  for (const end = Date.now() + milliseconds; !(await holds()); await pause(20)) {
    if (Date.now() > end) throw new Error(`${what}: not within ${milliseconds} ms`)
  }
}

/** A pool of the database's driver and the stores in it. */
export async function openSql(dialect, url, { prefix, connections = 4 }) {
  const { mysql, postgres, sqlStores } = await load('adapters/sql.js')
  if (dialect === 'mysql') {
    const { createPool } = await import('mysql2/promise')
    const pool = createPool({ uri: url, connectionLimit: connections })
    const query = async (sql) => (await pool.query(sql))[0]
    return { stores: sqlStores(mysql(pool), { prefix }), query, close: () => pool.end() }
  }
  const { Pool } = await import('pg')
  const pool = new Pool({ connectionString: url, max: connections })
  // A connection that breaks while it is idle.
  pool.on('error', () => {})
  const query = async (sql) => (await pool.query(sql)).rows
  return { stores: sqlStores(postgres(pool), { prefix }), query, close: () => pool.end() }
}

/** Drops every table of a prefix. */
export async function dropTables({ query }, prefix) {
  const rows = await query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_name LIKE '${prefix}%'`,
  )
  for (const { name } of rows) await query(`DROP TABLE IF EXISTS ${name}`)
}

export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** Fails the run, with what was seen, unless it is as it must be. */
export function must(holds, what) {
  if (holds) return
  console.error(`FAILED: ${what}`)
  process.exitCode = 1
}
