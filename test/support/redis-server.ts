import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
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

async function untilClusterIsUp(node: RedisServer): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if ((await node.command('cluster', 'info')).includes('cluster_state:ok')) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('the cluster does not come up')
}
