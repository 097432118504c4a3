import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type RedisLike, type RedisStores, type RedisSubscriber, redisStores } from '../../../adapters/redis.js'
import {
  type Contract,
  type TestRunner,
  type TrialSetup,
  broadcastContract,
  cacheStoreContract,
  counterStoreContract,
  describeContract,
  routerStoreContract,
} from '../../../src/testing/index.js'
import { hasRedisServer, redisCluster } from '../../support/redis-server.js'
import { hasService, serviceUrls } from '../../support/services.js'

/** Two connections as two processes have them, each with one that listens. */
interface Clients {
  readonly near: RedisLike
  readonly nearSubscriber: RedisSubscriber
  readonly far: RedisLike
  readonly farSubscriber: RedisSubscriber
  close(): void
}

type AnyClient = RedisLike & RedisSubscriber & { disconnect(): void }

function clients(open: () => AnyClient): Clients {
  const [near, nearSubscriber, far, farSubscriber] = [open(), open(), open(), open()] as const
  const close = (): void => {
    for (const client of [near, nearSubscriber, far, farSubscriber]) client.disconnect()
  }
  return { near, nearSubscriber, far, farSubscriber, close }
}

function describeStores(name: string, open: () => AnyClient): void {
  describe(name, () => {
    let opened: Clients
    beforeAll(() => void (opened = clients(open)))
    afterAll(() => opened.close())

    const declare = <Store>(
      contract: Contract<Store>,
      pick: (stores: RedisStores) => Store | undefined,
      declareTest: TestRunner['it'] = it.concurrent,
    ): void =>
      describeContract({ describe, it: declareTest }, contract, (): TrialSetup<Store> => {
        const prefix = `test:${randomUUID()}`
        const store = pick(redisStores(opened.near, { prefix, subscriber: opened.nearSubscriber }))
        const peer = pick(redisStores(opened.far, { prefix, subscriber: opened.farSubscriber }))
        if (store === undefined || peer === undefined) throw new Error('a store is missing')
        return { store, peer }
      })
    declare(cacheStoreContract, ({ cache }) => cache)
    // Its windows are too short to be shared with other tests.
    declare(counterStoreContract, ({ counters }) => counters, it)
    declare(routerStoreContract, ({ router }) => router)
    declare(broadcastContract, ({ broadcast }) => broadcast)
  })
}

describe.runIf(await hasService('redis'))('on a single Redis', () => {
  const url = serviceUrls.redis
  describeStores('with ioredis 6', () => new Redis(url))
  describeStores('with ioredis 5', () => new Redis5(url))
  describeStores(
    'with a key prefix of the host and automatic pipelining',
    () => new Redis(url, { keyPrefix: 'host:', enableAutoPipelining: true }),
  )
})

describe.runIf(hasRedisServer())('on a cluster of three masters', () => {
  let cluster: Awaited<ReturnType<typeof redisCluster>>
  beforeAll(async () => void (cluster = await redisCluster()), 60_000)
  afterAll(() => cluster.stop())
  const seeds = (): { host: string; port: number }[] => cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))

  describeStores('with ioredis 6', () => new Cluster(seeds()))
  describeStores('with ioredis 5', () => new Cluster5(seeds()))
  describeStores(
    'with a key prefix of the host and automatic pipelining',
    () => new Cluster(seeds(), { keyPrefix: 'host:', enableAutoPipelining: true }),
  )
})
