import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../src/testing/index.js'
import { type HostProcess, runScript, startHost } from './support/host-process.js'
import { type StagedPackage, manifest, stagePackage } from './support/staged-package.js'

const root = fileURLToPath(new URL('..', import.meta.url))
let staged: StagedPackage
let upstream: FakeUpstream

beforeAll(async () => {
  upstream = await startFakeUpstream()
  staged = stagePackage()
}, 120_000)
afterAll(async () => {
  await upstream.close()
  staged.remove()
})

const commonJs = (framework: string, mount: string): string => `
const { createGateway, GatewayError } = require('sluice')
const createApp = require('${framework}')
${mount}
`
const gatewayCode = `
const gateway = createGateway({
  models: [{ modelName: 'fast', model: 'openai/demo', apiKey: 'k', baseUrl: process.env.UPSTREAM }],
  auth: 'none',
})`
const expressMount = `
const app = createApp()
app.use('/llm', expressGateway(gateway))
const server = app.listen(0, '127.0.0.1', () => console.log('listening on http://127.0.0.1:' + server.address().port))`
const koaMount = `
const app = new createApp()
app.use(koaGateway(gateway, { path: '/llm' }))
const server = app.listen(0, '127.0.0.1', () => console.log('listening on http://127.0.0.1:' + server.address().port))`

interface Host {
  readonly name: string
  readonly framework: 'express' | 'koa'
  /** Folder below node_modules that holds the version. */
  readonly version: string
  readonly type: 'commonjs' | 'module'
  readonly code: string
}

const hosts: readonly Host[] = [
  {
    name: 'Express 4, CommonJS',
    framework: 'express',
    version: 'express4',
    type: 'commonjs',
    code: commonJs('express', `const { expressGateway } = require('sluice/express')${gatewayCode}${expressMount}`),
  },
  {
    name: 'Express 5, ESM',
    framework: 'express',
    version: 'express',
    type: 'module',
    code: `import createApp from 'express'
import { createGateway } from 'sluice'
import { expressGateway } from 'sluice/express'${gatewayCode}${expressMount}`,
  },
  {
    name: 'Koa 2, CommonJS',
    framework: 'koa',
    version: 'koa2',
    type: 'commonjs',
    code: commonJs('koa', `const { koaGateway } = require('sluice/koa')${gatewayCode}${koaMount}`),
  },
  {
    name: 'Koa 3, ESM',
    framework: 'koa',
    version: 'koa',
    type: 'module',
    code: `import createApp from 'koa'
import { createGateway } from 'sluice'
import { koaGateway } from 'sluice/koa'${gatewayCode}${koaMount}`,
  },
]

describe('the packed package', () => {
  it.each(hosts)('is installed and used in a fresh host: $name', { timeout: 120_000 }, async (host) => {
    const place = staged.install(host.version, host.type, { [host.framework]: host.version })
    writeFileSync(join(place, 'index.js'), host.code)
    const running: HostProcess = await startHost('index.js', place, { UPSTREAM: `${upstream.url}/v1` })
    try {
      const ask = (stream: boolean): Promise<Response> =>
        fetch(`${running.url}/llm/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'fast', stream, messages: [{ role: 'user', content: 'from a host' }] }),
        })
      expect(await (await ask(false)).json()).toMatchObject({
        choices: [{ message: { content: expect.stringContaining('from a host') } }],
      })
      expect(await (await ask(true)).text()).toMatch(/data: \[DONE\]\n\n$/)
      // The page's files are in the package, and found by both ways of loading it.
      expect((await fetch(`${running.url}/llm/docs/`)).status).toBe(200)
    } finally {
      await running.stop()
    }
  })

  it('gives the same classes to require and to import, for every entry', { timeout: 120_000 }, async () => {
    const place = staged.install('same', 'commonjs', {})
    const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith('.json'))
    const names = entries.map((entry) => entry.replace('.', 'sluice'))
    writeFileSync(
      join(place, 'same.cjs'),
      `(async () => {
        for (const name of ${JSON.stringify(names)}) {
          const [required, imported] = [require(name), await import(name)]
          for (const key of Object.keys(required)) {
            if (required[key] !== imported[key]) throw new Error(name + ' ' + key + ' differs')
          }
          console.log(name, Object.keys(required).length > 0)
        }
      })()`,
    )
    const { code, output } = await runScript('same.cjs', place, {})
    expect(output.trim().split('\n')).toEqual(names.map((name) => `${name} true`))
    expect(code).toBe(0)
  })

  it('depends on few packages, and on none with install scripts', () => {
    expect(Object.keys(manifest.dependencies).toSorted()).toEqual([
      '@pydantic/genai-prices',
      'lru-cache',
      'undici',
      'zod',
    ])
    for (const name of Object.keys(manifest.dependencies)) {
      const { scripts = {} } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
      expect(Object.keys(scripts)).not.toEqual(expect.arrayContaining(['install']))
      expect(Object.keys(scripts)).not.toEqual(expect.arrayContaining(['postinstall']))
    }
  })

  it('holds no code that makes code, and starts no process', () => {
    const files = readdirSync(join(staged.built, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.js'),
    )
    expect(files.length).toBeGreaterThan(30)
    const dangerous = /\beval\s*\(|new Function\s*\(|node:vm|child_process/
    expect(files.filter((file) => dangerous.test(readFileSync(join(staged.built, 'dist', file), 'utf8')))).toEqual([])
  })

  it('names no framework or driver in its types', () => {
    const files = readdirSync(join(staged.built, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.d.ts'),
    )
    const foreign = /from ['"](express|koa|ioredis|pg|mysql2)['"]/
    expect(files.filter((file) => foreign.test(readFileSync(join(staged.built, 'dist', file), 'utf8')))).toEqual([])
  })
})
