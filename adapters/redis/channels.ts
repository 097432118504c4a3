import type { RedisSubscriber } from './client.js'

type Listener = (message: string) => void

/** The channels of Redis that somebody listens to. */
export interface Channels {
  /** Calls the listener with each message until the result is called. What a listener throws is dropped. */
  readonly listen: (channel: string, listener: Listener) => () => void
}

/**
 * Listens on the host's connection. A channel stays subscribed when its last listener leaves, as another gateway on the
 * same connection may listen to it too.
 */
export function createChannels(subscriber: RedisSubscriber): Channels {
  const listeners = new Map<string, Set<Listener>>()

  // Where it fails, the connection is away, and `ready` comes once it is back.
  const join = (channel: string): void => void subscriber.subscribe(channel).catch(() => {})
  const hear = (channel: string, message: string): void => {
    for (const listener of listeners.get(channel) ?? []) callSafely(listener, message)
  }
  const joinAll = (): void => {
    for (const channel of listeners.keys()) join(channel)
  }
  const leave = (channel: string, listener: Listener): void => {
    const others = listeners.get(channel)
    others?.delete(listener)
    if (others?.size !== 0) return
    listeners.delete(channel)
    if (listeners.size > 0) return
    subscriber.off('message', hear)
    subscriber.off('ready', joinAll)
  }
  return {
    listen(channel, listener) {
      // A listener of its own for each call, so that each leaves for itself.
      const own: Listener = (message) => listener(message)
      if (listeners.size === 0) {
        subscriber.on('message', hear)
        subscriber.on('ready', joinAll)
      }
      const others = listeners.get(channel)
      others?.add(own)
      if (!others) {
        listeners.set(channel, new Set([own]))
        join(channel)
      }
      return () => leave(channel, own)
    },
  }
}

/** A listener must not break the client that calls it, nor keep the other listeners from hearing. */
function callSafely(listener: Listener, message: string): void {
  try {
    listener(message)
  } catch {
    // What a listener cannot do with a message is its own affair.
  }
}
