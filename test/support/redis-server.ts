import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A Redis of a test's own, which it may kill and freeze. */
export interface RedisServer {
  readonly port: number
  /** Dies without a word; its data is gone. */
  kill(): Promise<void>
  /** Starts again on the same port, empty. */
  start(): Promise<void>
  /** Runs a command through `redis-cli`. */
  command(...args: string[]): Promise<string>
  stop(): Promise<void>
}

/** True where `redis-server` can be started; else prints one line. @throws Error where `REQUIRE_SERVICES=1` and it is missing */
export function hasRedisServer(): boolean {
  if (spawnSync('redis-server', ['--version']).status === 0) return true
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error('redis-server is not installed')
  console.log('skipped: redis-server is not installed')
  return false
}

/** A port that nobody listens on now, nor on the one 10,000 above, which a node of a cluster takes too. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port <= 55_000 ? port : freePort()
}

/** Prepares a server on a free port, and starts it unless told otherwise. */
export async function redisServer(
  options: { readonly started?: boolean; readonly flags?: readonly string[] } = {},
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  const port = await freePort()
  let running: ChildProcess | undefined

  const command = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('redis-cli', ['-p', String(port), ...args])).stdout.trim()
  const start = async (): Promise<void> => {
    const flags = ['--port', String(port), '--save', '', '--dir', folder, ...(options.flags ?? [])]
    running = spawn('redis-server', flags, { stdio: 'ignore' })
    for (let tries = 0; tries < 200; tries++) {
      if ((await command('ping').catch(() => '')) === 'PONG') return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error(`redis-server does not answer on port ${port}`)
  }
  const kill = async (): Promise<void> => {
    const dying = running
    running = undefined
    if (!dying || dying.exitCode !== null) return
    const gone = new Promise((resolve) => dying.once('exit', resolve))
    dying.kill('SIGKILL')
    await gone
  }
  if (options.started !== false) await start()
  return {
    port,
    kill,
    start,
    command,
    async stop() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Starts three masters that share the slots, each with as many replicas as told. */
export async function redisCluster(
  replicas = 0,
): Promise<{ readonly nodes: readonly RedisServer[]; stop(): Promise<void> }> {
  const flags = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0']
  const nodes = await Promise.all(Array.from({ length: 3 * (1 + replicas) }, () => redisServer({ flags })))
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.stop())))
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  try {
    await promisify(execFile)('redis-cli', [
      '--cluster',
      'create',
      ...addresses,
      '--cluster-replicas',
      String(replicas),
      '--cluster-yes',
    ])
    for (const node of nodes) await untilClusterIsUp(node)
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A master with one replica, watched by one Sentinel that calls them `main`. */
export interface WatchedRedis {
  readonly master: RedisServer
  readonly replica: RedisServer
  readonly sentinelPort: number
  /** Port of the server that the Sentinel takes for the master. */
  masterPort(): Promise<number>
  stop(): Promise<void>
}

/** Starts them, and waits until the replica could take over. */
export async function redisWithSentinel(): Promise<WatchedRedis> {
  const flags = ['--repl-diskless-sync-delay', '0']
  const master = await redisServer({ flags })
  const replica = await redisServer({ flags: [...flags, '--replicaof', '127.0.0.1', String(master.port)] })
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-'))
  const sentinelPort = await freePort()
  const file = join(folder, 'sentinel.conf')
  writeFileSync(
    file,
    [
      `port ${sentinelPort}`,
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 300',
      'sentinel failover-timeout main 2000',
    ].join('\n'),
  )
  const sentinel = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })
  const ask = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('redis-cli', ['-p', String(sentinelPort), 'sentinel', ...args, 'main'])).stdout
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => sentinel.once('exit', resolve))
    if (sentinel.kill('SIGKILL')) await gone
    await Promise.all([master, replica].map((server) => server.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
  const isReady = async (): Promise<boolean> =>
    (await replica.command('info', 'replication')).includes('master_link_status:up') &&
    (await ask('replicas').catch(() => '')).includes(String(replica.port))
  for (let tries = 0; tries < 400; tries++) {
    if (await isReady()) {
      const masterPort = async (): Promise<number> => Number((await ask('get-master-addr-by-name')).split('\n')[1])
      return { master, replica, sentinelPort, masterPort, stop }
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  await stop()
  throw new Error('the Sentinel does not find the replica')
}

async function untilClusterIsUp(node: RedisServer): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if ((await node.command('cluster', 'info')).includes('cluster_state:ok')) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('the cluster does not come up')
}
