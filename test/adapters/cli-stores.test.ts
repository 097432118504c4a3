import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../adapters/cli/run.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { hasRedisServer, redisServer } from '../support/redis-server.js'
import { hasService, serviceUrls } from '../support/services.js'

let upstream: FakeUpstream
let folder: string
const running = new Set<Running>()

beforeAll(async () => {
  upstream = await startFakeUpstream()
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
})
afterEach(async () => {
  for (const one of running) await one.stop()
})
afterAll(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true })
})

interface Running {
  readonly url: string
  readonly errors: () => string
  stop(): Promise<void>
}

interface Sections {
  readonly litellm_settings?: object
  readonly general_settings?: object
  readonly router_settings?: object
}

/** Every token costs a dollar per million. */
const params = { model: 'openai/demo', api_key: 'k', input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }

let files = 0

async function launch(
  sections: Sections,
  words: readonly string[] = [],
): Promise<{ readonly running?: Running; readonly code?: number; error: string }> {
  files += 1
  const file = join(folder, `config-${files}.json`)
  const model_list = [{ model_name: 'fast', litellm_params: { ...params, api_base: `${upstream.url}/v1` } }]
  const general_settings = { master_key: 'sk-master', ...sections.general_settings }
  writeFileSync(file, JSON.stringify({ model_list, ...sections, general_settings }))
  const output = { out: '', error: '' }
  const outcome = await runCli(['--config', file, '--port', '0', ...words], {
    env: {},
    out: (text) => void (output.out += text),
    error: (text) => void (output.error += text),
  })
  if (!('stop' in outcome)) return { code: outcome.exitCode, error: output.error }
  const url = /listening on (\S+)/.exec(output.out)?.[1] ?? ''
  const one: Running = {
    url,
    errors: () => output.error,
    async stop() {
      if (running.delete(one)) await outcome.stop()
    },
  }
  running.add(one)
  return { running: one, error: output.error }
}

async function serve(sections: Sections, words: readonly string[] = []): Promise<Running> {
  const { running: one, error } = await launch(sections, words)
  if (!one) throw new Error(`it does not run: ${error}`)
  return one
}

const messages = [{ role: 'user', content: 'one two three' }]

function ask(
  { url }: Running,
  headers: Record<string, string> = { authorization: 'Bearer sk-master' },
  own: object = {},
) {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'fast', max_tokens: 10, messages, ...own }),
  })
}

interface Place {
  readonly url: string
  rows(): Promise<readonly object[]>
  /** Ends all connections to it, as a restart or a fail-over does. */
  cut?(): Promise<void>
  remove(): Promise<void>
}

const newName = (): string => `sluice_cli_${process.pid}_${Math.random().toString(36).slice(2, 8)}`
const select = 'SELECT model, cost FROM sluice_ledger'

