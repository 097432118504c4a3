// One process of a fleet: a gateway with virtual keys, whose records, counters and messages it shares with the others.
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { load, openSql, urls } from './lab.mjs'

const { PREFIX, UPSTREAM, MASTER_KEY } = process.env
const [{ createGateway }, { fakeProvider }, { redisStores }, { nodeGateway }] = await Promise.all(
  ['src/index.js', 'src/testing/index.js', 'adapters/redis.js', 'adapters/node.js'].map(load),
)
const database = await openSql('postgres', urls.postgres, { prefix: PREFIX, connections: 8 })
const { broadcast, counters } = redisStores(new Redis(urls.redis), {
  prefix: PREFIX,
  subscriber: new Redis(urls.redis),
})
const { records, ledger } = database.stores
const gateway = createGateway({
  models: [{ modelName: 'main', model: 'fake/main', prices: { input: 1, output: 2 } }],
  providers: [fakeProvider(UPSTREAM)],
  masterKey: MASTER_KEY,
  keys: true,
  stores: { records, ledger, counters, broadcast },
})
const admin = nodeGateway(gateway.admin)
const server = createServer(nodeGateway(gateway)).listen(0, '127.0.0.1', () => {
  const managed = createServer(admin).listen(0, '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port} http://127.0.0.1:${managed.address().port}`)
  })
})
