import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, startGatewayLab, textOf } from '../support/gateway.js'
import {
  type MatrixOptions,
  answered,
  call,
  cutOff,
  exactOutcomes,
  leave,
  path,
  settled,
  startMatrix,
} from './kill-matrix-lab.js'
import { billOf, chargedOf, intercepted } from './proof-lab.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const start = (own?: MatrixOptions) => startMatrix(lab, own)

describe.each([false, true])('with stream: %s', (stream) => {
  it.each(Object.entries(exactOutcomes))('%s costs what the provider bills', async (_, { run, options, rows }) => {
    const started = start(options?.())
    await run(lab, started.gateway, stream)
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
    await leave(lab, stream ? 'long' : 'slow', { gateway: started.gateway, stream })
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

  it.runIf(stream)('writes down and bills both halves of a stream that another deployment went on with', async () => {
    const started = start({ retries: 1, routing: { midStream: 'restart' } })
    expect(await call(started.gateway, 'broken', true)).toContain('[DONE]')
    const [broken, whole, ...more] = await settled(started)
    expect(more).toEqual([])
    expect(broken).toMatchObject({ ...cutOff, deployment: 'cut-one' })
    expect(whole).toMatchObject({ ...answered, deployment: 'whole-one' })
    expect(broken?.usage['outputText']).toBeGreaterThan(0)
  })

  it.runIf(stream)('bills the first half too where nobody goes on', async () => {
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

  it.runIf(stream)('tells the input exactly where the provider told it before the client left', async () => {
    const started = start()
    await leave(lab, 'claude', { gateway: started.gateway, stream: true })
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
