import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGateway, type Gateway } from '../../src/index.js'
import { createRegistry } from '../../src/providers/registry.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import type { JsonObject } from '../../src/wire/json.js'
import { recordedModel } from './check-request.js'
import { isStream, plainRequest } from './client-request.js'
import { type Exchange, readExchange, readIndex, recordingsAvailable } from './exchange.js'
import { forEachOf, send } from './replay.js'
import { type Replay, replayOf } from './scope.js'
import { type ReplayUpstream, startUpstream } from './upstream.js'

if (!recordingsAvailable) console.log('skipped: the recordings of real exchanges are not present')

// What each provider calls its bill on the wire, and how many decimals of a dollar its unit has.
const bills: Readonly<Record<string, { readonly name: string; readonly decimals: number }>> = {
  openrouter: { name: 'cost', decimals: 0 },
  xai: { name: 'cost_in_usd_ticks', decimals: 10 },
  perplexity: { name: 'total_cost', decimals: 0 },
}

/** The last bill in the text of an answer, in pico-dollars; undefined where it has none. */
function billIn(text: string, provider: string): bigint | undefined {
  const bill = bills[provider]
  const found = bill && [...text.matchAll(new RegExp(`"${bill.name}":\\s*([\\d.eE+-]+)`, 'g'))].at(-1)?.[1]
  if (!bill || found === undefined) return undefined
  return BigInt(
    Number(found)
      .toFixed(12 - bill.decimals)
      .replace('.', ''),
  )
}

// Facts of single recordings.
const unheard: Readonly<Record<string, string>> = {
  'openrouter-openai-chat-c9f76218e27c': 'the bill comes after an error, which ends what is read',
}

interface Job {
  readonly exchange: Exchange
  readonly replay: Replay
  readonly bill: bigint
}

describe.runIf(recordingsAvailable)('the bills in recorded answers', () => {
  const registry = createRegistry([])
  const ledger = createMemoryLedger()
  const jobs: Job[] = []
  let upstream: ReplayUpstream
  let gateway: Gateway

  beforeAll(async () => {
    for (const entry of readIndex().filter(({ provider, status }) => provider in bills && status < 400)) {
      const replay = replayOf(entry, (name) => registry.get(name) !== undefined)
      if (typeof replay === 'string' || replay.provider !== entry.provider || entry.id in unheard) continue
      const exchange = readExchange(entry)
      const bill = billIn(exchange.response.text, entry.provider)
      if (bill !== undefined) jobs.push({ exchange, replay, bill })
    }
    upstream = await startUpstream(new Map(jobs.map(({ exchange }) => [exchange.entry.id, exchange])))
    gateway = createGateway({
      models: jobs.map(({ exchange, replay }) => ({
        modelName: exchange.entry.id,
        model: `${replay.provider}/${replay.prefix ?? ''}${recordedModel(exchange, replay.dialect)}`,
        baseUrl: upstream.baseUrl(exchange.entry.id),
        apiKey: 'sk-recorded',
        dropParams: true,
      })),
      auth: 'none',
      retries: 0,
      stores: { ledger },
    })
  })

  afterAll(async () => {
    await gateway.close({ drainMs: 0 })
    await upstream.close()
  })

  it('are what their rows in the ledger cost, to the pico-dollar', { timeout: 60_000 }, async () => {
    await forEachOf(jobs, 16, async ({ exchange, replay }) => {
      await send(gateway, replay.operation, requestFor(exchange, replay), exchange.entry.id)
    })
    await gateway.spend.flush()
    const costs = new Map<string, bigint>()
    let after: string | undefined
    do {
      const page = await ledger.query({ limit: 1_000, ...(after !== undefined && { after }) })
      for (const { caller, cost } of page.entries) costs.set(caller, cost)
      after = page.next
    } while (after !== undefined)
    const counts = Object.keys(bills).map((name) => jobs.filter(({ replay }) => replay.provider === name).length)
    console.log(`bills of ${Object.keys(bills).join(', ')}: ${counts.join(', ')}`)
    expect(Math.min(...counts)).toBeGreaterThan(0)
    const wrong = jobs.filter(({ exchange, bill }) => costs.get(exchange.entry.id) !== bill)
    expect(wrong.map(({ exchange: { entry }, bill }) => `${entry.id}: ${costs.get(entry.id)}, not ${bill}`)).toEqual([])
  })
})

/** The plainest request that gets the recorded answer; of embeddings as many as it has vectors for. */
function requestFor(exchange: Exchange, replay: Replay): JsonObject {
  const request = plainRequest(replay, exchange.entry.id, isStream(exchange))
  const recorded = exchange.request?.body
  if (replay.operation === 'embeddings') return { ...request, ...(recorded && { input: recorded['input'] }) }
  return replay.operation === 'images' ? { ...request, response_format: 'b64_json' } : request
}
