import * as prom from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SinkOptions } from '../../src/callbacks/index.js'
import type { Gateway } from '../../src/index.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { fastClock } from '../callbacks/lab.js'
import { type RecordingServer, startRecordingServer } from '../callbacks/recording-server.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, startGatewayLab } from '../support/gateway.js'

const calls = 10_000
const maxQueued = 200

let lab: GatewayLab
let [failing, hanging]: [RecordingServer | undefined, RecordingServer | undefined] = [undefined, undefined]

beforeAll(async () => {
  lab = await startGatewayLab()
  failing = await startRecordingServer()
  hanging = await startRecordingServer()
  failing.standard = { status: 503 }
  hanging.standard = 'hang'
})
afterAll(() => Promise.all([lab.close(), failing?.close(), hanging?.close()]))

/** Sinks that are down in every way that one can be. */
function brokenSinks(): readonly SinkOptions[] {
  const throws = {
    onCall: () => {
      throw new Error('broken')
    },
  }
  const hangs = { onCall: () => new Promise<void>(() => {}) }
  const slow = { onCall: () => new Promise<void>((resolve) => void setTimeout(resolve, 200)) }
  return [
    { type: 'webhook', name: 'answers 503', url: failing?.url ?? '' },
    { type: 'langfuse', name: 'never answers', publicKey: 'p', secretKey: 's', baseUrl: hanging?.url },
    { type: 'lunary', name: 'is not there', publicKey: 'p', baseUrl: 'http://127.0.0.1:1' },
    { type: 'callback', name: 'throws', callback: throws },
    { type: 'callback', name: 'hangs', callback: hangs },
    { type: 'callback', name: 'is slow', callback: slow },
  ]
}

/** Answers from the cache: whatever a call takes is then the gateway's own work. */
async function run(sinks: readonly SinkOptions[], calls: number) {
  const ledger = createMemoryLedger()
  const registry = new prom.Registry()
  const gateway = lab.start([{ modelName: 'main', model: 'fake/words-3', prices: { input: 1, output: 1 } }], {
    cache: true,
    stores: { ledger },
    clock: fastClock,
    callbacks: {
      sinks: [...sinks, { type: 'prometheus', client: prom, registry }],
      queue: { maxQueued, deadlineMs: 4_000, delayMs: 100, maxTries: 2 },
    },
  })
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const took = await callAll(gateway, calls)
  const grown = (process.memoryUsage().heapUsed - before) / 1_048_576
  await gateway.close({ drainMs: 0 })
  const told = await registry.getSingleMetric('sluice_callback_records')?.get()
  const countOf = (name: string, state: string): number =>
    told?.values.find(({ labels }) => labels['callback'] === name && labels['state'] === state)?.value ?? NaN
  const rows = await ledger.report({ fromDay: '2000-01-01', untilDay: '2999-12-31', by: [] })
  return { took, grown, countOf, rows: rows.reduce((sum, row) => sum + row.calls, 0) }
}

async function callAll(gateway: Gateway, calls: number): Promise<readonly number[]> {
  const request = { model: 'main', messages: [{ role: 'user' as const, content: 'Hello' }] }
  const took: number[] = []
  for (let index = 0; index < calls; index += 1) {
    const from = performance.now()
    await gateway.call('chat', request, anyCaller)
    took.push(performance.now() - from)
    // A server under load sees its timers and sockets between two calls.
    if (index % 50 === 0) await new Promise((resolve) => void setImmediate(resolve))
  }
  return took
}

const describeTimes = (took: readonly number[]): string => {
  const sorted = took.toSorted((left, right) => left - right)
  const at = (share: number): string => `${((sorted[Math.floor(share * sorted.length)] ?? 0) * 1_000).toFixed(0)} µs`
  return `median ${at(0.5)}, p99 ${at(0.99)}`
}

it('ten thousand calls are answered and written down while every sink is down, and what sinks lose is counted', async () => {
  const without = await run([], 2_000)
  const sinks = brokenSinks()
  const broken = await run(sinks, calls)
  console.log(
    `without sinks: ${describeTimes(without.took)}; all sinks down: ${describeTimes(broken.took)}, heap +${broken.grown.toFixed(0)} MB`,
  )
  expect(broken.rows).toBe(calls)
  // The queues hold 200 records of some KB each; the rest is the ledger in memory.
  expect(broken.grown).toBeLessThan(200)
  for (const { name = '' } of sinks) {
    const [delivered, dropped, failed] = ['delivered', 'dropped', 'failed'].map((state) => broken.countOf(name, state))
    expect(broken.countOf(name, 'queued'), name).toBe(0)
    expect((delivered ?? 0) + (dropped ?? 0) + (failed ?? 0), name).toBe(calls)
    expect((dropped ?? 0) + (failed ?? 0), name).toBeGreaterThan(0)
    if (name !== 'is slow') expect(delivered, name).toBe(0)
  }
}, 60_000)
