// Appends entries on scopes that other processes append to as well, and prints what they add up to.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createPool } from 'mysql2/promise'
import { Pool } from 'pg'

const [folder, dialect, url, prefix, name, count] = process.argv.slice(2)
const load = (file) => import(pathToFileURL(join(folder, file)).href)
const { mysql, postgres, sqlStores } = await load('adapters/sql.js')
const { sampleEntry } = await load('src/testing/contracts/sample-entry.js')

const pool =
  dialect === 'postgres' ? new Pool({ connectionString: url, max: 4 }) : createPool({ uri: url, connectionLimit: 4 })
const database = dialect === 'postgres' ? postgres(pool) : mysql(pool)
const { ledger, migrate } = sqlStores(database, { prefix })
await migrate()

const scopes = (n) => [
  { kind: 'team', id: `t${n % 3}` },
  { kind: 'user', id: `u${n % 7}` },
  { kind: 'key', id: `k${n % 11}` },
  { kind: 'model', id: `m${n % 2}` },
  { kind: 'tag', id: 'shared' },
]
const entries = Array.from({ length: Number(count) }, (_, n) =>
  sampleEntry({ id: `${name}/${n}`, scopes: scopes(n), modelName: `m${n % 2}`, charged: BigInt(n) * 1_000_003n }),
)
const batches = Array.from({ length: entries.length / 50 }, (_, n) => entries.slice(n * 50, n * 50 + 50).toReversed())
const failures = []
const worker = async () => {
  for (let batch = batches.shift(); batch; batch = batches.shift()) {
    await ledger.append(batch).catch((error) => failures.push(String(error)))
  }
}
const begin = performance.now()
await Promise.all([worker(), worker(), worker()])
const sum = entries.reduce((total, entry) => total + entry.charged, 0n)
console.log(JSON.stringify({ sum: String(sum), failures, ms: Math.round(performance.now() - begin) }))
await pool.end()
