import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/index.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, startGatewayLab, textOf } from '../support/gateway.js'

let lab: GatewayLab

beforeAll(async () => {
  lab = await startGatewayLab()
})

afterAll(() => lab.close())

const models = [
  { modelName: 'main', model: 'fake/main' },
  { modelName: 'slow', model: 'fake/slow-100ms' },
  { modelName: 'cut', model: 'fake/cut-3' },
]
/** Who calls is in a header. */
const auth = {
  identify: ({ headers }: { headers: Record<string, string | undefined> }) => ({
    ...anyCaller,
    id: headers['who'] ?? 'a',
  }),
}

const path = '/v1/chat/completions'
const asked = (): number => lab.upstream.requests.length

async function twice(gateway: Gateway, body: object, second: Record<string, string> = {}) {
  const before = asked()
  const first = await ask(gateway, 'POST', path, body)
  const firstText = await textOf(first)
  const again = await ask(gateway, 'POST', path, body, second)
  return { first, again, firstText, againText: await textOf(again), calls: asked() - before }
}

describe('the response cache', () => {
  it.each([false, true])('answers the same request again with the same bytes, with stream: %s', async (stream) => {
    const ledger = createMemoryLedger()
    const gateway = lab.start(models, { auth, cache: true, stores: { ledger } })
    const { first, again, firstText, againText, calls } = await twice(gateway, chat('main', { stream }))
    expect(calls).toBe(1)
    expect(againText).toBe(firstText)
    expect(first.headers).toMatchObject({ 'x-sluice-cache': 'miss' })
    expect(again.headers).toMatchObject({
      'x-sluice-cache': 'hit',
      'x-sluice-deployment': first.headers['x-sluice-deployment'],
      age: '0',
    })
    await gateway.close()
    const { entries } = await ledger.query({})
    expect(entries.map(({ cached }) => String(cached)).toSorted()).toEqual(['false', 'true'])
    expect(entries.find(({ cached }) => cached)).toMatchObject({ cost: 0n, charged: 0n })
  })

  it('tells usage in a replayed stream to who asks for it', async () => {
    const gateway = lab.start(models, { auth, cache: true })
    const body = chat('main', { stream: true, stream_options: { include_usage: true } })
    const { againText, calls } = await twice(gateway, body)
    expect(calls).toBe(1)
    expect(againText).toContain('"prompt_tokens"')
  })

  it('never gives one caller’s answer to another', async () => {
    const gateway = lab.start(models, { auth, cache: true })
    expect((await twice(gateway, chat('main'), { who: 'b' })).calls).toBe(2)
  })

  it('keeps answers for different tags apart', async () => {
    const gateway = lab.start(models, { auth, cache: true })
    expect((await twice(gateway, chat('main'), { 'x-sluice-tags': 'paid' })).calls).toBe(2)
  })

  it('is off unless the host wants it, and passed over by who says no-cache', async () => {
    expect((await twice(lab.start(models, { auth }), chat('main'))).calls).toBe(2)
    const gateway = lab.start(models, { auth, cache: true })
    expect((await twice(gateway, chat('main'), { 'cache-control': 'no-cache' })).calls).toBe(2)
  })

  it('keeps no answer that broke off', async () => {
    const gateway = lab.start(models, { auth, cache: true, retries: 0 })
    expect((await twice(gateway, chat('cut', { stream: true }))).calls).toBe(2)
  })

  it('asks only for the inputs of a batch that it does not have', async () => {
    const gateway = lab.start(models, { auth, cache: true })
    await ask(gateway, 'POST', '/v1/embeddings', { model: 'main', input: ['one', 'two'] })
    const before = asked()
    const partial = await ask(gateway, 'POST', '/v1/embeddings', { model: 'main', input: ['two', 'three'] })
    expect(partial.headers).toMatchObject({ 'x-sluice-cache': 'partial' })
    expect(JSON.parse(await textOf(partial)).data.map(({ index }: { index: number }) => index)).toEqual([0, 1])
    expect(asked() - before).toBe(1)
    expect(lab.upstream.requests.at(-1)?.body).toMatchObject({ input: ['three'] })
  })
})

describe('Idempotency-Key', () => {
  const key = { 'idempotency-key': 'order-1' }

  it.each([false, true])(
    'gives the first answer again, later and at the same time, with stream: %s',
    async (stream) => {
      const gateway = lab.start(models, { auth })
      const before = asked()
      const body = chat('slow', { stream })
      const texts = await Promise.all([1, 2, 3].map(async () => textOf(await ask(gateway, 'POST', path, body, key))))
      const later = await ask(gateway, 'POST', path, body, key)
      expect(asked() - before).toBe(1)
      expect(new Set([...texts, await textOf(later)]).size).toBe(1)
      expect(later.headers).toMatchObject({ 'idempotent-replayed': 'true' })
    },
  )

  it('is refused with another request, and means nothing to another caller', async () => {
    const gateway = lab.start(models, { auth })
    await ask(gateway, 'POST', path, chat('main'), key)
    expect((await ask(gateway, 'POST', path, chat('main', { n: 2 }), key)).status).toBe(422)
    expect((await ask(gateway, 'POST', path, chat('main', { n: 2 }), { ...key, who: 'b' })).status).toBe(200)
  })
})
