import { type CallFacts, type CallbackOptions, type Callbacks, type SinkOptions } from '../../src/callbacks/index.js'
import { createCallbacks, createSendToSink, prepareRecord } from '../../src/callbacks/index.js'
import { GatewayError } from '../../src/errors.js'
import type { Clock, Logger } from '../../src/ports.js'
import type { CallRecord } from '../../src/ports/callback.js'
import type { LedgerEntry } from '../../src/ports/ledger.js'
import { toDollars } from '../../src/spend/money.js'
import { createUpstreamClient } from '../../src/upstream/client.js'

/** A clock that runs twenty times as fast, so that no test waits for a back-off. */
export const fastClock: Clock = (() => {
  const speed = 20
  const begun = Date.now()
  const started = performance.now()
  return {
    now: () => begun + (performance.now() - started) * speed,
    setTimeout(callback, milliseconds) {
      const timer = setTimeout(callback, milliseconds / speed)
      return { cancel: () => clearTimeout(timer) }
    },
  }
})()

/** A logger that keeps what it is told. */
export function createNotebook(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push(
      `${level} ${message} ${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value))}`,
    )
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** Callbacks over a real client. */
export interface CallbackLab {
  readonly callbacks: Callbacks
  readonly log: readonly string[]
  /** Tells of a call whose record is known. */
  record(record: CallRecord): void
  close(deadlineMs?: number): Promise<void>
}

export function openCallbacks(
  sinks: readonly SinkOptions[],
  options: Omit<CallbackOptions, 'sinks'> = {},
  clock: Clock = fastClock,
): CallbackLab {
  const client = createUpstreamClient({ connectTimeoutMs: 10_000 })
  const logger = createNotebook()
  const callbacks = createCallbacks(
    { bodies: true, ...options, sinks, queue: { deadlineMs: 60_000, ...options.queue } },
    { send: createSendToSink(client, clock), clock, logger },
  )
  return {
    callbacks,
    log: logger.lines,
    record: (record) => callbacks.record(() => record),
    async close(deadlineMs = 60_000) {
      await callbacks.close(deadlineMs)
      await client.close()
    },
  }
}

export const startedAt = Date.UTC(2026, 10, 25, 12, 0, 0)

/** The ledger's row of the sample's second attempt. */
export const sampleRow: LedgerEntry = {
  id: 'row1',
  callId: 'req_abc',
  at: startedAt + 1_500,
  operation: 'chat',
  caller: 'alice',
  scopes: [],
  modelName: 'fast',
  deployment: 'dep-b',
  provider: 'anthropic',
  model: 'claude-haiku-4-5',
  usage: { inputUncached: 100, cacheRead: 20, outputText: 40, reasoning: 10, images: 3 },
  price: { source: 'catalog', name: 'x', lines: [{ bucket: 'inputUncached', quantity: 100, cost: '0.0001' }] },
  cost: 350_000_000n,
  charged: 420_000_000n,
  priced: true,
  estimated: false,
  aborted: false,
  cached: false,
  billable: true,
  latencyMs: 1_300,
  firstTokenMs: 300,
  status: 200,
  failure: undefined,
  tags: ['blue'],
  endUser: 'customer-7',
  metadata: undefined,
}

/** A stream that one deployment refused with a 429 and another one answered. */
export const sampleFacts: CallFacts = {
  id: 'rec_0001',
  callId: 'req_abc',
  operation: 'chat',
  requestedModel: 'fast',
  modelName: 'fast',
  caller: {
    id: 'alice',
    scopes: [
      { kind: 'team', id: 'red', rpm: 5 },
      { kind: 'key', id: 'key-hash' },
    ],
  },
  tags: ['blue'],
  endUser: 'customer-7',
  metadata: { session_id: 'sess-1', feature: 'search' },
  trace: undefined,
  ending: { error: undefined, stream: true, contentSent: true },
  startedAt,
  endedAt: startedAt + 1_600,
  attempts: [
    {
      target: { id: 'dep-a', provider: 'openai', model: 'gpt-4o-mini' },
      modelName: 'fast',
      reason: 'first',
      outcome: 'failed',
      sent: true,
      startedAt: startedAt + 50,
      firstTokenMs: undefined,
      endedAt: startedAt + 150,
      failure: new GatewayError('rate_limited', 'Slow down.'),
    },
    {
      target: { id: 'dep-b', provider: 'anthropic', model: 'claude-haiku-4-5' },
      modelName: 'fast',
      reason: 'reroute',
      outcome: 'answered',
      sent: true,
      startedAt: startedAt + 200,
      firstTokenMs: 300,
      endedAt: startedAt + 1_500,
      failure: undefined,
    },
  ],
  rows: [sampleRow],
  request: {
    model: 'fast',
    stream: true,
    temperature: 0.5,
    max_tokens: 100,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'What is a sluice?' }] },
    ],
  },
  response: {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: 'A gate for water.' }, finish_reason: 'stop' }],
  },
  toDollars,
}

export const sampleRecord = (own: Partial<CallFacts> = {}): CallRecord => prepareRecord({ ...sampleFacts, ...own })()

/** A record of a call that failed before any content. */
export const failedRecord = (own: Partial<CallFacts> = {}): CallRecord =>
  sampleRecord({
    id: 'rec_0002',
    ending: {
      error: new GatewayError('timeout', 'The provider sent no content within 5000 ms.'),
      stream: false,
      contentSent: false,
    },
    rows: [],
    response: undefined,
    ...own,
  })
