import { afterEach, describe, expect, it } from 'vitest'
import {
  type Caller,
  type ChatRequest,
  type GatewayOptions,
  type LedgerEntry,
  type ModelOptions,
} from '../../src/index.js'
import type { JsonObject } from '../../src/wire/json.js'
import { chargedOf, levelsOf, openMemory, rowsOf } from '../spend/proof-lab.js'
import { ask, chat, jsonOf, textOf } from '../support/gateway.js'
import { answerJson, createUpstreamLab, inTurn, type UpstreamAnswer } from '../support/upstream-lab.js'

const lab = createUpstreamLab()
afterEach(() => lab.close())

/** A provider that gives these answers in turn, the last one for ever; and what it was asked. */
async function startUpstream(...answers: readonly [UpstreamAnswer, ...UpstreamAnswer[]]) {
  const { url, asked } = await lab.serve(inTurn(...answers))
  return { baseUrl: url, asked }
}

const tokens = { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 }

/** A chat answered at once. */
const answered = (usage: JsonObject): UpstreamAnswer =>
  answerJson({
    id: 'gen-1',
    object: 'chat.completion',
    created: 1,
    model: 'served',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    usage: { ...tokens, ...usage },
  })

const event = (members: JsonObject): string => `data: ${JSON.stringify({ id: 'gen-1', created: 1, ...members })}\n\n`
const said = (content: string, finish: string | null = null): string =>
  event({ choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: finish }] })

/** A chat answered in pieces, the usage last; `broken`: the connection is closed before the end is said. */
const streamed =
  (usage: JsonObject, end: 'whole' | 'broken' = 'whole', finish: string | null = 'stop'): UpstreamAnswer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`${said('Hello')}${said(' there', finish)}${event({ choices: [], usage: { ...tokens, ...usage } })}`)
    if (end === 'whole') return void response.end('data: [DONE]\n\n')
    setTimeout(() => response.destroy(), 20)
  }

const embedded =
  (usageOf: (call: number) => JsonObject): UpstreamAnswer =>
  (response, asked) => {
    const { input } = asked.body
    const list = Array.isArray(input) ? input : [input]
    const data = list.map((_, index) => ({ object: 'embedding', index, embedding: 'fwA=' }))
    const usage = { prompt_tokens: list.length, total_tokens: list.length, ...usageOf(list.length) }
    answerJson({ object: 'list', model: 'served', data, usage })(response, asked)
  }

const budget = { maxBudget: 100 }
const callerOf = (scopes: Caller['scopes'] = [{ kind: 'key', id: 'k', budget }]): Caller => ({
  id: 'user-1',
  role: 'member',
  models: 'all',
  scopes,
})

function start(models: readonly ModelOptions[], options: Partial<GatewayOptions> = {}, caller = callerOf()) {
  const proof = openMemory()
  const gateway = lab.start({
    models: models.map((model) => ({ apiKey: 'sk-reported', ...model })),
    auth: { identify: () => caller },
    stores: proof.stores,
    retries: 0,
    ...options,
  })
  return {
    gateway,
    proof,
    caller,
    post: (body: object) => ask(gateway, 'POST', '/v1/chat/completions', body),
    /** Closes the gateway, and gives its rows. */
    close: async (): Promise<readonly LedgerEntry[]> => {
      await gateway.close({ drainMs: 0 })
      return rowsOf(proof.stores.ledger)
    },
  }
}

const dollars = (amount: number): bigint => BigInt(Math.round(amount * 1e9)) * 1_000n
// Listed, at other prices than the answers here tell.
const listed = 'openrouter/openai/gpt-4o-mini'
const unlisted = 'openrouter/acme/unheard-of'

