import { startChild } from './child-process.mjs'
import { Load } from './load.mjs'
import { median, medianOf, quantile } from './statistics.mjs'

/** Measures one group of `cases.mjs` and gives its rows with figures. */
export async function measureGroup(group, { dist, rounds, scale }) {
  const upstream = await startChild('upstream-process.mjs')
  const servers = []
  try {
    for (const variant of group.variants) servers.push(await startServer(variant, group, upstream.port, dist))
    for (const { load } of servers) await load.run(scaled(group.warmUp, scale), group.inFlight)
    const samples = new Map(servers.map(({ variant }) => [variant, { cpu: [], firstByte50: [], p50: [], p99: [] }]))
    for (let round = 0; round < rounds; round += 1) {
      // Whoever comes first in one round comes last in the next.
      const turn = round % 2 === 0 ? servers : servers.toReversed()
      for (const server of turn) await measureCpu(server, group, scale, samples.get(server.variant))
      for (const server of turn) await measureLatency(server, group, scale, samples.get(server.variant))
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

async function startServer(variant, group, upstreamPort, dist) {
  const child = await startChild('server-process.mjs', [
    variant,
    `http://127.0.0.1:${upstreamPort}/${group.upstream}`,
    dist,
  ])
  return { variant, child, load: new Load(child.port, group.body, lastWords(variant, group)) }
}

/** How a complete answer ends, so that no variant is fast by leaving something out. */
function lastWords(variant, { upstream }) {
  if (upstream === 'whole') return /"fp_0123456789"\}$/
  return upstream === 'anthropic' && variant === 'bare' ? /"message_stop"\}\s*$/ : /\[DONE\]\s*$/
}

function scaled(count, scale) {
  return Math.max(1, Math.round(count * scale))
}

/** CPU time of the server, user and system, in microseconds per request or chunk. */
async function measureCpu({ child, load }, group, scale, samples) {
  const count = scaled(group.perRound, scale)
  const before = await child.ask('cpu')
  await load.run(count, group.inFlight)
  const after = await child.ask('cpu')
  samples.cpu.push((after - before) / count / (group.unit?.count ?? 1))
}

async function measureLatency({ load }, group, scale, samples) {
  const { firstByte, total } = await load.run(scaled(group.oneByOne, scale), 1)
  const added = group.unit ? firstByte : total
  samples.firstByte50.push(quantile(firstByte, 0.5))
  samples.p50.push(quantile(added, 0.5))
  samples.p99.push(quantile(added, 0.99))
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
  const difference = (name) => medianOf((a, b) => a - b, own[name], base[name])
  const addedFirstByte = difference('firstByte50')
  const reached =
    ratio <= row.target &&
    (row.firstByteTarget === undefined || addedFirstByte <= row.firstByteTarget) &&
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
    latency: group.unit ? 'first byte' : 'whole answer',
    addedP50Ms: difference('p50'),
    addedP99Ms: difference('p99'),
    ...(row.firstByteTarget !== undefined && { firstByteTargetMs: row.firstByteTarget }),
    ...(parses !== undefined && { parsesPerRequest: parses }),
    reached,
  }
}
