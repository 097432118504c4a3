import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRedisCounters } from '../../adapters/redis/counters.js'
import type { Hold } from '../../src/ports/counters.js'
import { type CompiledSources, compileSources } from '../support/compiled-sources.js'
import { runScript, startHost } from '../support/host-process.js'
import { hasService, serviceUrls } from '../support/services.js'

const run = (await hasService('redis')) ? describe : describe.skip
const folder = fileURLToPath(new URL('.', import.meta.url))
const worker = `${folder}redis-counters-worker.mjs`
const tenant = 'acme'

interface Call {
  readonly from: number
  readonly until: number
}

/** The most calls that ran at one moment. */
function mostAtOnce(calls: readonly Call[]): number {
  const edges = calls.flatMap(({ from, until }) => [
    { at: from, step: 1 },
    { at: until, step: -1 },
  ])
  let [running, most] = [0, 0]
  for (const { step } of edges.toSorted((a, b) => a.at - b.at || a.step - b.step))
    most = Math.max(most, (running += step))
  return most
}

run('counters of several processes in one Redis', { timeout: 60_000 }, () => {
  const client = new Redis(serviceUrls.redis, { lazyConnect: true })
  let sources: CompiledSources
  beforeAll(() => {
    sources = compileSources()
  })
  afterAll(() => {
    client.disconnect()
    sources.remove()
  })
  const envOf = (task: string, prefix: string, own: Readonly<Record<string, string>> = {}) => ({
    SOURCES: sources.folder,
    REDIS_URL: serviceUrls.redis,
    PREFIX: prefix,
    TASK: task,
    ...own,
  })
  const fleet = async (size: number, env: Readonly<Record<string, string>>): Promise<readonly unknown[]> => {
    const names = Array.from({ length: size }, (_, at) => `process-${at}`)
    const finished = await Promise.all(
      names.map((name) => runScript(worker, folder, { ...env, NAME: name, SIZE: String(size) })),
    )
    return finished.map(({ output }): unknown => JSON.parse(output))
  }

  it('lets exactly 37 of 500 calls of four processes into a budget for 37', async () => {
    const prefix = `test-fleet:${randomUUID()}`
    const counters = createRedisCounters(client, { prefix })
    await counters.seed(tenant, [{ counter: 'budget:team:acme', spent: 0, until: 1 }])
    const results = await fleet(4, envOf('budget', prefix))
    const granted = results.map((result) => Number(Object(result).granted))
    expect(granted.reduce((sum, count) => sum + count, 0)).toBe(37)
    const hold: Hold = { counter: 'budget:team:acme', kind: 'budget', amount: 1, limit: 1 }
    expect(await counters.read(tenant, [hold])).toEqual([{ used: 37 * 1_000_003, held: 0, seededUntil: 1 }])
  })

  it('lets in what a sliding window allows and not one more or less, from three processes', async () => {
    const windowMs = 2_000
    const limits = [
      { counter: 'rpm:key:k1', kind: 'rate', amount: 1, limit: 100, windowMs },
      { counter: 'tpm:key:k1', kind: 'rate', amount: 90, limit: 10_000, windowMs },
    ]
    const env = { LIMITS: JSON.stringify(limits), DURATION: String(3 * windowMs) }
    const results = await fleet(3, envOf('limits', `test-fleet:${randomUUID()}`, env))
    const times = results.flatMap((result): readonly Call[] => Object(result).calls).map(({ from }) => from)
    // Not the last moments, as a process hears of a grant a little later than it was given.
    const counted = times.filter((time) => time < Math.min(...times) + 3 * windowMs - 100).length
    expect(Math.abs(counted - 300)).toBeLessThanOrEqual(1)
  })

  it('lets five calls run at once and not one more, from three processes', async () => {
    const limits = [{ counter: 'parallel:key:k1', kind: 'lease', amount: 1, limit: 5 }]
    const env = { LIMITS: JSON.stringify(limits), DURATION: '1000' }
    const results = await fleet(3, envOf('limits', `test-fleet:${randomUUID()}`, env))
    expect(mostAtOnce(results.flatMap((result): readonly Call[] => Object(result).calls))).toBe(5)
  })

  it('gives back what a killed process held, when its time is over and not before', async () => {
    const prefix = `test-fleet:${randomUUID()}`
    const counters = createRedisCounters(client, { prefix })
    const ttlMs = 1_200
    const limits: readonly Hold[] = [
      { counter: 'budget:team:acme', kind: 'budget', amount: 10, limit: 10 },
      { counter: 'parallel:key:k1', kind: 'lease', amount: 1, limit: 1 },
    ]
    await counters.seed(tenant, [{ counter: 'budget:team:acme', spent: 0, until: 1 }])
    const env = envOf('hold', prefix, { LIMITS: JSON.stringify(limits), TTL_MS: String(ttlMs), NAME: 'doomed' })
    const host = await startHost(worker, folder, env)
    const ask = async (): Promise<boolean> =>
      'granted' in (await counters.reserve(limits, { id: randomUUID(), tenant, ttlMs: 60_000 }))
    const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
    await pause(ttlMs * 2)
    expect(await ask()).toBe(false)
    await host.stop('SIGKILL')
    const killedAt = Date.now()
    expect(await ask()).toBe(false)
    while (!(await ask())) await pause(10)
    const waited = Date.now() - killedAt
    expect(waited).toBeGreaterThan(ttlMs / 3)
    expect(waited).toBeLessThan(ttlMs + 200)
  })
})
