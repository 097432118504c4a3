import * as api from '@opentelemetry/api'
import * as client from 'prom-client'
import { describe, expect, it, vi } from 'vitest'
import type { AttemptRecord, CallRecord } from '../../src/ports/callback.js'
import { createNotebook, failedRecord, openCallbacks, sampleRecord, startedAt } from './lab.js'

const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', flags: 1 }

interface WrittenSpan {
  readonly name: string
  readonly options: any // eslint-disable-line typescript/no-explicit-any -- the test looks into it
  readonly parent: api.SpanContext | undefined
  readonly events: (readonly [string, Date])[]
  status: api.SpanStatus | undefined
  endedAt: Date | undefined
}

/** The real API's contexts over a tracer and a meter that write down what they are told. */
function createHostOtel() {
  const spans: WrittenSpan[] = []
  const measures: (readonly [string, number, object])[] = []
  const startSpan = (name: string, options: object, context: unknown): api.Span => {
    const written: WrittenSpan = {
      name,
      options,
      parent: api.trace.getSpanContext(context as api.Context),
      events: [],
      status: undefined,
      endedAt: undefined,
    }
    spans.push(written)
    const own = api.trace.wrapSpanContext({
      traceId: trace.traceId,
      spanId: String(spans.length).padStart(16, '0'),
      traceFlags: 1,
    })
    return Object.assign(own, {
      addEvent: (event: string, _attributes: object, at: Date) => written.events.push([event, at]),
      setStatus: (status: api.SpanStatus) => (written.status = status),
      end: (at: Date) => (written.endedAt = at),
    }) as unknown as api.Span
  }
  const instrument = (name: string) => ({
    record: (value: number, attributes: object) => measures.push([name, value, attributes]),
    add: (value: number, attributes: object) => measures.push([name, value, attributes]),
  })
  const host = {
    ROOT_CONTEXT: api.ROOT_CONTEXT,
    trace: {
      getTracer: () => ({ startSpan }),
      getActiveSpan: () => api.trace.wrapSpanContext({ traceId: trace.traceId, spanId: trace.spanId, traceFlags: 1 }),
      setSpan: (context: unknown, span: unknown) => api.trace.setSpan(context as api.Context, span as api.Span),
      setSpanContext: (context: unknown, parent: object) =>
        api.trace.setSpanContext(context as api.Context, parent as api.SpanContext),
    },
    metrics: { getMeter: () => ({ createHistogram: instrument, createCounter: instrument }) },
  }
  return { host, spans, measures }
}

describe('OpenTelemetry', () => {
  it("gets spans below the host's, with their own times, and metrics", async () => {
    const { host, spans, measures } = createHostOtel()
    const lab = openCallbacks([{ type: 'opentelemetry', api: host }])
    expect(lab.callbacks.trace()).toEqual(trace)
    lab.record(sampleRecord({ trace: lab.callbacks.trace() }))
    await lab.close()
    const [call, first, second] = spans
    expect(call).toMatchObject({
      name: 'chat fast',
      parent: { traceId: trace.traceId, spanId: trace.spanId, isRemote: true },
      status: undefined,
    })
    expect(call?.options).toMatchObject({
      kind: api.SpanKind.CLIENT,
      startTime: new Date(startedAt),
      attributes: { 'gen_ai.provider.name': 'anthropic', 'sluice.tags': ['blue'] },
    })
    expect(call?.endedAt).toEqual(new Date(startedAt + 1_600))
    expect(call?.events[0]).toEqual(['sluice.first_token', new Date(startedAt + 500)])
    expect(first).toMatchObject({
      parent: { spanId: '0000000000000001' },
      status: { code: api.SpanStatusCode.ERROR, message: 'Slow down.' },
    })
    expect(second).toMatchObject({ parent: { spanId: '0000000000000001' }, endedAt: new Date(startedAt + 1_500) })
    expect(measures.map(([name, value]) => [name, value])).toEqual([
      ['gen_ai.client.operation.duration', 1.6],
      ['gen_ai.client.operation.time_to_first_chunk', 0.5],
      ['gen_ai.client.token.usage', 120],
      ['gen_ai.client.token.usage', 50],
      ['sluice.cost', 0.00035],
    ])
    expect(measures[2]?.[2]).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.model': 'fast',
      'gen_ai.response.model': 'claude-haiku-4-5',
      'gen_ai.token.type': 'input',
    })
  })

  it('takes the module itself, and does nothing harmful where the host has no SDK', async () => {
    const lab = openCallbacks([{ type: 'opentelemetry', api }])
    expect(lab.callbacks.trace()).toBeUndefined()
    lab.record(sampleRecord())
    await lab.close()
    expect(lab.callbacks.stats['opentelemetry']).toMatchObject({ delivered: 1, failed: 0 })
  })

  it('keeps names that clients make up out of metrics', async () => {
    const { host, measures } = createHostOtel()
    const lab = openCallbacks([{ type: 'opentelemetry', api: host }])
    lab.record(failedRecord({ requestedModel: 'made-up', modelName: undefined, attempts: [] }))
    await lab.close()
    expect(JSON.stringify(measures)).not.toContain('made-up')
  })
})

