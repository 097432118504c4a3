import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway, GatewayOptions, LedgerEntry, ModelOptions } from '../../src/index.js'
import { fakeProvider } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, startGatewayLab, textOf } from '../support/gateway.js'
import { requestOf } from '../support/http-request.js'
import { billOf, chargedOf, intercepted, levelsOf, openMemory, price, rowsOf } from './proof-lab.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const model = (modelName: string, fault: string, own: Partial<ModelOptions> = {}): ModelOptions => ({
  modelName,
  model: `fake/${fault}`,
  prices: price,
  ...own,
})

const models: readonly ModelOptions[] = [
  model('main', 'main'),
  model('down', 'status-500'),
  model('cut', 'cut-3'),
  model('garbled', 'malformed-3'),
  model('silent', 'hang', { timeouts: { headers: 80, firstToken: 80, total: 200 } }),
  model('stalling', 'stall-3', { timeouts: { idle: 80, total: 300 } }),
  model('slow', 'slow-2000ms'),
  model('long', 'words-80+trickle-10ms'),
  { modelName: 'claude', model: 'claude/words-80+trickle-10ms', prices: price },
  model('pair', 'slow-1000ms', { id: 'slow-one', order: 1 }),
  model('pair', 'main', { id: 'quick-one', order: 2 }),
  model('broken', 'cut-3', { id: 'cut-one', order: 1 }),
  model('broken', 'main', { id: 'whole-one', order: 2 }),
]

const budget = { maxBudget: 1 }
const scopes = [
  { kind: 'team', id: 't', budget, rpm: 100, tpm: 1_000_000, maxParallelRequests: 10 },
  { kind: 'key', id: 'k', budget, modelBudgets: { '*': budget } },
] as const

type Options = Partial<GatewayOptions>

function start(own: Options = {}) {
  lab.upstream.reset()
  const proof = openMemory()
  const gateway = lab.start(models, {
    providers: [
      fakeProvider(lab.upstream.url),
      fakeProvider(lab.upstream.url, { name: 'claude', protocol: 'anthropic' }),
    ],
    auth: { identify: () => ({ ...anyCaller, scopes }) },
    retries: 0,
    stores: proof.stores,
    spend: { models: Object.fromEntries(models.map(({ modelName }) => [modelName, { budget }])) },
    ...own,
  })
  return { gateway, proof }
}

/** What is true however calls went: nothing is held, and every budget has spent what the rows say. */
async function settled({ gateway, proof }: ReturnType<typeof start>): Promise<readonly LedgerEntry[]> {
  await gateway.close({ drainMs: 0 })
  const rows = await rowsOf(proof.stores.ledger)
  for (const { kind, counter, used, held } of await levelsOf(proof)) {
    expect({ counter, held }).toEqual({ counter, held: 0 })
    // A fallback's model pays for what it answered itself; everything else for the whole call.
    const model = /^budget:model:(\w+):/.exec(counter)?.[1]
    const ofModel = rows.filter(({ scopes: refs }) => refs.some(({ kind: of, id }) => of === 'model' && id === model))
    const charged = chargedOf(model === undefined ? rows : ofModel)
    if (kind === 'budget') expect({ counter, used }).toEqual({ counter, used: Number(charged / 1_000n) })
  }
  expect(await proof.stores.ledger.total({ kind: 'team', id: 't' }, 0)).toBe(chargedOf(rows))
  // Rows of one call have one date.
  return rows.toSorted((one, other) => Number(other.aborted) - Number(one.aborted))
}

const path = '/v1/chat/completions'

async function call(gateway: Gateway, modelName: string, stream: boolean, own: object = {}): Promise<string> {
  return textOf(await ask(gateway, 'POST', path, chat(modelName, { stream, max_tokens: 100, ...own })))
}

/** Asks, and leaves: a whole answer before it is there, a stream after its first pieces. */
async function leave(gateway: Gateway, modelName: string, stream: boolean): Promise<void> {
  const leaving = new AbortController()
  const body = chat(modelName, { stream, max_tokens: 100 })
  const answering = gateway.handle(requestOf('POST', path, body, { signal: leaving.signal }))
  await lab.upstream.received(1)
  if (!stream) {
    leaving.abort()
    await answering
    return
  }
  const answer = await answering
  if (!answer || !('stream' in answer)) throw new Error('no stream')
  let pieces = 0
  for await (const _ of answer.stream) if (++pieces === 5) break
}

