import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, startGatewayLab, textOf } from '../support/gateway.js'
import { openMemory, rowsOf } from './proof-lab.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const rate = fc.integer({ min: 1, max: 50 })
const prices = fc.record(
  {
    input: rate,
    output: rate,
    cacheRead: rate,
    tiers: fc.tuple(fc.record({ abovePromptTokens: fc.integer({ min: 1, max: 60 }), input: rate, output: rate })),
    serviceTiers: fc.record({ priority: fc.record({ input: rate, output: rate }) }),
  },
  { requiredKeys: ['input', 'output'] },
)
const words = fc.array(fc.constantFrom('one', 'zwei', 'três', '四', '{"five":5}', 'six\n'), {
  minLength: 1,
  maxLength: 60,
})
const markUp = fc.constantFrom(1, 1.2, 0.5, 3)

describe('what is held for a call', () => {
  it('is never less than what the call is charged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          first: prices,
          second: prices,
          words,
          markUp,
          maxTokens: fc.integer({ min: 1, max: 80 }),
          stream: fc.boolean(),
        }),
        async (drawn) => {
          const proof = openMemory()
          const gateway = lab.start(
            [
              { modelName: 'main', model: 'fake/words-200', prices: drawn.first },
              { modelName: 'main', model: 'fake/words-300', prices: drawn.second },
            ],
            {
              stores: proof.stores,
              auth: {
                identify: () => ({
                  ...anyCaller,
                  scopes: [{ kind: 'key', id: 'k', budget: { maxBudget: 1_000 }, markUp: drawn.markUp }],
                }),
              },
            },
          )
          const messages = [{ role: 'user', content: drawn.words.join(' ') }]
          const body = chat('main', {
            messages,
            max_tokens: drawn.maxTokens,
            stream: drawn.stream,
            service_tier: 'priority',
          })
          await textOf(await ask(gateway, 'POST', '/v1/chat/completions', body))
          await gateway.close()
          const [row] = await rowsOf(proof.stores.ledger)
          const [hold] = proof.holds.values()
          expect(row?.charged).toBeGreaterThan(0n)
          expect(BigInt(hold?.amount ?? 0) * 1_000n).toBeGreaterThanOrEqual(row?.charged ?? 0n)
        },
      ),
      { numRuns: 25 },
    )
  }, 60_000)
})

describe('a model without a price', () => {
  const models = [
    { modelName: 'odd', model: 'fake/odd' },
    { modelName: 'down', model: 'fake/status-500', prices: { input: 1, output: 1 } },
  ]
  const request = { model: 'odd', messages: [{ role: 'user' as const, content: 'hello there' }] }

  it('is counted with the fallback rate, and marked', async () => {
    const proof = openMemory()
    const gateway = lab.start(models, { stores: proof.stores, spend: { unknownPrice: { input: 3, output: 5 } } })
    await gateway.call('chat', request, anyCaller)
    await gateway.close()
    const [row] = await rowsOf(proof.stores.ledger)
    const { inputUncached = 0, outputText = 0 } = row?.usage ?? {}
    expect(row).toMatchObject({ priced: false, cost: BigInt(inputUncached * 3 + outputText * 5) * 1_000_000n })
  })

  it('is not reached by a fallback either where that is refused', async () => {
    const gateway = lab.start(models, {
      spend: { unknownPrice: 'refuse' },
      retries: 0,
      routing: { fallbacks: { down: ['odd'] } },
    })
    const before = lab.upstream.requests.length
    const calling = gateway.call('chat', { ...request, model: 'down' }, anyCaller)
    await expect(calling).rejects.toMatchObject({ kind: 'upstream_error' })
    expect(lab.upstream.requests.length).toBe(before + 1)
  })
})
