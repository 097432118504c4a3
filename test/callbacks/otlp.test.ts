import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type OtlpTraces, toOtlp } from '../../src/callbacks/otlp.js'
import { toProtobuf } from '../../src/callbacks/otlp-protobuf.js'
import { failedRecord, openCallbacks, sampleRecord, startedAt } from './lab.js'
import { type RecordingServer, startRecordingServer } from './recording-server.js'

let server: RecordingServer
beforeEach(async () => {
  server = await startRecordingServer()
})
afterEach(() => server.close())

const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const nano = (milliseconds: number): string => `${startedAt + milliseconds}000000`

interface Field {
  readonly id: number
  readonly wire: number
  readonly value: bigint | Buffer
}

/** Reads protobuf's wire format, written from its specification alone. */
function fields(bytes: Buffer): Field[] {
  const found: Field[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at)
      at += 1
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('cut off')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const key = varint()
    const wire = Number(key & 7n)
    const value = wire === 0 ? varint() : take(wire === 1 ? 8 : Number(varint()))
    found.push({ id: Number(key >> 3n), wire, value })
  }
  return found
}

const all = (list: readonly Field[], id: number): Buffer[] =>
  list.flatMap((field) => (field.id === id && Buffer.isBuffer(field.value) ? [field.value] : []))
const one = (list: readonly Field[], id: number): Buffer => all(list, id)[0] ?? Buffer.of()
const int = (list: readonly Field[], id: number): number => Number(list.find((field) => field.id === id)?.value ?? 0n)

function readValue(bytes: Buffer): unknown {
  const [field] = fields(bytes)
  if (!field) return undefined
  const { id, value } = field
  if (typeof value === 'bigint')
    return id === 2 ? { boolValue: value === 1n } : { intValue: String(BigInt.asIntN(64, value)) }
  if (id === 1) return { stringValue: value.toString('utf8') }
  if (id === 4) return { doubleValue: value.readDoubleLE() }
  return { arrayValue: { values: all(fields(value), 1).map(readValue) } }
}

const readAttributes = (list: readonly Buffer[]) =>
  list.map(fields).map((field) => ({ key: one(field, 1).toString('utf8'), value: readValue(one(field, 2)) }))

function readSpan(bytes: Buffer) {
  const span = fields(bytes)
  const status = fields(one(span, 15))
  return {
    traceId: one(span, 1).toString('hex'),
    spanId: one(span, 2).toString('hex'),
    parentSpanId: one(span, 4).toString('hex'),
    name: one(span, 5).toString('utf8'),
    kind: int(span, 6),
    startTimeUnixNano: String(one(span, 7).readBigUInt64LE()),
    endTimeUnixNano: String(one(span, 8).readBigUInt64LE()),
    attributes: readAttributes(all(span, 9)),
    events: all(span, 11)
      .map(fields)
      .map((event) => ({
        timeUnixNano: String(one(event, 1).readBigUInt64LE()),
        name: one(event, 2).toString('utf8'),
        attributes: readAttributes(all(event, 3)),
      })),
    status: { code: int(status, 3), message: one(status, 2).toString('utf8') },
  }
}

function readRequest(bytes: Buffer) {
  return {
    resourceSpans: all(fields(bytes), 1)
      .map(fields)
      .map((entry) => ({
        resource: { attributes: readAttributes(all(fields(one(entry, 1)), 1)) },
        scopeSpans: all(entry, 2)
          .map(fields)
          .map((scoped) => {
            const scope = fields(one(scoped, 1))
            return {
              scope: { name: one(scope, 1).toString('utf8'), version: one(scope, 2).toString('utf8') },
              spans: all(scoped, 2).map(readSpan),
            }
          }),
      })),
  }
}

const spansOf = (traces: OtlpTraces) =>
  traces.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
const attributesOf = (
  span: { readonly attributes: readonly { readonly key: string; readonly value: unknown }[] } | undefined,
) => Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value as object)[0]]))

