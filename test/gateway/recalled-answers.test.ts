import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Caller, Gateway, GatewayOptions } from '../../src/index.js'
import type { CallRecord } from '../../src/ports/callback.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { anyCaller } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'
import { type GatewayLab, chat, startGatewayLab, textOf } from '../support/gateway.js'
import { requestOf } from '../support/http-request.js'

let lab: GatewayLab

beforeAll(async () => {
  lab = await startGatewayLab()
})

afterAll(() => lab.close())

const models = [{ id: 'first', modelName: 'main', model: 'fake/main' }]

/** A gateway with a cache, and what it was asked: how often it parsed a body, and how often it asked the provider. */
function startBench(options: Partial<GatewayOptions> = {}, caller: Caller = anyCaller) {
  const gateway: Gateway = lab.start(models, { cache: true, auth: { identify: () => caller }, ...options })
  let parsed = 0
  const send = async (body: object, headers: Record<string, string> = {}) => {
    const bytes = Buffer.from(JSON.stringify(body))
    const json = async (): Promise<unknown> => {
      parsed += 1
      return JSON.parse(bytes.toString())
    }
    const own = { headers, json, bytes: async () => bytes }
    const response = await gateway.handle(requestOf('POST', '/v1/chat/completions', undefined, own))
    if (!response) throw new Error('not the gateway’s path')
    return { status: response.status, headers: response.headers, text: await textOf(response) }
  }
  /** Until the bytes are known: a miss, then a hit that was read. */
  const know = async (body: object) => {
    await send(body)
    return send(body)
  }
  const during = async (work: () => Promise<unknown>) => {
    const [before, calls] = [parsed, lab.upstream.requests.length]
    await work()
    return { parsed: parsed - before, calls: lab.upstream.requests.length - calls }
  }
  return { gateway, send, know, during }
}

const nothing = { parsed: 0, calls: 0 }

describe('a request whose very bytes were answered from the cache', () => {
  it('is answered alike without being read again', async () => {
    const { send, know, during } = startBench()
    const known = await know(chat('main'))
    const again = await send(chat('main'), { 'x-request-id': 'mine' })
    expect(again).toEqual({ ...known, headers: { ...known.headers, 'x-request-id': 'mine' } })
    expect(again.headers).toMatchObject({ 'x-sluice-cache': 'hit', 'x-sluice-attempts': '0' })
    expect(await during(() => send(chat('main')))).toEqual(nothing)
  })

  it('tells its own id and age each time', async () => {
    const clock = new FakeClock()
    const { send, know } = startBench({ clock })
    await know(chat('main'))
    const first = await send(chat('main'), { 'x-request-id': 'first' })
    clock.advance(2_000)
    const second = await send(chat('main'), { 'x-request-id': 'second' })
    expect(first.headers).toMatchObject({ 'x-request-id': 'first', age: '0', 'content-type': expect.any(String) })
    expect(second.headers).toEqual({ ...first.headers, 'x-request-id': 'second', age: '2' })
  })

  it('is read where one byte differs, or a header speaks to the gateway', async () => {
    const { send, know, during } = startBench()
    await know(chat('main'))
    const other = chat('main', { temperature: 0.5 })
    expect(await during(() => send(other))).toEqual({ parsed: 1, calls: 1 })
    expect(await during(() => send(chat('main'), { 'cache-control': 'no-cache' }))).toEqual({ parsed: 1, calls: 1 })
    expect(await during(() => send(chat('main'), { 'x-sluice-tags': 'a' }))).toEqual({ parsed: 1, calls: 1 })
    expect(await during(() => send(chat('main'), { 'x-sluice-explain': 'true' }))).toEqual({ parsed: 1, calls: 0 })
    expect(await during(() => send(chat('main'), { 'idempotency-key': 'a' }))).toEqual({ parsed: 1, calls: 0 })
    expect(await during(() => send(chat('main'), { 'x-litellm-api-key': 'sk-a' }))).toEqual(nothing)
  })

  it('is asked of the provider again once the answer is too old, for the cache or for itself', async () => {
    const clock = new FakeClock()
    const { send, know, during } = startBench({ clock, cache: { ttlMs: 60_000 } })
    const picky = chat('main', { cache: { 's-maxage': 10 } })
    await know(chat('main'))
    await know(picky)
    clock.advance(9_000)
    expect((await send(picky)).headers['age']).toBe('9')
    clock.advance(2_000)
    expect(await during(() => send(picky))).toMatchObject({ parsed: 1, calls: 1 })
    clock.advance(60_000)
    expect(await during(() => send(chat('main')))).toMatchObject({ parsed: 1, calls: 1 })
  })

  it('is refused once its caller may not use the model', async () => {
    const names = ['main']
    const { send, know } = startBench({}, { ...anyCaller, models: names })
    await know(chat('main'))
    names[0] = 'other'
    expect(await send(chat('main'))).toMatchObject({ status: 403 })
  })

  it('is refused once its model is gone, and read once its model is another one', async () => {
    const { gateway, send, know, during } = startBench()
    await know(chat('main'))
    gateway.deployments.add({ id: 'second', modelName: 'main', model: 'fake/other' })
    expect(await during(() => send(chat('main')))).toEqual({ parsed: 1, calls: 1 })
    gateway.deployments.remove('first')
    gateway.deployments.remove('second')
    expect(await send(chat('main'))).toMatchObject({ status: 404 })
  })

  it('counts against limits, and is refused beyond them', async () => {
    const scopes = [{ kind: 'key', id: 'k', rpm: 3 }] as const
    const { send, know } = startBench({}, { ...anyCaller, scopes })
    await know(chat('main'))
    expect((await send(chat('main'))).headers).toMatchObject({ 'x-ratelimit-remaining-requests': '0' })
    const refused = await send(chat('main'))
    expect(refused.status).toBe(429)
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
  })

  it('has a row of its own in the ledger, and a record', async () => {
    const ledger = createMemoryLedger()
    const records: CallRecord[] = []
    const callback = { onCall: (record: CallRecord) => void records.push(record) }
    const callbacks: GatewayOptions['callbacks'] = { sinks: [{ type: 'callback', callback }] }
    const { gateway, send, know, during } = startBench({ stores: { ledger }, callbacks })
    await know(chat('main', { user: 'u' }))
    expect(await during(() => send(chat('main', { user: 'u' }), { 'x-request-id': 'third' }))).toEqual(nothing)
    await gateway.close()
    const { entries } = await ledger.query({ callId: 'third' })
    expect(entries).toMatchObject([{ cached: true, cost: 0n, endUser: 'u', deployment: 'first' }])
    const record = records.find(({ callId }) => callId === 'third')
    expect(record).toMatchObject({ endUser: 'u' })
  })

  it('passes the guardrails and hooks of the host like any other', async () => {
    let seen = 0
    const hooks = { beforeCall: () => void (seen += 1) }
    const { send, know } = startBench({ hooks })
    await know(chat('main'))
    await send(chat('main'))
    expect(seen).toBe(3)
    const guarded = startBench({ guardrails: [{ name: 'no-secrets', type: 'words', words: ['swordfish'] }] })
    await guarded.know(chat('main'))
    expect(await guarded.during(() => guarded.send(chat('main')))).toEqual({ parsed: 1, calls: 0 })
  })

  it('is not answered by a gateway that is closing', async () => {
    const { gateway, send, know } = startBench()
    await know(chat('main'))
    await gateway.close()
    expect(await send(chat('main'))).toMatchObject({ status: 503 })
  })
})
