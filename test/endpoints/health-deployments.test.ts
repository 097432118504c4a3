import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab } from '../support/gateway.js'

let lab: GatewayLab

beforeAll(async () => {
  lab = await startGatewayLab()
})

afterAll(() => lab.close())

const admin = { identify: () => ({ ...anyCaller, role: 'admin' as const }) }

describe('GET /health/deployments', () => {
  it('tells an admin which deployment rests, why and until when', async () => {
    const gateway = lab.start(
      [
        { modelName: 'main', model: 'fake/status-429+retry-after-60', id: 'a', order: 1 },
        { modelName: 'main', model: 'fake/fine', id: 'b', order: 2 },
      ],
      { auth: admin },
    )
    await ask(gateway, 'POST', '/v1/chat/completions', chat('main'))
    const { deployments } = jsonOf(await ask(gateway, 'GET', '/health/deployments'))
    expect(deployments).toMatchObject([
      {
        id: 'a',
        state: 'cooling',
        cause: { kind: 'rate_limited', status: 429 },
        in_flight: 0,
        requests_this_minute: 1,
      },
      { id: 'b', state: 'healthy', cooling_until: null, cause: null, per_token_ms: { average: expect.any(Number) } },
    ])
    const [{ cooling_until: until }] = deployments as [{ cooling_until: string }]
    expect(Date.parse(until) - Date.now()).toBeGreaterThan(50_000)
  })

  it('is read page by page, by the order of ids, and for one model', async () => {
    const models = ['c', 'a', 'b'].map((id) => ({ modelName: id === 'b' ? 'other' : 'main', model: 'fake/fine', id }))
    const gateway = lab.start(models, { auth: admin })
    const page = async (query: string) => {
      const { deployments, next } = jsonOf(await ask(gateway, 'GET', `/health/deployments?${query}`))
      return [(deployments as { id: string }[]).map(({ id }) => id), next]
    }
    expect(await page('limit=2')).toEqual([['a', 'b'], 'b'])
    expect(await page('limit=2&after=b')).toEqual([['c'], null])
    expect(await page('model_name=main&limit=5')).toEqual([['a', 'c'], null])
    expect((await ask(gateway, 'GET', '/health/deployments?limit=0')).status).toBe(400)
  })

  it('is refused to everybody else', async () => {
    const gateway = lab.start([{ modelName: 'main', model: 'fake/fine' }])
    expect((await ask(gateway, 'GET', '/health/deployments')).status).toBe(403)
  })
})

describe('the debug endpoints', () => {
  it('do not exist unless the host asks for them', () => {
    const gateway = lab.start([{ modelName: 'main', model: 'fake/fine' }], { auth: admin })
    return expect(ask(gateway, 'GET', '/debug/memory/summary')).rejects.toThrow(/not the gateway's/)
  })

  it('tell an admin about memory and caches, and nobody else', async () => {
    const gateway = lab.start([{ modelName: 'main', model: 'fake/fine' }], { auth: admin, debug: true })
    expect(jsonOf(await ask(gateway, 'GET', '/debug/memory/summary'))).toMatchObject({
      worker_pid: process.pid,
      status: 'healthy',
      memory: { ram_usage_mb: expect.any(Number) },
      caches: { reasoning: 0 },
    })
    const details = jsonOf(await ask(gateway, 'GET', '/debug/memory/details'))
    await ask(gateway, 'POST', '/v1/chat/completions', chat('main'))
    expect(details).toMatchObject({ heap_spaces: expect.any(Array), event_loop_delay_ms: expect.any(Object) })
    const { upstream_pools: pools } = jsonOf(await ask(gateway, 'GET', '/debug/memory/details'))
    expect(pools).toMatchObject({ [lab.upstream.url]: { connected: 1, running: 0 } })
    const open = lab.start([{ modelName: 'main', model: 'fake/fine' }], { debug: true })
    expect((await ask(open, 'GET', '/debug/memory/summary')).status).toBe(403)
  })

  it('tell how much of answers is kept in memory', async () => {
    const options = { auth: admin, debug: true, cache: true }
    const gateway = lab.start([{ modelName: 'main', model: 'fake/fine' }], options)
    const keyed = { 'idempotency-key': 'once' }
    await ask(gateway, 'POST', '/v1/chat/completions', chat('main'), keyed)
    const { caches, caches_detail: sizes } = jsonOf(await ask(gateway, 'GET', '/debug/memory/details'))
    expect(caches).toMatchObject({ responses: 1, idempotency: 1, recent_requests: 0 })
    expect(sizes).toMatchObject({ responses: { bytes: expect.toSatisfy((bytes: number) => bytes > 300) } })
    const without = lab.start([{ modelName: 'main', model: 'fake/fine' }], {
      auth: admin,
      debug: true,
      idempotency: false,
    })
    const { caches: none } = jsonOf(await ask(without, 'GET', '/debug/memory/summary'))
    expect(none).toEqual({ reasoning: 0, keys: 0, ledger_queue: 0 })
  })

  it('measure nothing any more once the gateway is closed', async () => {
    const prototype: { disable(): boolean } = Object.getPrototypeOf(monitorEventLoopDelay())
    const disable = vi.spyOn(prototype, 'disable')
    await lab.start([{ modelName: 'main', model: 'fake/fine' }]).close()
    expect(disable).toHaveBeenCalledTimes(0)
    await lab.start([{ modelName: 'main', model: 'fake/fine' }], { debug: true }).close()
    expect(disable.mock.results).toEqual([{ type: 'return', value: true }])
    disable.mockRestore()
  })

  it('collect garbage only where node lets them', async () => {
    const gateway = lab.start([{ modelName: 'main', model: 'fake/fine' }], { auth: admin, debug: true })
    const answer = await ask(gateway, 'POST', '/debug/memory/gc')
    if (globalThis.gc) expect(jsonOf(answer)).toMatchObject({ heap_used_mb: { after: expect.any(Number) } })
    else expect(jsonOf(answer).error).toMatchObject({ code: 'gc_not_exposed' })
  })
})
