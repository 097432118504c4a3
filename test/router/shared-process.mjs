// One gateway of a fleet that shares what it knows of its deployments, served over HTTP.
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Cluster, Redis } from 'ioredis'

const { SOURCES, PORTS, CLUSTER, PREFIX, MODELS, UPSTREAM } = process.env
const load = (path) => import(pathToFileURL(join(SOURCES, path)).href)
const { createGateway } = await load('src/index.js')
const { fakeProvider } = await load('src/testing/index.js')
const { nodeGateway } = await load('adapters/node.js')
const { redisStores } = await load('adapters/redis.js')

const nodes = PORTS.split(',').map((port) => ({ host: '127.0.0.1', port: Number(port) }))
const open = () => (CLUSTER === '1' ? new Cluster(nodes) : new Redis(nodes[0]))
const [client, subscriber] = [open(), open()]
for (const one of [client, subscriber]) one.on('error', () => {})

const gateway = createGateway({
  providers: [fakeProvider(UPSTREAM)],
  models: JSON.parse(MODELS),
  auth: { identify: () => ({ id: 'host', role: 'admin', models: 'all', scopes: [] }) },
  env: {},
  stores: { router: redisStores(client, { prefix: PREFIX, subscriber }).router },
})
const server = createServer(nodeGateway(gateway))
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`))
