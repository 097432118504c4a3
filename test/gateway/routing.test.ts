import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Caller, type Gateway, GatewayError, type GatewayOptions, type ModelOptions } from '../../src/index.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab } from '../support/gateway.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const model = (id: string, own: Partial<ModelOptions> = {}): ModelOptions => ({
  modelName: 'fast',
  model: 'fake/echo',
  apiKey: 'sk-fake-0123456789',
  id,
  ...own,
})
const post = (gateway: Gateway, own: object = {}, headers: Record<string, string> = {}) =>
  ask(gateway, 'POST', '/v1/chat/completions', chat('fast', own), headers)
const servedBy = async (...args: Parameters<typeof post>): Promise<unknown> => {
  const response = await post(...args)
  return response.status === 200 ? response.headers['x-sluice-deployment'] : jsonOf(response).error
}
const start = (
  models: readonly ModelOptions[],
  routing: GatewayOptions['routing'],
  caller: Partial<Caller> = {},
  options: Partial<GatewayOptions> = {},
) => lab.start(models, { routing, auth: { identify: () => ({ ...anyCaller, ...caller }) }, ...options })

describe('routing of a gateway', () => {
  it.each(['least-busy', 'latency-based', 'usage-based', 'cost-based', 'power-of-two'] as const)(
    'answers by %s',
    async (strategy) => {
      const gateway = start([model('a'), model('b')], { strategy })
      for (let call = 0; call < 6; call += 1) expect(['a', 'b']).toContain(await servedBy(gateway))
    },
  )

  it('answers although the host’s strategy throws, and says so once', async () => {
    const errors: string[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (_: object, message: string) => errors.push(message) }
    const strategy = {
      name: 'own',
      pick: () => {
        throw new Error('bug')
      },
    }
    const gateway = start([model('a'), model('b')], { strategy }, {}, { logger })
    for (let call = 0; call < 3; call += 1) expect(await servedBy(gateway)).toBe('a')
    expect(errors.filter((message) => message.includes('strategy'))).toHaveLength(1)
  })

  it('keeps a session at one deployment through its rest and brings it back', async () => {
    const models = ['a', 'b', 'c'].map((id) => model(id))
    const gateway = start(models, { affinity: 'session' })
    const headers = { 'x-sluice-session-id': 'session-1' }
    const first = await servedBy(gateway, {}, headers)
    for (let call = 0; call < 20; call += 1) expect(await servedBy(gateway, {}, headers)).toBe(first)
    gateway.deployments.remove(String(first))
    const second = await servedBy(gateway, {}, headers)
    expect(second).not.toBe(first)
    gateway.deployments.add(model(String(first)))
    expect(await servedBy(gateway, {}, headers)).toBe(first)
  })

  it('sends a prompt that is too long for one deployment to another, or answers 400 and asks nobody', async () => {
    const small = model('small', { capabilities: { contextWindow: 100 } })
    const long = { messages: [{ role: 'user', content: 'hello '.repeat(1_000) }] }
    const gateway = start([small, model('large')], { preCallChecks: true })
    for (let call = 0; call < 10; call += 1) expect(await servedBy(gateway, long)).toBe('large')
    const alone = start([small], { preCallChecks: true })
    const asked = lab.upstream.requests.length
    expect(await servedBy(alone, long)).toMatchObject({ code: 'context_length_exceeded' })
    expect(lab.upstream.requests).toHaveLength(asked)
  })

  it('goes to the context window fallback without asking a deployment that is too small', async () => {
    const models = [model('small', { capabilities: { contextWindow: 100 } }), model('large', { modelName: 'long' })]
    const gateway = start(models, { preCallChecks: true, contextWindowFallbacks: { fast: ['long'] } })
    expect(await servedBy(gateway, { messages: [{ role: 'user', content: 'hello '.repeat(1_000) }] })).toBe('large')
  })

  it.each([{ preCallChecks: true }, { strategy: 'usage-based' }] as const)(
    'with %j holds deployments to their rpm, and says when to come back',
    async (routing) => {
      const gateway = start([model('a', { rpm: 2 }), model('b', { rpm: 1 })], routing)
      const served = await Promise.all(Array.from({ length: 3 }, () => servedBy(gateway)))
      expect(served.filter((id) => id === 'a')).toHaveLength(2)
      expect(served.filter((id) => id === 'b')).toHaveLength(1)
      const refused = await post(gateway)
      expect(refused.status).toBe(429)
      const seconds = Number(refused.headers['retry-after'])
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(60)
    },
  )

  it('takes rpm just for a weight by default', async () => {
    const gateway = start([model('a', { rpm: 1 })], {})
    for (let call = 0; call < 3; call += 1) expect(await servedBy(gateway)).toBe('a')
  })

  it('routes by tags, which never reach the provider', async () => {
    const models = [model('free', { tags: ['free'] }), model('paid', { tags: ['paid'] })]
    const gateway = start(models, { tagFiltering: true })
    for (let call = 0; call < 5; call += 1) {
      expect(await servedBy(gateway, { tags: ['paid'] })).toBe('paid')
      expect(await servedBy(gateway, {}, { 'x-litellm-tags': 'free' })).toBe('free')
    }
    expect(JSON.stringify(lab.upstream.requests.slice(-10).map(({ body }) => body))).not.toContain('tags')
    const refused = await post(gateway, { tags: ['none'] })
    expect(refused.status).toBe(403)
    expect(jsonOf(refused).error).toMatchObject({ code: 'tags_not_allowed' })
  })

  it('keeps a caller’s data in its region, or refuses', async () => {
    const models = [model('eu', { region: 'eu' }), model('us', { region: 'us' }), model('anywhere')]
    const inEurope = start(models, {}, { metadata: { allowedModelRegion: 'eu' } })
    for (let call = 0; call < 10; call += 1) expect(await servedBy(inEurope)).toBe('eu')
    const inAsia = start(models, {}, { metadata: { allowedModelRegion: 'ap' } })
    expect(await servedBy(inAsia)).toMatchObject({ code: 'region_not_allowed' })
  })

  it('lets calls wait for a busy deployment instead of refusing them', async () => {
    const gateway = start([model('a', { maxParallelRequests: 2 })], {})
    const served = await Promise.all(Array.from({ length: 20 }, () => servedBy(gateway)))
    expect(served).toEqual(Array.from({ length: 20 }, () => 'a'))
    const hasty = start([model('a', { maxParallelRequests: 2 })], { maxQueueMs: 0 })
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await post(hasty)).status))
    expect(statuses.filter((status) => status === 200)).toHaveLength(2)
    expect(statuses.filter((status) => status === 429)).toHaveLength(18)
  })

  it('answers or refuses every call of a crowd, some of which leave, and nothing stays in flight', async () => {
    const models = [
      model('slow', { model: 'fake/slow-20ms', maxParallelRequests: 8 }),
      model('down', { model: 'fake/status-503', maxParallelRequests: 8 }),
      model('cut', { model: 'fake/reset', maxParallelRequests: 8 }),
      model('plain', { maxParallelRequests: 8 }),
    ]
    const gateway = start(models, { cooldown: { durationMs: 50 } }, { role: 'admin' })
    const outcomes = await Promise.all(
      Array.from({ length: 400 }, async (_, index) => {
        const signal = AbortSignal.timeout(index % 10 === 0 ? index / 10 : 60_000)
        const request = { model: 'fast', messages: [{ role: 'user' as const, content: `Call ${index}` }] }
        const called = gateway.call('chat', request, anyCaller, { signal })
        return called.then(
          ({ choices }) => choices[0]?.finish_reason,
          (error: unknown) => (error instanceof GatewayError ? error.kind : error),
        )
      }),
    )
    const counted = (...kinds: readonly unknown[]): number => outcomes.filter((kind) => kinds.includes(kind)).length
    // Of those who stay, only calls that met broken deployments alone may fail.
    expect(counted('stop')).toBeGreaterThanOrEqual(300)
    expect(counted('stop', 'client_closed', 'unavailable', 'overloaded', 'upstream_connection')).toBe(400)
    const health = jsonOf(await ask(gateway, 'GET', '/health/deployments'))
    expect(JSON.stringify(health).match(/"in_flight":\d+/g)).toEqual(Array.from({ length: 4 }, () => '"in_flight":0'))
  })

  it('prefers the cheaper of two well-known models by price', async () => {
    const models = [
      model('dear', { model: 'openai/gpt-4-turbo', baseUrl: lab.upstream.url }),
      model('cheap', { model: 'openai/gpt-4o-mini', baseUrl: lab.upstream.url }),
    ]
    const gateway = start(models, { strategy: 'cost-based' })
    await expect.poll(() => servedBy(gateway), { timeout: 5_000 }).toBe('cheap')
    for (let call = 0; call < 10; call += 1) expect(await servedBy(gateway)).toBe('cheap')
  })

  it('takes a model whose tokens have no price for the dearest, not for a free one', async () => {
    const models = [
      model('unknown', { prices: { audioInput: 1 } }),
      model('dear', { prices: { input: 100, output: 900 } }),
      model('half', { prices: { input: 2_000 } }),
    ]
    const gateway = start(models, { strategy: 'cost-based' })
    await expect.poll(() => servedBy(gateway), { timeout: 5_000 }).toBe('dear')
    for (let call = 0; call < 10; call += 1) expect(await servedBy(gateway)).toBe('dear')
  })

  it.each([{ affinity: 'sesion' }, { tagMatch: 'some' }, { maxQueueMs: -1 }, { strategy: 'least-buzy' }])(
    'refuses %j at the start',
    (routing) => {
      expect(() => start([model('a')], routing as GatewayOptions['routing'])).toThrow(TypeError)
    },
  )
})
