import { cpSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type JWTPayload, SignJWT, exportJWK, generateKeyPair } from 'jose'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../src/testing/index.js'
import { type HostProcess, runScript, startHost } from './support/host-process.js'
import { hasRedisServer, redisServer } from './support/redis-server.js'
import { hasService, serviceUrls } from './support/services.js'
import { type StagedPackage, stagePackage } from './support/staged-package.js'

const root = fileURLToPath(new URL('..', import.meta.url))
let upstream: FakeUpstream
let host: HostProcess | undefined

let staged: StagedPackage
let place: string

// As a user has them: beside an installed package, not inside this checkout.
beforeAll(async () => {
  upstream = await startFakeUpstream()
  staged = stagePackage()
  const names = ['express', 'express-session', 'koa', 'openai', 'jose', 'pg', 'better-sqlite3', 'ioredis']
  place = staged.install('examples-host', 'module', Object.fromEntries(names.map((name) => [name, name])))
  cpSync(join(root, 'examples'), join(place, 'examples'), { recursive: true })
}, 240_000)
afterEach(async () => {
  await host?.stop()
  host = undefined
})
afterAll(async () => {
  await upstream.close()
  staged.remove()
})

const env = (): Record<string, string> => ({
  PORT: '0',
  OPENAI_API_KEY: 'sk-example',
  OPENAI_BASE_URL: `${upstream.url}/v1`,
  ACME_API_KEY: 'acme-key',
  ACME_BASE_URL: `${upstream.url}/v1`,
})

async function startExample(name: string, own: Record<string, string> = {}): Promise<string> {
  host = await startHost(`examples/${name}/index.js`, place, { ...env(), ...own })
  return host.url
}

const chat = (model: string, stream = false): string =>
  JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'good morning' }] })

