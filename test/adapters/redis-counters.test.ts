import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, describe, expect, it } from 'vitest'
import { createRedisCounters } from '../../adapters/redis/counters.js'
import { counterStoreContract } from '../../src/testing/contracts/counter-store.js'
import { describeContract } from '../../src/testing/index.js'
import { Comparison } from '../stores/counter-comparison.js'
import { commands } from '../stores/counter-commands.js'
import { FakeClock } from '../support/fake-clock.js'
import { hasService, serviceUrls } from '../support/services.js'

const run = (await hasService('redis')) ? describe : describe.skip

const connect = {
  'ioredis 6': () => new Redis(serviceUrls.redis, { lazyConnect: true }),
  'ioredis 5': () => new Redis5(serviceUrls.redis, { lazyConnect: true }),
}

/** A prefix of its own per trial; what is left expires by itself. */
const newPrefix = (): string => `test-counters:${randomUUID()}`

for (const [name, open] of Object.entries(connect)) {
  run(`counters on ${name}`, () => {
    const [client, other] = [open(), open()]
    afterAll(() => {
      client.disconnect()
      other.disconnect()
    })

    describeContract({ describe, it }, counterStoreContract, () => {
      const prefix = newPrefix()
      return { store: createRedisCounters(client, { prefix }), peer: createRedisCounters(other, { prefix }) }
    })
  })
}

run('counters in Redis', () => {
  const client = connect['ioredis 6']()
  afterAll(() => client.disconnect())

  it('do as the model does, whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(commands({ time: false, scale: 1_000 }), async (list) => {
        const comparison = new Comparison(new FakeClock(), createRedisCounters(client, { prefix: newPrefix() }))
        for (const command of list) {
          const [store, model] = await comparison.run(command)
          expect(store).toBe(model)
        }
        const [found, expected] = await comparison.levels()
        expect(found).toBe(expected)
      }),
      { numRuns: 40 },
    )
  })

  it('lie in one slot per tenant, and every key expires', async () => {
    const prefix = newPrefix()
    const counters = createRedisCounters(client, { prefix })
    const tenant = 'a}b{c'
    const holds = [
      { counter: 'budget:team:acme', kind: 'budget', amount: 5, limit: 10 },
      { counter: 'budget:team:acme:1d', kind: 'budget', amount: 5, limit: 10, endsAt: Date.now() + 5_000 },
      { counter: 'tpm:key:k1', kind: 'rate', amount: 5, limit: 10, windowMs: 60_000 },
      { counter: 'parallel:key:k1', kind: 'lease', amount: 1, limit: 10 },
    ] as const
    await counters.seed(
      tenant,
      holds.slice(0, 2).map(({ counter }) => ({ counter, spent: 0, until: 1 })),
    )
    const result = await counters.reserve(holds, { id: 'call', tenant, ttlMs: 60_000 })
    if (!('granted' in result)) throw new Error('not granted')
    const check = async (count: number): Promise<void> => {
      const keys = await client.keys(`${prefix}:*`)
      expect(keys.length).toBe(count)
      expect(new Set(keys.map((key) => /\{([^}]*)\}/.exec(key)?.[1]))).toEqual(new Set(['a%7Db%7Bc']))
      for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(0)
    }
    await check(7)
    await counters.settle(result.granted, [3, 3, 9, 0], 2)
    await check(7)
  })

  it('need nothing but what a server that has just started knows', async () => {
    const counters = createRedisCounters(client, { prefix: newPrefix() })
    await client.call('SCRIPT', 'FLUSH')
    const hold = { counter: 'parallel:key:k1', kind: 'lease', amount: 1, limit: 1 } as const
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, at) => counters.reserve([hold], { id: `call ${at}`, tenant: 'a', ttlMs: 60_000 })),
    )
    expect(results.filter((result) => 'granted' in result).length).toBe(1)
  })
})
