// One process of a fleet that counts in one Redis; prints what it was granted as JSON.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'

const { SOURCES, REDIS_URL, PREFIX, TASK, NAME, SIZE } = process.env
const { createRedisCounters } = await import(pathToFileURL(join(SOURCES, 'adapters/redis/counters.js')).href)
const client = new Redis(REDIS_URL)
const counters = createRedisCounters(client, { prefix: PREFIX })
const tenant = 'acme'
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Waits until all processes have come this far. */
async function everybody() {
  await client.multi().incr(`${PREFIX}:ready`).expire(`${PREFIX}:ready`, 60).exec()
  while (Number(await client.get(`${PREFIX}:ready`)) < Number(SIZE)) await pause(5)
}

const tasks = {
  // 125 calls at once, each of which costs what it holds.
  async budget() {
    await everybody()
    const holds = [{ counter: 'budget:team:acme', kind: 'budget', amount: 1_000_003, limit: 37 * 1_000_003 }]
    const asked = Array.from({ length: 125 }, (_, at) =>
      counters.reserve(holds, { id: `${NAME}-${at}`, tenant, ttlMs: 60_000 }),
    )
    const granted = (await Promise.all(asked)).flatMap((result) => result.granted ?? [])
    await Promise.all(granted.map((reservation) => counters.settle(reservation, [1_000_003], Date.now())))
    return { granted: granted.length }
  },

  // As many calls as the limits let in for a given time; each runs for a while.
  async limits() {
    const limits = JSON.parse(process.env.LIMITS)
    await everybody()
    const endsAt = Date.now() + Number(process.env.DURATION)
    const calls = []
    const call = async (id) => {
      const result = await counters.reserve(limits, { id, tenant, ttlMs: 60_000 })
      if (!result.granted) return pause(10)
      const from = Date.now()
      await pause(1 + Math.random() * 5)
      calls.push({ from, until: Date.now() })
      await counters.settle(
        result.granted,
        limits.map(({ amount }) => amount),
        Date.now(),
      )
    }
    const lane = async (number) => {
      for (let at = 0; Date.now() < endsAt; at++) await call(`${NAME}-${number}-${at}`)
    }
    await Promise.all(Array.from({ length: 4 }, (_, number) => lane(number)))
    return { calls }
  },

  // Holds everything, keeps it alive, and never lets go.
  async hold() {
    const holds = JSON.parse(process.env.LIMITS)
    const ttlMs = Number(process.env.TTL_MS)
    const { granted } = await counters.reserve(holds, { id: NAME, tenant, ttlMs })
    setInterval(() => void counters.renew([granted], ttlMs), ttlMs / 3)
    console.log('listening on http://nowhere')
    await new Promise(() => {})
  },
}

console.log(JSON.stringify(await tasks[TASK]()))
client.disconnect()
