import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type RedisLike, type RedisStores, type RedisSubscriber, redisStores } from '../../../adapters/redis.js'
import {
  type Contract,
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

/** One way of a host to reach Redis. */
interface Variant {
  readonly name: string
  readonly open: () => AnyClient
}

/** The same check by every variant. */
type Checks = Map<string, readonly { readonly variant: string; readonly check: () => Promise<void> }[]>

const settings = { keyPrefix: 'host:', enableAutoPipelining: true }
const redisUrl = (await hasService('redis')) ? serviceUrls.redis : undefined
const hasCluster = hasRedisServer()
let cluster: Awaited<ReturnType<typeof redisCluster>> | undefined
const seeds = (): { host: string; port: number }[] =>
  (cluster?.nodes ?? []).map(({ port }) => ({ host: '127.0.0.1', port }))
const single = (url: string): Variant[] => [
  { name: 'one Redis, ioredis 6', open: () => new Redis(url) },
  { name: 'one Redis, ioredis 5', open: () => new Redis5(url) },
  { name: 'one Redis, a key prefix of the host and automatic pipelining', open: () => new Redis(url, settings) },
]
const clustered: readonly Variant[] = [
  { name: 'three masters, ioredis 6', open: () => new Cluster(seeds()) },
  { name: 'three masters, ioredis 5', open: () => new Cluster5(seeds()) },
  {
    name: 'three masters, a key prefix of the host and automatic pipelining',
    open: () => new Cluster(seeds(), settings),
  },
]
const variants = [...(redisUrl === undefined ? [] : single(redisUrl)), ...(hasCluster ? clustered : [])]

// What an answer after the deadline means is for outages.test.ts; here no busy machine shall have a say.
const deadlineMs = 10_000

/** Declares one test per clause, in which all variants are on trial at once: they spend their time waiting. */
function declare<Store>(
  contract: Contract<Store>,
  pick: (stores: RedisStores) => Store | undefined,
  declareTest: (name: string, body: () => Promise<void>) => unknown = it.concurrent,
): void {
  const checks: Checks = new Map()
  for (const { name } of variants) {
    const collect = (sentence: string, check: () => Promise<void>): void =>
      void checks.set(sentence, [...(checks.get(sentence) ?? []), { variant: name, check }])
    describeContract({ describe: (_, body) => body(), it: collect }, contract, (): TrialSetup<Store> => {
      const prefix = `test:${randomUUID()}`
      const own = opened.get(name)
      const store = own && pick(redisStores(own.near, { prefix, subscriber: own.nearSubscriber, deadlineMs }))
      const peer = own && pick(redisStores(own.far, { prefix, subscriber: own.farSubscriber, deadlineMs }))
      if (store === undefined || peer === undefined) throw new Error('a store is missing')
      return { store, peer }
    })
  }
  describe(contract.name, () => {
    for (const [sentence, all] of checks) declareTest(sentence, () => checkAll(all))
  })
}

/** @throws AggregateError that names the variants that failed */
async function checkAll(all: readonly { variant: string; check: () => Promise<void> }[]): Promise<void> {
  const failed: unknown[] = []
  const run = ({ variant, check }: (typeof all)[number]): Promise<void> =>
    check().catch((error: unknown) => void failed.push(new Error(`${variant}: ${String(error)}`, { cause: error })))
  await Promise.all(all.map(run))
  if (failed.length > 0) throw new AggregateError(failed, failed.map(String).join('\n'))
}

const opened = new Map<string, Clients>()

describe.runIf(variants.length > 0)('through every client, on one Redis and on a cluster of three masters', () => {
  beforeAll(async () => {
    if (hasCluster) cluster = await redisCluster()
    for (const { name, open } of variants) opened.set(name, clients(open))
    // A client that still connects would take the time that a clause is about.
    const keys = Array.from({ length: 20 }, (_, at) => `test:warm:${at}`)
    const all = [...opened.values()].flatMap(({ near, far }) => [near, far])
    await Promise.all(all.flatMap((client) => keys.map((key) => client.call('get', key))))
  }, 60_000)
  afterAll(async () => {
    for (const one of opened.values()) one.close()
    await cluster?.stop()
  })

  // Their windows are too short to be shared with other tests.
  declare(cacheStoreContract, ({ cache }) => cache, it)
  declare(counterStoreContract, ({ counters }) => counters, it)
  declare(routerStoreContract, ({ router }) => router)
  declare(broadcastContract, ({ broadcast }) => broadcast)
})
