import { deepEqual, equal, rejects } from 'node:assert/strict'
import type { CallQuery, CallStore } from '../../ports/calls.js'
import type { CallRecord } from '../../ports/callback.js'
import type { Contract } from './contract.js'
import { refusedCall, sampleCall } from './sample-call.js'
import { hostileTexts, sampleTime } from './sample-entry.js'

const hour = 3_600_000

/** What every CallStore must do. */
export const callStoreContract: Contract<CallStore> = {
  name: 'a call store',
  clauses: {
    async 'gives back every field as it was, bodies where one call is asked for'({ store }) {
      const bodies = { request: { model: 'small', messages: [{ content: 'Hi 🔑' }] }, response: { choices: [] } }
      const full = sampleCall({ id: 'full', endedAt: sampleTime + 1 })
      const refused = refusedCall({ id: 'refused' })
      await store.append([{ ...full, ...bodies }, refused])
      deepEqual(await store.query({}), { records: [full, refused], next: undefined })
      deepEqual(await store.get('full'), { ...full, ...bodies })
      deepEqual(await store.get('refused'), refused)
      equal(await store.get('nothing'), undefined)
    },
    async 'takes an empty batch'({ store }) {
      await store.append([])
      deepEqual(await store.query({}), { records: [], next: undefined })
    },
    async 'keeps an id once: within a batch, in a later one, from another process'({ store, peer }) {
      const call = sampleCall({ id: 'a' })
      await store.append([call, { ...call, caller: 'bob' }])
      await Promise.all([peer.append([call, sampleCall({ id: 'b' })]), store.append([call])])
      deepEqual(await idsOf(store, {}), ['b', 'a'])
      deepEqual(await idsOf(peer, { scopes: [{ kind: 'user', id: 'ann' }] }), ['b', 'a'])
      equal((await store.get('a'))?.caller, 'ann')
    },
    async 'finds calls by everything that narrows, alone and together'({ store }) {
      await store.append(different)
      for (const [query, expected] of questions) deepEqual(await idsOf(store, query), expected, JSON.stringify(query))
    },
    async 'pages by the end of calls, every call once, also within one millisecond'({ store }) {
      const calls = Array.from({ length: 23 }, (_, index) =>
        sampleCall({ id: `c${String(index).padStart(2, '0')}`, endedAt: sampleTime + Math.floor(index / 10) }),
      )
      await store.append(calls)
      const newestFirst = calls.map(({ id }) => id).toReversed()
      const narrowed: readonly CallQuery[] = [
        {},
        { scopes: [{ kind: 'team', id: 'red' }] },
        { scopes: [{ kind: 'tag', id: 'night' }], modelName: 'small', status: 'success' },
      ]
      for (const query of narrowed) {
        deepEqual(await idsOf(store, { ...query, limit: 4 }), newestFirst)
        deepEqual(await idsOf(store, { ...query, limit: 23 }), newestFirst)
      }
    },
    async 'goes on where a page ended, whatever ends meanwhile'({ store }) {
      await store.append([1, 2, 3].map((n) => sampleCall({ id: `c${n}`, endedAt: sampleTime + n })))
      const { next } = await store.query({ limit: 1 })
      await store.append([sampleCall({ id: 'c4', endedAt: sampleTime + 4 })])
      deepEqual(await idsOf(store, { ...(next !== undefined && { after: next }) }), ['c2', 'c1'])
    },
    async 'refuses a marker that no page gave'({ store }) {
      await rejects(store.query({ after: 'nonsense' }), { kind: 'invalid_request' })
    },
    async 'forgets what ended before a moment'({ store }) {
      await store.append([0, 1, 2].map((n) => sampleCall({ id: `c${n}`, endedAt: sampleTime + n * hour })))
      equal(await store.prune(sampleTime + 2 * hour), 2)
      deepEqual(await idsOf(store, { scopes: [{ kind: 'user', id: 'ann' }] }), ['c2'])
      equal(await store.get('c0'), undefined)
      equal(await store.prune(sampleTime), 0)
    },
    async 'takes any text in any field, and finds it by the same text'({ store }) {
      const calls = hostileTexts.map((text, index) =>
        sampleCall({
          id: `c${index}`,
          callId: text,
          caller: text,
          requestedModel: text,
          modelName: text,
          deployment: text,
          model: text,
          endUser: text,
          scopes: [{ kind: 'user', id: text }],
          tags: [text],
          metadata: { [text]: text },
          error: { kind: 'internal', status: 500, code: text, message: text },
        }),
      )
      await store.append(calls)
      for (const [index, text] of hostileTexts.entries()) {
        for (const query of [
          { callId: text },
          { modelName: text },
          { scopes: [{ kind: 'tag', id: text }] },
          { scopes: [{ kind: 'user', id: text }] },
        ] as const) {
          deepEqual(await idsOf(store, query), [`c${index}`], text)
        }
        const found = await store.get(`c${index}`)
        deepEqual([found?.tags, found?.metadata, found?.error?.message], [[text], { [text]: text }, text])
      }
    },
  },
}