describe('a call over OTLP', () => {
  it('is a span with the names of the GenAI conventions, and a span below it for every attempt', () => {
    const [call, first, second] = spansOf(toOtlp([sampleRecord({ trace })], 'shop'))
    expect(call).toMatchObject({
      traceId: trace.traceId,
      parentSpanId: trace.spanId,
      name: 'chat fast',
      kind: 3,
      startTimeUnixNano: nano(0),
      endTimeUnixNano: nano(1_600),
      status: { code: 1 },
    })
    expect(attributesOf(call)).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.model': 'fast',
      'gen_ai.response.model': 'claude-haiku-4-5',
      'gen_ai.usage.input_tokens': '120',
      'gen_ai.usage.output_tokens': '50',
      'gen_ai.usage.cache_read.input_tokens': '20',
      'gen_ai.usage.reasoning.output_tokens': '10',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.max_tokens': '100',
      'gen_ai.response.time_to_first_chunk': 0.5,
      'gen_ai.conversation.id': 'sess-1',
      'sluice.cost': 0.00035,
      'sluice.scope.team': 'red',
    })
    expect(JSON.parse(attributesOf(call)['gen_ai.input.messages'])).toEqual([
      { role: 'system', parts: [{ type: 'text', content: 'Be brief.' }] },
      { role: 'user', parts: [{ type: 'text', content: 'What is a sluice?' }] },
    ])
    expect(call?.events.map(({ name, timeUnixNano }) => [name, timeUnixNano])).toEqual([
      ['sluice.first_token', nano(500)],
      ['sluice.reroute', nano(200)],
    ])
    expect(first).toMatchObject({
      traceId: trace.traceId,
      parentSpanId: call?.spanId,
      status: { code: 2, message: 'Slow down.' },
    })
    expect(attributesOf(first)).toMatchObject({ 'error.type': 'rate_limited', 'http.response.status_code': '429' })
    expect(second).toMatchObject({
      name: 'attempt anthropic/claude-haiku-4-5',
      startTimeUnixNano: nano(200),
      endTimeUnixNano: nano(1_500),
    })
    expect(new Set([call, first, second].map((span) => span?.spanId)).size).toBe(3)
  })

  it('is the same spans however often it is sent', () => {
    expect(toOtlp([sampleRecord()], 'shop')).toEqual(toOtlp([sampleRecord()], 'shop'))
    const [call] = spansOf(toOtlp([sampleRecord()], 'shop'))
    expect(call).toMatchObject({
      traceId: expect.stringMatching(/^[\da-f]{32}$/),
      spanId: expect.stringMatching(/^[\da-f]{16}$/),
      parentSpanId: '',
    })
  })

  it('tells what guardrails found', () => {
    const verdict = {
      guardrail: 'pii',
      type: 'pii',
      mode: 'pre_call',
      outcome: 'masked',
      counts: {},
      durationMs: 1,
    } as const
    const [guarded, bare] = [[verdict], []].map(
      (guardrails) => spansOf(toOtlp([sampleRecord({ guardrails })], 'shop'))[0],
    )
    expect(attributesOf(guarded)['sluice.guardrails']).toEqual({ values: [{ stringValue: 'pii=masked' }] })
    expect(attributesOf(bare)).not.toHaveProperty('sluice.guardrails')
  })

  it('tells an error', () => {
    const [call] = spansOf(toOtlp([failedRecord()], 'shop'))
    expect(call?.status).toEqual({ code: 2, message: 'The provider sent no content within 5000 ms.' })
    expect(attributesOf(call)).toMatchObject({ 'error.type': 'upstream_timeout', 'http.response.status_code': '504' })
    expect(call?.events.at(-1)?.name).toBe('exception')
  })
})

describe('the protobuf form', () => {
  it('says exactly what the JSON form says', () => {
    const traces = toOtlp([sampleRecord({ trace }), failedRecord()], 'shop')
    expect(readRequest(Buffer.from(toProtobuf(traces)))).toEqual(traces)
  })

  it('does so for any text and number', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.maxSafeInteger(),
        fc.double({ noNaN: true }),
        (text, whole, fraction) => {
          const traces = toOtlp([sampleRecord({ requestedModel: text })], text || 'x', () => ({
            whole,
            fraction,
            'sluice.cost': whole,
            list: [text, ''],
          }))
          const read = readRequest(Buffer.from(toProtobuf(traces)))
          expect(JSON.stringify(read)).toBe(JSON.stringify(traces))
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('vendors that speak OTLP', () => {
  it('Traceloop gets JSON with its own attributes', async () => {
    const lab = openCallbacks([{ type: 'traceloop', apiKey: 'tl-key', baseUrl: server.url }])
    lab.record(sampleRecord())
    await lab.close()
    const [request] = server.requests
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1/traces',
      headers: { authorization: 'Bearer tl-key', 'content-type': 'application/json' },
    })
    expect(attributesOf(spansOf(request?.json)[0])).toMatchObject({
      'traceloop.span.kind': 'workflow',
      'traceloop.association.properties.session_id': 'sess-1',
    })
  })

  it('MLflow gets protobuf for an experiment', async () => {
    const lab = openCallbacks([
      { type: 'mlflow', trackingUri: `${server.url}/`, experimentId: '42', username: 'u', password: 'p' },
    ])
    lab.record(sampleRecord())
    await lab.close()
    const [request] = server.requests
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1/traces',
      headers: {
        'content-type': 'application/x-protobuf',
        'x-mlflow-experiment-id': '42',
        authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
      },
    })
    const [call] = readRequest(request?.bytes ?? Buffer.of()).resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans),
    )
    const attributes = attributesOf(call)
    expect(attributes).toMatchObject({ 'mlflow.spanType': 'CHAT_MODEL', 'mlflow.trace.session': 'sess-1' })
    expect(JSON.parse(attributes['mlflow.chat.tokenUsage'])).toEqual({
      input_tokens: 120,
      output_tokens: 50,
      total_tokens: 170,
    })
    expect(JSON.parse(attributes['mlflow.spanOutputs'])).toEqual({ role: 'assistant', content: 'A gate for water.' })
  })

  it('any collector gets what it wants in headers', async () => {
    const lab = openCallbacks([
      { type: 'otlp', url: `${server.url}/v1/traces`, headers: { 'Api-Key': 'k' }, serviceName: 'shop' },
    ])
    lab.record(sampleRecord())
    await lab.close()
    expect(server.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'api-key': 'k' } })
    expect(server.requests[0]?.json.resourceSpans[0].resource.attributes).toEqual([
      { key: 'service.name', value: { stringValue: 'shop' } },
    ])
  })
})
