// A gateway that is killed while calls run: counters and ledger in a store of the test, rows on their way in a journal.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { SOURCES, UPSTREAM, COUNTERS, COUNTERS_URL, LEDGER_FILE, PREFIX, JOURNAL, TTL_MS } = process.env
const load = (file) => import(pathToFileURL(join(SOURCES, file)).href)
const [{ createGateway }, { fakeProvider }, { postgres, sqlite, sqlStores }] = await Promise.all(
  ['src/index.js', 'src/testing/index.js', 'adapters/sql.js'].map(load),
)

async function openFile() {
  const { default: Sqlite } = await import('better-sqlite3')
  const database = new Sqlite(LEDGER_FILE)
  database.pragma('journal_mode = WAL')
  return sqlStores(sqlite(database))
}

const open = {
  SQLite: openFile,
  async PostgreSQL() {
    const { Pool } = await import('pg')
    return sqlStores(postgres(new Pool({ connectionString: COUNTERS_URL })), { prefix: PREFIX })
  },
  async Redis() {
    const [{ Redis }, { redisStores }] = await Promise.all([import('ioredis'), load('adapters/redis.js')])
    const { counters } = redisStores(new Redis(COUNTERS_URL), { prefix: PREFIX })
    return { counters, ledger: (await openFile()).ledger }
  },
}
const { counters, ledger } = await open[COUNTERS]()
// A lease as long as whoever started this can wait for its end.
const ttlMs = Number(TTL_MS)
const lent = {
  ...counters,
  reserve: (holds, options) => counters.reserve(holds, { ...options, ttlMs }),
  renew: (reservations) => counters.renew(reservations, ttlMs),
}
const prices = { input: 1, output: 2 }
const gateway = createGateway({
  models: ['main', 'slow-30000ms', 'words-500+trickle-20ms'].map((name) => ({
    modelName: name,
    model: `fake/${name}`,
    prices,
  })),
  providers: [fakeProvider(UPSTREAM)],
  auth: 'none',
  stores: { counters: lent, ledger },
  spend: { journalDirectory: JOURNAL },
})
const budget = { maxBudget: 1 }
const scopes = [{ kind: 'team', id: 'acme', budget, maxParallelRequests: 100 }]
const caller = { id: 'user-1', role: 'member', models: 'all', scopes }
const ask = (model) => ({ model, max_tokens: 500, messages: [{ role: 'user', content: 'Hello there, gateway' }] })

/** The rows that outlive this process: in the ledger, or in the journal. */
async function safeRows() {
  const files = await readdir(JOURNAL).catch(() => [])
  const texts = await Promise.all(files.map((file) => readFile(join(JOURNAL, file), 'utf8').catch(() => '')))
  const lines = texts.flatMap((text) => text.match(/^\{"id":"[^"]+"/gm) ?? [])
  const { entries } = await ledger.query({})
  return new Set([...lines, ...entries.map(({ id }) => `{"id":"${id}"`)]).size
}

for (let done = 0; done < 5; done += 1) await gateway.call('chat', ask('main'), caller)
// A row reaches the disk a moment after its call.
while ((await safeRows()) < 5) await new Promise((resolve) => setTimeout(resolve, 5))
void gateway.call('chat', ask('slow-30000ms'), caller).catch(() => {})
const stream = gateway.stream('chat', ask('words-500+trickle-20ms'), caller)
let seen = 0
for await (const _ of stream) {
  // Whoever started this kills it now.
  if (++seen === 3) console.log(`listening on ${UPSTREAM}`)
}
