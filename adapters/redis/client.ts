import { createHash } from 'node:crypto'

/**
 * The part of the host's client that the stores need: `Redis` (single or Sentinel) and `Cluster` of ioredis 5 and 6 fit.
 * `call` sends any command, so that a `keyPrefix`, automatic pipelining and the routing of a cluster work as the host set them.
 */
export interface RedisLike {
  readonly isCluster: boolean
  /** `ready`, `connecting`, `reconnecting` … */
  readonly status?: string
  call(command: string, ...args: (string | number)[]): Promise<unknown>
}

const lost: ReadonlySet<unknown> = new Set(['reconnecting', 'close', 'end', 'disconnecting'])

/** False where the client itself says that its connection is lost. */
export function isConnected({ status }: RedisLike): boolean {
  return !lost.has(status)
}

/** A second connection of the host that only listens: `redis.duplicate()`, made and closed by the host. */
export interface RedisSubscriber {
  subscribe(...channels: string[]): Promise<unknown>
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
  on(event: 'ready', listener: () => void): unknown
  off(event: 'message', listener: (channel: string, message: string) => void): unknown
  off(event: 'ready', listener: () => void): unknown
}

/** A Lua script and the name that Redis knows it by. */
export interface RedisScript {
  readonly source: string
  /** SHA-1 of `source`, in hex. */
  readonly sha: string
}

/** Names a script; every key that it touches has to come through `KEYS`, all with one hash tag. */
export function defineScript(source: string): RedisScript {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/**
 * Runs a script by its name, and sends the whole of it where the server does not know it: the first time, after a restart,
 * after a fail-over. Rejects with what the client rejects with.
 */
export async function runScript(
  client: RedisLike,
  { source, sha }: RedisScript,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.call('evalsha', sha, keys.length, ...keys, ...args)
  } catch (error) {
    if (!isUnknownScript(error)) throw error
    return client.call('eval', source, keys.length, ...keys, ...args)
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
