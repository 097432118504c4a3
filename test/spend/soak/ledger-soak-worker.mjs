// One process of the soak: rows at a fixed rate on scopes that all processes share, and calls through a gateway beside them.
import { load, openSql, pause } from './lab.mjs'

const { DIALECT, DATABASE_URL, PREFIX, NAME, RATE, SECONDS, UPSTREAM, JOURNAL } = process.env
const [{ createGateway }, { fakeProvider }, { createLedgerQueue }, { systemClock }, { sampleEntry }] =
  await Promise.all(
    [
      'src/index.js',
      'src/testing/index.js',
      'src/spend/ledger-queue.js',
      'src/clock.js',
      'src/testing/contracts/sample-entry.js',
    ].map(load),
  )
const database = await openSql(DIALECT, DATABASE_URL, { prefix: PREFIX })
const { ledger, counters } = database.stores

/** What the queues complained about, by message. */
const complaints = {}
const complain = (fields, message) => {
  const error = fields?.error
  const text = error ? `${message}: ${error.code ?? error.errno ?? error.message}` : message
  complaints[text] = (complaints[text] ?? 0) + 1
}
const logger = { debug() {}, info() {}, warn: complain, error: complain }

const queue = createLedgerQueue({
  store: ledger,
  clock: systemClock,
  logger,
  ...(JOURNAL && { journalDirectory: JOURNAL }),
})

const budget = { maxBudget: 1_000 }
const caller = {
  id: 'shared',
  role: 'member',
  models: 'all',
  scopes: [
    { kind: 'team', id: 'shared', budget },
    { kind: 'key', id: 'shared', budget },
  ],
}
const gateway =
  UPSTREAM &&
  createGateway({
    models: [{ modelName: 'main', model: 'fake/main', prices: { input: 1, output: 2 } }],
    providers: [fakeProvider(UPSTREAM)],
    auth: 'none',
    logger,
    stores: { ledger, counters },
  })

const scopesOf = (n) => [
  { kind: 'organization', id: 'acme' },
  { kind: 'team', id: `t${n % 3}` },
  { kind: 'user', id: `u${n % 7}` },
  { kind: 'key', id: `k${n % 11}` },
  { kind: 'model', id: `m${n % 2}` },
]

let added = 0
let charged = 0n
const begin = performance.now()
const running = () => performance.now() - begin < Number(SECONDS) * 1_000

async function addRows() {
  for (; running(); await pause(5)) {
    const due = Math.floor(((performance.now() - begin) / 1_000) * Number(RATE))
    for (; added < due; added += 1) {
      const entry = { id: `${NAME}/${added}`, at: Date.now(), scopes: scopesOf(added), modelName: `m${added % 2}` }
      queue.add(sampleEntry({ ...entry, charged: BigInt(added) * 1_000_003n }))
      charged += BigInt(added) * 1_000_003n
    }
  }
}

const calls = { done: 0, failed: {}, milliseconds: [] }
async function call() {
  const messages = [{ role: 'user', content: 'Hello there' }]
  const from = performance.now()
  try {
    await gateway.call('chat', { model: 'main', messages, max_tokens: 5 }, caller)
    calls.done += 1
  } catch (error) {
    const code = error.code ?? String(error)
    calls.failed[code] = (calls.failed[code] ?? 0) + 1
  }
  calls.milliseconds.push(performance.now() - from)
}

async function makeCalls() {
  const open = new Set()
  for (; gateway && running(); await pause(100)) {
    const calling = call().finally(() => open.delete(calling))
    open.add(calling)
  }
  await Promise.all(open)
}

// Whoever kills this process knows from here what must be found.
const progress = setInterval(() => console.log(`added ${added}`), 200)
await Promise.all([addRows(), makeCalls()])
clearInterval(progress)
// A queue's timers keep no process alive.
const alive = setInterval(() => {}, 60_000)
const flushingFrom = performance.now()
await queue.flush(180_000)
await gateway?.close()
console.log(
  JSON.stringify({
    added,
    charged: String(charged),
    written: queue.written,
    lost: queue.lost,
    pending: queue.pending,
    flushMs: Math.round(performance.now() - flushingFrom),
    calls: { ...calls, milliseconds: calls.milliseconds.map(Math.round).toSorted((a, b) => a - b) },
    gatewayRows: gateway?.spend.written ?? 0,
    complaints,
  }),
)
await queue.close(0)
await database.close()
clearInterval(alive)
