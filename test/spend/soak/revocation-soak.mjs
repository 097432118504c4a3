// Keys that are revoked at one process of two while both are asked with them: how long the last call is let in after it,
// whether one is let in again, and how many calls a limit of requests lets in that three processes share.
//   ROUNDS=12 RATE=200 RACES=1000 SECONDS=3 node test/spend/soak/revocation-soak.mjs
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { dropTables, load, must, openSql, pause, percentile, sources, urls } from './lab.mjs'

const [rounds, rate, races] = [
  ['ROUNDS', 12],
  ['RATE', 200],
  ['RACES', 1_000],
].map(([name, otherwise]) => Number(process.env[name] ?? otherwise))

const prefix = `rev${process.pid.toString(36)}_`
const masterKey = `sk-master-${randomBytes(12).toString('hex')}`
const worker = fileURLToPath(new URL('revocation-worker.mjs', import.meta.url))
const { startFakeUpstream } = await load('src/testing/index.js')
const database = await openSql('postgres', urls.postgres, { prefix })
await database.stores.migrate()
const upstream = await startFakeUpstream({ journalSize: 10 })
const children = []

/** Starts a process; gives where it serves models, and where it is managed. */
async function start() {
  const env = { ...process.env, SOURCES: sources, PREFIX: prefix, UPSTREAM: upstream.url, MASTER_KEY: masterKey }
  const child = spawn(process.execPath, [worker], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let output = ''
  const [, models, admin] = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`a process ended with ${code}`)))
    child.stdout.on('data', (bytes) => {
      const found = /listening on (\S+) (\S+)/.exec((output += bytes))
      if (found) resolve(found)
    })
  })
  return { models, admin }
}

async function manage({ admin }, path, body) {
  const answer = await fetch(admin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

const body = JSON.stringify({ model: 'main', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] })

/** The status of a call with a key, when it was sent and answered: one that was on its way when its key was revoked may pass. */
async function call({ models }, key) {
  const at = performance.now()
  const answer = await fetch(`${models}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
  })
  await answer.arrayBuffer()
  return { at, answeredAt: performance.now(), status: answer.status }
}

// A blocked key is known, and forbidden.
const refusals = new Set([401, 403])

const newKey = async (process, own = {}) => (await manage(process, '/key/generate', own)).key
const revocations = [
  (process, key) => manage(process, '/key/block', { key }),
  (process, key) => manage(process, '/key/delete', { keys: [key] }),
  (process, key) => manage(process, '/key/regenerate', { key }),
]

/** Asks both processes with a key at a steady rate, revokes it at the first, and goes on for a second and a half. */
async function revokeUnderLoad([first, second], revoke) {
  const key = await newKey(first)
  const calls = []
  const begin = performance.now()
  let revokedAt = Infinity
  let revoking
  for (let sent = 0; performance.now() < Math.min(revokedAt + 1_500, begin + 10_000); await pause(2)) {
    for (const due = ((performance.now() - begin) / 1_000) * rate; sent < due; sent += 1) {
      const process = sent % 2 ? second : first
      calls.push(call(process, key).then((result) => ({ ...result, of: process })))
    }
    if (!revoking && performance.now() - begin > 500) {
      revoking = revoke(first, key).then(() => (revokedAt = performance.now()))
    }
  }
  await revoking
  const results = await Promise.all(calls)
  const accepted = results.filter(({ status }) => status === 200)
  const afterwards = [first, second].map((process) => {
    const own = results.filter(({ of }) => of === process)
    // Calls overtake each other on their way; one that is sent after a refusal has come was not overtaken.
    const refusedFrom = Math.min(...own.flatMap(({ status, answeredAt }) => (refusals.has(status) ? answeredAt : [])))
    return own.filter(({ at, status }) => status === 200 && at > refusedFrom).length
  })
  const other = results.flatMap(({ status }) => (status === 200 || refusals.has(status) ? [] : [status]))
  const lastAfter = Math.max(...accepted.map(({ at }) => at)) - revokedAt
  return { calls: results.length, lastAfter, resurrected: afterwards[0] + afterwards[1], other }
}

/** Looks keys up for the first time while they are revoked elsewhere; gives how many open anything a second later. */
async function raceRevocations([first, second], count) {
  const keys = await Promise.all(Array.from({ length: count }, () => newKey(first)))
  await Promise.all(
    keys.flatMap((key, at) => [call(second, key), call(first, key), revocations[at % 2](at % 3 ? first : second, key)]),
  )
  await pause(1_000)
  const later = await Promise.all(keys.flatMap((key) => [call(first, key), call(second, key)]))
  return later.filter(({ status }) => !refusals.has(status)).length
}

/** Asks all processes with one key as fast as they answer, and counts who is let in within one minute's limit. */
async function shareLimit(processes, limit) {
  const key = await newKey(processes[0], { rpm_limit: limit })
  const lanes = processes.flatMap((process) => [process, process, process])
  const calls = Math.ceil((limit * 3) / lanes.length)
  const results = await Promise.all(
    lanes.map(async (process) => {
      const statuses = []
      for (let made = 0; made < calls; made += 1) statuses.push((await call(process, key)).status)
      return statuses
    }),
  )
  const statuses = results.flat()
  return { asked: statuses.length, admitted: statuses.filter((status) => status === 200).length }
}

try {
  const processes = await Promise.all([start(), start(), start()])
  const two = processes.slice(0, 2)
  const seen = []
  for (let round = 0; round < rounds; round += 1) seen.push(await revokeUnderLoad(two, revocations[round % 3]))
  const last = seen.map(({ lastAfter }) => lastAfter).toSorted((a, b) => a - b)
  console.log(
    `revoked under ${rate} calls/s at two processes, ${rounds} times: the last call let in was sent ${percentile(last, 0.5).toFixed(0)} ms (median), ${last.at(-1).toFixed(0)} ms (latest) after the revocation was answered; ${seen.reduce((sum, { calls }) => sum + calls, 0)} calls`,
  )
  must(last.at(-1) <= 1_000, 'no call is let in more than a second after the revocation')
  must(
    seen.every(({ resurrected }) => resurrected === 0),
    'no call is let in after one was refused',
  )
  // A machine with too much to do answers some with 504, which lets nobody in.
  console.log(`neither answered nor refused: ${seen.reduce((sum, { other }) => sum + other.length, 0)} calls`)
  let open = 0
  for (let raced = 0; raced < races; raced += 50) open += await raceRevocations(two, Math.min(50, races - raced))
  console.log(`${races} races of a first look-up against a revocation: ${open} keys that open anything afterwards`)
  must(open === 0, 'a revoked key never comes back')
  for (const limit of [100, 250]) {
    const { asked, admitted } = await shareLimit(processes, limit)
    console.log(`a limit of ${limit} requests a minute, ${asked} asked of three processes: ${admitted} let in`)
    must(Math.abs(admitted - limit) <= 1, 'as many are let in as the limit says')
  }
} finally {
  for (const child of children) child.kill('SIGKILL')
  await dropTables(database, prefix)
  const redis = new Redis(urls.redis)
  const keys = await redis.keys(`*${prefix}*`)
  if (keys.length > 0) await redis.unlink(keys)
  redis.disconnect()
  await Promise.all([database.close(), upstream.close()])
}