/** Databases of their own on the servers of the tests; undefined where there is no server. */
const places: Readonly<Record<string, () => Promise<Place | undefined>>> = {
  async postgres() {
    if (!(await hasService('postgres'))) return undefined
    const name = newName()
    const url = new URL(serviceUrls.postgres)
    url.pathname = name
    const run = async (connectionString: string, sql: string): Promise<readonly object[]> => {
      const client = new Client({ connectionString })
      await client.connect()
      try {
        return (await client.query<object>(sql)).rows
      } finally {
        await client.end()
      }
    }
    await run(serviceUrls.postgres, `CREATE DATABASE ${name}`)
    return {
      url: url.href,
      rows: () => run(url.href, select),
      cut: async () => {
        const all = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`
        expect(await run(serviceUrls.postgres, all)).not.toEqual([])
      },
      remove: async () => void (await run(serviceUrls.postgres, `DROP DATABASE ${name} WITH (FORCE)`)),
    }
  },
  async mysql() {
    if (!(await hasService('mysql'))) return undefined
    const name = newName()
    const url = new URL(serviceUrls.mysql)
    url.pathname = name
    const run = async (uri: string, sql: string): Promise<object[]> => {
      const connection = await createConnection(uri)
      const [rows] = await connection.query(sql)
      await connection.end()
      return Array.isArray(rows) ? rows : []
    }
    await run(serviceUrls.mysql, `CREATE DATABASE ${name}`)
    return {
      url: url.href,
      rows: () => run(url.href, select),
      cut: async () => {
        const all = `SELECT id FROM information_schema.processlist WHERE db = '${name}'`
        const connections = (await run(serviceUrls.mysql, all)).flatMap(Object.values)
        expect(connections).not.toEqual([])
        for (const id of connections) await run(serviceUrls.mysql, `KILL ${Number(id)}`)
      },
      remove: async () => void (await run(serviceUrls.mysql, `DROP DATABASE ${name}`)),
    }
  },
  async sqlite() {
    const name = `${newName()}.db`
    const path = join(folder, name)
    return {
      // Beside the configuration, wherever the program is started.
      url: `sqlite:${name}`,
      async rows() {
        const database = new Sqlite(path)
        const rows = database.prepare<unknown[], object>(select).all()
        database.close()
        return rows
      },
      remove: async () => expect(existsSync(path)).toBe(true),
    }
  },
}

describe.each(Object.keys(places))('general_settings.database_url of %s', (kind) => {
  it('keeps every call there, at the prices of the file, and goes on with what was spent after a restart', async ({
    skip,
  }) => {
    const place = (await places[kind]?.()) ?? skip(`no ${kind}`)
    try {
      const sections = (max_budget: number): Sections => ({
        litellm_settings: { max_budget, budget_duration: '30d' },
        general_settings: { database_url: place.url },
      })
      const first = await serve(sections(1))
      expect((await ask(first)).status).toBe(200)
      await first.stop()
      const [row, ...more] = await place.rows()
      expect(more).toEqual([])
      expect(row).toMatchObject({ model: 'demo' })
      if (place.cut) {
        const cut = await serve(sections(1))
        await place.cut()
        expect((await ask(cut)).status).toBe(200)
        await cut.stop()
        expect(await place.rows()).toHaveLength(2)
      }
      const second = await serve(sections(0.000_005))
      const refused = await ask(second)
      expect(refused.status).toBe(429)
      expect(await refused.json()).toMatchObject({ error: { code: 'budget_exceeded' } })
      expect(first.errors() + second.errors()).not.toContain('sluice: error')
      await second.stop()
    } finally {
      for (const one of running) await one.stop()
      await place.remove()
    }
  })
})

describe('--journal', () => {
  it('names where rows lie that the database has not got, and from where it gets them at the next start', async () => {
    const journal = join(folder, 'journal')
    const database = join(folder, 'journaled.db')
    const general_settings = { database_url: `sqlite:${database}` }
    const first = await serve({ general_settings }, ['--journal', journal])
    const file = new Sqlite(database)
    // Rows cannot be written any more, as where a disk is full.
    file.exec('ALTER TABLE sluice_ledger RENAME TO elsewhere')
    expect((await ask(first)).status).toBe(200)
    await expect.poll(() => existsSync(journal) && readdirSync(journal).length, { timeout: 10_000 }).toBe(1)
    await first.stop()
    file.exec('ALTER TABLE elsewhere RENAME TO sluice_ledger')
    const count = file.prepare('SELECT COUNT(*) AS rows FROM sluice_ledger')
    expect(count.get()).toEqual({ rows: 0 })
    await serve({ general_settings }, ['--journal', journal])
    await expect.poll(() => count.get(), { timeout: 10_000 }).toEqual({ rows: 1 })
    await expect.poll(() => readdirSync(journal), { timeout: 10_000 }).toEqual([])
    file.close()
  }, 40_000)
})

describe('the management API', () => {
  const post = ({ url }: Running, path: string, body: object, key = 'sk-master') =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  async function generate(one: Running, fields: object = {}): Promise<{ authorization: string }> {
    const answer = await post(one, '/key/generate', {
      models: ['fast'],
      metadata: { user: 'ann@example.com' },
      ...fields,
    })
    expect(answer.status).toBe(200)
    const { key } = (await answer.json()) as { key: string }
    expect(key).toMatch(/^sk-/)
    return { authorization: `Bearer ${key}` }
  }

  it('is at the root for the master key, and its keys live in memory without a database', async () => {
    const one = await serve({})
    const own = await generate(one, { duration: '20m', max_budget: 0.000_05 })
    expect((await ask(one, own)).status).toBe(200)
    expect((await ask(one, own, { model: 'slow' })).status).toBeGreaterThanOrEqual(400)
    const later: number[] = []
    while (later.length < 10) later.push((await ask(one, own)).status)
    expect(later.at(-1)).toBe(429)
    expect((await post(one, '/key/generate', {}, 'sk-stranger-0123456789')).status).toBe(401)
    expect((await post(one, '/no/such/path', {})).status).toBe(404)
    await one.stop()
    const next = await serve({})
    expect((await ask(next, own)).status).toBe(401)
  })

  it('keeps keys and models in the database, whose credentials only the salt or the master key opens', async () => {
    const path = `${newName()}.db`
    const general_settings = { database_url: `sqlite:${path}` }
    const first = await serve({ general_settings })
    const own = await generate(first, { models: [] })
    const litellm_params = { ...params, api_key: 'sk-late-0123456789', api_base: `${upstream.url}/v1` }
    expect((await post(first, '/model/new', { model_name: 'late', litellm_params })).status).toBe(200)
    expect((await ask(first, own, { model: 'late' })).status).toBe(200)
    await first.stop()
    const database = new Sqlite(join(folder, path))
    const rows = JSON.stringify(database.prepare('SELECT * FROM sluice_records').all())
    database.close()
    expect(rows).toContain('late')
    expect(rows).not.toContain('sk-late')
    const second = await serve({ general_settings })
    expect((await ask(second, own)).status).toBe(200)
    upstream.reset()
    expect(await untilServed(second, own)).toBe(200)
    expect(upstream.requests.at(-1)?.headers['authorization']).toBe('Bearer sk-late-0123456789')
  })

  /** Models of the database are read after the start. */
  async function untilServed(one: Running, own: Record<string, string>): Promise<number> {
    for (let tries = 0; tries < 100; tries += 1) {
      const { status } = await ask(one, own, { model: 'late' })
      if (status === 200) return status
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return 0
  }
})

describe('a database that cannot be used', () => {
  const password = 'pw-very-secret'

  it('ends the start with 1 where nobody listens, and shows no credentials', async () => {
    const port = await closedPort()
    for (const scheme of ['postgres', 'mysql']) {
      const database_url = `${scheme}://sluice:${password}@127.0.0.1:${port}/gateway`
      const { code, error } = await launch({ general_settings: { database_url } })
      const place = `the ${scheme} database 127.0.0.1:${port}/gateway`
      expect({ code, error }).toEqual({
        code: 1,
        error: `sluice: general_settings.database_url: ${place} does not accept connections\n`,
      })
    }
  })

  it('ends the start where a server accepts and never answers', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    for (const scheme of ['postgres', 'mysql']) {
      const database_url = `${scheme}://sluice:${password}@127.0.0.1:${port}/gateway`
      const general_settings = { database_url, database_connection_timeout: 0.2 }
      const { code, error } = await launch({ general_settings })
      expect(code).toBe(1)
      expect(error).toMatch(/^sluice: general_settings\.database_url: the \w+ database 127\.0\.0\.1:\d+\/gateway /)
      expect(error).not.toContain(password)
    }
    server.close()
  })

  it.for(['postgres', 'mysql'] as const)(
    'ends the start where %s has no database of that name',
    async (kind, { skip }) => {
      skip(!(await hasService(kind)), `no ${kind}`)
      const url = new URL(serviceUrls[kind])
      url.pathname = 'no_such_database_here'
      const { code, error } = await launch({ general_settings: { database_url: url.href } })
      expect(code).toBe(1)
      expect(error).toContain(`${url.host}/no_such_database_here does not exist on that server`)
    },
  )

  it('ends the start where SQLite cannot open the file', async () => {
    const { code, error } = await launch({ general_settings: { database_url: 'sqlite:no/such/folder/a.db' } })
    expect(code).toBe(1)
    expect(error).toMatch(/^sluice: general_settings\.database_url: the sqlite database no\/such\/folder\/a\.db /)
  })

  it('does not end the start where it is a Redis that is away', async () => {
    const one = await serve({ router_settings: { redis_host: '127.0.0.1', redis_port: await closedPort() } })
    expect((await ask(one)).status).toBe(200)
  })
})

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('litellm_settings.cache', () => {
  const cached = (cache_params: object, rest: Sections = {}) =>
    serve({ ...rest, litellm_settings: { cache: true, cache_params } })

  it('answers a repeated request from memory, without a Redis', async () => {
    const one = await cached({ type: 'local' })
    upstream.reset()
    const answers = [await ask(one), await ask(one)]
    expect(answers.map(({ headers }) => headers.get('x-sluice-cache'))).toEqual([
      expect.not.stringMatching('hit'),
      'hit',
    ])
    expect(upstream.requests).toHaveLength(1)
  })

  it('shares answers through a Redis between runs, under the namespace, and keeps none there for type local', async ({
    skip,
  }) => {
    skip(!hasRedisServer(), 'no Redis')
    const redis = await redisServer()
    try {
      const place = { host: '127.0.0.1', port: redis.port }
      const first = await cached({ type: 'redis', ...place, namespace: 'shop' })
      await ask(first)
      await first.stop()
      const second = await cached({ type: 'redis', ...place, namespace: 'shop' })
      expect((await ask(second)).headers.get('x-sluice-cache')).toBe('hit')
      await second.stop()
      const other = await cached({ type: 'redis', ...place, namespace: 'other' })
      expect((await ask(other)).headers.get('x-sluice-cache')).not.toBe('hit')
      await other.stop()
      await redis.command('flushall')
      const router_settings = { redis_host: '127.0.0.1', redis_port: redis.port }
      const local = await cached({ type: 'local' }, { router_settings })
      await untilHit(local)
      expect(await redis.command('keys', '*cache*')).toBe('')
      await local.stop()
    } finally {
      for (const one of running) await one.stop()
      await redis.stop()
    }
  })
})

