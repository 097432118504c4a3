import type { RedisSettings, StoreOptions } from '../../src/index.js'
import { redisStores } from '../redis.js'
import { StartError } from './start-error.js'

/** Stores over connections of the stand-alone server's own. */
export interface OpenedStores {
  readonly stores: StoreOptions
  readonly close: () => Promise<void>
}

/**
 * Connects to the Redis that a configuration names, with a second connection that listens. A server that is away is no
 * reason not to start: the gateway goes on alone until it is there.
 * @throws StartError where the package ioredis is not installed
 */
export async function openRedis({ url, tls, ...settings }: RedisSettings): Promise<OpenedStores> {
  const Redis = await loadRedis()
  const options = { ...settings, ...(tls && { tls: {} }), enableOfflineQueue: false, maxRetriesPerRequest: 1 }
  const client = url === undefined ? new Redis(options) : new Redis(url, options)
  // Subscriptions are made anew after every reconnect, and may wait for the first one.
  const subscriber = client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null })
  for (const connection of [client, subscriber]) connection.on('error', ignore)
  await firstNews(client)
  return {
    stores: redisStores(client, { subscriber }),
    close() {
      client.disconnect()
      subscriber.disconnect()
      return Promise.resolve()
    },
  }
}

interface Connection {
  once(event: 'ready' | 'error', listener: () => void): unknown
}

// The first calls should find it; a start does not wait for one that is away.
const connectMs = 1_000

/** Resolves once the connection is there, has failed, or takes too long; it goes on trying by itself. */
function firstNews(client: Connection): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, connectMs)
    const told = (): void => {
      clearTimeout(timer)
      resolve()
    }
    client.once('ready', told)
    client.once('error', told)
  })
}

/** The gateway itself tells when the store does not answer. */
function ignore(): void {}

async function loadRedis(): Promise<typeof import('ioredis').Redis> {
  try {
    const { Redis } = await import('ioredis')
    return Redis
  } catch (cause) {
    throw new StartError(
      'the configuration names a Redis, which needs the package ioredis, which is not installed: npm install ioredis',
      { cause },
    )
  }
}