describe('Prometheus', () => {
  it("counts calls, money, tokens, times and deployments in the host's registry", async () => {
    const registry = new client.Registry()
    const lab = openCallbacks([{ type: 'prometheus', client, registry }])
    lab.record(sampleRecord())
    lab.record(sampleRecord({ id: 'b' }))
    lab.record(failedRecord())
    lab.callbacks.event({ type: 'cooldown', at: 1, deployment: 'dep-a', modelName: 'fast', until: 2 } as {
      type: string
      at: number
    })
    await lab.close()
    const text = await registry.metrics()
    const who = 'hashed_api_key="key-hash",team="red",user=""'
    const place = 'api_provider="anthropic",model="claude-haiku-4-5"'
    for (const line of [
      `sluice_requests_total{${who},model_group="fast",operation="chat",outcome="streamed",status_code="200"} 2`,
      `sluice_requests_total{${who},model_group="fast",operation="chat",outcome="upstream_timeout",status_code="504"} 1`,
      `sluice_spend_dollars_total{${who},model_group="fast",${place}} 0.00084`,
      `sluice_input_tokens_total{${who},model_group="fast",${place}} 240`,
      `sluice_output_tokens_total{${who},model_group="fast",${place}} 100`,
      `sluice_request_duration_seconds_bucket{le="2",model_group="fast",operation="chat",status="success"} 2`,
      `sluice_time_to_first_token_seconds_sum{model_group="fast",${place}} 1`,
      `sluice_overhead_seconds_sum{model_group="fast",operation="chat"} 0.6`,
      `sluice_deployment_attempts_total{deployment="dep-a",model_group="fast",api_provider="openai",model="gpt-4o-mini",reason="first",outcome="failed",failure="rate_limited"} 3`,
      `sluice_deployment_state{deployment="dep-a",model_group="fast"} 2`,
      `sluice_deployment_cooldowns_total{deployment="dep-a",model_group="fast"} 1`,
      `sluice_callback_records{callback="prometheus",state="delivered"} 4`,
    ]) {
      expect(text).toContain(line)
    }
    expect(text).not.toContain('end_user')
  })

  it("counts in histograms that another copy of this package made, and in prom-client's own", async () => {
    vi.resetModules()
    const other = await import('../../src/callbacks/metrics.js')
    const own = (registry: client.Registry): object =>
      other.createMetrics({ client, registry, prefix: 'sluice_', endUser: false }, () => ({}))
    const theirs = (registry: client.Registry): object =>
      new client.Histogram({
        name: 'sluice_request_duration_seconds',
        help: 'Older',
        labelNames: ['model_group', 'operation', 'status'],
        registers: [registry],
      })
    for (const make of [own, theirs]) {
      const registry = new client.Registry()
      make(registry)
      const lab = openCallbacks([{ type: 'prometheus', client, registry }])
      for (const id of ['a', 'b']) lab.record(sampleRecord({ id }))
      await lab.close()
      expect(lab.callbacks.stats['prometheus']).toMatchObject({ delivered: 2, failed: 0 })
      expect(await registry.metrics()).toMatch(/sluice_request_duration_seconds_count\{.*\} 2/)
    }
  })

  it('is shared by two gateways that have one registry', async () => {
    const registry = new client.Registry()
    const labs = [0, 1].map(() =>
      openCallbacks([{ type: 'prometheus', client, registry, prefix: 'llm_', endUser: true }]),
    )
    for (const lab of labs) lab.record(sampleRecord())
    await Promise.all(labs.map((lab) => lab.close()))
    expect(await registry.metrics()).toMatch(/llm_requests_total\{.*end_user="customer-7".*\} 2/)
  })
})

