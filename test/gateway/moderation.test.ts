import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Caller, type GatewayOptions, type GuardrailOptions } from '../../src/index.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { type RecordingServer, startRecordingServer } from '../callbacks/recording-server.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab, textOf } from '../support/gateway.js'

let lab: GatewayLab
let moderator: RecordingServer

beforeAll(async () => {
  lab = await startGatewayLab()
  moderator = await startRecordingServer()
})
beforeEach(() => {
  moderator.requests.length = 0
  moderator.script.length = 0
  moderator.standard = judging({ hate: false, violence: false })
})
afterAll(async () => {
  await lab.close()
  await moderator.close()
})

const path = '/v1/chat/completions'

/** An answer as OpenAI gives it, for one text. */
const judging = (categories: Record<string, boolean>, own: object = {}) => ({
  status: 200,
  body: JSON.stringify({
    id: 'modr-1',
    model: 'omni-moderation-latest',
    results: [{ flagged: Object.values(categories).includes(true), categories, category_scores: { hate: 0.9 } }],
    ...own,
  }),
})

const moderation = (own: object = {}): GuardrailOptions[] => [
  { name: 'mod', type: 'moderation', model: 'judge', ...own },
]

function start(options: Partial<GatewayOptions> = {}, judge: object = {}) {
  const models = [
    { modelName: 'main', model: 'fake/main', prices: { input: 1, output: 1 } },
    {
      modelName: 'judge',
      model: 'openai/omni-moderation-latest',
      baseUrl: `${moderator.url}/v1`,
      apiKey: 'sk-j',
      ...judge,
    },
  ]
  return lab.start(models, { retries: 0, guardrails: moderation(), ...options })
}

const say = (content: string, own: object = {}) => ({ model: 'main', messages: [{ role: 'user', content }], ...own })

describe('a moderation guardrail', () => {
  it('asks the model group that it names, as OpenAI documents it', async () => {
    const answer = await ask(start(), 'POST', path, say('How are you?'))
    expect(answer.status).toBe(200)
    expect(answer.headers['x-sluice-guardrails']).toBe('mod=passed')
    expect(moderator.requests).toHaveLength(1)
    expect(moderator.requests[0]).toMatchObject({
      method: 'POST',
      path: '/v1/moderations',
      headers: { authorization: 'Bearer sk-j' },
      json: { model: 'omni-moderation-latest', input: ['How are you?'] },
    })
  })

  it.each([false, true])('refuses what is flagged, before the provider is asked, with stream: %s', async (stream) => {
    moderator.standard = judging({ hate: true, violence: false })
    const before = lab.upstream.requests.length
    const answer = await ask(start(), 'POST', path, say('something', { stream }))
    expect(answer.status).toBe(400)
    expect(jsonOf(answer).error).toMatchObject({ code: 'guardrail_refused' })
    expect(lab.upstream.requests).toHaveLength(before)
  })

  it('counts only the categories that the host names', async () => {
    moderator.standard = judging({ hate: true, violence: false })
    const gateway = start({ guardrails: moderation({ categories: ['violence'] }) })
    expect((await ask(gateway, 'POST', path, say('something'))).status).toBe(200)
  })

  it.each([false, true])('looks at answers too, with stream: %s', async (stream) => {
    moderator.standard = judging({ violence: true })
    const answer = await ask(
      start({ guardrails: moderation({ mode: 'post_call' }) }),
      'POST',
      path,
      say('Hi', { stream }),
    )
    const text = await textOf(answer)
    expect(text).toContain('guardrail_refused')
    expect(text).not.toContain('[DONE]')
    expect(moderator.requests[0]?.json.input[0]).not.toBe('Hi')
  })

  it('has long texts judged in pieces', async () => {
    const result = { flagged: false, categories: { hate: false }, category_scores: { hate: 0 } }
    const flagged = { ...result, flagged: true, categories: { hate: true } }
    moderator.standard = judging({}, { results: [result, result, flagged] })
    expect((await ask(start(), 'POST', path, say('x'.repeat(50_000)))).status).toBe(400)
    expect(moderator.requests[0]?.json.input.map((text: string) => text.length)).toEqual([20_000, 20_000, 10_000])
  })

  it.each([
    ['an error', { status: 500 }],
    ['fewer judgements than texts', judging({}, { results: [] })],
    ['nonsense', { status: 200, body: '{"results":[{"flagged":false}]}' }],
  ])('that gets %s fails the call, or lets it pass where the host says so', async (_, standard) => {
    moderator.standard = standard
    const closed = await ask(start(), 'POST', path, say('Hi'))
    expect(jsonOf(closed)).toMatchObject({ error: { code: 'guardrail_unavailable' } })
    expect(closed.status).toBe(503)
    const open = start({ guardrails: moderation({ fail: 'open' }) })
    expect((await ask(open, 'POST', path, say('Hi'))).status).toBe(200)
  })

  it('is left at its deadline', async () => {
    moderator.standard = 'hang'
    const answer = await ask(start({ guardrails: moderation({ deadlineMs: 30 }) }), 'POST', path, say('Hi'))
    expect(answer.status).toBe(503)
  })

  it('reads a moderation whose categories are verdicts of their own, as Mistral gives it', async () => {
    moderator.standard = {
      status: 200,
      body: JSON.stringify({
        id: 'm',
        model: 'mistral-moderation-latest',
        results: [{ categories: { sexual: false, pii: true }, category_scores: { pii: 0.8 } }],
      }),
    }
    const gateway = start({}, { model: 'mistral/mistral-moderation-latest' })
    expect((await ask(gateway, 'POST', path, say('Hi'))).status).toBe(400)
    expect(moderator.requests[0]?.path).toBe('/v1/moderations')
  })

  it('is paid for by the caller, who needs no access to its model and no room for a second request', async () => {
    const ledger = createMemoryLedger()
    const caller: Caller = {
      ...anyCaller,
      models: ['main'],
      scopes: [{ kind: 'user', id: 'ada', rpm: 1, maxParallelRequests: 1, budget: { maxBudget: 1 } }],
    }
    const gateway = start(
      { auth: { identify: () => caller }, stores: { ledger }, guardrails: moderation({ mode: 'during_call' }) },
      { prices: { input: 2, output: 0 } },
    )
    moderator.standard = judging(
      { hate: false },
      { usage: { prompt_tokens: 100, completion_tokens: 0, total_tokens: 100 } },
    )
    const answer = await ask(gateway, 'POST', path, say('Hi'), { 'x-request-id': 'one' })
    expect(answer.status).toBe(200)
    await gateway.close()
    const { entries } = await ledger.query({})
    const row = entries.find(({ operation }) => operation === 'moderations')
    expect(row).toMatchObject({ callId: 'one', caller: anyCaller.id, cost: 200_000_000n, charged: 200_000_000n })
    expect(row?.scopes).toContainEqual({ kind: 'user', id: 'ada' })
    expect(entries.map(({ callId }) => callId)).toEqual(['one', 'one'])
  })

  it("tells a caller of its own budget, and is free where it is OpenAI's", async () => {
    const identify = (maxBudget: number) => () => ({
      ...anyCaller,
      scopes: [{ kind: 'user' as const, id: 'poor', budget: { maxBudget } }],
    })
    const dear = start({ auth: { identify: identify(0.000_001) } }, { prices: { input: 1_000, output: 0 } })
    const refused = await ask(dear, 'POST', path, say('Hi there'))
    expect(refused.status).toBe(429)
    expect(jsonOf(refused).error).toMatchObject({ code: 'budget_exceeded' })
    const free = start({ auth: { identify: identify(1) } })
    expect((await ask(free, 'POST', path, say('Hi there'))).status).toBe(200)
  })
})

