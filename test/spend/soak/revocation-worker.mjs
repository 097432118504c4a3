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

/** Serves on a free port; a connection that idles is not closed while somebody is about to use it. */
async function serve(mountable) {
  const server = createServer({ keepAliveTimeout: 120_000 }, nodeGateway(mountable))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${server.address().port}`
}

console.log(`listening on ${await serve(gateway)} ${await serve(gateway.admin)}`)
