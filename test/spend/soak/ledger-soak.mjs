// Processes that write ledger rows on shared scopes while the database goes away for a while: no row is lost, none counts
// twice, no deadlock is seen, calls go on; a killed process with a journal loses none of what it had written there.
//   DIALECT=postgres|mysql PROCESSES=4 RATE=1000 SECONDS=120 OUTAGE=60 node test/spend/soak/ledger-soak.mjs
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCutProxy } from './cut-proxy.mjs'
import { dropTables, load, must, openSql, pause, percentile, sources, until, urls } from './lab.mjs'

const { DIALECT: dialect = 'postgres' } = process.env
const [processes, rate, seconds, outage] = [
  ['PROCESSES', 4],
  ['RATE', 1_000],
  ['SECONDS', 120],
  ['OUTAGE', 60],
].map(([name, otherwise]) => Number(process.env[name] ?? otherwise))

const prefix = `soak${process.pid.toString(36)}_`
const worker = fileURLToPath(new URL('ledger-soak-worker.mjs', import.meta.url))
const journal = mkdtempSync(join(tmpdir(), 'sluice-soak-'))
const { startFakeUpstream, systemClock, createLedgerQueue } = Object.assign(
  {},
  ...(await Promise.all(['src/testing/index.js', 'src/clock.js', 'src/spend/ledger-queue.js'].map(load))),
)
const database = await openSql(dialect, urls[dialect], { prefix })
await database.stores.migrate()
const proxy = await createCutProxy(urls[dialect])
const upstream = await startFakeUpstream({ journalSize: 10 })

/** Starts a process; `output` grows as it prints. */
function start(name, own = {}) {
  const settings = { DIALECT: dialect, DATABASE_URL: proxy.url, PREFIX: prefix, RATE: rate, SECONDS: seconds }
  const child = spawn(process.execPath, [worker], {
    env: { ...process.env, SOURCES: sources, NAME: name, ...settings, ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const started = { child, output: '', ended: new Promise((resolve) => child.once('close', resolve)) }
  child.stdout.on('data', (bytes) => (started.output += bytes))
  return started
}

const rowsOf = async (name) =>
  Number((await database.query(`SELECT COUNT(*) AS n FROM ${prefix}ledger WHERE id LIKE '${name}/%'`))[0].n)
const addedBy = ({ output }) => Number(/added (\d+)\n(?!.*added)/s.exec(output)?.[1] ?? 0)

try {
  const names = Array.from({ length: processes }, (_, at) => `p${at}`)
  const started = names.map((name) => start(name, { UPSTREAM: upstream.url }))
  const doomed = start('doomed', { JOURNAL: journal, RATE: rate / 4 })
  const hasBegun = () => [...started, doomed].every((process) => addedBy(process) > 0)
  await until(hasBegun, 60_000, 'rows of every process')
  await pause(((seconds - outage) / 2) * 1_000)
  proxy.cut()
  console.log(`${dialect}: ${processes} processes, ${rate} rows/s each; the database is away for ${outage} s`)
  // Killed while the database is away: what it has added since lies in the journal only.
  const killAt = Math.min(outage / 2, 10) * 1_000
  await pause(killAt)
  const announced = addedBy(doomed)
  await pause(500)
  doomed.child.kill('SIGKILL')
  await doomed.ended
  const before = await rowsOf('doomed')
  await pause(outage * 1_000 - killAt - 500)
  proxy.mend()
  await Promise.all(started.map(({ ended }) => ended))
  const reports = started.map(({ output }) => JSON.parse(output.trim().split('\n').at(-1)))

  const sum = (of) => reports.reduce((total, report) => total + of(report), 0)
  const added = sum((report) => report.added)
  const total = await database.query(`SELECT COUNT(*) AS n FROM ${prefix}ledger WHERE id LIKE 'p%/%'`)
  const found = Number(total[0].n)
  const charged = reports.reduce((all, report) => all + BigInt(report.charged), 0n)
  const gatewayRows = sum((report) => report.gatewayRows)
  const calls = sum((report) => report.calls.done)
  const times = reports.flatMap((report) => report.calls.milliseconds).toSorted((a, b) => a - b)
  console.log(`rows: ${added} added, ${found} in the ledger, ${sum((report) => report.lost)} lost`)
  console.log(`after the last row: ${reports.map(({ flushMs }) => `${flushMs} ms`).join(', ')} until all were written`)
  console.log(
    `calls: ${calls} done, rows of them ${gatewayRows}, p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms, longest ${times.at(-1)} ms`,
  )
  console.log('complaints:', JSON.stringify(Object.assign({}, ...reports.map(({ complaints }) => complaints))))
  must(found === added, 'every row is in the ledger')
  must(sum((report) => report.lost) === 0, 'no row was given up')
  must(
    reports.every(({ calls: { failed } }) => Object.keys(failed).length === 0),
    `calls go on: ${JSON.stringify(reports.map(({ calls: { failed } }) => failed))}`,
  )
  must(gatewayRows === calls, 'every call has its row')
  const deadlocks = reports
    .flatMap((report) => Object.keys(report.complaints))
    .filter((text) => /40P01|1213/.test(text))
  must(deadlocks.length === 0, `no deadlock is seen: ${deadlocks.join(', ')}`)

  // The next process of the killed one's directory.
  const queue = createLedgerQueue({
    store: database.stores.ledger,
    clock: systemClock,
    logger: { debug() {}, info() {}, warn() {}, error: console.error },
    journalDirectory: journal,
  })
  must(await queue.flush(60_000), 'the journal is replayed')
  await queue.close(1_000)
  const replayed = await rowsOf('doomed')
  const [last] = await database.query(
    `SELECT MAX(CAST(SUBSTRING(id, 8) AS ${dialect === 'mysql' ? 'SIGNED' : 'INTEGER'})) AS n FROM ${prefix}ledger WHERE id LIKE 'doomed/%'`,
  )
  console.log(
    `killed: ${announced} rows announced half a second before, ${before} in the ledger then, ${replayed} after the replay`,
  )
  must(announced > 0 && replayed >= announced, 'what the killed process had announced is in the ledger')
  must(replayed === Number(last.n) + 1, 'there is no gap in its rows')

  const by = { fromDay: '2020-01-01', untilDay: '2100-01-01' }
  const [report] = await database.stores.ledger.report({ ...by, by: ['organization'] })
  const ofDoomed = (BigInt(replayed) * BigInt(replayed - 1)) / 2n
  must(report.charged === charged + ofDoomed * 1_000_003n, 'the sums are those of the rows, to the pico-dollar')
  must(report.calls === added + replayed, 'the sums count every row once')
  console.log(`charged: ${report.charged} pico-dollars in the sums, ${charged + ofDoomed * 1_000_003n} added`)
} finally {
  await dropTables(database, prefix)
  await Promise.all([database.close(), proxy.close(), upstream.close()])
  rmSync(journal, { recursive: true, force: true })
}
