import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, describe, expect, it } from 'vitest'
import { createRedisCounters } from '../../adapters/redis/counters.js'
import type { Hold } from '../../src/ports/counters.js'
import { counterStoreContract } from '../../src/testing/contracts/counter-store.js'
import { describeContract } from '../../src/testing/index.js'
import { hasService, serviceUrls } from '../support/services.js'

const run = (await hasService('redis')) ? describe : describe.skip

const drivers = { 'ioredis 6': Redis, 'ioredis 5': Redis5 }

/** A prefix of its own per trial; what is left expires by itself. */
const newPrefix = (): string => `test-counters:${randomUUID()}`

for (const [name, Driver] of Object.entries(drivers)) {
  run(`counters on ${name}`, () => {
    const [client, other] = [0, 1].map(() => new Driver(serviceUrls.redis, { lazyConnect: true }))
    if (!client || !other) throw new Error('no client')
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
