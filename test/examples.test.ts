import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../src/testing/index.js'
import { type HostProcess, runScript, startHost } from './support/host-process.js'
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
  const packages = { express: 'express', koa: 'koa', openai: 'openai', 'express-session': 'express-session' }
  place = staged.install('examples-host', 'module', packages)
  cpSync(join(root, 'examples'), join(place, 'examples'), { recursive: true })
}, 120_000)
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

async function startExample(name: string): Promise<string> {
  host = await startHost(`examples/${name}/index.js`, place, env())
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
      'koa-minimal',
      'own-auth',
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
