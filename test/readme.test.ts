import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```(?:js|ts)\n(.*?)^```$/gms)].map(([, code = '']) => code)
const folder = mkdtempSync(join(tmpdir(), 'sluice-readme-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a host has already where a block begins: names that it uses and does not make. */
const surroundings: Readonly<Record<string, string>> = {
  createGateway: "import { createGateway } from 'sluice'",
  filePrompts: "import { filePrompts } from 'sluice'",
  expressGateway: "import { expressGateway } from 'sluice/express'",
  readFile: "import { readFile } from 'node:fs/promises'",
  gateway: "declare const gateway: import('sluice').Gateway<HostRequest & import('sluice/koa').KoaContext>",
  app: "declare const app: import('express').Express",
  requireLogin: "declare const requireLogin: import('express').RequestHandler",
  requireAdmin: "declare const requireAdmin: import('express').RequestHandler",
  redis: "declare const redis: import('ioredis').Redis",
  pool: "declare const pool: import('pg').Pool",
  promClient: "declare const promClient: typeof import('prom-client')",
  log: 'declare const log: { warn(event: object): void }',
  masterKey: 'declare const masterKey: string',
  models: "declare const models: import('sluice').ModelOptions[]",
  url: 'declare const url: string',
  getToken: 'declare const getToken: () => Promise<string>',
}

/** A block as a module: `…` stands for other settings, a list of models for itself, and the host's request has a user. */
function toModule(code: string): string {
  const known = [...code.matchAll(/(?:import (?:\{([^}]*)\}|(\w+))|const (\w+))/g)].flatMap(([, ...names]) =>
    names.flatMap((list) => (list ?? '').split(',').map((name) => name.trim())),
  )
  const used = Object.entries(surroundings).filter(
    ([name]) => !known.includes(name) && new RegExp(`(?<![.\\w'/])${name}\\b(?!:)`).test(code),
  )
  const written = code.startsWith('{')
    ? `export const list: import('sluice').ModelOptions[] = [\n${code}]\n`
    : code.replaceAll(/(?<!['`])…(?!['`])/g, '...others').replaceAll('createGateway({', 'createGateway<HostRequest>({')
  return [
    "type HostRequest = import('express').Request & { user?: { id: string } }",
    "declare const others: import('sluice').GatewayOptions<HostRequest>",
    ...used.map(([, line]) => line),
    written,
    'export {}',
  ].join('\n')
}

/** What the compiler says of some modules, with the package's own sources in place of the package. */
function check(modules: readonly string[]): string {
  const names = modules.map((_, at) => `block-${at + 1}.ts`)
  for (const [at, code] of modules.entries()) writeFileSync(join(folder, names[at] ?? ''), code)
  const entries = ['express', 'koa', 'node', 'fetch', 'redis', 'sql', 'ui'].map(
    (name) => [`sluice/${name}`, [join(root, `adapters/${name}.ts`)]] as const,
  )
  const paths = { sluice: [join(root, 'src/index.ts')], ...Object.fromEntries(entries) }
  const compilerOptions = {
    rootDir: '/',
    declaration: false,
    declarationMap: false,
    paths,
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const files = [...names, join(root, 'src/ui/assets-module.d.ts')]
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  try {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [compiler, '-p', folder], { stdio: 'pipe', encoding: 'utf8' })
    return ''
  } catch (error) {
    return String((error as { readonly stdout?: unknown }).stdout)
  }
}

describe('the code in the README', () => {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))

  it('fits the types of the package, and would not with a setting that does not exist', { timeout: 120_000 }, () => {
    expect(blocks.length).toBeGreaterThan(5)
    const wrong = blocks
      .filter((code) => code.includes('strategy:'))
      .map((code) => code.replace('strategy:', 'strategee:'))
    const complaints = check([...blocks, ...wrong].map(toModule))
      .split('\n')
      .filter((line) => /\): error /.test(line))
    const [expected, ...others] = complaints
    expect(others).toEqual([])
    expect(expected).toMatch(new RegExp(`^.*block-${blocks.length + 1}\\.ts.*strategee`))
  })

  it('names files of this repository that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, link = '']) => link)
    expect(links.length).toBeGreaterThan(5)
    for (const link of links) expect(() => readFileSync(join(root, link)), link).not.toThrow(/ENOENT/)
  })
})