describe("the host's own callback", () => {
  it('is told of every attempt and of the call', async () => {
    const told: string[] = []
    const callback = {
      onAttempt: ({ deployment }: AttemptRecord) => void told.push(deployment),
      onCall: ({ outcome }: CallRecord) => void told.push(outcome),
    }
    const lab = openCallbacks([{ type: 'callback', callback }])
    const record = sampleRecord()
    for (const attempt of record.attempts) lab.callbacks.attempt?.(attempt, record)
    lab.record(record)
    await lab.close()
    expect(told).toEqual(['dep-a', 'dep-b', 'streamed'])
  })

  it('is told of a call only once it is done with its attempts, and of attempts only if it wants to know', async () => {
    const told: string[] = []
    const callback = {
      async onAttempt({ deployment }: AttemptRecord) {
        await new Promise((resolve) => void setImmediate(resolve))
        told.push(deployment)
      },
      onCall: ({ id }: CallRecord) => void told.push(id),
    }
    const lab = openCallbacks([{ type: 'callback', callback, on: 'failure' }])
    const failed = failedRecord()
    for (const attempt of failed.attempts) lab.callbacks.attempt?.(attempt, failed)
    lab.record(failed)
    await lab.close()
    expect(told).toEqual(['dep-a', 'rec_0002'])
    const uninterested = openCallbacks([{ type: 'callback', callback: { onCall: () => {} } }])
    expect(uninterested.callbacks.attempt).toBeUndefined()
    await uninterested.close()
  })

  it('takes nobody with it where it throws, rejects or hangs', async () => {
    const told: string[] = []
    const callback = {
      onCall({ id }: CallRecord): Promise<void> | void {
        if (id === 'throws') throw new Error('no')
        if (id === 'rejects') return Promise.reject(new Error('no'))
        if (id === 'hangs') return new Promise(() => {})
        told.push(id)
      },
    }
    const lab = openCallbacks([{ type: 'callback', callback }], { queue: { deadlineMs: 2_000 } })
    for (const id of ['throws', 'a', 'hangs', 'b', 'rejects', 'c']) lab.record(sampleRecord({ id, callId: id }))
    await lab.close()
    expect(told).toEqual(['a', 'b', 'c'])
    expect(lab.callbacks.stats['callback']).toEqual({ queued: 0, delivered: 3, dropped: 0, failed: 3 })
  })
})

describe('a logger', () => {
  it('gets a line for every call', async () => {
    const logger = createNotebook()
    const lab = openCallbacks([{ type: 'logger', logger, bodies: false }])
    lab.record(sampleRecord())
    lab.record(failedRecord())
    await lab.close()
    expect(logger.lines.map((line) => line.slice(0, 26))).toEqual([
      'info call streamed {"call"',
      'warn call upstream_timeout',
    ])
  })
})
