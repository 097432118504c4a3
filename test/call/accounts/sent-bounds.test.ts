import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createGateway, type Caller, type ModelOptions } from '../../../src/index.js'
import { isObject, type JsonObject, numberOf } from '../../../src/wire/json.js'
import { openMemory, rowsOf } from '../../spend/proof-lab.js'
import { answerJson, createUpstreamLab } from '../../support/upstream-lab.js'

const lab = createUpstreamLab()
let baseUrl: string
let seen: JsonObject = {}
/** The tier that the project's settings choose. */
let servedTier: string | undefined
/** Further members of the usage. */
let beside: Record<string, unknown> = {}

/** Writes as much as it may, and bills it. */
function answer(path: string, body: JsonObject): JsonObject {
  if (path.endsWith('/chatbot')) {
    return { response: 'hi', history: [], nb_input_tokens: 5, nb_generated_tokens: 500 }
  }
  if (path.endsWith('/responses')) {
    const tokens = numberOf(body['max_output_tokens']) ?? 500
    return {
      id: 'resp_1',
      object: 'response',
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      model: 'gpt-5.4',
      output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'hi', annotations: [] }] }],
      usage: { input_tokens: 5, output_tokens: tokens, total_tokens: 5 + tokens },
    }
  }
  if (path.endsWith('/images/generations')) {
    const drawn = Math.max(1, numberOf(body['n']) ?? numberOf(body['num_images']) ?? 1)
    return { created: 1, data: Array.from({ length: drawn }, () => ({ b64_json: 'aGk=' })) }
  }
  if (path.includes(':generateContent')) {
    const config = isObject(body['generationConfig']) ? body['generationConfig'] : {}
    const count = Number(config['candidateCount'] ?? 1)
    const tokens = Number(config['maxOutputTokens'] ?? 500) * count
    return {
      candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 'STOP' }],
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount: tokens, totalTokenCount: 5 + tokens },
    }
  }
  if (path.endsWith('/embeddings')) {
    const inputs = Array.isArray(body['input']) ? body['input'] : [body['input']]
    const tokens = inputs.length * 512
    return {
      object: 'list',
      model: 'demo',
      data: inputs.map((_, index) => ({ object: 'embedding', index, embedding: [1] })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    }
  }
  const [each, n] = [numberOf(body['max_tokens']) ?? 500, numberOf(body['n']) ?? 1]
  const choice = { message: { role: 'assistant', content: 'hi' }, finish_reason: 'length' }
  return {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'demo',
    choices: Array.from({ length: n }, (_, index) => ({ index, ...choice })),
    usage: { prompt_tokens: 5, completion_tokens: each * n, total_tokens: 5 + each * n, ...beside },
    ...(servedTier !== undefined && { service_tier: servedTier }),
  }
}

beforeAll(async () => {
  const { url } = await lab.serve((response, asked) => {
    seen = asked.body
    answerJson(answer(asked.path, seen))(response, asked)
  })
  baseUrl = url
})
afterEach(() => {
  servedTier = undefined
  beside = {}
})
afterAll(() => lab.close())

const caller: Caller = {
  id: 'user-1',
  role: 'member',
  models: 'all',
  scopes: [{ kind: 'key', id: 'k', budget: { maxBudget: 1_000 } }],
}

const imagePrices = {
  perImage: [
    { quality: 'standard', price: '0.03' },
    { quality: 'hd', price: '0.08' },
  ],
}

/** The same for images, of a deployment with these `params`. */
function drawOnce(params: JsonObject, fields: JsonObject) {
  return told({ model: 'openai/dall-e-3', prices: imagePrices, params }, (gateway) =>
    gateway.call('images', { model: 'm', prompt: 'a cat', ...fields }, caller),
  )
}

/** What one call was charged, and what was held for it, in nano-dollars. */
function callOnce(own: Partial<ModelOptions> & { readonly model: string }, fields: JsonObject) {
  return told(own, (gateway) =>
    gateway.call('chat', { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields }, caller),
  )
}

