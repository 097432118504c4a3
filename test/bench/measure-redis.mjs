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
  process.env['BENCH_REDIS_URL'] = `redis://127.0.0.1:${port}`
  const upstream = await startChild('upstream-process.mjs')
  const child = await startChild('server-process.mjs', ['node-redis', `http://127.0.0.1:${upstream.port}/whole`, dist])
  const load = new Load(child.port, smallBody, (answer) => answer.endsWith('"fp_0123456789"}'))
  try {
    const requests = Math.round(5_000 * scale)
    await load.run(200, 16)
    const busy = await commands(redis, () => load.run(requests, 16))
    await sleep(500)
    const seconds = 2
    const idle = await commands(redis, () => sleep(seconds * 1_000))
    return [
      toResult('Redis commands while calls run, shared state', busy / requests, 'commands/request', 1),
      toResult('Redis commands while nothing runs', idle / seconds, 'commands/s', 1.5),
    ]
  } finally {
    await load.close()
    await child.stop()
    await upstream.stop()
    redis.disconnect()
    server.kill()
  }
}

function toResult(title, figure, unit, target) {
  return { case: 'redis', title, unit, figure, target, reached: figure <= target }
}

/** Commands that the gateway sent meanwhile: scripts and look-ups; what a script itself does is inside Redis. */
async function commands(redis, work) {
  const before = await count(redis)
  await work()
  return (await count(redis)) - before
}

const counted = /^cmdstat_(eval|evalsha|get|mget)[^:]*:calls=(\d+)/gm

async function count(redis) {
  const stats = await redis.info('commandstats')
  return [...stats.matchAll(counted)].reduce((sum, [, , calls]) => sum + Number(calls), 0)
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
