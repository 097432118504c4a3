import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { markUpsOf, noMarkUps } from '../../../src/call/accounts/mark-ups.js'
import { type CallFacts, toLedgerEntry } from '../../../src/call/accounts/ledger-entries.js'
import { createParts } from '../../../src/gateway/create-parts.js'
import type { ModelOptions } from '../../../src/index.js'
import type { GatewayOptions } from '../../../src/options.js'
import { chargedTo } from '../../../src/ports/ledger.js'
import { type AttemptEntry, CallTrail } from '../../../src/router/trail.js'
import type { PlannedCall } from '../../../src/spend/index.js'
import { anyCaller } from '../../support/deployment.js'
import { FakeClock } from '../../support/fake-clock.js'

const minute = 60_000

/** A gateway of one deployment, whose calls are told what they cost without being made. */
async function openBooks(model: Partial<ModelOptions>, routing: GatewayOptions['routing'] = {}) {
  const clock = new FakeClock()
  const { call: parts, books } = createParts({
    models: [{ modelName: 'm', model: 'together_ai/demo', apiKey: 'sk-none', ...model }],
    auth: 'none',
    spend: {},
    routing,
    clock,
  })
  const { pricing } = books
  await pricing.ready()
  const group = parts.directory.groups.resolve('m', anyCaller)
  const [target] = parts.directory.groups.all
  if (!target) throw new Error('there is no deployment')
  const callOf = (planned: PlannedCall) => ({
    planned,
    caller: anyCaller,
    callId: 'call-1',
    group,
    readTags: () => [],
  })
  return {
    clock,
    pricing,
    callOf,
    reasoning: parts.reasoning,
    target,
    /** An attempt that was sent, with what is known of it. */
    attempt(own: Partial<AttemptEntry> = {}): AttemptEntry {
      const entry = new CallTrail().begin({ target, modelName: 'm', reason: 'first', startedAt: clock.now() })
      const endedAt = (own.startedAt ?? clock.now()) + 1_000
      return Object.assign(entry, { sent: true, partSent: true, accepted: true, outcome: 'cancelled', endedAt }, own)
    },
    chargedFor(planned: PlannedCall, entries: readonly AttemptEntry[], markUps = noMarkUps): bigint {
      const facts: CallFacts & { at: number } = { call: callOf(planned), scopes: [scope], markUps, at: clock.now() }
      const rows = entries.map((entry) => toLedgerEntry(entry, facts, { pricing, clock, createId: () => 'row' }))
      return rows.reduce((sum, row) => sum + chargedTo(row, scope), 0n)
    },
  }
}

const scope = { kind: 'key', id: 'k' } as const

const chat = (own: Record<string, unknown> = {}): PlannedCall => ({
  operation: 'chat',
  request: { model: 'm', messages: [{ role: 'user', content: 'Hello there, how are you?' }], ...own },
})

