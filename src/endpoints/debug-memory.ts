import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { totalmem } from 'node:os'
import type { CallParts } from '../call/context.js'
import { GatewayError, InvalidRequestError } from '../errors.js'
import { jsonAnswer } from '../http/answer.js'
import { type Route, defineRoute } from '../http/route.js'

const megabyte = 1024 * 1024
const toMegabytes = (bytes: number): number => Math.round((bytes / megabyte) * 100) / 100

/** Measures how busy the event loop is, until it is disabled. */
export function watchEventLoop(): IntervalHistogram {
  const delays = monitorEventLoopDelay({ resolution: 20 })
  delays.enable()
  return delays
}

/** `GET /debug/memory/summary` and `/details`, `POST /debug/memory/gc`: what this process holds, for admins. */
export function debugMemory(parts: CallParts, delays: IntervalHistogram): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      paths: ['/debug/memory/summary'],
      access: 'admin',
      summary: 'Tells how much memory this process uses, and how many entries its caches have.',
      handle: () => jsonAnswer(200, summary(parts)),
    }),
    defineRoute({
      method: 'GET',
      paths: ['/debug/memory/details'],
      access: 'admin',
      summary: 'Tells about the heap, what keeps the process busy, and the caches of this process.',
      handle: ({ request }) => jsonAnswer(200, details(toTop(request.query.get('top_n')), delays, parts)),
    }),
    defineRoute({
      method: 'POST',
      paths: ['/debug/memory/gc'],
      access: 'admin',
      summary: 'Collects garbage, where node runs with --expose-gc.',
      handle: () => collectGarbage(),
    }),
  ]
}

function summary(parts: CallParts): object {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  const limit = getHeapStatistics().heap_size_limit
  return {
    worker_pid: process.pid,
    status: heapUsed > limit * 0.9 ? 'critical' : heapUsed > limit * 0.7 ? 'warning' : 'healthy',
    memory: {
      ram_usage_mb: toMegabytes(rss),
      heap_used_mb: toMegabytes(heapUsed),
      heap_total_mb: toMegabytes(heapTotal),
      heap_limit_mb: toMegabytes(limit),
      external_mb: toMegabytes(external),
      system_memory_percent: Math.round((rss / totalmem()) * 10_000) / 100,
    },
    caches: Object.fromEntries(Object.entries(parts.sizes()).map(([name, { entries }]) => [name, entries])),
    calls_running: parts.running.size,
  }
}

function details(top: number, delays: IntervalHistogram, parts: CallParts): object {
  const toMilliseconds = (nanoseconds: number): number => Math.round(nanoseconds / 1e4) / 100
  return {
    ...summary(parts),
    uptime_seconds: Math.floor(process.uptime()),
    memory_usage: process.memoryUsage(),
    heap: getHeapStatistics(),
    heap_spaces: getHeapSpaceStatistics(),
    event_loop_delay_ms: {
      mean: toMilliseconds(delays.mean),
      p50: toMilliseconds(delays.percentile(50)),
      p99: toMilliseconds(delays.percentile(99)),
      max: toMilliseconds(delays.max),
    },
    active_resources: countTop(process.getActiveResourcesInfo(), top),
    caches_detail: parts.sizes(),
    upstream_pools: parts.client.stats(),
    tip: 'Memory is tuned with --max-old-space-size and --max-semi-space-size; node has no generations to set.',
  }
}

function countTop(names: readonly string[], top: number): Record<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a).slice(0, top))
}

function toTop(text: string | null): number {
  if (text === null) return 20
  const top = Number(text)
  if (Number.isInteger(top) && top > 0 && top <= 1_000) return top
  throw new InvalidRequestError('top_n must be a whole number from 1 to 1,000.', 'top_n')
}

function collectGarbage(): ReturnType<typeof jsonAnswer> {
  const { gc } = globalThis
  if (!gc) {
    throw new GatewayError('not_found', 'Garbage can only be collected where node runs with --expose-gc.', {
      code: 'gc_not_exposed',
    })
  }
  const before = process.memoryUsage().heapUsed
  gc()
  const after = process.memoryUsage().heapUsed
  return jsonAnswer(200, {
    worker_pid: process.pid,
    heap_used_mb: { before: toMegabytes(before), after: toMegabytes(after) },
  })
}
