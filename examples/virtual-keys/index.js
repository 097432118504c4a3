// Keys, budgets and the ledger in the host's own database (PostgreSQL, else an SQLite file), counters in its Redis; the
// management API behind the host's login.
// Run: OPENAI_API_KEY=sk-... ADMIN_PASSWORD=... [DATABASE_URL=postgres://...] [REDIS_URL=redis://...] node examples/virtual-keys/index.js
import { randomBytes } from 'node:crypto'
import express from 'express'
import session from 'express-session'
import { createGateway } from 'sluice'
import { expressGateway } from 'sluice/express'
import { redisStores } from 'sluice/redis'
import { postgres, sqlite, sqlStores } from 'sluice/sql'

async function openDatabase() {
  if (process.env.DATABASE_URL) {
    const { Pool } = await import('pg')
    return postgres(new Pool({ connectionString: process.env.DATABASE_URL }).on('error', console.error))
  }
  const { default: Database } = await import('better-sqlite3')
  return sqlite(new Database(process.env.SQLITE_FILE ?? 'sluice.db', { timeout: 50 }))
}

async function openRedis() {
  if (!process.env.REDIS_URL) return {}
  const { Redis } = await import('ioredis')
  const redis = new Redis(process.env.REDIS_URL).on('error', console.error)
  // With a listener a key that is blocked stays out of every process within a second.
  return redisStores(redis, { subscriber: redis.duplicate().on('error', console.error) })
}

const database = sqlStores(await openDatabase())
await database.migrate()

const gateway = createGateway({
  models: [{ modelName: 'fast', model: 'openai/gpt-5-mini', apiKey: process.env.OPENAI_API_KEY }],
  stores: { ...database, ...(await openRedis()) },
  keys: true,
  // Asked where no key is given: who has logged in below is an admin.
  auth: {
    identify: ({ host }) => (host.session?.isAdmin ? { id: 'admin', role: 'admin', models: 'all', scopes: [] } : null),
  },
})

const app = express()
const cookie = { sameSite: 'strict' }
app.use(session({ secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: false, cookie }))
app.post('/login', express.json(), (request, response) => {
  if (!process.env.ADMIN_PASSWORD || request.body?.password !== process.env.ADMIN_PASSWORD)
    return response.sendStatus(401)
  request.session.isAdmin = true
  response.sendStatus(204)
})
app.use('/llm', expressGateway(gateway))
// POST /admin/key/generate and the rest of LiteLLM's paths.
app.use('/admin', expressGateway(gateway.admin))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