/** What is stored behind the answer, and over a connection that is still being made, takes its time. */
async function untilHit(one: Running): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await ask(one)).headers.get('x-sluice-cache') === 'hit') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('never a hit')
}

describe('general_settings.custom_auth', () => {
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  const withAuth = (custom_auth: string, rest: object = {}): Sections => ({
    general_settings: { custom_auth, ...rest },
  })
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

  it('lets in whom the function knows, as LiteLLM names it, and the master key', async () => {
    write(
      'custom_auth.mjs',
      `export async function user_api_key_auth(request, apiKey) {
         if (apiKey === 'sk-my-own-key') return { api_key: apiKey, user_id: 'ann', max_budget: request.headers['x-poor'] ? 0.000001 : 1 }
         throw new Error('no')
       }`,
    )
    const one = await serve(withAuth('custom_auth.user_api_key_auth'))
    expect((await ask(one, bearer('sk-my-own-key'))).status).toBe(200)
    expect((await ask(one, bearer('sk-other'))).status).toBe(401)
    expect((await ask(one)).status).toBe(200)
    const refused = await ask(one, { ...bearer('sk-my-own-key'), 'x-poor': '1' })
    expect(refused.status).toBe(429)
    expect(one.errors()).not.toMatch(/warning|error/)
  })

  it('takes a file with a function for callers, of CommonJS too, in a folder of its own', async () => {
    write('own-login.cjs', `exports.identify = () => ({ id: 'ann', role: 'member', models: ['other'], scopes: [] })`)
    const one = await serve(withAuth('own-login.cjs'))
    expect((await ask(one, {})).status).toBe(403)
    write('default-login.mjs', `export default () => null`)
    const other = await serve(withAuth('./default-login.mjs'))
    expect((await ask(other, {})).status).toBe(401)
  })

  it('tells the log, and not the client, what is wrong with the function', async () => {
    write('broken.mjs', `export const identify = () => { throw new TypeError('secret of the host') }`)
    const one = await serve(withAuth('broken.mjs'))
    const answer = await ask(one, bearer('k'))
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret of the host')
    expect(one.errors()).toContain('secret of the host')
  })

  it.each([
    ['missing.user_api_key_auth', /there is no missing\.js or .* beside the configuration/],
    ['empty.mjs', /empty\.mjs exports no function user_api_key_auth or identify or default/],
    ['empty.other', /exports no function other/],
    ['throws.mjs', /throws\.mjs does not load: broken at start/],
  ])('ends the start with 1 for %s', async (reference, expected) => {
    write('empty.mjs', 'export const something = 1')
    write('throws.mjs', `throw new Error('broken at start')`)
    const { code, error } = await launch(withAuth(reference))
    expect(code).toBe(1)
    expect(error).toMatch(/^sluice: general_settings\.custom_auth: /)
    expect(error).toMatch(expected)
    expect(error).not.toMatch(/^\s+at /m)
  })
})
