import type { LedgerEntry } from '../../ports/ledger.js'

/** Where the entries of the contracts lie: within an hour, far from its edges. */
export const sampleTime = Date.UTC(2026, 10, 25, 10, 30)

/** A ledger entry with every field, of which some are replaced. */
export function sampleEntry(fields: Partial<LedgerEntry> & Pick<LedgerEntry, 'id'>): LedgerEntry {
  return {
    callId: `call of ${fields.id}`,
    at: sampleTime,
    operation: 'chat',
    caller: 'ann',
    scopes: [
      { kind: 'team', id: 'red' },
      { kind: 'user', id: 'ann' },
      { kind: 'key', id: 'k1' },
      { kind: 'model', id: 'small' },
      { kind: 'tag', id: 'night' },
    ],
    modelName: 'small',
    deployment: 'd1',
    provider: 'openai',
    model: 'gpt-small',
    usage: { inputUncached: 10, cacheRead: 5, outputText: 7 },
    price: { source: 'table', lines: [{ bucket: 'outputText', rate: '0.000001' }] },
    cost: 7_000_001n,
    charged: 8_400_001n,
    priced: true,
    estimated: false,
    aborted: false,
    cached: false,
    billable: true,
    latencyMs: 120,
    firstTokenMs: 30,
    status: 200,
    failure: undefined,
    tags: ['night'],
    endUser: 'customer 7',
    metadata: { trace: 'abc', nested: { deep: [1, null, 'x'] } },
    ...fields,
  }
}

/** Text that a careless statement would break at. */
export const hostileTexts: readonly string[] = [
  "'; DROP TABLE sluice_ledger; --",
  '" OR ""="',
  "\\' OR 1=1 -- ",
  '$1 ? :name @x %s {0}',
  '`; SELECT 1 #',
  '/* */ \r\n\t\u0001\u001a\u007f',
  '{"json": "\\u0000", "a": [}',
  'ключ 鍵 🔑 e\u0301 \u202e',
  '\u0000NUL\u0000',
  '\ud800 alone',
  'blank at the end ',
  'x'.repeat(5_000),
  '',
]