describe('POST /v1/moderations', () => {
  it('forwards what the provider says', async () => {
    const gateway = start({ guardrails: [] })
    moderator.standard = judging({ hate: true })
    const answer = await ask(gateway, 'POST', '/v1/moderations', { model: 'judge', input: 'something' })
    expect(answer.status).toBe(200)
    expect(jsonOf(answer)).toEqual(JSON.parse(judging({ hate: true }).body))
    const parts = [{ type: 'image_url', image_url: { url: 'https://a.test/b.png' } }]
    expect((await ask(gateway, 'POST', '/v1/moderations', { model: 'judge', input: parts })).status).toBe(200)
    expect(moderator.requests[1]?.json).toEqual({ model: 'omni-moderation-latest', input: parts })
  })

  it('is guarded like any other path', async () => {
    const guardrails: GuardrailOptions[] = [{ name: 'pii', type: 'pii' }]
    const part = { type: 'text', text: 'ada@example.com' }
    for (const input of ['ada@example.com', ['ada@example.com'], [part]]) {
      await ask(start({ guardrails }), 'POST', '/v1/moderations', { model: 'judge', input })
      expect(moderator.requests.at(-1)?.text).toContain('[EMAIL_1]')
      expect(moderator.requests.at(-1)?.text).not.toContain('ada@')
    }
  })

  it('tells who asks a model that does not moderate', async () => {
    const body = { model: 'other', input: 'x' }
    const models = [{ modelName: 'other', model: 'groq/llama-3.1-8b-instant', apiKey: 'k' }]
    const answer = await ask(lab.start(models), 'POST', '/v1/moderations', body)
    expect(answer.status).toBe(400)
    expect((await ask(start(), 'POST', '/v1/moderations', { model: 'judge', input: [] })).status).toBe(400)
    expect((await ask(start(), 'POST', path, chat('nowhere'))).status).toBe(404)
  })
})
