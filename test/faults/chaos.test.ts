import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Gateway, type GatewayOptions, createGateway } from '../../src/index.js'
import { type FakeUpstream, fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import { isObject } from '../../src/wire/json.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'
import { chiSquare, chiSquareLimitOfFour, seededRandom } from '../support/seeded-random.js'
import { expectNothingUnhandled } from './faulty-host.js'
import { type Outcome, toOutcome, untilIdle } from './scenario-lab.js'

expectNothingUnhandled()

const ids = ['a', 'b', 'c', 'd']
const concurrency = 100
/** With rests and without: a rest, however short, keeps calls from a deployment, which says nothing about fairness. */
const runs = [
  { midStream: 'error', count: 4_000, strategy: 'least-busy', cooldown: { durationMs: 30 } },
  { midStream: 'restart', count: 6_000, strategy: 'simple-shuffle', cooldown: false },
] as const
// Everything that a deployment can do wrong, and ways to do it right that are hard to read.
const faults = [
  'status-429',
  'status-500',
  'status-503',
  'reset',
  'cut-3',
  'cut-6',
  'error-mid-stream-5',
  'error-in-200',
  'no-finish+no-done',
]
// Rare, as each of them holds a call for seconds.
const waits = ['hang', 'stall-4', 'no-done+keep-open']
const shapes = ['slow-15ms', 'trickle-1ms', 'bytes-7', 'crlf+comments', 'no-done', 'close']

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let upstream: FakeUpstream
const gateways: Gateway[] = []
beforeAll(async () => {
  upstream = await startFakeUpstream({ journalSize: 100 })
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close({ drainMs: 0 })))
  await upstream.close()
})

function start(own: Partial<GatewayOptions>, weights: readonly number[] = [1, 1, 1, 1]): Gateway {
  const gateway = createGateway({
    providers: [fakeProvider(upstream.url)],
    models: ids.map((id, at) => ({ modelName: 'main', model: `fake/${id}`, id, weight: weights[at] })),
    auth: { identify: () => anyCaller },
    env: {},
    ...own,
  })
  gateways.push(gateway)
  return gateway
}

/** Runs so many calls, a hundred at a time. */
async function inLanes(count: number, call: (number: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1
      await call(next)
      // Calls that are refused at once would leave no turn to those that wait for the network.
      await sleep(1)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
}

function heapMb(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed / 2 ** 20
}

/** Every answer is whole and the caller's own, or it is an error that says so. @throws Error for anything else */
function judge(outcome: Outcome, text: string): 'whole' | 'error' {
  const { status, done, finish, error } = outcome
  const isTold = typeof error?.['message'] === 'string' && !done && finish === undefined
  if (error && isTold && text.startsWith(outcome.text)) return 'error'
  if (!error && status === 200 && done && finish === 'stop' && outcome.text === text) return 'whole'
  throw new Error(`neither whole nor an explicit error: ${JSON.stringify(outcome)}`)
}

/** What a call asks; the upstream sees its number. */
const contentOf = (number: number): string => `Ask ${number}: grüße 世界 🙂👩‍👩‍👧 please`

function numberOfCall(body: unknown): number {
  return Number(/"Ask (\d+):/.exec(JSON.stringify(body))?.[1])
}

describe.each(runs)('chaos, with $strategy and midStream $midStream', ({ count, ...routing }) => {
  it('ends every call whole or with an explicit error, and leaves nothing behind', { timeout: 120_000 }, async () => {
    const random = seededRandom(count)
    const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? ''
    const attempts = new Map(ids.map((id) => [id, 0]))
    // Every tenth client leaves: at once, or as soon as a deployment has its request. A few leave when it may be too late.
    const leavers = new Map<number, AbortController>()
    upstream.onRequest(({ body }) => {
      leavers.get(numberOfCall(body))?.abort()
      const id = isObject(body) ? String(body['model']) : ''
      attempts.set(id, (attempts.get(id) ?? 0) + 1)
      const dice = random()
      return { fault: pick(dice < 0.01 ? waits : dice < 0.15 ? faults : dice < 0.3 ? shapes : ['']) }
    })
    const gateway = start({
      random: seededRandom(3),
      timeouts: { headers: 3_000, firstToken: 3_000, idle: 3_000 },
      routing,
    })
    const outcomes = { whole: 0, error: 0, left: 0 }
    const call = async (number: number): Promise<void> => {
      const leaving = new AbortController()
      if (number % 20 === 0) leavers.set(number, leaving)
      const stream = random() < 0.5
      const body = { model: 'main', messages: [{ role: 'user', content: contentOf(number) }], stream }
      const answering = gateway.handle(requestOf('POST', '/v1/chat/completions', body, { signal: leaving.signal }))
      if (number % 20 === 10) leaving.abort()
      const timer = number % 40 === 5 ? setTimeout(() => leaving.abort(), random() * 50) : undefined
      const response = await answering
      if (!response) throw new Error('not served')
      const judged = judge(await toOutcome(response), `You said: ${contentOf(number)}`)
      clearTimeout(timer)
      leavers.delete(number)
      outcomes[judged === 'error' && leaving.signal.aborted ? 'left' : judged] += 1
    }
    await inLanes(count / 4, call)
    const heapBefore = heapMb()
    const startedAt = performance.now()
    await inLanes((count * 3) / 4, (number) => call(number + count / 4))
    const tookMs = performance.now() - startedAt
    await untilIdle(gateway)
    const heapAfter = heapMb()
    const asked = [...attempts.values()]
    const all = asked.reduce((sum, one) => sum + one, 0)
    console.log(
      `chaos (${routing.strategy}, ${routing.midStream}): ${JSON.stringify(outcomes)}, ${all} attempts ${JSON.stringify(asked)},`,
      `${Math.round((count * 750) / tookMs)} calls/s, heap ${heapBefore.toFixed(1)} -> ${heapAfter.toFixed(1)} MB`,
    )
    expect(outcomes.whole + outcomes.error + outcomes.left).toBe(count)
    expect(outcomes.left).toBeGreaterThanOrEqual(count / 10)
    expect(outcomes.whole).toBeGreaterThan(count * 0.8)
    expect(heapAfter - heapBefore).toBeLessThan(20)
    if (!routing.cooldown) for (const one of asked) expect(Math.abs(one / all - 0.25)).toBeLessThan(0.03)
  })
})

describe('without faults', () => {
  it('shares 10,000 calls by the weights 1:2:3:4', { timeout: 120_000 }, async () => {
    const weights = [1, 2, 3, 4]
    const gateway = start({ random: seededRandom(11) }, weights)
    const counts = [0, 0, 0, 0]
    upstream.onRequest(({ body }) => {
      const at = ids.indexOf(isObject(body) ? String(body['model']) : '')
      counts[at] = (counts[at] ?? 0) + 1
      return undefined
    })
    const request = { model: 'main', messages: [{ role: 'user' as const, content: 'Hi' }] }
    await inLanes(10_000, async () => void (await gateway.call('chat', request, anyCaller)))
    const deviation = chiSquare(counts, weights)
    console.log(`weights 1:2:3:4: ${JSON.stringify(counts)}, chi-square ${deviation.toFixed(2)}`)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10_000)
    expect(deviation).toBeLessThan(chiSquareLimitOfFour)
  })
})
