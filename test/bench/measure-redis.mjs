import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { startChild } from './child-process.mjs'
import { Load } from './load.mjs'
import { smallBody } from './payloads.mjs'

/** Counts the commands that a gateway sends to a Redis of its own while calls run, and while nothing does. */
export async function measureRedis({ dist, scale }) {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    process.stderr.write('skipped: there is no redis-server on the PATH\n')
    return []
  }
  const port = await freePort()
  const server = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'])
  const redis = new Redis(`redis://127.0.0.1:${port}`)
  redis.on('error', () => {})
  process.env['BENCH_REDIS_URL'] = `redis://127.0.0.1:${port}`
  // The server may still be starting.
  await redis.ping()
  const monitor = await redis.monitor()
  const upstream = await startChild('upstream-process.mjs')
  const child = await startChild('server-process.mjs', ['node-redis', `http://127.0.0.1:${upstream.port}/whole`, dist])
  const load = new Load(child.port, smallBody, (answer) => answer.endsWith('"fp_0123456789"}'))
  try {
    const requests = Math.round(5_000 * scale)
    await load.run(200, 16)
    const busy = await commands(monitor, () => load.run(requests, 16))
    await sleep(500)
    const seconds = 2
    const idle = await commands(monitor, () => sleep(seconds * 1_000))
    return [
      toResult('Redis commands while calls run, shared state', busy / requests, 'commands/request', 1),
      toResult('Redis commands while nothing runs', idle / seconds, 'commands/s', 1.5),
    ]
  } finally {
    await load.close()
    await child.stop()
    await upstream.stop()
    monitor.disconnect()
    redis.disconnect()
    server.kill()
  }
}

function toResult(title, figure, unit, target) {
  return { case: 'redis', title, unit, figure, target, reached: figure <= target }
}

/** Commands that the gateway sent meanwhile; what a script itself does is inside Redis. */
async function commands(monitor, work) {
  let sent = 0
  const count = (_time, _command, source) => {
    if (source !== 'lua') sent += 1
  }
  monitor.on('monitor', count)
  await work()
  monitor.off('monitor', count)
  return sent
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