describe('what is held for a call', () => {
  it('is worked out from one look at the prompt, however many readings `extra_body` leaves', async () => {
    const { pricing, callOf } = await openBooks({ params: { extra_body: { seed: 1 } } })
    let looks = 0
    const message = Object.defineProperty({ role: 'user', content: '' }, 'content', {
      enumerable: true,
      get: () => `Hello ${(looks += 1)}`,
    })
    const planned = chat({ messages: [message], extra_body: { top_k: 5 } })
    const { inputTokens } = pricing.estimate(callOf(planned), noMarkUps)
    expect([looks, inputTokens > 0]).toEqual([1, true])
  })

  it('covers what is estimated of attempts whose provider told nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          limit: fc.integer({ min: 1, max: 50 }),
          n: fc.integer({ min: 1, max: 3 }),
          received: fc.nat({ max: 10_000 }),
          told: fc.option(fc.nat({ max: 50 }), { nil: undefined }),
          contextWindow: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
          words: fc.array(fc.constantFrom('a', 'question', '?', '語', 'x'), { maxLength: 60 }),
        }),
        async ({ limit, n, received, told, contextWindow, words }) => {
          const capabilities = contextWindow === undefined ? {} : { contextWindow }
          const books = await openBooks({ prices: { input: 1, output: 3 }, capabilities })
          const planned = chat({ max_tokens: limit, n, messages: [{ role: 'user', content: words.join(' ') }] })
          const usage =
            told === undefined ? undefined : { prompt_tokens: 1, completion_tokens: Math.min(told, limit * n) }
          const entry = books.attempt({ receivedCharacters: received, usage })
          const held = books.pricing.estimate(books.callOf(planned), noMarkUps).charged(scope)
          expect(held >= books.chargedFor(planned, [entry])).toBe(true)
        },
      ),
    )
  })

  it('covers what a provider may bill within the limit on its prices that is sent', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          asked: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined }),
          own: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined }),
          inExtraBody: fc.boolean(),
          most: fc.integer({ min: 1, max: 500 }),
        }),
        async ({ asked, own, inExtraBody, most }) => {
          const limitOf = (rate: number | undefined) =>
            rate === undefined ? {} : { provider: { max_price: { prompt: rate, completion: 2 * rate } } }
          const params = inExtraBody ? { extra_body: limitOf(own) } : limitOf(own)
          const books = await openBooks({ model: 'openrouter/openai/gpt-4o-mini', params })
          const planned = chat({ max_tokens: most, ...limitOf(asked) })
          const estimate = books.pricing.estimate(books.callOf(planned), noMarkUps)
          const rates = [asked, own].filter((rate) => rate !== undefined)
          const rate = rates.length === 0 ? 0 : Math.min(...rates)
          const dearest = BigInt(estimate.inputTokens * rate + estimate.outputTokens * 2 * rate) * 1_000_000n
          expect(estimate.charged(scope)).toBeGreaterThanOrEqual(dearest)
          expect(estimate.charged(scope)).toBeGreaterThan(0n)
        },
      ),
    )
  })

  it('covers what a limit on prices does not name beside what it does', async () => {
    const books = await openBooks({ model: 'openrouter/openai/gpt-4o-mini' })
    const most = { max_tokens: 10_000 }
    const estimateOf = (asked: object) => books.pricing.estimate(books.callOf(chat({ ...most, ...asked })), noMarkUps)
    const [listed, limited] = [estimateOf({}), estimateOf({ provider: { max_price: { prompt: 90 } } })]
    const written = books.pricing.find(books.target).price?.variants[0].rates.output ?? 0n
    expect(written).toBeGreaterThan(0n)
    const dearest = BigInt(listed.inputTokens) * 90_000_000n + BigInt(listed.outputTokens) * written
    expect(limited.charged(scope)).toBeGreaterThanOrEqual(dearest)
  })

  it('covers an estimate of what is sent, not of what a deployment takes out of it', async () => {
    const params = { additional_drop_params: ['response_format'] }
    const books = await openBooks({ prices: { input: 1, output: 1 }, params })
    const schema = { type: 'object', description: 'word '.repeat(2_000) }
    const planned = chat({
      max_tokens: 1,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    })
    const held = books.pricing.estimate(books.callOf(planned), noMarkUps).charged(scope)
    expect(held).toBeLessThan(500_000_000n)
    expect(books.chargedFor(planned, [books.attempt()])).toBeLessThanOrEqual(held)
  })

  it('covers the reasoning of its own that comes back to a model in a tool loop', async () => {
    const { pricing, callOf, reasoning, target } = await openBooks({ prices: { input: 1, output: 1 } })
    const calls = [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }]
    const planned = chat({
      max_tokens: 1,
      messages: [
        { role: 'user', content: 'What is it?' },
        { role: 'assistant', content: null, tool_calls: calls },
        { role: 'tool', tool_call_id: 'call_1', content: 'A cat.' },
      ],
    })
    const before = pricing.estimate(callOf(planned), noMarkUps).inputTokens
    reasoning.remember({ tool_calls: calls, reasoning_content: 'word '.repeat(1_000) }, anyCaller.id, target)
    expect(pricing.estimate(callOf(planned), noMarkUps).inputTokens).toBeGreaterThan(before + 1_000)
  })

  it('does not cut what an answer without a limit is estimated at', async () => {
    const books = await openBooks({ prices: { input: 0, output: 1 } })
    const entry = books.attempt({ receivedCharacters: 400_000 })
    expect(books.chargedFor(chat(), [entry])).toBe(100_000_000_000n)
  })

  it('covers as many rows as it is for, each rounded with its mark-up', async () => {
    const books = await openBooks({ prices: { input: 0, output: '0.000001' } }, { hedging: {} })
    const planned = chat({ max_tokens: 1 })
    fc.assert(
      fc.property(fc.constantFrom(1.5, 1.0000005, 0.5, 2.4999999, 3), (markUp) => {
        const markUps = markUpsOf([{ ...scope, markUp }])
        const usage = { prompt_tokens: 1, completion_tokens: 1 }
        const entries = [books.attempt({ outcome: 'answered', usage }), books.attempt({ usage })]
        const held = books.pricing.estimate(books.callOf(planned), markUps).charged(scope)
        expect(held >= books.chargedFor(planned, entries, markUps)).toBe(true)
      }),
    )
  })

  it('covers every time of day at which an attempt may begin', async () => {
    const clockTime = fc.nat({ max: 1439 }).map((at) => new Date(at * minute).toISOString().slice(11, 16))
    const dearer = fc.tuple(clockTime, clockTime).map(([from, until]) => ({ from, until, output: 9 }))
    await fc.assert(
      fc.asyncProperty(
        fc.array(dearer, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 600 }),
        fc.nat({ max: 1439 }),
        async (timesOfDay, minutes, begins) => {
          const timeouts = { total: minutes * minute }
          const books = await openBooks({ prices: { input: 0, output: 1, timesOfDay }, timeouts })
          books.clock.advance(begins * minute)
          const planned = chat({ max_tokens: 1 })
          const held = books.pricing.estimate(books.callOf(planned), noMarkUps).charged(scope)
          const usage = { prompt_tokens: 1, completion_tokens: 1 }
          const startOf = (at: number): number => books.clock.now() + Math.floor((minutes * minute * at) / 100)
          const entries = Array.from({ length: 101 }, (_, at) =>
            books.attempt({ outcome: 'answered', usage, startedAt: startOf(at) }),
          )
          const most = entries.map((entry) => books.chargedFor(planned, [entry])).reduce((a, b) => (a > b ? a : b))
          expect(held >= most).toBe(true)
        },
      ),
    )
  })

  it('is for an attempt at the rates of the moment it began', async () => {
    const midnight = [{ from: '00:00', until: '00:01', output: 9 }]
    const books = await openBooks({
      prices: { input: 0, output: 1, timesOfDay: midnight },
      timeouts: { total: minute },
    })
    books.clock.advance(86_400_000 - (books.clock.now() % 86_400_000))
    const entry = books.attempt()
    const planned = chat({ max_tokens: 1 })
    // The counters took their time.
    books.clock.advance(2 * minute)
    const held = books.pricing.estimateAttempt(books.callOf(planned), entry, noMarkUps).charged(scope)
    expect(held).toBe(9_000_000n)
  })

  it('covers seconds until the deadline, however late a busy process notices that it has passed', async () => {
    const books = await openBooks({ prices: { perSecond: 1 }, timeouts: { total: 30_000 } })
    const planned = chat()
    const held = books.pricing.estimate(books.callOf(planned), noMarkUps).charged(scope)
    const late = books.attempt({ endedAt: books.clock.now() + 31_234 })
    expect(books.chargedFor(planned, [late])).toBe(held)
  })

  it('covers an attempt that goes on with an answer, which is then a part of its prompt', async () => {
    const prices = { input: 3, output: 1, tiers: [{ abovePromptTokens: 200, input: 9 }] }
    const model = { model: 'together_ai/mistral-large', prices }
    const books = await openBooks(model, { midStream: 'continue' })
    const planned = chat({ stream: true, max_tokens: 300 })
    const broken = books.attempt({ usage: { prompt_tokens: 12, completion_tokens: 299 } })
    const rest = books.attempt({
      outcome: 'answered',
      reason: 'continue',
      usage: { prompt_tokens: 12 + 299 + 8, completion_tokens: 300 },
    })
    const held = books.pricing.estimate(books.callOf(planned), noMarkUps).charged(scope)
    expect(held >= books.chargedFor(planned, [broken, rest])).toBe(true)
    const own = books.pricing.estimateAttempt(books.callOf(planned), rest, noMarkUps).charged(scope)
    expect(own >= books.chargedFor(planned, [rest])).toBe(true)
  })

  it.each<[string, PlannedCall, string]>([
    ['does not stream', chat({ max_tokens: 300 }), 'mistral-large'],
    ['asks for two answers', chat({ max_tokens: 300, stream: true, n: 2 }), 'mistral-large'],
    ['is made to a model that takes no beginning', chat({ max_tokens: 300, stream: true }), 'demo'],
  ])('is twice that of one attempt for a call that %s, which is only made again', async (_label, planned, model) => {
    const own = { model: `together_ai/${model}`, prices: { input: 3, output: 1 } }
    const once = await openBooks(own)
    const twice = await openBooks(own, { midStream: 'continue' })
    const heldFor = ({ pricing, callOf }: typeof once): bigint =>
      pricing.estimate(callOf(planned), noMarkUps).charged(scope)
    expect(heldFor(twice)).toBe(2n * heldFor(once))
  })
})
