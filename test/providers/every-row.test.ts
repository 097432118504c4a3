import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGateway, type Gateway, type ModelOptions } from '../../src/index.js'
import type { Provider } from '../../src/providers/provider.js'
import { createRegistry } from '../../src/providers/registry.js'
import { startUpstreamOf, type FakeUpstream } from '../../src/testing/fake-upstream.js'
import { at } from '../recordings/exchange.js'
import { send } from '../recordings/replay.js'
import { dialects } from './every-row/dialects/index.js'
import * as drive from './every-row/drive.js'
import {
  type Claim,
  claimNames,
  readRows,
  type Row,
  rowsAvailable,
  setups,
  ways,
  type TableOperation,
} from './every-row/rows.js'

if (!rowsAvailable) console.log('skipped: the table of providers is not present')

const registry = createRegistry([])
const operations: readonly TableOperation[] = ['chat', 'completions', 'embeddings', 'images']

// Other names of a row's provider, for what its containers or its older models speak.
const variants = ['sagemaker_chat', 'sagemaker_nova', 'watsonx_text']

function providerOf(id: string): Provider {
  const provider = registry.get(id)
  if (!provider) throw new Error(`${id} is not registered`)
  return provider
}

function modelsOf({ id, provider = id }: Row, url: string): readonly ModelOptions[] {
  const { base = '/openai/v1', models = {}, settings, places = {}, keyless } = setups[id] ?? {}
  const placed = Object.entries(places).map(([name, path]) => [name, url + path])
  return operations.map((operation) => ({
    modelName: drive.groupOf(id, operation),
    model: `${provider}/${models[operation] ?? 'demo'}`,
    baseUrl: url + base,
    // One for each row, so that none uses the tokens of another.
    ...(keyless ? {} : { apiKey: `key-of-${id}` }),
    settings: { ...settings, ...Object.fromEntries(placed) },
  }))
}

type Cells = Record<string, string>

describe.runIf(rowsAvailable)('every provider of the table', () => {
  const listed = rowsAvailable ? readRows() : []
  const rows = [...listed, ...variants.map((id): Row => ({ id, claims: providerOf(id).capabilities })), ...ways]
  const table = new Map<string, Cells>()
  let upstream: FakeUpstream
  let gateway: Gateway

  beforeAll(async () => {
    upstream = await startUpstreamOf(dialects)
    gateway = createGateway({
      models: rows.flatMap((row) => modelsOf(row, upstream.url)),
      auth: 'none',
      retries: 0,
      env: {},
    })
  })

  afterAll(async () => {
    await gateway.close({ drainMs: 0 })
    await upstream.close()
    console.log(toTable(table))
  })

  it('is registered, and nothing else is', () => {
    expect(listed).toHaveLength(138)
    const known = new Set(rows.map(({ id, provider = id }) => providerOf(provider).name))
    expect(known.size).toBe(listed.length + variants.length)
    expect(registry.list().filter(({ name }) => !known.has(name))).toEqual([])
  })

  it.each(rows.map((row) => [row.id, row] as const))('%s answers what it claims', async (id, row) => {
    const setup = setups[id] ?? {}
    const driven = { id, setup, gateway, upstream }
    // A second way need not offer all that its provider does.
    const own: Partial<Provider['capabilities']> = row.provider === undefined ? providerOf(id).capabilities : {}
    const can = (claim: Claim): boolean => own[claim] || row.claims[claim]
    if (setup.token) await exchangeToken(driven)
    const checks: readonly (readonly [string, boolean, () => Promise<drive.Outcome | 'refused'>])[] = [
      ['chat', can('chat'), () => drive.chat(driven)],
      ['stream', can('chat'), () => drive.stream(driven)],
      ['tools', can('chat'), () => drive.tools(driven)],
      ['completions', can('completions'), () => drive.completions(driven)],
      ['embeddings', can('embeddings'), () => drive.embeddings(driven)],
      ['images', can('images'), () => drive.images(driven)],
      ['errors', true, () => drive.errors(driven, mainOf(can))],
      ['in-band', true, () => drive.inBand(driven, mainOf(can))],
    ]
    const problems: string[] = []
    const cells: Cells = {}
    for (const [name, claimed, check] of checks) {
      const outcome = claimed ? await check() : '-'
      if (typeof outcome !== 'string') problems.push(...outcome.map((problem) => `${name}: ${problem}`))
      cells[name] = typeof outcome === 'string' ? outcome : outcome.length === 0 ? mark(name, row) : 'FAILS'
    }
    table.set(id, cells)
    expect(problems.join('\n')).toBe('')
  })
})

/** The first call asks for a token; later ones have it. */
async function exchangeToken({ id, setup, gateway, upstream }: drive.Driven): Promise<void> {
  upstream.reset()
  upstream.script(setup.token ?? {})
  const body = { model: drive.groupOf(id, 'chat'), messages: [{ role: 'user', content: 'hello' }] }
  const { status } = await send(gateway, 'chat', body, id)
  expect(status).toBe(200)
  const [, call] = upstream.requests
  expect(call?.headers['authorization']).toBe(`Bearer ${String(at(setup.token?.body, 'access_token'))}`)
}

/** The operation that stands for a row where one is enough. */
function mainOf(can: (claim: Claim) => boolean): TableOperation {
  return operations.find(can) ?? 'chat'
}

/** `more` where it works although the table claims it not. */
function mark(name: string, { claims }: Row): string {
  const claim = Object.keys(claimNames).find((known): known is Claim => known === name)
  return claim !== undefined && !claims[claim] ? 'more' : 'yes'
}

function toTable(table: ReadonlyMap<string, Cells>): string {
  const names = Object.keys([...table.values()][0] ?? {})
  const line = (first: string, cells: readonly string[]) =>
    first.padEnd(22) + cells.map((cell) => cell.padEnd(12)).join('')
  const lines = [...table].map(([id, cells]) =>
    line(
      id,
      names.map((name) => cells[name] ?? ''),
    ),
  )
  return [line('provider', names), ...lines].join('\n')
}

describe.runIf(rowsAvailable)('a retired provider', () => {
  const retired = registry.list().filter(({ status }) => status === 'retired')

  it.each(retired.map((provider) => [provider.name, provider] as const))(
    '%s says at its own address that it is gone',
    async (name, { notice }) => {
      const models = [{ modelName: 'old', model: `${name}/chat-demo`, apiKey: 'key-of-the-row' }]
      const gateway = createGateway({ models, auth: 'none', retries: 0, env: {} })
      const body = { model: 'old', messages: [{ role: 'user', content: 'hello' }] }
      const { status, text } = await send(gateway, 'chat', body, 'caller')
      expect(status).toBe(410)
      expect(at(JSON.parse(text), 'error', 'message')).toBe(notice)
      expect(notice).toMatch(/[Uu]se |[Gg]ive |instead/)
      await gateway.close({ drainMs: 0 })
    },
  )
})