const post = (url: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

describe('the examples', () => {
  it('are all tested here', () => {
    expect(readdirSync(`${root}/examples`).toSorted()).toEqual([
      'custom-provider',
      'express-minimal',
      'in-process-sdk',
      'jwt-auth',
      'koa-minimal',
      'own-auth',
      'virtual-keys',
    ])
  })

  it.each(['express-minimal', 'koa-minimal'])(
    '%s answers, streams, and leaves the host its own pages',
    async (name) => {
      const url = await startExample(name)
      const whole = await post(`${url}/llm/v1/chat/completions`, chat('fast'))
      expect(await whole.json()).toMatchObject({
        choices: [{ message: { content: expect.stringContaining('good morning') } }],
      })
      const streamed = await (await post(`${url}/llm/v1/chat/completions`, chat('fast', true))).text()
      expect(streamed).toMatch(/data: \[DONE\]\n\n$/)
      expect(await (await fetch(url)).text()).toContain('own page')
    },
  )

  it('own-auth lets in whoever is logged in, with the models of their plan', async () => {
    const url = await startExample('own-auth')
    const path = `${url}/llm/v1/chat/completions`
    expect((await post(path, chat('fast'))).status).toBe(401)
    const login = await post(`${url}/login`, JSON.stringify({ name: 'bob', password: 'builder' }))
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    expect((await post(path, chat('fast'), { cookie })).status).toBe(200)
    expect((await post(path, chat('smart'), { cookie })).status).toBe(403)
  })

  it('jwt-auth lets in whom the identity provider vouches for, within the plan of the claims', async () => {
    const provider = await startIdentityProvider()
    const own = { JWKS_URL: `${provider.url}/jwks`, JWT_ISSUER: provider.url }
    const path = `${await startExample('jwt-auth', own)}/llm/v1/chat/completions`
    const ask = async (claims: JWTPayload, model = 'fast'): Promise<number> => {
      const authorization = `Bearer ${await provider.sign(claims)}`
      return (await post(path, chat(model), { authorization })).status
    }
    const ann = { sub: 'ann', org: 'acme', aud: 'llm' }
    expect((await post(path, chat('fast'))).status).toBe(401)
    expect(await ask(ann)).toBe(200)
    expect(await ask(ann, 'smart')).toBe(403)
    expect(await ask({ ...ann, plan: 'pro' }, 'smart')).toBe(200)
    expect(await ask({ ...ann, aud: 'mail' })).toBe(401)
    expect(await ask({ ...ann, exp: 1 })).toBe(401)
    expect(await ask({ sub: 'ann', aud: 'llm' })).toBe(401)
    expect((await post(path, chat('fast'), { authorization: 'Bearer a.b.c' })).status).toBe(401)
    await provider.close()
  })

  it('jwt-auth does not call a token wrong when the key server is away', async () => {
    const provider = await startIdentityProvider()
    await provider.close()
    const url = await startExample('jwt-auth', { JWKS_URL: `${provider.url}/jwks`, JWT_ISSUER: provider.url })
    const authorization = `Bearer ${await provider.sign({ sub: 'ann', org: 'acme', aud: 'llm' })}`
    expect((await post(`${url}/llm/v1/chat/completions`, chat('fast'), { authorization })).status).toBe(500)
  })

  it('virtual-keys gives out keys to the admin alone, which work until they are blocked or spent', async () => {
    await useKeys({})
  })

  it('virtual-keys shares PostgreSQL and Redis', async ({ skip }) => {
    skip(!(await hasService('postgres')) || !hasRedisServer(), 'no PostgreSQL or no Redis')
    const redis = await redisServer()
    const name = `sluice_examples_${process.pid}`
    const run = async (sql: string): Promise<void> => {
      const client = new Client({ connectionString: serviceUrls.postgres })
      await client.connect()
      try {
        await client.query(sql)
      } finally {
        await client.end()
      }
    }
    await run(`CREATE DATABASE ${name}`)
    const url = new URL(serviceUrls.postgres)
    url.pathname = name
    try {
      await useKeys({ DATABASE_URL: url.href, REDIS_URL: `redis://127.0.0.1:${redis.port}` })
      expect(await redis.command('keys', 'sluice:*')).not.toBe('')
    } finally {
      await host?.stop()
      host = undefined
      await run(`DROP DATABASE ${name} WITH (FORCE)`)
      await redis.stop()
    }
  })

  async function useKeys(own: Record<string, string>): Promise<void> {
    const url = await startExample('virtual-keys', { ADMIN_PASSWORD: 'open-sesame', ...own })
    const manage = (path: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
      post(`${url}/admin${path}`, JSON.stringify(body), headers)
    expect((await manage('/key/generate', {})).status).toBe(401)
    expect((await post(`${url}/login`, JSON.stringify({ password: 'guess' }))).status).toBe(401)
    const login = await post(`${url}/login`, JSON.stringify({ password: 'open-sesame' }))
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const answer = await manage('/key/generate', { models: ['fast'], max_budget: 1 }, { cookie })
    const { key } = (await answer.json()) as { key: string }
    const ask = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${key}` }
      return (await post(`${url}/llm/v1/chat/completions`, chat('fast'), headers)).status
    }
    expect(await ask()).toBe(200)
    expect((await manage('/key/generate', {}, { authorization: `Bearer ${key}` })).status).toBeGreaterThanOrEqual(401)
    expect((await manage('/key/block', { key }, { cookie })).status).toBe(200)
    expect(await ask()).toBe(403)
  }

  it('in-process-sdk talks through OpenAI’s SDK without a socket', async () => {
    const { code, output } = await runScript('examples/in-process-sdk/index.js', place, env())
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Say hello in one sentence.') })
    expect(output).toContain('And again.')
  })

  it('custom-provider asks its own server in its own way', async () => {
    const url = await startExample('custom-provider')
    upstream.reset()
    const body = { model: 'acme/llm-1', max_completion_tokens: 50, messages: [{ role: 'user', content: 'hi' }] }
    expect((await post(`${url}/v1/chat/completions`, JSON.stringify(body))).status).toBe(200)
    expect(upstream.requests[0]).toMatchObject({
      headers: { authorization: 'Bearer acme-key', 'x-acme-client': 'sluice' },
      body: { model: 'llm-1', max_tokens: 50 },
    })
  })
})

/** Signs tokens, and serves the public key to whoever checks them. */
async function startIdentityProvider() {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] })
  const server = createServer((_, response) => void response.end(jwks)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    sign: (claims: JWTPayload): Promise<string> =>
      new SignJWT({ iss: url, exp: Math.floor(Date.now() / 1_000) + 60, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .sign(privateKey),
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
