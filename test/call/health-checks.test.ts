import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { GatewayEvent } from '../../src/index.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { type GatewayLab, ask, chat, startGatewayLab } from '../support/gateway.js'

let lab: GatewayLab

beforeAll(async () => {
  lab = await startGatewayLab()
})

afterAll(() => lab.close())

const path = '/v1/chat/completions'

describe('background health checks', () => {
  it('ask every deployment but wildcards and those that are left out, and end a cooldown early', async () => {
    const events: GatewayEvent[] = []
    const gateway = lab.start(
      [
        { modelName: 'main', model: 'fake/primary', id: 'a', order: 1, cooldownMs: 600_000 },
        { modelName: 'main', model: 'fake/second', id: 'b', order: 2, info: { disable_background_health_check: true } },
        { modelName: 'vectors', model: 'fake/vectors', id: 'c', info: { mode: 'embedding' } },
        { modelName: 'any/*', model: 'fake/*', id: 'd' },
      ],
      { healthChecks: { intervalMs: 1_000 }, retries: 1, onEvent: (event) => void events.push(event) },
    )
    lab.upstream.script('status-401')
    const { headers } = await ask(gateway, 'POST', path, chat('main'))
    expect(headers['x-sluice-deployment']).toBe('b')
    await vi.waitFor(() => expect(events.map(({ type }) => type)).toEqual(['cooldown', 'recovered']), 5_000)
    const again = await ask(gateway, 'POST', path, chat('main'))
    expect(again.headers['x-sluice-deployment']).toBe('a')
    const checked = lab.upstream.requests.filter(({ body }) => JSON.stringify(body).includes('ping'))
    expect(new Set(checked.map(({ path: at }) => at))).toEqual(new Set([path, '/v1/embeddings']))
    expect(checked.map(({ body }) => JSON.stringify(body)).join()).not.toContain('second')
    await gateway.close()
  })

  it('never let the only deployment of a group rest, for which nothing could take over', async () => {
    const events: GatewayEvent[] = []
    const gateway = lab.start([{ modelName: 'main', model: 'fake/status-401', id: 'only' }], {
      healthChecks: { intervalMs: 1_000 },
      onEvent: (event) => void events.push(event),
    })
    const before = lab.upstream.requests.length
    await vi.waitFor(() => expect(lab.upstream.requests.length).toBeGreaterThan(before), 5_000)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(events).toEqual([])
    await gateway.close()
  })

  it('ask each model in the way that it can be asked, and leave modes alone that they do not know', async () => {
    const gateway = lab.start(
      [
        { modelName: 'old', model: 'fake/instruct', id: 'old', info: { mode: 'completion' } },
        { modelName: 'speech', model: 'fake/speech', id: 'speech', info: { mode: 'audio_speech' } },
        { modelName: 'new', model: 'fake/newest', id: 'new', info: { mode: 'chat' } },
      ],
      { healthChecks: { intervalMs: 1_000 } },
    )
    const checked = (): unknown[] =>
      lab.upstream.requests
        .filter(({ body }) => /instruct|speech|newest/.test(JSON.stringify(body)))
        .map(({ path: at }) => at)
    await vi.waitFor(() => expect(checked()).toEqual(['/v1/completions', path]), 5_000)
    await gateway.close()
  })

  it('are in the ledger as the provider bills them, and charged to nobody', async () => {
    const ledger = createMemoryLedger()
    const gateway = lab.start(
      [
        { modelName: 'main', model: 'fake/well', id: 'well', prices: { input: 1, output: 2 } },
        {
          modelName: 'vectors',
          model: 'fake/vectors',
          id: 'vectors',
          info: { mode: 'embedding' },
          prices: { input: 1 },
        },
        { modelName: 'sick', model: 'fake/status-401', id: 'sick', prices: { input: 1, output: 2 } },
      ],
      {
        healthChecks: { intervalMs: 1_000 },
        stores: { ledger },
        // Nothing is left of it: a check is no call of anybody's.
        spend: { everybody: { budget: { maxBudget: 0 } } },
      },
    )
    const before = lab.upstream.requests.length
    await vi.waitFor(() => expect(lab.upstream.requests.length).toBeGreaterThanOrEqual(before + 3), 5_000)
    await gateway.close()
    const { entries } = await ledger.query({})
    const billed = lab.upstream.requests.slice(before).flatMap(({ billed: told }) => told ?? [])
    const bill = billed.reduce((sum, { promptTokens, completionTokens }) => {
      return sum + BigInt(promptTokens) * 1_000_000n + BigInt(completionTokens) * 2_000_000n
    }, 0n)
    expect(entries.map(({ deployment }) => deployment).toSorted()).toEqual(['vectors', 'well'])
    expect(entries.reduce((sum, { cost }) => sum + cost, 0n)).toBe(bill)
    expect(bill).toBeGreaterThan(0n)
    for (const row of entries) {
      expect(row).toMatchObject({
        caller: 'health-check',
        billable: false,
        charged: 0n,
        priced: true,
        estimated: false,
      })
      expect(await ledger.total({ kind: 'deployment', id: row.deployment }, 0)).toBe(0n)
    }
  })

  it('let a deployment rest that fails them', async () => {
    const events: GatewayEvent[] = []
    const gateway = lab.start(
      [
        { modelName: 'main', model: 'fake/status-401', id: 'sick' },
        { modelName: 'main', model: 'fake/well', id: 'well' },
      ],
      { healthChecks: { intervalMs: 1_000 }, onEvent: (event) => void events.push(event) },
    )
    await vi.waitFor(() => expect(events).toMatchObject([{ type: 'cooldown', deployment: 'sick' }]), 5_000)
    await gateway.close()
    const before = lab.upstream.requests.length
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(lab.upstream.requests.length).toBe(before)
  })
})
