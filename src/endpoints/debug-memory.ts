import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { totalmem } from 'node:os'
import { z } from 'zod'
import type { CallParts } from '../call/context.js'
import { GatewayError, InvalidRequestError } from '../errors.js'
import { jsonAnswer } from '../http/answer.js'
import { type Route, defineRoute } from '../http/route.js'

const megabyte = 1024 * 1024
const toMegabytes = (bytes: number): number => Math.round((bytes / megabyte) * 100) / 100

const DetailsQuery = z.object({ top_n: z.string().optional() })
type DetailsQuery = z.infer<typeof DetailsQuery>

const counts = z.record(z.string(), z.number())
const Summary = z.object({
  worker_pid: z.int(),
  status: z.enum(['healthy', 'warning', 'critical']),
  memory: z.object({
    ram_usage_mb: z.number(),
    heap_used_mb: z.number(),
    heap_total_mb: z.number(),
    heap_limit_mb: z.number(),
    external_mb: z.number(),
    system_memory_percent: z.number(),
  }),
  caches: counts,
  calls_running: z.int(),
})
type Summary = z.infer<typeof Summary>

const Details = Summary.extend({
  uptime_seconds: z.int(),
  memory_usage: z.looseObject({}),
  heap: z.looseObject({}),
  heap_spaces: z.array(z.looseObject({ space_name: z.string() })),
  event_loop_delay_ms: z.object({ mean: z.number(), p50: z.number(), p99: z.number(), max: z.number() }),
  active_resources: counts,
  caches_detail: z.record(z.string(), z.looseObject({ entries: z.number() })),
  upstream_pools: z.record(z.string(), z.object({ connected: z.number(), running: z.number(), pending: z.number() })),
  tip: z.string(),
})
type Details = z.infer<typeof Details>

const Collected = z.object({ worker_pid: z.int(), heap_used_mb: z.object({ before: z.number(), after: z.number() }) })

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
      response: Summary,
      examples: { now: { summary: 'A process that is well', answer: summaryExample } },
      handle: () => jsonAnswer(200, summary(parts)),
    }),
    defineRoute<unknown, DetailsQuery>({
      method: 'GET',
      paths: ['/debug/memory/details'],
      access: 'admin',
      summary: 'Tells about the heap, what keeps the process busy, and the caches of this process.',
      query: DetailsQuery,
      response: Details,
      examples: {
        top: {
          summary: 'The five kinds of resources that are held most',
          query: { top_n: '5' },
          answer: detailsExample,
        },
      },
      handle: ({ query }) => jsonAnswer(200, details(toTop(query.top_n), delays, parts)),
    }),
    defineRoute({
      method: 'POST',
      paths: ['/debug/memory/gc'],
      access: 'admin',
      summary: 'Collects garbage, where node runs with --expose-gc.',
      response: Collected,
      errors: ['not_found'],
      examples: {
        collected: {
          summary: 'What came of it',
          answer: { worker_pid: 4711, heap_used_mb: { before: 96.4, after: 41.2 } },
        },
      },
      handle: () => collectGarbage(),
    }),
  ]
}

function summary(parts: CallParts): Summary {
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

function toTop(text: string | undefined): number {
  if (text === undefined) return 20
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

const summaryExample: Summary = {
  worker_pid: 4711,
  status: 'healthy',
  memory: {
    ram_usage_mb: 128.5,
    heap_used_mb: 41.2,
    heap_total_mb: 62.75,
    heap_limit_mb: 4144,
    external_mb: 5.1,
    system_memory_percent: 0.8,
  },
  caches: { keys: 12, responses: 310, ledger_queue: 0 },
  calls_running: 3,
}
const detailsExample: Details = {
  ...summaryExample,
  uptime_seconds: 86_400,
  memory_usage: { rss: 134_742_016 },
  heap: { heap_size_limit: 4_345_298_944 },
  heap_spaces: [{ space_name: 'new_space' }],
  event_loop_delay_ms: { mean: 20.1, p50: 20.05, p99: 21.3, max: 34.6 },
  active_resources: { TCPSocketWrap: 6, Timeout: 2 },
  caches_detail: { keys: { entries: 12 }, responses: { entries: 310, bytes: 1_204_224 } },
  upstream_pools: { 'https://api.openai.com': { connected: 4, running: 3, pending: 0 } },
  tip: 'Memory is tuned with --max-old-space-size and --max-semi-space-size; node has no generations to set.',
}