interface Outcome {
  readonly run: (gateway: Gateway, stream: boolean) => Promise<unknown>
  readonly options?: Options
  /** Statuses of the rows, the earliest attempt first. */
  readonly rows: readonly object[]
}

const answered = { aborted: false, estimated: false, status: 200, priced: true }
const cutOff = { aborted: true, estimated: true }
const fail = (): never => {
  throw new Error('the host is broken')
}

function failsOnce(): () => void {
  let calls = 0
  return () => {
    if (calls++ === 0) fail()
  }
}

/** Calls whose every row is as exact as the bill. */
const exact: Readonly<Record<string, Outcome>> = {
  'an answer': { run: (gateway, stream) => call(gateway, 'main', stream), rows: [answered] },
  'an error of the provider': { run: (gateway, stream) => call(gateway, 'down', stream), rows: [] },
  'a retry after an error': {
    options: { retries: 2 },
    run(gateway, stream) {
      lab.upstream.script('status-503', 'reset', { fault: '' })
      return call(gateway, 'main', stream)
    },
    rows: [answered],
  },
  'a fallback': {
    options: { routing: { fallbacks: { down: ['main'] } } },
    run: (gateway, stream) => call(gateway, 'down', stream),
    rows: [answered],
  },
  'a credentials hook that throws': {
    options: { credentials: fail },
    run: (gateway, stream) => call(gateway, 'main', stream),
    rows: [],
  },
  'hooks for events and usage that throw': {
    options: { onEvent: fail, spend: { onUsage: failsOnce() } },
    run: (gateway, stream) => call(gateway, 'main', stream),
    rows: [answered],
  },
}

