// A ledger of millions of rows in PostgreSQL, in a schema of its own that is dropped afterwards (5 million: 9 GB, 12 minutes):
// how long the usage queries take, and whether calls take longer than with an empty ledger.
//   ROWS=5000000 CALLS=4000 node test/spend/soak/five-million-rows.mjs; KEEP=name keeps the schema and finds it there again.
import pg from 'pg'
import { fillLedger } from './fill-ledger.mjs'
import { load, must, percentile, urls } from './lab.mjs'
import { measureQueries, usageQueries } from './usage-queries.mjs'

const [rows, calls] = [Number(process.env.ROWS ?? 5_000_000), Number(process.env.CALLS ?? 4_000)]
const slowest = Number(process.env.SLOWEST_MS ?? 200)
const kept = process.env.KEEP
const [full, empty] = [kept ?? `soak${process.pid.toString(36)}`, `soak${process.pid.toString(36)}e`]
const prefix = 'sluice_'
const [{ createGateway }, { fakeProvider, startFakeUpstream }, { postgres, sqlStores }] = await Promise.all(
  ['src/index.js', 'src/testing/index.js', 'adapters/sql.js'].map(load),
)

/** A pool whose tables lie in a schema. */
async function open(schema, max = 4) {
  const pool = new pg.Pool({ connectionString: urls.postgres, max, options: `-c search_path=${schema}` })
  await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  const stores = sqlStores(postgres(pool), { prefix })
  await stores.migrate()
  return { pool, stores }
}

async function fill() {
  const { pool, stores } = await open(full, 1)
  const { entries } = await stores.ledger.query({ limit: 1 })
  if (entries.length === 0) await fillLedger(async (sql) => (await pool.query(sql)).rows, prefix, rows, console.log)
  await pool.end()
}

/** Calls of one caller with budgets, eight at a time; gives their times in milliseconds, sorted. */
async function callsOver({ gateway, caller }, count) {
  const times = []
  const lane = async () => {
    for (let made = 0; made < count / 8; made += 1) {
      const from = performance.now()
      await gateway.call(
        'chat',
        { model: 'main', max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] },
        caller,
      )
      times.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
  return times.toSorted((a, b) => a - b)
}

async function compareCalls(stores) {
  const upstream = await startFakeUpstream({ journalSize: 10 })
  const budget = { maxBudget: 1_000_000, budgetDuration: '30d' }
  const scopes = ['organization', 'team', 'user', 'key'].map((kind) => ({ kind, id: `${kind}-3`, budget }))
  const contenders = stores.map(({ ledger }) => ({
    gateway: createGateway({
      models: [{ modelName: 'main', model: 'fake/main', prices: { input: 1, output: 2 } }],
      providers: [fakeProvider(upstream.url)],
      auth: 'none',
      stores: { ledger },
    }),
    caller: { id: 'user-3', role: 'member', models: 'all', scopes },
  }))
  for (const contender of contenders) await callsOver(contender, 400)
  // In turns, so that whatever else the machine does meets both.
  const rounds = 20
  const seen = contenders.map(() => [])
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, contender] of contenders.entries()) seen[at].push(await callsOver(contender, calls / rounds))
  }
  await Promise.all(contenders.map(({ gateway }) => gateway.close()))
  await upstream.close()
  const median = (list) =>
    percentile(
      list.toSorted((a, b) => a - b),
      0.5,
    )
  return seen.map((lists) => ({
    p50: median(lists.map((times) => percentile(times, 0.5))),
    p99: median(lists.map((times) => percentile(times, 0.99))),
  }))
}

try {
  await fill()
  const { pool, stores } = await open(full)
  const day = (at) => new Date(at).toISOString().slice(0, 10)
  const period = { fromDay: day(Date.now() - 100 * 86_400_000), untilDay: day(Date.now()) }
  const { rows: counted } = await pool.query(`SELECT COUNT(*) AS n FROM ${prefix}ledger`)
  const byDay = await stores.ledger.report({ ...period, by: ['day'] })
  const [ever] = await stores.ledger.report({ ...period, by: [] })
  const byCaller = await stores.ledger.report({ ...period, by: ['team', 'user', 'model'] })
  const callsOf = (list) => list.reduce((sum, row) => sum + row.calls, 0)
  must(
    [callsOf(byDay), ever.calls, callsOf(byCaller)].every((sum) => sum === Number(counted[0].n)),
    'days, weeks and callers count every row once',
  )
  console.log(`${counted[0].n} rows: rows of the answer, median and longest of 5 in milliseconds`)
  for (const { name, rows: answered, median, longest } of await measureQueries(
    usageQueries(stores.ledger, Date.now()),
    5,
  )) {
    console.log(`  ${name}: ${answered} rows, ${median.toFixed(1)}, ${longest.toFixed(1)}`)
    must(median < slowest, `${name}: less than ${slowest} ms`)
  }
  const other = await open(empty)
  const [filled, none] = await compareCalls([stores, other.stores])
  const told = ({ p50, p99 }) => `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`
  console.log(`calls over it: ${told(filled)}; over an empty ledger: ${told(none)}`)
  await Promise.all([pool.end(), other.pool.end()])
} finally {
  const admin = new pg.Pool({ connectionString: urls.postgres, max: 1 })
  for (const schema of kept ? [empty] : [full, empty]) await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await admin.end()
}
