import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GatewayEvent } from '../../src/index.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab } from '../support/gateway.js'

let lab: GatewayLab

beforeAll(async () => {
  lab = await startGatewayLab()
})

afterAll(() => lab.close())

describe('gateway.deployments', () => {
  it('adds, changes and removes models while the gateway runs', async () => {
    const gateway = lab.start([{ modelName: 'one', model: 'fake/one' }])
    const added = gateway.deployments.add({ modelName: 'two', model: 'fake/two', id: 'second' })
    expect(added.id).toBe('second')
    expect((await ask(gateway, 'POST', '/v1/chat/completions', chat('two'))).status).toBe(200)
    gateway.deployments.update('second', { modelName: 'three', model: 'fake/three' })
    expect((await ask(gateway, 'POST', '/v1/chat/completions', chat('two'))).status).toBe(404)
    expect((await ask(gateway, 'POST', '/v1/chat/completions', chat('three'))).status).toBe(200)
    expect(gateway.deployments.remove('second')).toBe(true)
    expect(gateway.deployments.remove('second')).toBe(false)
    expect((await ask(gateway, 'POST', '/v1/chat/completions', chat('three'))).status).toBe(404)
    expect(gateway.deployments.list().map(({ modelName }) => modelName)).toEqual(['one'])
  })

  it('lets a call under way go on with a deployment that is removed meanwhile', async () => {
    const gateway = lab.start([{ modelName: 'slow', model: 'fake/slow-200ms', id: 'slow' }])
    const answer = ask(gateway, 'POST', '/v1/chat/completions', chat('slow'))
    await lab.upstream.received(lab.upstream.requests.length + 1)
    gateway.deployments.replace([])
    expect((await answer).status).toBe(200)
    expect((await ask(gateway, 'POST', '/v1/chat/completions', chat('slow'))).status).toBe(404)
  })

  it('changes nothing when one of a new list cannot work', () => {
    const gateway = lab.start([{ modelName: 'one', model: 'fake/one' }])
    const models = [
      { modelName: 'good', model: 'fake/good' },
      { modelName: 'bad', model: 'nobody/knows' },
    ]
    expect(() => gateway.deployments.replace(models)).toThrow(/no provider is known/)
    expect(gateway.deployments.list().map(({ modelName }) => modelName)).toEqual(['one'])
  })

  it('takes no two models with one id', () => {
    const twins = [
      { modelName: 'x', model: 'fake/x', id: 'same' },
      { modelName: 'y', model: 'fake/y', id: 'same' },
    ]
    expect(() => lab.start(twins)).toThrow(/Two models have the id "same"/)
    expect(() => lab.start([]).deployments.replace(twins)).toThrow(TypeError)
  })

  it('refuses an id that exists, an unknown one, and settings that are none', () => {
    const gateway = lab.start([{ modelName: 'one', model: 'fake/one', id: 'a' }])
    expect(() => gateway.deployments.add({ modelName: 'x', model: 'fake/x', id: 'a' })).toThrow(/already/)
    expect(() => gateway.deployments.update('b', { modelName: 'x', model: 'fake/x' })).toThrow(/no deployment b/)
    const misspelt: object = { modelName: 'x', model: 'fake/x', wieght: 1 }
    expect(() => gateway.deployments.add(misspelt as { modelName: string; model: string })).toThrow(TypeError)
  })
})

describe('what an answer tells about its attempts', () => {
  const models = [
    { modelName: 'main', model: 'fake/status-503', id: 'down' },
    { modelName: 'other', model: 'fake/other', id: 'up' },
  ]
  const options = { retries: 0, routing: { fallbacks: { main: ['other'] } } }

  it('names the deployment, the attempts and the fallback', async () => {
    const gateway = lab.start(models, options)
    const { headers } = await ask(gateway, 'POST', '/v1/chat/completions', chat('main'))
    expect(headers).toMatchObject({
      'x-sluice-deployment': 'up',
      'x-sluice-attempts': '2',
      'x-sluice-fallback': 'other',
    })
    expect(headers).not.toHaveProperty('x-sluice-explain')
  })

  it.each([false, true])('explains every attempt to who asks, with stream: %s', async (stream) => {
    const gateway = lab.start(models, options)
    const body = chat('main', { explain: true, stream })
    const { headers } = await ask(gateway, 'POST', '/v1/chat/completions', body)
    expect(JSON.parse(headers['x-sluice-explain'] ?? '')).toEqual([
      {
        deployment: 'down',
        model: 'main',
        reason: 'first',
        outcome: 'failed',
        status: 503,
        kind: 'unavailable',
        ms: expect.any(Number),
      },
      expect.objectContaining({ deployment: 'up', model: 'other', reason: 'fallback' }),
    ])
    expect(lab.upstream.requests.at(-1)?.body).not.toHaveProperty('explain')
  })

  it('explains failures too, and nothing where the host forbids it', async () => {
    const failing = lab.start([{ modelName: 'main', model: 'fake/status-400' }], { explain: true })
    const failed = await ask(failing, 'POST', '/v1/chat/completions', chat('main'))
    expect(failed.status).toBe(400)
    expect(JSON.parse(failed.headers['x-sluice-explain'] ?? '')).toMatchObject([{ status: 400, outcome: 'failed' }])
    const silent = lab.start(models, { ...options, explain: false })
    const { headers } = await ask(silent, 'POST', '/v1/chat/completions', chat('main', { explain: true }))
    expect(headers).not.toHaveProperty('x-sluice-explain')
  })
})

describe('onEvent', () => {
  it('tells when a deployment rests, and a listener that fails harms no call', async () => {
    const events: GatewayEvent[] = []
    const gateway = lab.start(
      [
        { modelName: 'main', model: 'fake/status-429', id: 'a', order: 1 },
        { modelName: 'main', model: 'fake/fine', id: 'b', order: 2 },
      ],
      {
        onEvent(event) {
          events.push(event)
          throw new Error('listener')
        },
      },
    )
    const answer = await ask(gateway, 'POST', '/v1/chat/completions', chat('main'))
    expect(answer.status).toBe(200)
    expect(events).toMatchObject([{ type: 'cooldown', deployment: 'a', modelName: 'main', cause: { status: 429 } }])
    expect(jsonOf(await ask(gateway, 'GET', '/v1/models'))['data']).toMatchObject([{ id: 'main' }])
  })
})
