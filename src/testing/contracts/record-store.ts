import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import type { RecordIndex, RecordStore, StoredRecord, WriteResult } from '../../ports/records.js'
import type { Contract } from './contract.js'
import { hostileTexts } from './sample-entry.js'

/** What every RecordStore must do. */
export const recordStoreContract: Contract<RecordStore> = {
  name: 'a record store',
  clauses: {
    async 'gives back what was inserted, with version 1'({ store, peer }) {
      const index = { user: 'ann', team: 'red', organization: 'o', alias: 'my key' }
      const data = { models: ['a', 'b'], budget: { max: 1.5, none: null }, text: 'ключ 🔑', on: true }
      const record = recordOf(await store.insert('key', { id: 'k1', index, data }))
      deepEqual(
        { ...record, createdAt: 0, updatedAt: 0 },
        { id: 'k1', version: 1, createdAt: 0, updatedAt: 0, index, data },
      )
      equal(record.createdAt, record.updatedAt)
      deepEqual(await peer.get('key', 'k1'), record)
    },
    async 'knows no record of another kind or id'({ store }) {
      await store.insert('key', { id: 'k1', data: {} })
      equal(await store.get('user', 'k1'), undefined)
      equal(await store.get('key', 'K1'), undefined)
      equal(await store.get('key', 'k1 '), undefined)
      recordOf(await store.insert('user', { id: 'k1', data: {} }))
    },
    async 'keeps no tie to the objects it was given'({ store }) {
      const data = { list: [1] }
      await store.insert('key', { id: 'k1', data })
      data.list.push(2)
      deepEqual((await store.get('key', 'k1'))?.data, { list: [1] })
    },
    async 'refuses an id that is taken'({ store, peer }) {
      await store.insert('key', { id: 'k1', data: { first: true } })
      deepEqual(await peer.insert('key', { id: 'k1', data: {} }), { conflict: 'id' })
      deepEqual((await store.get('key', 'k1'))?.data, { first: true })
    },
    async 'keeps aliases unique where asked to, within the kind'({ store, peer }) {
      const unique = { uniqueAlias: true }
      await store.insert('key', { id: 'k1', index: { alias: 'a' }, data: {} }, unique)
      deepEqual(await peer.insert('key', { id: 'k2', index: { alias: 'a' }, data: {} }, unique), { conflict: 'alias' })
      equal(await store.get('key', 'k2'), undefined)
      recordOf(await store.insert('key', { id: 'k3', index: { alias: 'A' }, data: {} }, unique))
      recordOf(await store.insert('team', { id: 't1', index: { alias: 'a' }, data: {} }, unique))
      for (const id of ['n1', 'n2']) recordOf(await store.insert('key', { id, data: {} }, unique))
      for (const id of ['u1', 'u2']) recordOf(await store.insert('user', { id, index: { alias: 'same' }, data: {} }))
    },
    async 'keeps a unique alias unique through updates, and frees it'({ store }) {
      const unique = { uniqueAlias: true }
      await store.insert('key', { id: 'k1', index: { alias: 'a' }, data: {} }, unique)
      await store.insert('key', { id: 'k2', index: { alias: 'b' }, data: {} }, unique)
      deepEqual(await store.update('key', { id: 'k2', index: { alias: 'a' }, data: {} }, 1), { conflict: 'alias' })
      recordOf(await store.update('key', { id: 'k2', index: { alias: 'b' }, data: { same: true } }, 1))
      recordOf(await store.update('key', { id: 'k1', index: {}, data: {} }, 1))
      recordOf(await store.update('key', { id: 'k2', index: { alias: 'a' }, data: {} }, 2))
      recordOf(await store.insert('key', { id: 'k3', index: { alias: 'b' }, data: {} }, unique))
      await store.delete('key', 'k3')
      recordOf(await store.insert('key', { id: 'k4', index: { alias: 'b' }, data: {} }, unique))
    },
    async 'updates the version it was shown, and no other'({ store, peer }) {
      const first = recordOf(await store.insert('team', { id: 't', index: { alias: 'x' }, data: { n: 1 } }))
      const second = recordOf(await peer.update('team', { id: 't', index: { user: 'u' }, data: { n: 2 } }, 1))
      deepEqual([second.version, second.data, second.index], [2, { n: 2 }, { user: 'u' }])
      equal(second.createdAt, first.createdAt)
      ok(second.updatedAt >= first.updatedAt)
      deepEqual(await store.update('team', { id: 't', data: { n: 3 } }, 1), { conflict: 'version' })
      deepEqual(await store.update('team', { id: 'none', data: {} }, 1), { conflict: 'gone' })
      deepEqual(await store.get('team', 't'), second)
    },
    async 'lets one of many updates of a version win'({ store, peer }) {
      await store.insert('team', { id: 't', data: {} })
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, n) => (n % 2 ? store : peer).update('team', { id: 't', data: { n } }, 1)),
      )
      equal(results.filter((result) => 'record' in result).length, 1)
      equal(results.filter((result) => 'conflict' in result && result.conflict === 'version').length, 11)
      equal((await store.get('team', 't'))?.version, 2)
    },
    async 'lets one of many inserts of an alias win'({ store, peer }) {
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          (n % 2 ? store : peer).insert('key', { id: `k${n}`, index: { alias: 'a' }, data: {} }, { uniqueAlias: true }),
        ),
      )
      equal(results.filter((result) => 'record' in result).length, 1)
      equal((await store.find('key', { index: { alias: 'a' } })).records.length, 1)
    },
    async 'deletes once, and never brings back what is gone'({ store, peer }) {
      await store.insert('key', { id: 'k1', data: {} })
      equal(await peer.delete('key', 'k1'), true)
      equal(await store.delete('key', 'k1'), false)
      equal(await store.get('key', 'k1'), undefined)
      deepEqual(await store.update('key', { id: 'k1', data: {} }, 1), { conflict: 'gone' })
      deepEqual(await store.find('key', {}), { records: [], next: undefined })
    },
    async 'finds by every field of the index, and by several'({ store }) {
      await store.insert('key', { id: 'a', index: { user: 'ann', team: 'red' }, data: {} })
      await store.insert('key', { id: 'b', index: { user: 'ann', team: 'blue', organization: 'o' }, data: {} })
      await store.insert('key', { id: 'c', index: { user: 'bob', team: 'red', alias: 'x' }, data: {} })
      const expected: readonly (readonly [RecordIndex, string])[] = [
        [{}, 'a b c'],
        [{ user: 'ann' }, 'a b'],
        [{ user: 'ann', team: 'red' }, 'a'],
        [{ organization: 'o' }, 'b'],
        [{ alias: 'x' }, 'c'],
        [{ team: 'Red' }, ''],
      ]
      for (const [index, ids] of expected) equal((await idsOf(store, index, 2)).toSorted().join(' '), ids)
    },
    async 'pages newest first, every record once'({ store, pass }) {
      const ids: string[] = []
      for (let index = 0; index < 12; index += 1) {
        ids.push(`r${String(index).padStart(2, '0')}`)
        await store.insert('audit', { id: `r${String(index).padStart(2, '0')}`, data: {} })
        if (index % 4 === 3) await pass(5)
      }
      deepEqual(await idsOf(store, {}, 5, 'audit'), ids.toReversed())
      deepEqual(await idsOf(store, {}, 12, 'audit'), ids.toReversed())
    },
    async 'forgets where it can what was made before, of one kind'({ store, peer, pass, now }) {
      if (!store.prune) return
      await store.insert('audit', { id: 'a', data: {} })
      await store.insert('key', { id: 'k', index: { alias: 'x' }, data: {} }, { uniqueAlias: true })
      await pass(20)
      const before = now()
      await pass(20)
      await store.insert('audit', { id: 'b', data: {} })
      equal(await store.prune('audit', before), 1)
      equal(await store.prune('audit', before), 0)
      deepEqual(await idsOf(peer, {}, 5, 'audit'), ['b'])
      deepEqual(await idsOf(peer, {}, 5), ['k'])
    },
    async 'refuses a page marker that it did not give'({ store }) {
      await rejects(store.find('key', { after: "'; --" }))
    },
    async 'takes any text as data, and gives any id back as it was or refuses it'({ store }) {
      for (const text of hostileTexts) {
        const record = { id: text, index: { alias: text, user: text }, data: { [text]: text } }
        let written: WriteResult
        try {
          written = await store.insert('key', record)
        } catch {
          equal(await store.get('key', text), undefined)
          continue
        }
        deepEqual(recordOf(written).data, { [text]: text })
        deepEqual(await store.get('key', text), recordOf(written))
        equal((await store.find('key', { index: { user: text } })).records.length, 1)
      }
      recordOf(
        await store.insert('key', { id: 'plain', data: Object.fromEntries(hostileTexts.map((text) => [text, text])) }),
      )
    },
  },
}

function recordOf(result: WriteResult): StoredRecord {
  if ('record' in result) return result.record
  throw new Error(`The write was refused: ${result.conflict}.`)
}

async function idsOf(
  store: RecordStore,
  index: RecordIndex,
  limit: number,
  kind: 'key' | 'audit' = 'key',
): Promise<readonly string[]> {
  const ids: string[] = []
  let after: string | undefined
  do {
    const page = await store.find(kind, { index, limit, ...(after !== undefined && { after }) })
    ids.push(...page.records.map(({ id }) => id))
    after = page.next
  } while (after !== undefined)
  return ids
}
