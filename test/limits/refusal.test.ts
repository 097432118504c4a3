import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { errorAnswer } from '../../src/http/answer.js'
import { createBudgetWindows } from '../../src/limits/budget-window.js'
import { toHolds } from '../../src/limits/holds.js'
import { dollarsToNano, picoToNano, writeNano } from '../../src/limits/money.js'
import { writeDuration } from '../../src/limits/rate-headers.js'
import { toRefusal } from '../../src/limits/refusal.js'
import type { Scope } from '../../src/ports.js'

const now = 1_800_000_000_000
const estimate = { charged: () => 2_000_000_000n, inputTokens: 5, outputTokens: 5 }

function refusalOf(scope: Scope, used: number, retryAfterMs: number | undefined): GatewayError {
  const [part] = toHolds({ scopes: [scope], modelName: 'fast', estimate }, createBudgetWindows(), now)
  if (!part) throw new Error('no hold')
  return toRefusal(part, { index: 0, used, retryAfterMs }, now)
}

describe('a refusal', () => {
  it('answers 429 in the shape of OpenAI, with headers that its SDKs obey', () => {
    const error = refusalOf({ kind: 'key', id: 'k1', budget: { maxBudget: 0.5 } }, 499_000_000, undefined)
    const { status, headers, body } = errorAnswer(error)
    expect([status, headers['x-should-retry'], headers['retry-after']]).toEqual([429, 'false', undefined])
    expect(JSON.parse(String(body))).toEqual({
      error: {
        message:
          'The budget of key k1 is exceeded: $0.499 of $0.50 are spent or held by running calls, and this call may cost ' +
          'up to $0.002. It does not reset.',
        type: 'budget_exceeded',
        code: 'budget_exceeded',
        param: null,
      },
    })
  })

  it('of a rate tells when it fits, and what is left', () => {
    const { headers } = errorAnswer(refusalOf({ kind: 'team', id: 't1', tpm: 100 }, 95, 12_300))
    expect(headers).toMatchObject({
      'retry-after': '13',
      'x-ratelimit-limit-tokens': '100',
      'x-ratelimit-remaining-tokens': '5',
      'x-ratelimit-reset-tokens': '12.3s',
    })
    expect(headers['x-should-retry']).toBeUndefined()
  })
})

describe('amounts', () => {
  it('are written exactly', () => {
    expect([0, 1, 12_000, 370_000_000, 1_000_000_000, 9_007_199_254_740_991].map(writeNano)).toEqual([
      '$0.00',
      '$0.000000001',
      '$0.000012',
      '$0.37',
      '$1.00',
      '$9007199.254740991',
    ])
  })

  it('are rounded so that a counter never tells less than the ledger', () => {
    expect([0n, 1n, 1_000n, 1_001n].map(picoToNano)).toEqual([0, 1, 1, 2])
    expect([0.37, 0.1 + 0.2, -1, 1e12, Infinity].map(dollarsToNano)).toEqual([
      370_000_000,
      300_000_000,
      0,
      Number.MAX_SAFE_INTEGER,
      Infinity,
    ])
  })

  it('of time are written as OpenAI does', () => {
    expect([1, 999.2, 1_000, 12_345, 60_000, 3_723_000].map(writeDuration)).toEqual([
      '1ms',
      '1000ms',
      '1s',
      '12.345s',
      '1m0s',
      '1h2m3s',
    ])
  })
})
