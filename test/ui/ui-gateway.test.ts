import { readFileSync, readdirSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { fileURLToPath } from 'node:url'
import express5 from 'express'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expressGateway } from '../../adapters/express.js'
import { fetchGateway } from '../../adapters/fetch.js'
import { koaGateway } from '../../adapters/koa.js'
import { nodeGateway } from '../../adapters/node.js'
import { uiGateway } from '../../adapters/ui.js'
import { type Gateway, createGateway } from '../../src/index.js'
import { express4 } from '../adapters/hosts.js'
import { requestOf } from '../support/http-request.js'
import { listen } from '../support/http-server.js'
import { buildPage, masterKey } from './lab.js'

let gateway: Gateway<never>
const servers: { close(): void }[] = []

beforeAll(() => {
  buildPage()
  gateway = createGateway<never>({
    models: [{ modelName: 'fast', model: 'openai/fast', apiKey: 'k' }],
    masterKey,
    keys: true,
  })
})
afterAll(async () => {
  for (const server of servers) server.close()
  await gateway.close({ drainMs: 0 })
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  return listen(server)
}

/** How each framework mounts the page at a path. */
const frameworks: Readonly<Record<string, (path: string) => RequestListener>> = {
  'Express 5': (path) => express5().use(path, expressGateway(uiGateway(gateway))) as RequestListener,
  'Express 4': (path) => express4().use(path, expressGateway(uiGateway(gateway))) as RequestListener,
  Koa: (path) => new Koa().use(koaGateway(uiGateway(gateway), { path })).callback() as RequestListener,
  'node:http': (path) => nodeGateway(uiGateway(gateway), { path }),
}

/** Everything that a page and what it refers to refer to, each asked for once. */
async function crawl(start: string): Promise<Map<string, Response>> {
  const answers = new Map<string, Response>()
  const open = [start]
  for (let url = open.shift(); url !== undefined; url = open.shift()) {
    if (answers.has(url)) continue
    const answer = await fetch(url)
    const text = await answer.text()
    answers.set(url, answer)
    if (!answer.headers.get('content-type')?.startsWith('text/html')) continue
    for (const [, reference = ''] of text.matchAll(/(?:src|href)="([^"]+)"/g))
      open.push(new URL(reference, answer.url).href)
  }
  return answers
}

describe.each(Object.keys(frameworks))('the page in %s', (name) => {
  it.each(['/', '/a', '/a/b/c/'])('finds all its files below %s', async (path) => {
    const origin = await serve(frameworks[name]?.(path) ?? (() => undefined))
    const mount = `${origin}${path === '/' ? '' : path.replace(/\/$/, '')}`
    for (const page of [`${mount}/`, `${mount}/docs/`]) {
      const answers = [...(await crawl(page))]
      expect(answers.length).toBeGreaterThanOrEqual(4)
      expect(answers.filter(([, { status }]) => status !== 200).map(([url]) => url)).toEqual([])
      for (const [url] of answers) expect(url.startsWith(`${mount}/`), url).toBe(true)
    }
  })

  it('leads to its own folder where the last slash is missing', async () => {
    const origin = await serve(frameworks[name]?.('/a/b') ?? (() => undefined))
    for (const [asked, given] of [
      ['/a/b', '/a/b/'],
      ['/a/b/docs', '/a/b/docs/'],
    ]) {
      const answer = await fetch(origin + asked)
      expect([answer.status, answer.url]).toEqual([200, origin + given])
    }
  })

  it('asks the gateway below api/, with the credential of the request', async () => {
    const origin = await serve(frameworks[name]?.('/admin') ?? (() => undefined))
    const ask = (headers: Record<string, string>) => fetch(`${origin}/admin/api/key/list?limit=5`, { headers })
    expect((await ask({})).status).toBe(401)
    const answer = await ask({ authorization: `Bearer ${masterKey}` })
    expect(await answer.json()).toMatchObject({ keys: expect.any(Array) })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const made = await fetch(`${origin}/admin/api/key/generate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ max_budget: 1 }),
    })
    expect(await made.json()).toMatchObject({ key: expect.stringMatching(/^sk-/), max_budget: 1 })
  })
})

describe('the page', () => {
  const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetchGateway(uiGateway(gateway) as never, { path: '/ui' })(new Request(`http://host/ui${path}`, { headers }))

  it('lets nothing in but its own files', async () => {
    for (const path of ['/', '/docs/']) {
      const answer = await get(path)
      const policy = answer.headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'self'")
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      const text = await answer.text()
      expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|https?:\/\//)
    }
  })

  it('is asked for again each time, its files never', async () => {
    const page = await get('/')
    expect(page.headers.get('cache-control')).toBe('no-cache')
    const [script = ''] = /assets\/[^"]+\.js/.exec(await page.text()) ?? []
    const file = await get(`/${script}`)
    expect(file.headers.get('cache-control')).toContain('immutable')
    expect(file.headers.get('content-type')).toContain('javascript')
    const tag = page.headers.get('etag') ?? ''
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
      expect((await get('/', { 'if-none-match': known })).status).toBe(304)
    }
    expect((await get('/', { 'if-none-match': '"other"' })).status).toBe(200)
  })

  it('answers no path that is not its own', async () => {
    for (const path of ['/assets/nothing.js', '/docs/assets/../../index.html', '/api/nothing', '/key/list']) {
      expect((await get(path)).status, path).toBe(404)
    }
    expect(uiGateway(gateway).handle(requestOf('GET', '/elsewhere') as never)).toBeNull()
    expect(uiGateway(gateway).handle(requestOf('POST', '/', {}) as never)).toBeNull()
  })

  it('describes both APIs at once, at the address where it serves them', async () => {
    const document = (await (await get('/openapi.json')).json()) as { servers: unknown; paths: object }
    expect(document.servers).toEqual([{ url: 'api' }])
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/v1/chat/completions', '/key/generate']))
  })

  it('uses the caller that the host names, and asks no auth then', async () => {
    const caller = { id: 'host', role: 'admin', models: 'all', scopes: [] } as const
    const answer = await uiGateway(gateway).handle(requestOf('GET', '/api/key/list') as never, caller)
    expect(answer?.status).toBe(200)
  })

  it('leaves all HTML to the DOM', () => {
    const folder = fileURLToPath(new URL('../../src/ui/app/', import.meta.url))
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file))
    expect(files.length).toBeGreaterThan(20)
    const dangerous =
      /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/
    expect(files.filter((file) => dangerous.test(readFileSync(folder + file, 'utf8')))).toEqual([])
  })
})

describe('the docs of a gateway', () => {
  it.each(['models', 'management'])('lie beside the description of its API of %s, open to everybody', async (name) => {
    const api = name === 'models' ? gateway : gateway.admin
    const origin = await serve(nodeGateway(api, { path: '/llm' }))
    const answer = await fetch(`${origin}/llm/docs`)
    expect([answer.status, answer.url]).toEqual([200, `${origin}/llm/docs/`])
    const answers = [...(await crawl(answer.url))]
    expect(answers.filter(([, { status }]) => status !== 200).map(([url]) => url)).toEqual([])
    expect((await fetch(new URL('../openapi.json', answer.url))).status).toBe(200)
  })

  it('can be left out', async () => {
    const quiet = createGateway({ models: [], auth: 'none', docs: false })
    expect(quiet.handle(requestOf('GET', '/docs/'))).toBeNull()
    expect(quiet.admin.handle(requestOf('GET', '/docs/'))).toBeNull()
    await quiet.close()
  })
})
