import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGateway, type Caller, type ModelOptions } from '../../../src/index.js'
import { isObject, type JsonObject, numberOf, parseJson } from '../../../src/wire/json.js'
import { openMemory, rowsOf } from '../../spend/proof-lab.js'

let server: Server
let seen: JsonObject = {}

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
  if (path.endsWith('/images/generations')) return { created: 1, data: [{ b64_json: 'aGk=' }] }
  const [each, n] = [numberOf(body['max_tokens']) ?? 500, numberOf(body['n']) ?? 1]
  const choice = { message: { role: 'assistant', content: 'hi' }, finish_reason: 'length' }
  return {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'demo',
    choices: Array.from({ length: n }, (_, index) => ({ index, ...choice })),
    usage: { prompt_tokens: 5, completion_tokens: each * n, total_tokens: 5 + each * n },
  }
}

beforeAll(async () => {
  server = createServer((request, response) => {
    void readText(request).then((text) => {
      const body = parseJson(text)
      seen = isObject(body) ? body : {}
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer(request.url ?? '', seen)))
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

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
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
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
  })

  it('covers what `extra_body` adds', async () => {
    const fields = { extra_body: { max_tokens: 70, n: 2 } }
    const { charged, held } = await callOnce({ model: 'together_ai/demo' }, fields)
    expect(charged).toBe((5 + 2 * 70 * 3) * 1_000)
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