describe('a provider that tells what it bills', () => {
  it.each([false, true])('is billed in the ledger as it says, with stream: %s', async (stream) => {
    const usage = { cost: 0.0123, is_byok: false, cost_details: { upstream_inference_cost: 0.0123 } }
    const upstream = await startUpstream(stream ? streamed(usage) : answered(usage))
    const { post, close, proof } = start([{ modelName: 'm', model: listed, baseUrl: upstream.baseUrl }])
    const answer = await post(chat('m', { stream, stream_options: stream ? { include_usage: true } : undefined }))
    const text = await textOf(answer)
    const lastUsage: unknown = stream
      ? JSON.parse(text.split('data: ').findLast((part) => part.includes('"usage"')) ?? '{}')
      : JSON.parse(text)
    expect(lastUsage).toMatchObject({ usage: { ...tokens, ...usage } })
    const rows = await close()
    expect(rows).toMatchObject([
      {
        cost: dollars(0.0123),
        charged: dollars(0.0123),
        priced: true,
        estimated: false,
        aborted: false,
        usage: { inputUncached: 1_000, outputText: 100 },
        price: {
          source: 'reported',
          name: 'openrouter/openai/gpt-4o-mini',
          lines: [{ bucket: 'reported', quantity: 1, rate: '0.0123', per: 1, cost: '0.0123' }],
        },
      },
    ])
    expect(await levelsOf(proof)).toMatchObject([{ used: Number(dollars(0.0123) / 1_000n), held: 0 }])
  })

  it('is believed of a stream that broke off once it had told, in tokens too', async () => {
    const { baseUrl } = await startUpstream(
      streamed({ cost: 0.5, prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 }, 'broken', null),
    )
    const { post, close, proof } = start([{ modelName: 'm', model: listed, baseUrl }])
    expect(await textOf(await post(chat('m', { stream: true })))).not.toContain('[DONE]')
    const rows = await close()
    expect(rows).toMatchObject([
      {
        cost: dollars(0.5),
        aborted: true,
        estimated: false,
        usage: { inputUncached: 7, outputText: 1 },
        failure: expect.any(String),
      },
    ])
    expect(await levelsOf(proof)).toMatchObject([{ used: Number(dollars(0.5) / 1_000n), held: 0 }])
  })

  it('is believed of a stream that ended without content', async () => {
    const bare: UpstreamAnswer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(
        `${event({ choices: [], usage: { ...tokens, completion_tokens: 0, total_tokens: 1_000, cost: 0 } })}\n`,
      )
    }
    const { baseUrl } = await startUpstream(bare)
    const { post, close } = start([{ modelName: 'm', model: listed, baseUrl }])
    expect((await post(chat('m', { stream: true }))).status).toBeGreaterThanOrEqual(500)
    expect(await close()).toMatchObject([
      { cost: 0n, priced: true, estimated: false, aborted: true, usage: { inputUncached: 1_000 } },
    ])
  })

  it('is believed of an answer that is none', async () => {
    const { baseUrl } = await startUpstream(
      answerJson({ id: 'gen-1', object: 'chat.completion', choices: [], usage: { ...tokens, cost: 0.5 } }),
    )
    const { post, close, proof } = start([{ modelName: 'm', model: listed, baseUrl }])
    expect((await post(chat('m'))).status).toBe(502)
    expect(await close()).toMatchObject([
      { cost: dollars(0.5), aborted: true, estimated: false, usage: { inputUncached: 1_000, outputText: 100 } },
    ])
    expect(await levelsOf(proof)).toMatchObject([{ used: Number(dollars(0.5) / 1_000n), held: 0 }])
  })

  it("adds what the host's own key is billed for elsewhere", async () => {
    const usage = { cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: 0.02 } }
    const { baseUrl } = await startUpstream(answered(usage))
    const { post, close } = start([{ modelName: 'm', model: listed, baseUrl }])
    await post(chat('m'))
    expect(await close()).toMatchObject([
      { cost: dollars(0.021), price: { lines: [{ bucket: 'reported' }, { bucket: 'upstream', cost: '0.02' }] } },
    ])
  })

  it('has a priced row where no list has the model, which no later price changes', async () => {
    const { baseUrl } = await startUpstream(answered({ cost: 0.25 }))
    const { post, close, gateway, proof } = start([{ modelName: 'm', model: unlisted, baseUrl }])
    await post(chat('m'))
    expect(await gateway.spend.reprice()).toEqual({ rows: 0, unpriced: 0, charged: 0n })
    const rows = await close()
    expect(rows).toMatchObject([{ cost: dollars(0.25), priced: true, price: { source: 'reported' } }])
    const spend = { prices: { 'acme/unheard-of': { input: 1, output: 1 } } }
    const later = lab.start({ models: [], auth: 'none', stores: proof.stores, spend })
    expect(await later.spend.reprice()).toEqual({ rows: 0, unpriced: 0, charged: 0n })
    expect(await rowsOf(proof.stores.ledger)).toEqual(rows)
  })

  it('is charged with the mark-up of each scope', async () => {
    const { baseUrl } = await startUpstream(answered({ cost: 0.01 }))
    const scopes = [
      { kind: 'team', id: 't', markUp: 3, budget },
      { kind: 'key', id: 'k', markUp: 1.5, budget },
    ] as const
    const { post, close, gateway, proof } = start([{ modelName: 'm', model: listed, baseUrl }], {}, callerOf(scopes))
    await post(chat('m'))
    expect(await close()).toMatchObject([{ cost: dollars(0.01), charged: dollars(0.015) }])
    expect(await gateway.spend.total({ kind: 'team', id: 't' }, 0)).toBe(dollars(0.03))
    const used = (await levelsOf(proof)).map((level) => level.used)
    expect(used).toEqual([30_000_000, 15_000_000])
  })

  it.each([
    ['of the deployment', { prices: { input: 1, output: 2 } }, {}, dollars(0.0012)],
    ['for the model', {}, { prices: { [listed]: { input: 1, output: 2 } } }, dollars(0.0012)],
    // A guess is none.
    ['that is a guess', { model: unlisted }, { unknownPrice: { input: 1, output: 2 } }, dollars(0.5)],
  ])('counts against a price of the host, %s', async (_, model, spend, cost) => {
    const { baseUrl } = await startUpstream(answered({ cost: 0.5 }))
    const { post, close } = start([{ modelName: 'm', model: listed, baseUrl, ...model }], { spend })
    await post(chat('m'))
    expect(await close()).toMatchObject([{ cost, priced: true, estimated: false }])
  })

  it.each([-1, 'NaN', { total_cost: 1 }, 1e9])('is not believed that it bills %j', async (cost) => {
    const { baseUrl } = await startUpstream(answered({ cost }))
    const own = start([{ modelName: 'm', model: listed, baseUrl }])
    await own.post(chat('m'))
    const [row] = await own.close()
    expect(row).toMatchObject({ priced: true, estimated: true, price: { source: 'catalog' } })
    expect(row?.cost).toBeGreaterThan(0n)
    expect(row?.cost).toBeLessThan(dollars(0.01))
  })

  it('is not asked where its documents do not say that it bills by it', async () => {
    const { baseUrl } = await startUpstream(answered({ cost: 0.5, estimated_cost: 0.5 }))
    const { post, close } = start([{ modelName: 'm', model: 'deepinfra/meta-llama/Llama-3.3-70B-Instruct', baseUrl }])
    await post(chat('m'))
    const [row] = await close()
    expect(row?.cost).not.toBe(dollars(0.5))
    expect(row?.estimated).toBe(false)
  })

  it('has its own word in each row of a call that two providers served', async () => {
    const first = await startUpstream(streamed({ cost: 0.001 }, 'broken', null))
    const second = await startUpstream(streamed({ cost_in_usd_ticks: 20_000_000 }))
    const { post, close, proof } = start(
      [
        { modelName: 'm', model: listed, baseUrl: first.baseUrl, order: 1 },
        { modelName: 'm', model: 'xai/grok-4', baseUrl: second.baseUrl, order: 2 },
      ],
      { routing: { midStream: 'restart' }, retries: 1 },
    )
    expect(await textOf(await post(chat('m', { stream: true })))).toContain('[DONE]')
    const rows = await close()
    const costs = new Map(rows.map(({ provider, cost }) => [provider, cost]))
    expect([...costs]).toEqual(
      expect.arrayContaining([
        ['openrouter', dollars(0.001)],
        ['xai', dollars(0.002)],
      ]),
    )
    expect(await levelsOf(proof)).toMatchObject([{ used: Number(chargedOf(rows) / 1_000n), held: 0 }])
  })

  it('is billed once for an answer that is given again from the cache', async () => {
    const { baseUrl, asked } = await startUpstream(answered({ cost: 0.01 }))
    const { post, close } = start([{ modelName: 'm', model: listed, baseUrl }], { cache: true })
    const body = chat('m', { temperature: 0 })
    const answers = [await post(body), await post(body)].map(jsonOf)
    expect(answers.map(({ usage }) => usage)).toEqual([answers[0]?.['usage'], answers[0]?.['usage']])
    expect(asked).toHaveLength(1)
    const rows = await close()
    expect(rows.filter(({ cached }) => cached).map(({ cost }) => cost)).toEqual([0n])
    expect(chargedOf(rows)).toBe(dollars(0.01))
  })

  it('is heard of images although it tells no tokens', async () => {
    const image = answerJson({ data: [{ b64_json: 'aGVsbG8=' }], usage: { cost_in_usd_ticks: 700_000_000 } })
    const { baseUrl } = await startUpstream(image)
    const { gateway, close, caller } = start([{ modelName: 'm', model: 'xai/unheard-of-image', baseUrl }])
    const answer = await gateway.call('images', { model: 'm', prompt: 'a cat' }, caller)
    expect(answer).not.toHaveProperty('usage')
    expect(await close()).toMatchObject([{ cost: dollars(0.07), priced: true, usage: { images: 1 }, estimated: false }])
  })
})

