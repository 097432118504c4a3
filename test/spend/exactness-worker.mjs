// One process of a fleet whose gateways share a budget; prints how many of its calls were let in.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { SOURCES, UPSTREAM, STORE, STORE_URL, PREFIX, CALLS, MAX_BUDGET } = process.env
const load = (file) => import(pathToFileURL(join(SOURCES, file)).href)
const [{ createGateway }, { fakeProvider }] = await Promise.all(['src/index.js', 'src/testing/index.js'].map(load))

const open = {
  async redis() {
    const [{ Redis }, { redisStores }] = await Promise.all([import('ioredis'), load('adapters/redis.js')])
    const client = new Redis(STORE_URL)
    return { stores: redisStores(client, { prefix: PREFIX }), close: () => client.disconnect() }
  },
  async postgres() {
    const [{ Pool }, { postgres, sqlStores }] = await Promise.all([import('pg'), load('adapters/sql.js')])
    const pool = new Pool({ connectionString: STORE_URL, max: 4 })
    const { counters, ledger } = sqlStores(postgres(pool), { prefix: PREFIX })
    return { stores: { counters, ledger }, close: () => pool.end() }
  },
}
const { stores, close } = await open[STORE]()
const prices = { input: 1, output: 2 }
const usage = []
const gateway = createGateway({
  models: [{ modelName: 'main', model: 'fake/main', prices }],
  providers: [fakeProvider(UPSTREAM)],
  auth: 'none',
  stores,
  spend: { onUsage: (rows) => void usage.push(...rows) },
})
const scopes = [{ kind: 'team', id: 'acme', budget: { maxBudget: Number(MAX_BUDGET) } }]
const caller = { id: 'user-1', role: 'member', models: 'all', scopes }
const messages = [{ role: 'user', content: 'Hello there, gateway' }]

/** The upstream answers nobody before it has heard of every call. */
const call = async () => {
  try {
    await gateway.call('chat', { model: 'main', messages, max_tokens: 5 }, caller)
    return 'admitted'
  } catch (error) {
    await fetch(`${UPSTREAM}/refused`, { method: 'POST', body: '{}' })
    return error.code
  }
}
// All processes begin at once.
await fetch(`${UPSTREAM}/ready`, { method: 'POST', body: '{}' })
const outcomes = await Promise.all(Array.from({ length: Number(CALLS) }, call))
await gateway.close()
const charged = usage.reduce((sum, row) => sum + row.charged, 0n)
console.log(JSON.stringify({ outcomes, charged: String(charged), rows: usage.length }))
await close()
