import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway, GatewayEvent, ModelOptions } from '../../src/index.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab, textOf } from '../support/gateway.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const path = '/v1/chat/completions'
const model = (modelName: string, id: string, own: Partial<ModelOptions> = {}): ModelOptions => ({
  modelName,
  model: 'fake/echo',
  id,
  ...own,
})

/** Deployments that do not look healthy. */
async function ailing(gateway: Gateway): Promise<unknown> {
  const response = await gateway.handle(
    { ...healthRequest, signal: new AbortController().signal },
    { ...anyCaller, role: 'admin' },
  )
  const { deployments } = jsonOf(response ?? (await Promise.reject(new Error('no answer'))))
  return Array.isArray(deployments)
    ? deployments.filter((one) => one.state !== 'healthy' || one.consecutive_failures > 0).map((one) => one.id)
    : deployments
}

const healthRequest = {
  method: 'GET',
  path: '/health/deployments',
  query: new URLSearchParams(),
  headers: {},
  host: undefined,
  json: () => Promise.resolve(undefined),
}

describe('a deployment’s health', () => {
  it.each([404, 403])(
    'suffers nothing from a %i for a name that a caller made up behind a wildcard',
    async (status) => {
      const gateway = lab.start([model('any/*', 'a', { model: 'fake/*' }), model('any/*', 'b', { model: 'fake/*' })])
      expect((await ask(gateway, 'POST', path, chat(`any/status-${status}`))).status).toBe(status)
      expect(await ailing(gateway)).toEqual([])
      expect((await ask(gateway, 'POST', path, chat('any/echo'))).status).toBe(200)
    },
  )

  it('suffers from a 404 for the name that the host listed, and from a 401 behind a wildcard', async () => {
    const listed = lab.start([model('fast', 'a', { model: 'fake/status-404' }), model('fast', 'b', { order: 2 })])
    expect((await ask(listed, 'POST', path, chat('fast'))).headers['x-sluice-deployment']).toBe('b')
    expect(await ailing(listed)).toEqual(['a'])
    const wild = lab.start([model('any/*', 'a', { model: 'fake/*' }), model('any/*', 'b', { model: 'fake/*' })])
    await ask(wild, 'POST', path, chat('any/status-401'))
    expect(await ailing(wild)).toEqual(['a', 'b'])
  })

  it('suffers nothing where the time of the call was spent at another one', async () => {
    const timeouts = { total: 200 }
    const gateway = lab.start([
      model('fast', 'slow', { model: 'fake/hang', order: 1, timeouts }),
      model('fast', 'good', { order: 2, timeouts }),
    ])
    const calls = [1, 2, 3].map(() => ask(gateway, 'POST', path, chat('fast')))
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([504, 504, 504])
    expect(await ailing(gateway)).toEqual(['slow'])
    expect((await ask(gateway, 'POST', path, chat('fast'))).headers['x-sluice-deployment']).toBe('good')
  })

  it('never lets the only deployment rest because of a fallback that does not exist', async () => {
    const events: GatewayEvent[] = []
    const gateway = lab.start([model('fast', 'only', { model: 'fake/status-401' })], {
      routing: { fallbacks: { fast: ['fats', 'fast'] } },
      onEvent: (event) => void events.push(event),
    })
    await ask(gateway, 'POST', path, chat('fast'))
    expect(events).toEqual([])
  })
})

describe('a deployment that rested', () => {
  it('takes other calls as soon as a stream that tries it has content', async () => {
    const gateway = lab.start([
      model('fast', 'a', { model: 'fake/trickle-100ms', order: 1, cooldownMs: 100 }),
      model('fast', 'b', { order: 2 }),
    ])
    lab.upstream.script('status-401')
    expect((await ask(gateway, 'POST', path, chat('fast'))).headers['x-sluice-deployment']).toBe('b')
    await new Promise((resolve) => setTimeout(resolve, 150))
    const stream = await ask(gateway, 'POST', path, chat('fast', { stream: true }))
    expect(stream.headers['x-sluice-deployment']).toBe('a')
    expect((await ask(gateway, 'POST', path, chat('fast'))).headers['x-sluice-deployment']).toBe('a')
    expect(await textOf(stream)).toContain('[DONE]')
    expect(await ailing(gateway)).toEqual([])
  })
})

describe('what a caller names', () => {
  it('as a fallback leads to the deployment of that id, not to the others of its group', async () => {
    const auth = { identify: () => ({ ...anyCaller, models: ['first', 'b1'] }) }
    const group = [model('second', 'b1'), model('second', 'b2', { weight: 1_000 }), model('second', 'b3', { order: 0 })]
    const gateway = lab.start([model('first', 'a', { model: 'fake/status-401' }), ...group], { auth })
    for (let call = 0; call < 5; call += 1) {
      const { headers } = await ask(gateway, 'POST', path, chat('first', { fallbacks: ['b1'] }))
      expect(headers['x-sluice-deployment']).toBe('b1')
    }
  })

  it('as a model is no longer than any provider’s name', async () => {
    const gateway = lab.start([model('*', 'a', { model: 'fake/*' })])
    expect((await ask(gateway, 'POST', path, chat('x'.repeat(512)))).status).toBe(200)
    expect((await ask(gateway, 'POST', path, chat('x'.repeat(513)))).status).toBe(404)
  })
})

describe('a gateway’s start', () => {
  it('warns of fallbacks and aliases that lead nowhere', () => {
    const warnings: unknown[] = []
    const logger = { debug() {}, info() {}, warn: (fields: object) => void warnings.push(fields), error() {} }
    const routing = {
      fallbacks: { fast: ['fats', 'any/thing', 'by-id'] },
      contextWindowFallbacks: { '*': ['lagre'] },
      defaultFallbacks: ['fats'],
      aliases: { quick: 'fast', short: { modelName: 'gone' } },
    }
    lab.start([model('fast', 'by-id'), model('any/*', 'b', { model: 'fake/*' })], { routing, logger })
    expect(warnings).toEqual([{ models: ['fats', 'lagre', 'gone'] }])
    lab.start([model('fast', 'a')], { routing: { aliases: { quick: 'fast' } }, logger })
    expect(warnings).toHaveLength(1)
  })
})
