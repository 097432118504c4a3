import { deepEqual, equal } from 'node:assert/strict'
import type { Broadcast } from '../../ports/broadcast.js'
import type { Contract } from './contract.js'
import { heardSoon } from './heard-soon.js'

/** What every Broadcast must do. */
export const broadcastContract: Contract<Broadcast> = {
  name: 'a broadcast',
  clauses: {
    async 'carries a message to another process, and back to its own listeners'({ store, peer }) {
      const [near, far] = [collect(store, 'topic'), collect(peer, 'topic')]
      await ready(store, peer)
      await store.publish('topic', 'news: ключ 🔑\n')
      await heardSoon(() => near.length + far.length === 2)
      deepEqual([near, far], [['news: ключ 🔑\n'], ['news: ключ 🔑\n']])
    },
    async 'brings each of many messages once'({ store, peer }) {
      const heard = collect(peer, 'topic')
      await ready(store, peer)
      const messages = Array.from({ length: 50 }, (_, index) => String(index))
      for (const message of messages) await store.publish('topic', message)
      await heardSoon(() => heard.length >= messages.length)
      equal(heard.length, messages.length)
      // In which order is not promised.
      deepEqual(new Set(heard), new Set(messages))
    },
    async 'keeps topics apart'({ store, peer }) {
      const [left, right] = [collect(peer, 'left'), collect(peer, 'right')]
      await ready(store, peer)
      await store.publish('left', 'l')
      await store.publish('right', 'r')
      await heardSoon(() => left.length + right.length === 2)
      deepEqual([left, right], [['l'], ['r']])
    },
    async 'stops calling the listener that left, and no other'({ store, peer }) {
      const heard: string[] = []
      const leave = peer.subscribe('topic', (message) => void heard.push(`left ${message}`))
      peer.subscribe('topic', (message) => void heard.push(`stayed ${message}`))
      await ready(store, peer)
      leave()
      leave()
      await store.publish('topic', '1')
      await heardSoon(() => heard.length === 1)
      deepEqual(heard, ['stayed 1'])
    },
    async 'calls all listeners, whatever one of them throws'({ store, peer }) {
      peer.subscribe('topic', () => {
        throw new Error('of a listener')
      })
      const heard = collect(peer, 'topic')
      await ready(store, peer)
      await store.publish('topic', '1')
      await heardSoon(() => heard.length === 1)
      deepEqual(heard, ['1'])
    },
    async 'hears again after everybody had left'({ store, peer }) {
      peer.subscribe('topic', () => {})()
      const heard = collect(peer, 'topic')
      await ready(store, peer)
      await store.publish('topic', '1')
      await heardSoon(() => heard.length === 1)
      deepEqual(heard, ['1'])
    },
  },
}

function collect(broadcast: Broadcast, topic: string): string[] {
  const heard: string[] = []
  broadcast.subscribe(topic, (message) => void heard.push(message))
  return heard
}

/** Waits until both hear what the first one publishes; what was subscribed before is in force then. */
async function ready(store: Broadcast, peer: Broadcast): Promise<void> {
  let [near, far] = [false, false]
  const leave = [store.subscribe('ready?', () => (near = true)), peer.subscribe('ready?', () => (far = true))]
  await heardSoon(async () => {
    await store.publish('ready?', '')
    return near && far
  })
  for (const end of leave) end()
}