describe('a call in several requests whose provider tells what it bills', () => {
  const input = Array.from({ length: 600 }, (_, at) => `text ${at}`)
  const model = { modelName: 'm', model: 'perplexity/pplx-embed-v1-0.6b' }
  const told = (count: number): JsonObject => ({ cost: { currency: 'USD', total_cost: count / 1e5 } })

  it('costs what all of them are billed', async () => {
    const { baseUrl, asked } = await startUpstream(embedded(told))
    const { gateway, close, caller } = start([{ ...model, baseUrl }])
    await gateway.call('embeddings', { model: 'm', input }, caller)
    expect(asked).toHaveLength(2)
    expect(await close()).toMatchObject([{ cost: dollars(0.006), price: { source: 'reported' }, estimated: false }])
  })

  it.each([512, 88])('costs what the list says where the request of %i texts is not told', async (silent) => {
    const { baseUrl } = await startUpstream(embedded((count) => (count === silent ? {} : told(count))))
    const prices = { [model.model]: { input: 1 } }
    const listPrice = start([{ ...model, baseUrl }], { spend: { prices } })
    await listPrice.gateway.call('embeddings', { model: 'm', input }, listPrice.caller)
    expect(await listPrice.close()).toMatchObject([{ cost: 600_000_000n }])
    const own = start([{ ...model, baseUrl }])
    await own.gateway.call('embeddings', { model: 'm', input }, own.caller)
    const [row] = await own.close()
    expect(row?.price?.['source']).not.toBe('reported')
    expect(row?.usage).toEqual({ inputUncached: 600 })
  })

  it('costs what all of them are billed where the last answer is none', async () => {
    const { baseUrl } = await startUpstream(
      embedded(told),
      answerJson({ object: 'list', data: 'none', usage: told(88) }),
    )
    const { gateway, close, caller } = start([{ ...model, baseUrl }])
    await expect(gateway.call('embeddings', { model: 'm', input }, caller)).rejects.toMatchObject({ status: 502 })
    expect(await close()).toMatchObject([{ cost: dollars(0.006), aborted: true, price: { source: 'reported' } }])
  })

  it('costs what was billed until it broke off', async () => {
    const { baseUrl } = await startUpstream(embedded(told), answerJson({ error: { message: 'slow down' } }, 429))
    const { gateway, close, caller } = start([{ ...model, baseUrl }])
    await expect(gateway.call('embeddings', { model: 'm', input }, caller)).rejects.toMatchObject({ status: 429 })
    expect(await close()).toMatchObject([{ cost: dollars(0.00512), aborted: true, price: { source: 'reported' } }])
  })
})

