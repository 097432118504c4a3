import express from 'express'
import Koa from 'koa'
import { execFile } from 'node:child_process'
import { type Server, createServer } from 'node:http'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../../adapters/cli/run.js'
import { expressGateway } from '../../../adapters/express.js'
import { fetchGateway } from '../../../adapters/fetch.js'
import { koaGateway } from '../../../adapters/koa.js'
import { nodeGateway } from '../../../adapters/node.js'
import { managementEndpoints } from '../../../src/endpoints/management/index.js'
import type { AdminParts } from '../../../src/endpoints/management/parts.js'
import { managementApiNotes } from '../../../src/endpoints/management/document-notes.js'
import { toOpenApi } from '../../../src/http/openapi/document.js'
import { listen } from '../../support/http-server.js'
import { type AdminLab, masterKey, startAdminLab } from './lab.js'

let lab: AdminLab
const servers: Server[] = []
const urls: Record<string, string> = {}

beforeAll(async () => {
  lab = await startAdminLab()
  const { gateway } = lab
  const { admin } = gateway
  const [models, management] = [nodeGateway(gateway), nodeGateway(admin)]
  const app = express()
  app.use('/admin', express.json(), expressGateway(admin))
  app.use(expressGateway(gateway))
  const koa = new Koa()
  koa.use(koaGateway(admin, { path: '/admin' }))
  const serveKoa = koa.callback()
  urls['express'] = `${await serve(createServer(app))}/admin`
  urls['koa'] = `${await serve(createServer((request, response) => void serveKoa(request, response)))}/admin`
  urls['node'] = await serve(
    createServer((request, response) => models(request, response, () => management(request, response))),
  )
  urls['unmounted'] = await serve(createServer(nodeGateway(gateway)))
})
afterAll(async () => {
  for (const server of servers) server.close()
  await lab.close()
})

async function serve(server: Server): Promise<string> {
  servers.push(server)
  return listen(server)
}

const generate = (own: RequestInit = {}): RequestInit => ({
  method: 'POST',
  headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
  body: '{"models": ["gpt-4o"], "duration": "20m", "metadata": {"user": "x@y"}}',
  ...own,
})

describe.each(['express', 'koa', 'node'])('mounted in %s', (host) => {
  it('makes keys as LiteLLM’s README asks for them', async () => {
    const response = await fetch(`${urls[host]}/key/generate`, generate())
    const body = (await response.json()) as Record<string, unknown>
    expect([response.status, body['models'], body['metadata']]).toEqual([200, ['gpt-4o'], { user: 'x@y' }])
    expect(body).toMatchObject({ key: expect.stringMatching(/^sk-/), expires: expect.any(String), max_budget: null })
    expect(await lab.chat(String(body['key']))).toBe(200)
  })

  it('takes DELETE and PATCH with bodies', async () => {
    const url = `${urls[host]}/organization`
    const send = async (method: string, path: string, body: object): Promise<number> =>
      (await fetch(url + path, generate({ method, body: JSON.stringify(body) }))).status
    expect(await send('POST', '/new', { organization_id: host })).toBe(200)
    expect(await send('PATCH', '/update', { organization_id: host, max_budget: 1 })).toBe(200)
    expect(await send('DELETE', '/delete', { organization_ids: [host] })).toBe(200)
  })

  it('refuses what another site’s page could send, and strangers', async () => {
    const form = generate({ headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'text/plain' } })
    expect((await fetch(`${urls[host]}/key/generate`, form)).status).toBe(415)
    const stranger = generate({ headers: { 'content-type': 'application/json' } })
    expect((await fetch(`${urls[host]}/key/generate`, stranger)).status).toBe(401)
  })
})

describe('the stand-alone server', () => {
  it('answers LiteLLM’s curl for a key, which then opens its models and nothing else', async () => {
    const out: string[] = []
    const running = await runCli(['--port', '0'], {
      env: {},
      out: (text) => void out.push(text),
      error: (text) => void out.push(text),
    })
    if (!('stop' in running)) throw new Error(out.join(''))
    try {
      const text = out.join('')
      const url = /listening on (\S+)/.exec(text)?.[1] ?? ''
      const master = /master key, made for this run: (\S+)/.exec(text)?.[1] ?? ''
      const curl = async (key: string, path: string, data: string): Promise<Record<string, unknown>> => {
        const words = ['-s', '-X', 'POST', url + path, '-H', `Authorization: Bearer ${key}`]
        const { stdout } = await promisify(execFile)('curl', [
          ...words,
          '-H',
          'Content-Type: application/json',
          '-d',
          data,
        ])
        return JSON.parse(stdout) as Record<string, unknown>
      }
      const wanted = '{"models": ["demo"], "duration": "20m", "metadata": {"user": "x@y"}}'
      const made = await curl(master, '/key/generate', wanted)
      expect(made).toMatchObject({ models: ['demo'], metadata: { user: 'x@y' }, user_id: null, max_budget: null })
      const key = String(made['key'])
      const messages = [{ role: 'user', content: 'hi' }]
      const answer = await curl(key, '/v1/chat/completions', JSON.stringify({ model: 'demo', messages }))
      expect(answer['object']).toBe('chat.completion')
      const refused = await curl(key, '/v1/chat/completions', JSON.stringify({ model: 'fake/x', messages }))
      expect(refused['error']).toMatchObject({ code: 'model_not_allowed' })
      expect((await curl(key, '/key/generate', wanted))['error']).toMatchObject({ code: 'permission_denied' })
    } finally {
      await running.stop()
    }
  })
})

describe('the management API', () => {
  it('is not there unless it is mounted', async () => {
    expect((await fetch(`${urls['unmounted']}/key/generate`, generate())).status).toBe(404)
    const response = await fetchGateway(lab.gateway)(new Request('http://x/key/generate', generate()))
    expect(response.status).toBe(404)
    expect((await fetchGateway(lab.gateway.admin)(new Request('http://x/key/generate', generate()))).status).toBe(200)
  })

  it('describes itself', async () => {
    const response = await fetch(`${urls['express']}/openapi.json`)
    const { paths } = (await response.json()) as { paths: object }
    expect([response.status, Object.keys(paths).includes('/key/generate')]).toEqual([200, true])
  })

  it('can be described, with what its queries and bodies may hold', () => {
    const routes = managementEndpoints({ callers: {}, models: {} } as AdminParts)
    const document = toOpenApi(routes, managementApiNotes) as {
      paths: Record<string, Record<string, { parameters?: unknown[] }>>
    }
    expect(Object.keys(document.paths).length).toBeGreaterThan(50)
    expect(document.paths['/key/info']?.['get']?.parameters).toMatchObject([
      { name: 'key', in: 'query', schema: { type: 'string', minLength: 1, maxLength: 400 } },
      { name: 'x-request-id', in: 'header' },
    ])
    expect(document.paths['/team/info']?.['get']?.parameters?.[0]).toMatchObject({ name: 'team_id', required: true })
    expect(JSON.stringify(document.paths['/key/generate'])).toContain('max_budget')
  })
})
