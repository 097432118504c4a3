import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { expectTypeOf, it } from 'vitest'
import type { RedisLike, RedisSubscriber } from '../../../adapters/redis/client.js'

it('takes the clients of ioredis 5 and 6, single and cluster, as they are', () => {
  expectTypeOf<Redis>().toExtend<RedisLike>()
  expectTypeOf<Cluster>().toExtend<RedisLike>()
  expectTypeOf<Redis5>().toExtend<RedisLike>()
  expectTypeOf<Cluster5>().toExtend<RedisLike>()
  expectTypeOf<Redis>().toExtend<RedisSubscriber>()
  expectTypeOf<Cluster>().toExtend<RedisSubscriber>()
  expectTypeOf<Redis5>().toExtend<RedisSubscriber>()
  expectTypeOf<Cluster5>().toExtend<RedisSubscriber>()
})