async function told(
  own: Partial<ModelOptions> & { readonly model: string },
  call: (gateway: ReturnType<typeof createGateway>) => Promise<unknown>,
) {
  const proof = openMemory()
  const gateway = createGateway({
    models: [{ modelName: 'm', apiKey: 'sk-bound', baseUrl, prices: { input: 1, output: 3 }, ...own }],
    auth: { identify: () => caller },
    stores: proof.stores,
    retries: 0,
  })
  await call(gateway)
  await gateway.close()
  const [row] = await rowsOf(proof.stores.ledger)
  const [hold] = proof.holds.values()
  return { charged: Number((row?.charged ?? 0n) / 1_000n), held: hold?.amount ?? 0 }
}

describe('what is held for a call', () => {
  it('covers the least that the Responses API writes, whatever less the caller asks for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 15 }),
        fc.constantFrom('max_tokens', 'max_completion_tokens'),
        fc.constantFrom('responses/gpt-5.4', 'gpt-5-codex'),
        async (limit, field, model) => {
          const { charged, held } = await callOnce({ model: `openai/${model}` }, { [field]: limit })
          expect(seen).toMatchObject({ max_output_tokens: 16 })
          expect(charged).toBe((5 + 16 * 3) * 1_000)
          expect(held).toBeGreaterThanOrEqual(charged)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('covers what a deployment asks for where the caller does not', async () => {
    const { charged, held } = await callOnce({ model: 'together_ai/demo', params: { n: 3, max_tokens: 40 } }, {})
    expect(seen).toMatchObject({ n: 3, max_tokens: 40 })
    expect(charged).toBe((5 + 3 * 40 * 3) * 1_000)
    expect(held).toBeGreaterThanOrEqual(charged)
  })

  it('covers what is sent where `extra_body` and the request contradict each other', async () => {
    const fields = { max_tokens: 40, n: 4, extra_body: { max_tokens: 1, n: 1 } }
    const { charged, held } = await callOnce({ model: 'together_ai/demo' }, fields)
    expect(seen).toMatchObject({ n: 4, max_tokens: 40 })
    expect(charged).toBe((5 + 4 * 40 * 3) * 1_000)
    expect(held).toBeGreaterThanOrEqual(charged)
  })

  it('covers what the `extra_body` of a deployment asks for', async () => {
    const params = { extra_body: { max_tokens: 60, n: 3 } }
    const { charged, held } = await callOnce({ model: 'together_ai/demo', params }, {})
    expect(seen).toMatchObject({ n: 3, max_tokens: 60 })
    expect(held).toBeGreaterThanOrEqual(charged)
  })

  it.each([-1_000_000, 0, 0.001, 1.5])('is at least an image where `extra_body` asks for %d', async (n) => {
    const { held } = await drawOnce({}, { extra_body: { n } })
    expect(held).toBeGreaterThanOrEqual(30_000_000)
  })

  it('and its row, is for as many images of the size and quality that the deployment asks for', async () => {
    const { charged, held } = await drawOnce({ n: 4, quality: 'hd' }, {})
    expect(seen).toMatchObject({ n: 4, quality: 'hd' })
    expect(charged).toBe(4 * 80_000_000)
    expect(held).toBeGreaterThanOrEqual(charged)
    const asked = await drawOnce({}, { extra_body: { n: 2, quality: 'hd' } })
    expect(asked.charged).toBe(2 * 80_000_000)
    expect(asked.held).toBeGreaterThanOrEqual(asked.charged)
    const native = await drawOnce({}, { num_images: 3, quality: 'hd' })
    expect(native.charged).toBe(3 * 80_000_000)
    expect(native.held).toBeGreaterThanOrEqual(native.charged)
  })

  it('is for as many images as a provider may draw, and its row for those that it drew', async () => {
    const { charged, held } = await drawOnce({}, { sampleCount: 3, quality: 'hd' })
    expect(charged).toBe(80_000_000)
    expect(held).toBeGreaterThanOrEqual(3 * charged)
  })

  it('covers what `extra_body` adds', async () => {
    const fields = { extra_body: { max_tokens: 70, n: 2 } }
    const { charged, held } = await callOnce({ model: 'together_ai/demo' }, fields)
    expect(charged).toBe((5 + 2 * 70 * 3) * 1_000)
    expect(held).toBeGreaterThanOrEqual(charged)
  })

  it.each([
    ['priority', {}, 10 + 40 * 9],
    ['priority', { service_tier: 'auto' }, 10 + 40 * 9],
    ['priority', { service_tier: 'fast' }, 10 + 40 * 9],
    ['flex', {}, 5 + 40],
    ['default', { service_tier: 'priority' }, 5 + 40 * 3],
  ])('covers the tier %s that the provider chose for %j', async (tier, fields, micros) => {
    servedTier = tier
    const serviceTiers = { priority: { input: 2, output: 9 }, flex: { output: 1 } }
    const own = { model: 'together_ai/demo', prices: { input: 1, output: 3, serviceTiers } }
    const { charged, held } = await callOnce(own, { max_tokens: 40, ...fields })
    expect(charged).toBe(micros * 1_000)
    expect(held).toBeGreaterThanOrEqual(charged)
  })

  it('is that of the standard tier where a deployment asks for it', async () => {
    const prices = { input: 0, output: 3, serviceTiers: { priority: { output: 9 } } }
    const own = { model: 'together_ai/demo', prices, params: { service_tier: 'default' } }
    const { held } = await callOnce(own, { max_tokens: 40 })
    expect(seen).toMatchObject({ service_tier: 'default' })
    expect(held).toBe(40 * 3 * 1_000)
  })

  it('covers what a model researches beside its answer', async () => {
    beside = { citation_tokens: 30_000, num_search_queries: 30, reasoning_tokens: 0 }
    beside['completion_tokens_details'] = { reasoning_tokens: 90_000 }
    const prices = { input: 2, output: 8, reasoning: 3, citation: 2, perWebSearch: 0.005 }
    const { charged, held } = await callOnce({ model: 'together_ai/sonar-deep-research', prices }, { max_tokens: 40 })
    expect(charged).toBe((10 + 40 * 8 + 90_000 * 3 + 30_000 * 2) * 1_000 + 150_000_000)
    expect(held).toBeGreaterThanOrEqual(charged)
  })

  it('covers a limit of output and a number of answers in the words of the API', async () => {
    const native = { maxOutputTokens: 300, generationConfig: { candidateCount: 2 } }
    const { charged, held } = await callOnce({ model: 'gemini/gemini-2.5-flash' }, { max_tokens: 10, ...native })
    expect(charged).toBe((5 + 600 * 3) * 1_000)
    expect(held).toBeGreaterThanOrEqual(charged)
  })

  it('covers every input of a batch, each as long as the context window', async () => {
    const own = { model: 'together_ai/demo', capabilities: { contextWindow: 512 } }
    const input = Array.from({ length: 30 }, () => 'word '.repeat(600))
    const { charged, held } = await told(own, (gateway) => gateway.call('embeddings', { model: 'm', input }, caller))
    expect(charged).toBe(30 * 512 * 1_000)
    expect(held).toBeGreaterThanOrEqual(charged)
  })

  it.each([
    ['that the API has no word for', { model: 'nlp_cloud/dolphin', dropParams: true }],
    ['that the deployment takes out', { model: 'groq/demo', params: { additional_drop_params: ['max_tokens'] } }],
  ])('counts on no limit %s', async (_, own) => {
    const { charged, held } = await callOnce(own, { max_tokens: 10 })
    expect(charged).toBe((5 + 500 * 3) * 1_000)
    expect(held).toBeGreaterThanOrEqual(charged)
  })
})
