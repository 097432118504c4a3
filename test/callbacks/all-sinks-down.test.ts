import * as api from '@opentelemetry/api'
import * as client from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import type { SinkOptions } from '../../src/callbacks/index.js'
import { systemClock } from '../../src/clock.js'
import { createNotebook, openCallbacks, sampleRecord } from './lab.js'
import { type RecordingServer, startRecordingServer } from './recording-server.js'

const keys = { accessKeyId: 'AKID', secretAccessKey: 's' }
const servers: RecordingServer[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())))

/** One sink of every type; those that leave the process find the server down, each in one of three ways. */
async function everySink(): Promise<readonly SinkOptions[]> {
  const [failing, hanging, gone] = await Promise.all([1, 2, 3].map(() => startRecordingServer()))
  if (!failing || !hanging || !gone) throw new Error('no servers')
  failing.standard = { status: 503 }
  hanging.standard = 'hang'
  await gone.close()
  servers.push(failing, hanging)
  const broken = {
    onCall: () => {
      throw new Error('broken')
    },
  }
  return [
    { type: 'langfuse', publicKey: 'p', secretKey: 's', baseUrl: failing.url },
    { type: 'lunary', publicKey: 'p', baseUrl: hanging.url },
    { type: 'mlflow', trackingUri: gone.url },
    { type: 'helicone', apiKey: 'k', baseUrl: failing.url },
    { type: 'promptlayer', apiKey: 'k', baseUrl: hanging.url },
    { type: 'traceloop', apiKey: 'k', baseUrl: gone.url },
    { type: 'athina', apiKey: 'k', baseUrl: failing.url },
    { type: 'slack', webhookUrl: hanging.url },
    { type: 'otlp', url: gone.url },
    { type: 's3', bucket: 'logs', region: 'eu-west-1', endpoint: failing.url, credentials: keys },
    { type: 'dynamodb', table: 'calls', region: 'eu-west-1', endpoint: hanging.url, credentials: keys },
    { type: 'webhook', url: gone.url },
    { type: 'callback', callback: broken },
    { type: 'logger', logger: createNotebook(), bodies: false },
    { type: 'opentelemetry', api },
    { type: 'prometheus', client, registry: new client.Registry() },
  ]
}

/** Lets as much real time pass as a server under load has between two calls. */
const breathe = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** Ten thousand calls of a whole gateway are in `test/gateway/sinks-down.test.ts`; here is every type of sink. */
const records = 2_000

describe('records while every sink is down', () => {
  it('are not held up, and take no more memory than the queues may have', async () => {
    const maxQueued = 100
    const sinks = await everySink()
    const lab = openCallbacks(sinks, { queue: { maxQueued, deadlineMs: 1_000, delayMs: 50 } }, systemClock)
    const message = 'word '.repeat(400)
    const tookMicroseconds: number[] = []
    let highest = 0
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    for (let index = 0; index < records; index += 1) {
      const request = { model: 'fast', messages: [{ role: 'user', content: `${index} ${message}` }] }
      const record = sampleRecord({ id: `rec_${index}`, request })
      const from = performance.now()
      lab.record(record)
      tookMicroseconds.push((performance.now() - from) * 1_000)
      if (index % 20 === 0) await breathe()
      if (index % 100 === 0) {
        for (const { queued } of Object.values(lab.callbacks.stats)) highest = Math.max(highest, queued)
      }
    }
    const grown = (process.memoryUsage().heapUsed - before) / 1_048_576
    await lab.close(500)
    const sorted = tookMicroseconds.toSorted((left, right) => left - right)
    const [median = 0, p99 = 0] = [sorted[records / 2], sorted[records * 0.99]]
    console.log(
      `record(): median ${median.toFixed(2)} µs, p99 ${p99.toFixed(2)} µs; heap +${grown.toFixed(0)} MB; most queued ${highest}`,
    )
    expect(highest).toBeLessThanOrEqual(maxQueued)
    expect(median).toBeLessThan(50)
    expect(grown).toBeLessThan(150)
    const stats = lab.callbacks.stats
    for (const [name, { queued, delivered, dropped, failed }] of Object.entries(stats)) {
      expect(queued, name).toBe(0)
      // Slack is told of alerts only; every other sink has an account of every record.
      if (name !== 'slack') expect(delivered + dropped + failed, name).toBe(records)
    }
    for (const name of ['langfuse', 'lunary', 'mlflow', 's3', 'webhook']) expect(stats[name]?.delivered, name).toBe(0)
    for (const name of ['logger', 'opentelemetry', 'prometheus'])
      expect(stats[name]?.delivered ?? 0, name).toBeGreaterThan(0)
  }, 60_000)

  it('leave those alone that listen: every record reaches the one sink that works', async () => {
    const works = await startRecordingServer()
    servers.push(works)
    const sinks: SinkOptions[] = [
      ...(await everySink()),
      { type: 'webhook', name: 'works', url: works.url, format: 'ndjson' },
    ]
    const lab = openCallbacks(sinks, { queue: { maxQueued: 10_000, deadlineMs: 1_000, delayMs: 20 } }, systemClock)
    for (let index = 0; index < 2_000; index += 1) {
      lab.record(sampleRecord({ id: `rec_${index}`, request: undefined, response: undefined }))
      if (index % 20 === 0) await breathe()
    }
    while ((lab.callbacks.stats['works']?.delivered ?? 0) < 2_000)
      await new Promise((resolve) => setTimeout(resolve, 20))
    await lab.close(100)
    const ids = works.requests.flatMap(({ text }) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    )
    expect(new Set(ids).size).toBe(2_000)
    expect(ids).toHaveLength(2_000)
  }, 60_000)
})
