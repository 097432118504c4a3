// A gateway that is killed while calls run: counters and ledger in a SQLite file, rows on their way in a journal.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { SOURCES, UPSTREAM, DATABASE, JOURNAL } = process.env
const load = (file) => import(pathToFileURL(join(SOURCES, file)).href)
const [{ createGateway }, { fakeProvider }, { sqlite, sqlStores }, { default: Sqlite }] = await Promise.all([
  load('src/index.js'),
  load('src/testing/index.js'),
  load('adapters/sql.js'),
  import('better-sqlite3'),
])
const database = new Sqlite(DATABASE)
database.pragma('journal_mode = WAL')
const { counters, ledger } = sqlStores(sqlite(database))
const prices = { input: 1, output: 2 }
const gateway = createGateway({
  models: ['main', 'slow-30000ms', 'words-500+trickle-20ms'].map((name) => ({
    modelName: name,
    model: `fake/${name}`,
    prices,
  })),
  providers: [fakeProvider(UPSTREAM)],
  auth: 'none',
  stores: { counters, ledger },
  spend: { journalDirectory: JOURNAL },
})
const budget = { maxBudget: 1 }
const scopes = [{ kind: 'team', id: 'acme', budget, maxParallelRequests: 100 }]
const caller = { id: 'user-1', role: 'member', models: 'all', scopes }
const ask = (model) => ({ model, max_tokens: 500, messages: [{ role: 'user', content: 'Hello there, gateway' }] })

for (let done = 0; done < 5; done += 1) await gateway.call('chat', ask('main'), caller)
void gateway.call('chat', ask('slow-30000ms'), caller).catch(() => {})
const stream = gateway.stream('chat', ask('words-500+trickle-20ms'), caller)
let seen = 0
for await (const _ of stream) {
  // Whoever started this kills it now.
  if (++seen === 3) console.log(`listening on ${UPSTREAM}`)
}