async function idsOf(store: CallStore, query: CallQuery): Promise<readonly string[]> {
  const ids: string[] = []
  let after = query.after
  do {
    const page = await store.query({ ...query, ...(after !== undefined && { after }) })
    ids.push(...page.records.map(({ id }) => id))
    after = page.next
  } while (after !== undefined)
  return ids
}

const different: readonly CallRecord[] = [
  sampleCall({ id: 'a', endedAt: sampleTime + 1 }),
  sampleCall({ id: 'b', endedAt: sampleTime + 2, tags: ['night', 'blue'], modelName: 'large', deployment: 'd2' }),
  refusedCall({ id: 'c', endedAt: sampleTime + 3 }),
  refusedCall({ id: 'd', endedAt: sampleTime + 4, outcome: 'unauthenticated', scopes: [], requestedModel: 'secret' }),
  sampleCall({ id: 'e', endedAt: sampleTime + 5, scopes: [{ kind: 'key', id: 'k2' }], callId: 'mine', tags: [] }),
]
const [red, k2, night] = [
  { kind: 'team', id: 'red' },
  { kind: 'key', id: 'k2' },
  { kind: 'tag', id: 'night' },
] as const

const questions: readonly (readonly [CallQuery, readonly string[]])[] = [
  [{}, ['e', 'd', 'c', 'b', 'a']],
  [{ scopes: [red] }, ['c', 'b', 'a']],
  [{ scopes: [k2] }, ['e']],
  [{ scopes: [red, night] }, ['b', 'a']],
  [{ scopes: [{ kind: 'tag', id: 'blue' }] }, ['b']],
  [{ scopes: [{ kind: 'deployment', id: 'd2' }] }, ['b']],
  [{ scopes: [{ kind: 'provider', id: 'openai' }], status: 'success' }, ['e', 'b', 'a']],
  [{ scopes: [{ kind: 'user', id: 'red' }] }, []],
  [{ callId: 'mine' }, ['e']],
  [{ modelName: 'large' }, ['b']],
  [{ modelName: 'secret' }, ['d']],
  [{ status: 'failure' }, ['d', 'c']],
  [{ status: 'success' }, ['e', 'b', 'a']],
  [{ outcome: 'budget_exceeded' }, ['c']],
  [{ outcome: 'streamed' }, ['e', 'b', 'a']],
  [{ outcome: 'streamed', scopes: [red] }, ['b', 'a']],
  [{ outcome: 'answered' }, []],
  [{ outcome: 'unauthenticated', status: 'success' }, []],
  [{ scopes: [red], status: 'failure' }, ['c']],
  [{ scopes: [red], status: 'failure', modelName: 'large' }, []],
  [{ from: sampleTime + 2, until: sampleTime + 4 }, ['c', 'b']],
  [{ scopes: [night], from: sampleTime + 2 }, ['b']],
]
