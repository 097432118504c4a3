import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { redisStores } from '../../adapters/redis.js'
import { systemClock } from '../../src/clock.js'
import { createKeyDirectory } from '../../src/keys/directory.js'
import { hashKey } from '../../src/keys/key-material.js'
import { createMemoryRecords } from '../../src/stores/memory-records.js'
import { hasService, serviceUrls } from '../support/services.js'
import { callerOf, put, refusalOf, silent } from './lab.js'

const run = (await hasService('redis')) ? describe : describe.skip

run('three directories over one Redis', { timeout: 60_000 }, () => {
  const prefix = `test-${randomUUID()}`
  const connections: Redis[] = []
  const connect = (): Redis => {
    const client = new Redis(serviceUrls.redis)
    connections.push(client)
    return client
  }
  afterAll(() => {
    for (const client of connections) client.disconnect()
  })

  it('let a revoked key in for less than a second, each of 50 times', async () => {
    const records = createMemoryRecords()
    const directories = [1, 2, 3].map(() => {
      const { broadcast } = redisStores(connect(), { prefix, subscriber: connect() })
      // So long that only the message can be what ends it.
      return createKeyDirectory({ records, broadcast, clock: systemClock, logger: silent, cacheTtlMs: 600_000 })
    })
    const [first] = directories
    await Promise.all(connections.map((client) => client.ping()))
    let slowest = 0
    for (let round = 0; round < 50; round++) {
      const text = `sk-revoked-in-round-${round}`
      const id = hashKey(text)
      await put(records, 'key', id, { key_id: id, key_name: 'x' })
      await Promise.all(directories.map((directory) => directory.changed('key', id)))
      for (const directory of directories) await callerOf(directory, text)
      await put(records, 'key', id, { blocked: true })
      await first?.changed('key', id)
      const revokedAt = performance.now()
      for (const directory of directories) {
        while ((await refusalOf(directory, text)) === undefined) await new Promise(setImmediate)
        slowest = Math.max(slowest, performance.now() - revokedAt)
      }
    }
    if (process.env['SHOW_MEASURES']) console.log('slowest revocation, milliseconds', slowest)
    expect(slowest).toBeLessThan(1_000)
    for (const directory of directories) directory.close()
  })
})
