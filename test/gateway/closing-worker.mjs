// A host that has nothing left to do but to close its gateway, while the ledger is away.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { SOURCES, AWAY_MS } = process.env
const load = (file) => import(pathToFileURL(join(SOURCES, file)).href)
const [{ createGateway }, { createMemoryLedger }, { fakeProvider, startFakeUpstream }] = await Promise.all(
  ['src/index.js', 'src/stores/memory-ledger.js', 'src/testing/index.js'].map(load),
)
const upstream = await startFakeUpstream()
const ledger = createMemoryLedger()
const backAt = Date.now() + Number(AWAY_MS)
const told = []
const gateway = createGateway({
  models: [{ modelName: 'main', model: 'fake/main', prices: { input: 1, output: 1 } }],
  providers: [fakeProvider(upstream.url)],
  auth: 'none',
  logger: { debug() {}, info() {}, warn() {}, error: (_, message) => told.push(message) },
  stores: {
    ledger: {
      ...ledger,
      async append(entries) {
        if (Date.now() < backAt) throw new Error('away')
        await ledger.append(entries)
      },
    },
  },
})
const caller = { id: 'user-1', role: 'member', models: 'all', scopes: [] }
await gateway.call('chat', { model: 'main', messages: [{ role: 'user', content: 'Hello' }] }, caller)
await upstream.close()
// As on a signal: nobody but the gateway's own work keeps the process alive.
setTimeout(() => {
  void gateway.close().then(() => {
    console.log(JSON.stringify({ written: gateway.spend.written, lost: gateway.spend.lost, told }))
  })
}, 10)
