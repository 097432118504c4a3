import express from 'express'
import http from 'node:http'
import { pathToFileURL } from 'node:url'
import { Pool } from 'undici'

/** What stands between client and upstream, by name; each gives a request listener for `upstream`, a base URL. */
export const variants = {
  /** The least that a proxy can do: both bodies are piped, nothing is read. */
  bare: (upstream) => {
    const { pool, basePath } = openPool(upstream)
    return (request, response) => relay(pool, basePath + request.url, request.headers, request, response)
  },
  /** What a host would write by hand: the body is read, as every gateway must, and the reply is piped. */
  'express-handler': (upstream) => {
    const { pool, basePath } = openPool(upstream)
    const app = express()
    app.post('/v1/chat/completions', (request, response) => {
      const pieces = []
      request.on('data', (piece) => pieces.push(piece))
      request.on('end', () => relay(pool, basePath + request.url, request.headers, Buffer.concat(pieces), response))
    })
    return app
  },
  'express-empty': () => {
    const app = express()
    app.post('/v1/chat/completions', (request, response) => {
      request.resume()
      request.on('end', () => response.end())
    })
    return app
  },
  'express-gateway': async (upstream, dist) => {
    const { expressGateway } = await load(dist, 'adapters/express.js')
    const app = express()
    app.use(expressGateway(await createBenchGateway(upstream, dist)))
    return app
  },
  'wrap-server': async (upstream, dist) => {
    const { wrapServer } = await load(dist, 'adapters/node.js')
    return wrapServer(await createBenchGateway(upstream, dist), express())
  },
  'node-gateway': async (upstream, dist) => {
    const { nodeGateway } = await load(dist, 'adapters/node.js')
    return nodeGateway(await createBenchGateway(upstream, dist))
  },
  'node-router': async (upstream, dist) => {
    const { nodeGateway } = await load(dist, 'adapters/node.js')
    const routing = { fallbacks: { fast: ['other'] }, tagFiltering: true }
    return nodeGateway(await createBenchGateway(upstream, dist, { deployments: 4, options: { routing } }))
  },
  'node-cache': async (upstream, dist) => {
    const { nodeGateway } = await load(dist, 'adapters/node.js')
    return nodeGateway(await createBenchGateway(upstream, dist, { options: { cache: { ttlMs: 3_600_000 } } }))
  },
  /** What the host's own OpenTelemetry SDK does with spans is its affair: there is none here. */
  'node-sinks': async (upstream, dist) => {
    const { nodeGateway } = await load(dist, 'adapters/node.js')
    const [client, api] = await Promise.all([import('prom-client'), import('@opentelemetry/api')])
    const sinks = [
      { type: 'prometheus', client },
      { type: 'opentelemetry', api },
      { type: 'webhook', url: `${upstream}/records` },
    ]
    return nodeGateway(await createBenchGateway(upstream, dist, { options: { callbacks: { sinks } } }))
  },
  'node-redis': async (upstream, dist) => {
    const { nodeGateway } = await load(dist, 'adapters/node.js')
    const { redisStores } = await load(dist, 'adapters/redis.js')
    const { Redis } = await import('ioredis')
    const url = process.env['BENCH_REDIS_URL']
    const stores = redisStores(new Redis(url), { subscriber: new Redis(url) })
    return nodeGateway(await createBenchGateway(upstream, dist, { deployments: 4, options: { stores } }))
  },
}

/** The model that speaks a dialect of the upstream's; OpenAI's chat is what all others get. */
const models = {
  anthropic: 'anthropic/claude-sonnet-4-5',
  gemini: 'gemini/gemini-2.5-flash',
  responses: 'openai/responses/gpt-4.1-mini',
  bedrock: 'bedrock/amazon.nova-lite-v1:0',
  cohere: 'cohere/command-a-03-2025',
  ollama: 'ollama/llama3.2',
}

/** Serves a variant on a free port. */
export async function serveVariant(name, upstream, dist) {
  const server = http.createServer(await variants[name](upstream, dist))
  server.keepAliveTimeout = 60_000
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server.address().port
}

function openPool(upstream) {
  const { origin, pathname } = new URL(upstream)
  return { pool: new Pool(origin, { headersTimeout: 0, bodyTimeout: 0 }), basePath: pathname }
}

/** `stream()` is the leanest way through undici, and stops the upstream when the client leaves during the answer. */
function relay(pool, path, headers, body, response) {
  const relayed = { authorization: 'Bearer bench', 'content-type': headers['content-type'] }
  if (headers['content-length']) relayed['content-length'] = headers['content-length']
  pool
    .stream({ path, method: 'POST', headers: relayed, body }, ({ statusCode, headers: given }) => {
      response.writeHead(statusCode, given)
      return response
    })
    .catch((error) => response.destroy(error))
}

async function createBenchGateway(upstream, dist, { deployments = 1, options = {} } = {}) {
  const { createGateway } = await load(dist, 'src/index.js')
  const caller = { id: 'bench', role: 'member', models: 'all', scopes: [] }
  return createGateway({
    models: Array.from({ length: deployments }, (_, position) => ({
      id: `deployment-${position}`,
      modelName: 'fast',
      model: models[new URL(upstream).pathname.slice(1)] ?? 'openai/gpt-4.1-mini',
      apiKey: 'bench',
      baseUrl: `${upstream}/v1`,
    })),
    ...options,
    auth: { identify: () => caller },
    env: {},
  })
}

function load(dist, file) {
  return import(new URL(file, pathToFileURL(`${dist}/`)))
}
