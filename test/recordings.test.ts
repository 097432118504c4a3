import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChatRequest, CompletionRequest, createGateway, defaultTimeouts, type Gateway } from '../src/index.js'
import { createDeployment } from '../src/providers/create-deployment.js'
import { createRegistry } from '../src/providers/registry.js'
import type { JsonObject } from '../src/wire/json.js'
import { recordedModel } from './recordings/check-request.js'
import { checkReplayed, replayKey, type Replayed } from './recordings/checks.js'
import { clientRequest, isStream, plainRequest, withoutForeignRequest } from './recordings/client-request.js'
import { contradictions } from './recordings/contradictions.js'
import type { Equivalence } from './recordings/equivalence.js'
import { furtherDialect } from './recordings/further/index.js'
import { equivalences } from './recordings/equivalences.js'
import { readExchange, readIndex, recordingsAvailable, type Exchange } from './recordings/exchange.js'
import { isNotOpenAi } from './recordings/not-openai.js'
import { createRandom } from './recordings/random.js'
import { forEachOf, send } from './recordings/replay.js'
import { toFailureList, toTable, type Outcome } from './recordings/report.js'
import { replayOf, type Replay } from './recordings/scope.js'
import { splitDifferences } from './recordings/stream-splits.js'
import { startUpstream, type ReplayUpstream } from './recordings/upstream.js'

if (!recordingsAvailable) console.log('skipped: the recordings of real exchanges are not present')

const seed = Number(process.env['SLUICE_SEED'] ?? Date.now() % 1_000_000)

const defaults = { timeouts: defaultTimeouts, headersTimeoutSet: false, dropParams: true }

const streamTypes: Readonly<Record<string, string>> = {
  eventstream: 'application/vnd.amazon.eventstream',
  sse: 'text/event-stream',
}

interface Job {
  readonly exchange: Exchange
  readonly replay: Replay
}

describe.runIf(recordingsAvailable)('recorded exchanges with real providers', () => {
  const registry = createRegistry([])
  const jobs: Job[] = []
  const outcomes: Outcome[] = []
  let upstream: ReplayUpstream
  let gateway: Gateway

  beforeAll(async () => {
    for (const entry of readIndex()) {
      const { id, provider, api } = entry
      const replay = replayOf(entry, (name) => registry.get(name) !== undefined)
      if (typeof replay === 'string') outcomes.push({ id, provider, api, skipped: replay, problems: [] })
      else jobs.push({ exchange: withoutForeignRequest(readExchange(entry)), replay })
    }
    upstream = await startUpstream(new Map(jobs.map(({ exchange }) => [exchange.entry.id, exchange])))
    gateway = createGateway({ models: jobs.map(toModel), auth: 'none', retries: 0 })
  })

  afterAll(async () => {
    await gateway.close({ drainMs: 0 })
    await upstream.close()
  })

  function toModel({ exchange, replay }: Job) {
    const { id } = exchange.entry
    return {
      modelName: id,
      model: `${replay.provider}/${replay.prefix ?? ''}${recordedModel(exchange, replay.dialect)}`,
      baseUrl: upstream.baseUrl(id),
      settings: furtherDialect(replay.dialect)?.settings,
      apiKey: replayKey,
      dropParams: true,
    }
  }

  it('are sent as they were recorded, and answered in the shape of OpenAI', { timeout: 120_000 }, async () => {
    const used = new Map<Equivalence, number>()
    const privately: string[] = []
    const known: Outcome[] = []
    await forEachOf(jobs, 32, async ({ exchange, replay }) => {
      const { id, provider, api } = exchange.entry
      const first = await ask(exchange, replay, clientRequest(exchange, replay, id))
      const replayed = isPrivate(first) ? await ask({ ...exchange, request: undefined }, replay) : first
      if (replayed !== first) privately.push(id)
      const { problems, excused } = checkReplayed(replayed)
      for (const rule of new Set(excused)) used.set(rule, (used.get(rule) ?? 0) + 1)
      const fact = problems.length > 0 ? contradictions.get(id) : undefined
      if (fact !== undefined) known.push({ id, provider, api, problems })
      outcomes.push({ id, provider, api, ...(fact === undefined ? { problems } : { skipped: fact, problems: [] }) })
    })
    console.log(`only their replies, since their requests are not in OpenAI's format: ${privately.join(' ')}`)
    console.log(toTable(outcomes))
    const counts = [...used].map(([{ name, reason }, count]) => `${String(count).padStart(5)} ${name}: ${reason}`)
    console.log(['equivalences, and in how many exchanges each was needed:', ...counts].join('\n'))
    for (const { id, problems } of known) console.log(`${id} (${contradictions.get(id)}): ${problems.join('; ')}`)
    expect(known.map(({ id }) => id).toSorted(), 'contradictions that still show').toEqual(
      [...contradictions.keys()].toSorted(),
    )
    expect(toFailureList(outcomes)).toBe('')
    const rules = new Set(Object.values(equivalences).flat())
    expect([...rules].filter((rule) => !used.has(rule)).map(({ name }) => name)).toEqual([])
  })

  async function ask(exchange: Exchange, replay: Replay, asked?: JsonObject): Promise<Replayed> {
    const { id } = exchange.entry
    const request = asked ?? plainRequest(replay, id, isStream(exchange))
    const received = await send(gateway, replay.operation, request, id)
    return { exchange, replay, asked: request, sent: upstream.sentFor(id), received }
  }

  function isPrivate({ exchange, replay, asked, sent, received }: Replayed): boolean {
    const accepted = exchange.response.status < 400
    return accepted && sent.length === 0 && replay.dialect === 'openai' && isNotOpenAi(replay, asked, received)
  }

  it('decode to the same stream however their bytes are cut', { timeout: 120_000 }, () => {
    console.log(`cut with SLUICE_SEED=${seed}`)
    const random = createRandom(seed)
    const problems = jobs.flatMap((job) => splitProblems(job, random))
    expect(problems.slice(0, 50).join('\n')).toBe('')
  })

  function splitProblems({ exchange, replay }: Job, random: () => number): readonly string[] {
    const { entry, response } = exchange
    const codecs = registry.get(replay.provider)?.protocol.codecs
    const contentType = streamTypes[response.format]
    if (contentType === undefined || response.status >= 400 || !codecs) return []
    const deployment = createDeployment(toModel({ exchange, replay }), { registry, env: {}, defaults })
    const bytes = response.bytes ?? Buffer.from(response.text)
    const stream = { deployment, request: clientRequest(exchange, replay, entry.id), bytes, contentType }
    const differences =
      replay.operation === 'completions'
        ? splitDifferences(codecs.completions, CompletionRequest, stream, random)
        : splitDifferences(codecs.chat, ChatRequest, stream, random)
    return differences.map((line) => `${entry.id} ${line}`)
  }
})
