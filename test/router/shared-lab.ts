import { Cluster, Redis } from 'ioredis'
import { type RedisLike, type RedisSubscriber, redisStores } from '../../adapters/redis.js'
import { type Gateway, type GatewayOptions, type ModelOptions, createGateway } from '../../src/index.js'
import { fakeProvider } from '../../src/testing/index.js'
import { type JsonObject, isObject } from '../../src/wire/json.js'
import { anyCaller } from '../support/deployment.js'
import { ask, chat, jsonOf } from '../support/gateway.js'

/** A client of ioredis, single or for a cluster. */
export type AnyRedis = RedisLike &
  RedisSubscriber & {
    on(event: 'error', listener: () => void): unknown
    disconnect(): void
  }

/** Where the tests find Redis. */
export interface RedisPlace {
  readonly ports: readonly number[]
  readonly isCluster: boolean
}

/** Two deployments in the order they are asked; the first one rests for a minute when it is asked. */
export const refusingModels: readonly ModelOptions[] = [
  { modelName: 'main', model: 'fake/status-429+retry-after-60', id: 'a', order: 1 },
  { modelName: 'main', model: 'fake/demo', id: 'b', order: 2 },
]

/** Opens a connection that says nothing of a server that is away. */
export function openRedis({ ports, isCluster }: RedisPlace): AnyRedis {
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port }))
  const client: AnyRedis = isCluster ? new Cluster(nodes) : new Redis(nodes[0] ?? {})
  client.on('error', () => {})
  return client
}

/** One gateway with connections of its own. */
export interface SharingGateway {
  readonly gateway: Gateway
  /** Commands sent to Redis so far. */
  readonly commands: () => number
  close(): Promise<void>
}

/** How a gateway of these tests is started. */
export interface SharingOptions {
  readonly place: RedisPlace
  readonly prefix: string
  readonly upstream: string
  readonly models: readonly ModelOptions[]
  /** False: it has no connection that listens, and asks. @default true */
  readonly listens?: boolean
  readonly gateway?: Partial<GatewayOptions>
}

/** Starts a gateway that shares the state of its router through Redis. */
export function startSharing(options: SharingOptions): SharingGateway {
  const { place, prefix, upstream, models, listens = true, gateway: own } = options
  const client = openRedis(place)
  const subscriber = listens ? openRedis(place) : undefined
  let commands = 0
  const counted: RedisLike = {
    isCluster: client.isCluster,
    call(...args) {
      commands += 1
      return client.call(...args)
    },
  }
  const stores = redisStores(counted, { prefix, ...(subscriber && { subscriber }) })
  const gateway = createGateway({
    providers: [fakeProvider(upstream)],
    models,
    auth: { identify: () => ({ ...anyCaller, role: 'admin' }) },
    env: {},
    stores: { router: stores.router },
    ...own,
  })
  return {
    gateway,
    commands: () => commands,
    async close() {
      await gateway.close({ drainMs: 0 })
      client.disconnect()
      subscriber?.disconnect()
    },
  }
}

/** Asks the group `main` once; gives the status and who answered. */
export async function askMain(gateway: Gateway): Promise<{ status: number; servedBy: string | undefined }> {
  const { status, headers } = await ask(gateway, 'POST', '/v1/chat/completions', chat('main'))
  return { status, servedBy: headers['x-sluice-deployment'] }
}

/** What a gateway in this process knows of a deployment. */
export async function healthOf(gateway: Gateway, id: string): Promise<JsonObject> {
  return pick(jsonOf(await ask(gateway, 'GET', '/health/deployments')), id)
}

/** What a gateway at an address knows of a deployment. */
export async function healthAt(url: string, id: string): Promise<JsonObject> {
  const answer: unknown = await (await fetch(`${url}/health/deployments`)).json()
  return pick(answer, id)
}

function pick(answer: unknown, id: string): JsonObject {
  const deployments = isObject(answer) ? answer['deployments'] : undefined
  const all = Array.isArray(deployments) ? deployments.filter(isObject) : []
  return all.find((one) => one['id'] === id) ?? {}
}

/** Asks every few milliseconds until it is true; gives how many milliseconds that took. @throws Error after `atMostMs` */
export async function until(isTrue: () => Promise<boolean>, atMostMs = 10_000): Promise<number> {
  const startedAt = performance.now()
  for (;;) {
    if (await isTrue()) return performance.now() - startedAt
    if (performance.now() - startedAt > atMostMs) throw new Error(`not within ${atMostMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
