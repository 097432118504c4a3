import { deepEqual, rejects } from 'node:assert/strict'
import type { LedgerEntry, LedgerStore, SpendQuery } from '../../ports/ledger.js'
import type { Contract } from './contract.js'
import { ann, hour, red, scopesOf, today } from './ledger-samples.js'
import { sampleEntry, sampleTime } from './sample-entry.js'

/** Reports: sums by the combinations that are kept. */
export const reportClauses: Contract<LedgerStore>['clauses'] = {
  async 'reports sums by any kept combination'({ store }) {
    await store.append(reported)
    for (const [query, rows] of reports) {
      const found = await store.report({ ...today, ...query })
      deepEqual(
        found.map(({ group, charged }) => `${group.join('/')}=${charged}`),
        rows,
        JSON.stringify(query),
      )
    }
  },
  async 'reports counts and tokens'({ store }) {
    await store.append([
      sampleEntry({ id: 'a', usage: { inputUncached: 1, cacheRead: 2, cacheWrite5m: 4, audioInput: 8, images: 3 } }),
      sampleEntry({ id: 'b', usage: { outputText: 16, reasoning: 32 }, failure: 'timeout', cost: 9n }),
    ])
    const [row] = await store.report({ ...today, by: [] })
    deepEqual(row && { ...row, charged: 0n }, {
      group: [],
      charged: 0n,
      cost: 7_000_010n,
      calls: 2,
      failures: 1,
      inputTokens: 15,
      outputTokens: 48,
      cacheReadTokens: 2,
    })
  },
  async 'reports nothing where there is nothing'({ store }) {
    deepEqual(await store.report({ ...today, by: [] }), [])
    deepEqual(await store.report({ ...today, by: ['team', 'day'] }), [])
  },
  async 'refuses a combination that is not kept rather than to search all rows'({ store }) {
    await rejects(store.report({ ...today, by: ['tag', 'user'] }))
    await rejects(store.report({ ...today, by: ['session'], scope: red }))
  },
}

function reportedEntry(id: string, charged: bigint, fields: Partial<LedgerEntry>): LedgerEntry {
  return sampleEntry({ id, charged, ...fields })
}

const reported: readonly LedgerEntry[] = [
  reportedEntry('a', 1n, {
    scopes: scopesOf({ organization: 'o', team: 'red', user: 'ann', key: 'k1', deployment: 'd1' }),
  }),
  reportedEntry('b', 10n, {
    scopes: scopesOf({ organization: 'o', team: 'red', user: 'bob', key: 'k2', customer: 'c' }),
  }),
  reportedEntry('c', 100n, { scopes: scopesOf({ team: 'blue', user: 'ann' }), modelName: 'large', provider: 'groq' }),
  reportedEntry('d', 1_000n, {
    scopes: [...scopesOf({ user: 'ann', session: 's' }), { kind: 'tag', id: 'x' }, { kind: 'tag', id: 'y' }],
    modelName: 'large',
  }),
  reportedEntry('e', 10_000n, { scopes: scopesOf({ team: 'red' }), at: sampleTime - 24 * hour }),
  reportedEntry('f', 100_000n, { scopes: [] }),
]

const reports: readonly (readonly [Partial<SpendQuery> & Pick<SpendQuery, 'by'>, readonly string[]])[] = [
  [{ by: [] }, ['=101111']],
  [{ by: ['day'] }, ['2026-11-25=101111']],
  [{ by: ['day'], fromDay: '2026-11-24' }, ['2026-11-24=10000', '2026-11-25=101111']],
  [{ by: ['model'] }, ['large=1100', 'small=100011']],
  [{ by: ['provider', 'model'] }, ['groq/large=100', 'openai/large=1000', 'openai/small=100011']],
  [{ by: ['team'] }, ['blue=100', 'red=11']],
  [
    { by: ['team', 'day'], fromDay: '2026-11-24' },
    ['blue/2026-11-25=100', 'red/2026-11-24=10000', 'red/2026-11-25=11'],
  ],
  [{ by: ['team', 'user'] }, ['blue/ann=100', 'red/ann=1', 'red/bob=10']],
  [{ by: ['organization', 'key', 'model'] }, ['o/k1/small=1', 'o/k2/small=10']],
  [{ by: ['user'], scope: red }, ['ann=1', 'bob=10']],
  [{ by: ['model'], scope: ann }, ['large=1100', 'small=1']],
  [{ by: ['user'], scope: ann }, ['ann=1101']],
  [{ by: [], scope: ann }, ['=1101']],
  [{ by: ['team'], scope: { kind: 'model', id: 'large' } }, ['blue=100']],
  [{ by: ['day'], scope: { kind: 'provider', id: 'groq' } }, ['2026-11-25=100']],
  [{ by: ['tag'] }, ['x=1000', 'y=1000']],
  [{ by: ['tag', 'model'], scope: { kind: 'tag', id: 'y' } }, ['y/large=1000']],
  [{ by: ['customer'] }, ['c=10']],
  [{ by: ['session', 'provider'] }, ['s/openai=1000']],
  [{ by: ['deployment'] }, ['d1=1']],
  [{ by: ['user'], scope: { kind: 'team', id: 'nobody' } }, []],
]