describe.each([false, true])('with stream: %s', (stream) => {
  it.each(Object.entries(exact))('%s costs what the provider bills', async (_, { run, options, rows }) => {
    const started = start(options)
    await run(started.gateway, stream)
    const written = await settled(started)
    expect(written).toMatchObject(rows)
    expect(written.reduce((sum, { cost }) => sum + cost, 0n)).toBe(billOf(lab.upstream))
  })

  it.each(['cut', 'silent', 'stalling'])(
    '%s: what broke off is one row, of what was told and what came',
    async (name) => {
      const started = start()
      await call(started.gateway, name, stream)
      expect(await settled(started)).toMatchObject([{ ...cutOff, failure: expect.any(String) }])
    },
  )

  it('a client that leaves pays for what came until then', async () => {
    const started = start()
    await leave(started.gateway, stream ? 'long' : 'slow', stream)
    const rows = await settled(started)
    expect(rows).toMatchObject([cutOff])
    expect(rows[0]?.usage['outputText'] ?? 0).toBeLessThan(40)
  })

  it('settles what a store that was away could not hear of', async () => {
    const { gateway, proof } = start()
    const { counters } = proof.stores
    let isAway = false
    const faulty = intercepted(counters, ({ go }) => (isAway ? Promise.reject(new Error('away')) : go()))
    await gateway.close()
    const again = start({ stores: { ...proof.stores, counters: faulty } })
    lab.upstream.onRequest(() => {
      isAway = true
      return undefined
    })
    await call(again.gateway, 'main', stream)
    isAway = false
    lab.upstream.onRequest(undefined)
    const rows = await settled({ gateway: again.gateway, proof })
    expect(rows).toMatchObject([answered])
    expect(chargedOf(rows)).toBe(billOf(lab.upstream))
  })

  it('writes down and bills both halves of a stream that another deployment went on with', async () => {
    if (!stream) return
    const started = start({ retries: 1, routing: { midStream: 'restart' } })
    expect(await call(started.gateway, 'broken', true)).toContain('[DONE]')
    const [broken, whole, ...more] = await settled(started)
    expect(more).toEqual([])
    expect(broken).toMatchObject({ ...cutOff, deployment: 'cut-one' })
    expect(whole).toMatchObject({ ...answered, deployment: 'whole-one' })
    expect(broken?.usage['outputText']).toBeGreaterThan(0)
  })

  it('bills the first half too where nobody goes on', async () => {
    if (!stream) return
    const started = start({ retries: 1, routing: { midStream: 'restart' } })
    lab.upstream.script('cut-3', 'status-500', 'status-500')
    expect(await call(started.gateway, 'broken', true)).not.toContain('[DONE]')
    const rows = await settled(started)
    expect(rows).toMatchObject([cutOff])
    expect(rows[0]?.usage['outputText']).toBeGreaterThan(0)
  })

  it('bills the attempt that lost against a hedge', async () => {
    const started = start({ routing: { hedging: { afterMs: 30 } } })
    await call(started.gateway, 'pair', stream)
    const rows = await settled(started)
    expect(rows).toMatchObject([
      { deployment: 'slow-one', aborted: true },
      { deployment: 'quick-one', ...answered },
    ])
  })

  it('holds more of a budget for an attempt after one that was billed, and refuses it where nothing is left', async () => {
    const own = { routing: { fallbacks: { silent: ['main'] } } }
    const first = start(own)
    await call(first.gateway, 'silent', stream)
    const rows = await settled(first)
    expect(rows).toMatchObject([{ ...cutOff, failure: 'timeout' }, answered])
    const held = first.proof.holds.get('budget:team:t:all@0')?.amount ?? 0
    const tight = [{ kind: 'team', id: 't', budget: { maxBudget: (1.5 * held) / 1e9 } }] as const
    const second = start({ ...own, auth: { identify: () => ({ ...anyCaller, scopes: tight }) } })
    expect(await call(second.gateway, 'silent', stream)).toContain('headers_timeout')
    expect(lab.upstream.requests).toHaveLength(1)
    expect(await settled(second)).toMatchObject([{ ...cutOff, failure: 'timeout' }])
  })

  it('tells the input exactly where the provider told it before the client left', async () => {
    if (!stream) return
    const started = start()
    await leave(started.gateway, 'claude', true)
    const [row] = await settled(started)
    const billed = lab.upstream.requests[0]?.billed
    expect(row?.usage['inputUncached']).toBe(billed?.promptTokens)
    // What was on its way when the client left is billed by the provider, and has not reached us.
    expect(row?.usage['outputText']).toBeGreaterThan(0)
  })

  it('costs nothing from the cache, has no row where a key is repeated, and charges nothing to callers who pay themselves', async () => {
    const own = { cache: true, credentials: () => ({ apiKey: 'sk-of-the-caller' }) }
    const cached = start({ cache: true })
    await call(cached.gateway, 'main', stream)
    await call(cached.gateway, 'main', stream)
    expect((await settled(cached)).filter((row) => row.cached)).toMatchObject([{ cost: 0n, charged: 0n }])
    const keyed = start({ idempotency: {} })
    for (let times = 0; times < 2; times += 1) {
      await textOf(await ask(keyed.gateway, 'POST', path, chat('main', { stream }), { 'idempotency-key': 'once' }))
    }
    expect(await settled(keyed)).toMatchObject([answered])
    const theirs = start({ credentials: own.credentials })
    await call(theirs.gateway, 'main', stream)
    const [row] = await settled(theirs)
    expect(row).toMatchObject({ billable: false, charged: 0n, cost: billOf(lab.upstream) })
  })
})

it.each([
  ['embeddings', '/v1/embeddings', { input: ['two words', 'and three more'] }],
  ['images', '/v1/images/generations', { prompt: 'a small boat', n: 2 }],
  ['completions', '/v1/completions', { prompt: 'Once upon a time', max_tokens: 20 }],
])('%s cost what the provider bills', async (_, route, body) => {
  const started = start()
  const answer = await ask(started.gateway, 'POST', route, { model: 'main', ...body })
  expect(answer.status).toBe(200)
  const rows = await settled(started)
  expect(rows).toMatchObject([answered])
  expect(chargedOf(rows)).toBe(billOf(lab.upstream))
})
