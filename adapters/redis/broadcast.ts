import type { Broadcast } from '../../src/index.js'
import type { Channels } from './channels.js'
import type { RedisLike } from './client.js'

/**
 * Carries messages by publish and subscribe; channels are `<prefix>:topic:<topic>`. A client's `keyPrefix` does not apply
 * to channels, so applications that share a server need prefixes of their own here.
 */
export function redisBroadcast(client: RedisLike, channels: Channels, prefix: string): Broadcast {
  const toChannel = (topic: string): string => `${prefix}:topic:${topic}`
  return {
    async publish(topic, message) {
      await client.call('publish', toChannel(topic), message)
    },
    subscribe: (topic, listener) => channels.listen(toChannel(topic), listener),
  }
}
