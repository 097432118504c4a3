import type { StoreOptions } from '../../src/index.js'
import { redisStores } from '../redis.js'
import { StartError } from './start-error.js'

/** How the configuration names a Redis. */
export interface RedisSettings {
  readonly url?: string
  readonly host?: string
  readonly port?: number
  readonly username?: string
  readonly password?: string
  readonly db?: number
}

/** Stores over connections of the stand-alone server's own. */
export interface OpenedStores {
  readonly stores: StoreOptions
  close(): void
}

/**
 * Connects to the Redis that a configuration names, with a second connection that listens. A server that is away is no
 * reason not to start: the gateway goes on alone until it is there.
 * @throws StartError where the package ioredis is not installed
 */
export async function openRedis({ url, ...settings }: RedisSettings): Promise<OpenedStores> {
  const Redis = await loadRedis()
  const options = { ...settings, enableOfflineQueue: false, maxRetriesPerRequest: 1 }
  const client = url === undefined ? new Redis(options) : new Redis(url, options)
  // Subscriptions are made anew after every reconnect, and may wait for the first one.
  const subscriber = client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null })
  for (const connection of [client, subscriber]) connection.on('error', ignore)
  return {
    stores: redisStores(client, { subscriber }),
    close() {
      client.disconnect()
      subscriber.disconnect()
    },
  }
}

/** The gateway itself tells when the store does not answer. */
function ignore(): void {}

async function loadRedis(): Promise<typeof import('ioredis').Redis> {
  try {
    const { Redis } = await import('ioredis')
    return Redis
  } catch (cause) {
    throw new StartError(
      'router_settings names a Redis, which needs the package ioredis, which is not installed: npm install ioredis',
      { cause },
    )
  }
}
