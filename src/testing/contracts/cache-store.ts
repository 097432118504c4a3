import { deepEqual, equal } from 'node:assert/strict'
import type { CacheStore } from '../../ports/cache-store.js'
import type { Contract } from './contract.js'

const minute = 60_000
/** Long enough that a busy machine reads within it what it just wrote. */
const shortMs = 800

/** What every CacheStore must do. */
export const cacheStoreContract: Contract<CacheStore> = {
  name: 'a cache store',
  clauses: {
    async 'gives values in the order of the keys, null for what it does not have'({ store }) {
      await store.set([
        { key: 'a', value: '1', ttlMs: minute },
        { key: 'b', value: '2', ttlMs: minute },
      ])
      deepEqual(await store.get(['b', 'missing', 'a']), ['2', null, '1'])
    },
    async 'answers a key at every place where it is asked for'({ store }) {
      await store.set([{ key: 'a', value: '1', ttlMs: minute }])
      deepEqual(await store.get(['a', 'b', 'a', 'b']), ['1', null, '1', null])
    },
    async 'takes empty lists'({ store }) {
      deepEqual(await store.get([]), [])
      await store.set([])
      await store.delete([])
    },
    async 'keeps the last value of a key'({ store }) {
      await store.set([{ key: 'a', value: 'old', ttlMs: minute }])
      await store.set([{ key: 'a', value: 'new', ttlMs: minute }])
      deepEqual(await store.get(['a']), ['new'])
    },
    async 'keeps values as they are: empty, long, of any script'({ store }) {
      const values = ['', 'x'.repeat(200_000), 'ключ 鍵 🔑\u0000\r\n"', '{"a":1}']
      await store.set(values.map((value, index) => ({ key: `k${index}`, value, ttlMs: minute })))
      deepEqual(await store.get(values.map((_, index) => `k${index}`)), values)
    },
    async 'takes keys of any script, with spaces, braces and colons'({ store }) {
      const keys = ['a b', '{tag}', '{', '}', 'a:b:c', 'ключ 🔑', '']
      await store.set(keys.map((key) => ({ key, value: `of ${key}`, ttlMs: minute })))
      deepEqual(
        await store.get(keys),
        keys.map((key) => `of ${key}`),
      )
    },
    async 'keeps hundreds of values of one batch apart'({ store }) {
      const keys = Array.from({ length: 300 }, (_, index) => `key ${index}`)
      await store.set(keys.map((key, index) => ({ key, value: String(index), ttlMs: minute })))
      deepEqual(
        await store.get(keys),
        keys.map((_, index) => String(index)),
      )
    },
    async 'forgets a value when its time is over, and no other'({ store, pass }) {
      await store.set([
        { key: 'short', value: '1', ttlMs: shortMs },
        { key: 'long', value: '2', ttlMs: minute },
      ])
      deepEqual(await store.get(['short', 'long']), ['1', '2'])
      await pass(shortMs + 100)
      deepEqual(await store.get(['short', 'long']), [null, '2'])
    },
    async 'gives an overwritten value the time of the new one'({ store, pass }) {
      await store.set([{ key: 'a', value: 'old', ttlMs: shortMs }])
      await store.set([{ key: 'a', value: 'new', ttlMs: minute }])
      await pass(shortMs + 100)
      deepEqual(await store.get(['a']), ['new'])
    },
    async 'takes times that are no whole milliseconds'({ store, pass }) {
      await store.set([{ key: 'a', value: '1', ttlMs: shortMs + 0.5 }])
      deepEqual(await store.get(['a']), ['1'])
      await pass(shortMs + 100)
      deepEqual(await store.get(['a']), [null])
    },
    async 'keeps a value only where there is none, if asked so'({ store, peer }) {
      equal(await store.setIfAbsent({ key: 'a', value: 'first', ttlMs: minute }), true)
      equal(await peer.setIfAbsent({ key: 'a', value: 'second', ttlMs: minute }), false)
      deepEqual(await store.get(['a']), ['first'])
    },
    async 'takes the place of a value whose time is over'({ store, pass }) {
      equal(await store.setIfAbsent({ key: 'a', value: 'first', ttlMs: shortMs }), true)
      await pass(shortMs + 100)
      equal(await store.setIfAbsent({ key: 'a', value: 'second', ttlMs: minute }), true)
      deepEqual(await store.get(['a']), ['second'])
    },
    async 'lets one of many win who come at once'({ store, peer }) {
      const tries = Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? store : peer).setIfAbsent({ key: 'lock', value: String(index), ttlMs: minute }),
      )
      const won = (await Promise.all(tries)).flatMap((kept, index) => (kept ? [String(index)] : []))
      equal(won.length, 1)
      deepEqual(await store.get(['lock']), won)
    },
    async 'deletes what it is told to, and nothing else'({ store }) {
      await store.set(['a', 'b', 'c'].map((key) => ({ key, value: key, ttlMs: minute })))
      await store.delete(['a', 'c', 'never there'])
      deepEqual(await store.get(['a', 'b', 'c']), [null, 'b', null])
    },
    async 'shows another process what was set and deleted'({ store, peer }) {
      await store.set([{ key: 'a', value: '1', ttlMs: minute }])
      deepEqual(await peer.get(['a']), ['1'])
      await peer.delete(['a'])
      deepEqual(await store.get(['a']), [null])
    },
  },
}
