import { startChild } from './child-process.mjs'
import { Load } from './load.mjs'
import { median, medianOf, quantile } from './statistics.mjs'
import { briefStreamBody } from './payloads.mjs'
import { isBriefChat, isRelayed, isWholeChat } from './streams.mjs'

/** Measures one group of `cases.mjs` and gives its rows with figures. */
export async function measureGroup(group, { dist, scale }) {
  const upstream = await startChild('upstream-process.mjs')
  const servers = []
  try {
    for (const variant of group.variants) servers.push(await startServer(variant, group, upstream.port, dist))
    for (const server of servers) await warmUp(server, group, scale)
    const samples = new Map(servers.map(({ variant }) => [variant, { cpu: [], latency: [] }]))
    for (let round = 0; round < scaled(group.rounds, scale); round += 1) {
      // Whoever comes first in one round comes last in the next.
      const turn = round % 2 === 0 ? servers : servers.toReversed()
      for (const server of turn) await measureCpu(server, group, samples.get(server.variant))
      for (const server of turn) await measureLatency(server, group, samples.get(server.variant))
    }
    const parses = group.countParses ? await countParses(servers.at(-1)) : undefined
    await assertHealthy(servers)
    return group.rows.map((row) => toResult(row, group, samples, parses))
  } finally {
    for (const { load, child } of servers) {
      await load.close()
      await child.stop()
    }
    await upstream.stop()
  }
}

/** What is not warm says little; long streams warm up only what runs per chunk, and would take a short run too long. */
async function warmUp({ load, brief }, group, scale) {
  if (!group.unit) return load.run(group.warmUp, group.inFlight)
  await brief.run(briefStreams, group.inFlight)
  await brief.close()
  await load.run(scaled(group.warmUp, scale), group.inFlight)
}

const briefStreams = 2_000

// A collection while a server waits for its turn undoes its optimized code, that of node:http too, whose hidden classes
// have no request then; in a short run it meets one server and not another.
const nodeFlags = ['--no-memory-reducer']

async function startServer(variant, group, upstreamPort, dist) {
  const upstream = `http://127.0.0.1:${upstreamPort}/${group.upstream}`
  const child = await startChild('server-process.mjs', [variant, upstream, dist], nodeFlags)
  const brief = new Load(child.port, briefStreamBody, variant === 'bare' ? () => true : isBriefChat)
  return { variant, child, brief, load: new Load(child.port, group.body, completeness(variant, group)) }
}

/** Says whether an answer is complete, so that no variant is fast by leaving something out. */
function completeness(variant, { upstream }) {
  if (upstream === 'whole') return (answer) => answer.endsWith('"fp_0123456789"}')
  return variant === 'bare' ? isRelayed(upstream) : isWholeChat
}

function scaled(count, scale) {
  return Math.max(1, Math.round(count * scale))
}

/** CPU time of the server, user and system, in microseconds per request or chunk. */
async function measureCpu({ child, load }, group, samples) {
  const count = group.perRound
  const before = await child.ask('cpu')
  await load.run(count, group.inFlight)
  const after = await child.ask('cpu')
  samples.cpu.push((after - before) / count / (group.unit?.count ?? 1))
}

/** Milliseconds to the first byte of a stream, or to the end of a whole answer. */
async function measureLatency({ load }, group, samples) {
  const { firstByte, total } = await load.run(group.oneByOne, 1)
  samples.latency.push(...(group.unit ? firstByte : total))
}

async function countParses({ child, load }) {
  const requests = 5
  await child.ask('countParses', 500_000)
  await load.run(requests, 1)
  return (await child.ask('parses')) / requests
}

async function assertHealthy(servers) {
  for (const { variant, child } of servers) {
    const unhandled = await child.ask('unhandled')
    if (unhandled.length > 0) throw new Error(`${variant}: unhandled rejections: ${unhandled.slice(0, 3).join('; ')}`)
  }
}

function toResult(row, group, samples, parses) {
  const own = samples.get(row.variant)
  const base = samples.get(row.baseline)
  const ratio = medianOf((a, b) => a / b, own.cpu, base.cpu)
  const added = (share) => quantile(own.latency, share) - quantile(base.latency, share)
  const reached =
    ratio <= row.target &&
    (row.firstByteTarget === undefined || added(0.5) <= row.firstByteTarget) &&
    (parses === undefined || parses <= 1)
  return {
    case: row.name,
    title: row.title,
    unit: `µs CPU/${group.unit?.name ?? 'request'}`,
    baseline: row.baseline,
    baselineFigure: median(base.cpu),
    figure: median(own.cpu),
    ratio,
    target: row.target,
    ...(group.oneByOne > 0 && {
      latency: group.unit ? 'first byte' : 'whole answer',
      addedP50Ms: added(0.5),
      addedP99Ms: added(0.99),
    }),
    ...(row.firstByteTarget !== undefined && { firstByteTargetMs: row.firstByteTarget }),
    ...(parses !== undefined && { parsesPerRequest: parses }),
    reached,
  }
}