describe('a limit on the price that a provider may choose', () => {
  const dear: Partial<ChatRequest> = { max_tokens: 1_000 }
  const limited = (members: object) => chat('m', { ...dear, ...members })
  const tight = callerOf([{ kind: 'key', id: 'k', budget: { maxBudget: 0.01 } }])

  it('is held for the call', async () => {
    const { baseUrl, asked } = await startUpstream(answered({ cost: 0.005 }))
    const { post, close } = start([{ modelName: 'm', model: listed, baseUrl }], {}, tight)
    const provider = { order: ['dear'], max_price: { prompt: 100, completion: '1000' } }
    expect((await post(limited({ provider }))).status).toBe(429)
    expect((await post(limited({ extra_body: { provider } }))).status).toBe(429)
    expect(asked).toEqual([])
    // Eight dollars per million are room enough.
    const affordable = { max_price: { prompt: 8, completion: 8 } }
    expect((await post(limited({ provider: affordable }))).status).toBe(200)
    expect(asked).toMatchObject([{ body: { provider: affordable } }])
    await close()
  })

  it('is held and sent as the host sets it, and no caller exceeds it', async () => {
    const { baseUrl, asked } = await startUpstream(answered({ cost: 0.005 }))
    const params = { provider: { max_price: { prompt: 2, completion: 8 } } }
    const { post, close } = start([{ modelName: 'm', model: listed, baseUrl, params }], {}, tight)
    const provider = { order: ['dear'], max_price: { prompt: 1, completion: 1_000 } }
    expect((await post(limited({ provider }))).status).toBe(200)
    expect(asked).toMatchObject([{ body: { provider: { order: ['dear'], max_price: { prompt: 1, completion: 8 } } } }])
    // Half of the budget is spent, and as much as the limit allows has no room in the rest.
    expect((await post(limited({}))).status).toBe(429)
    await close()
  })
})
