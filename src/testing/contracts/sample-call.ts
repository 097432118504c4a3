import type { CallRecord } from '../../ports/callback.js'
import { sampleTime } from './sample-entry.js'

/** A call record with every field, of which some are replaced. */
export function sampleCall(fields: Partial<CallRecord> & Pick<CallRecord, 'id'>): CallRecord {
  return {
    callId: `call of ${fields.id}`,
    trace: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1 },
    sessionId: 'session 7',
    operation: 'chat',
    stream: true,
    status: 'success',
    outcome: 'streamed',
    error: undefined,
    requestedModel: 'small',
    modelName: 'small',
    deployment: 'd1',
    provider: 'openai',
    model: 'gpt-small',
    caller: 'ann',
    scopes: [
      { kind: 'team', id: 'red' },
      { kind: 'user', id: 'ann' },
      { kind: 'key', id: 'k1' },
    ],
    tags: ['night'],
    endUser: 'customer 7',
    metadata: { nested: { deep: [1, null, 'x'] } },
    usage: { inputUncached: 10, outputText: 7 },
    inputTokens: 10,
    outputTokens: 7,
    cost: '0.000007000001',
    charged: '0.000008400001',
    priced: true,
    estimated: false,
    cached: false,
    guardrails: [],
    priceLines: [{ bucket: 'outputText', quantity: 7, rate: '0.000001', per: 1, cost: '0.000007' }],
    startedAt: sampleTime - 120,
    firstTokenAt: sampleTime - 90,
    endedAt: sampleTime,
    attempts: [
      {
        deployment: 'd1',
        provider: 'openai',
        model: 'gpt-small',
        modelName: 'small',
        reason: 'first',
        outcome: 'answered',
        sent: true,
        startedAt: sampleTime - 110,
        firstTokenAt: sampleTime - 90,
        endedAt: sampleTime - 1,
        error: undefined,
        cost: '0.000007000001',
      },
    ],
    ...fields,
  }
}

/** A call that ended before any attempt. */
export function refusedCall(fields: Partial<CallRecord> & Pick<CallRecord, 'id'>): CallRecord {
  return sampleCall({
    trace: undefined,
    sessionId: undefined,
    stream: false,
    status: 'failure',
    outcome: 'budget_exceeded',
    error: { kind: 'budget_exceeded', status: 429, code: 'budget_exceeded', message: 'The budget is spent.' },
    modelName: undefined,
    deployment: undefined,
    provider: undefined,
    model: undefined,
    tags: [],
    endUser: undefined,
    metadata: undefined,
    usage: {},
    inputTokens: 0,
    outputTokens: 0,
    cost: '0',
    charged: '0',
    priceLines: [],
    firstTokenAt: undefined,
    attempts: [],
    ...fields,
  })
}
