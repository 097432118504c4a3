import { startChild } from './child-process.mjs'
import { Load } from './load.mjs'
import { smallBody, streamBody } from './payloads.mjs'

const megabyte = 1024 * 1024
const inFlight = 32

const isStream = (index) => index % 2 === 1
/** Of whole answers and of streams alike. */
const isAborted = (index) => index % 20 < 2
const mixture = { bodyOf: (index) => (isStream(index) ? streamBody : smallBody), leaves: isAborted }

/** Memory after many mixed requests: growth of the heap, and resident size against an Express app that does nothing. */
export async function measureMemory({ dist, scale }) {
  const upstream = await startChild('upstream-process.mjs')
  const base = `http://127.0.0.1:${upstream.port}/mixed`
  const count = Math.round(50_000 * scale)
  try {
    const empty = await serve(
      'express-empty',
      base,
      dist,
      (answer) => answer === '',
      (load) => load.run(count, inFlight, { bodyOf: mixture.bodyOf }),
    )
    const gateway = await serve(
      'express-gateway',
      base,
      dist,
      (answer) => /(?:\}|\[DONE\]\s*)$/.test(answer.slice(-20)),
      (load) => load.run(count, inFlight, mixture),
    )
    return toResult(count, gateway, empty, await settled(upstream))
  } finally {
    await upstream.stop()
  }
}

async function serve(variant, upstream, dist, accepts, run) {
  const child = await startChild('server-process.mjs', [variant, upstream, dist], ['--expose-gc'])
  const load = new Load(child.port, smallBody, accepts)
  try {
    const idle = await child.ask('memory')
    // What is compiled and cached once is not growth.
    await load.run(2_000, inFlight, variant === 'express-empty' ? {} : mixture)
    const before = await child.ask('memory')
    await run(load)
    const after = await child.ask('memory')
    const unhandled = await child.ask('unhandled')
    if (unhandled.length > 0) throw new Error(`${variant}: unhandled rejections: ${unhandled.slice(0, 3).join('; ')}`)
    return { idle, before, after }
  } finally {
    await load.close()
    await child.stop()
  }
}

/** Calls that the upstream still serves once every client has its answer or has left. */
async function settled(upstream) {
  await new Promise((resolve) => setTimeout(resolve, 500))
  return upstream.ask('active')
}

function toResult(count, gateway, empty, leftAtUpstream) {
  const heapGrowth = (gateway.after.heapUsed - gateway.before.heapUsed) / megabyte
  const overEmpty = (gateway.after.rss - empty.after.rss) / megabyte
  return [
    {
      case: 'memory',
      title: `heap growth over ${count} mixed requests`,
      unit: 'MB',
      figure: heapGrowth,
      target: 2,
      reached: heapGrowth < 2 && leftAtUpstream === 0,
      leftAtUpstream,
    },
    {
      case: 'memory',
      title: 'RSS over an empty Express app, both after the load',
      unit: 'MB',
      baseline: 'express-empty',
      baselineFigure: empty.after.rss / megabyte,
      figure: gateway.after.rss / megabyte,
      difference: overEmpty,
      idleDifference: (gateway.idle.rss - empty.idle.rss) / megabyte,
      target: 60,
      reached: overEmpty < 60,
    },
  ]
}
