import { afterEach, describe, expect, it } from 'vitest'
import { estimateInputTokens } from '../../src/catalog/token-estimate.js'
import type { Caller, ModelOptions } from '../../src/index.js'
import type { JsonObject } from '../../src/wire/json.js'
import { chargedOf, levelsOf, openMemory, rowsOf } from '../spend/proof-lab.js'
import { answerJson, createUpstreamLab } from '../support/upstream-lab.js'

type Answer = (body: JsonObject, call: number) => { status?: number; body: unknown } | 'broken'

const lab = createUpstreamLab()
afterEach(() => lab.close())

/** Answers the parts of a call one after the other; `broken` closes the connection before anything is said. */
async function startUpstream(answer: Answer): Promise<string> {
  const { url } = await lab.serve((response, asked) => {
    const said = answer(asked.body, asked.call)
    if (said === 'broken') return void response.destroy()
    if (said.status !== 0) answerJson(said.body, said.status)(response, asked)
  })
  return url
}

const caller: Caller = {
  id: 'user-1',
  role: 'member',
  models: 'all',
  scopes: [{ kind: 'key', id: 'k', budget: { maxBudget: 1_000 } }],
}

function start(model: string, baseUrl: string, own: Partial<ModelOptions> = {}, retries = 0) {
  const proof = openMemory()
  const gateway = lab.start({
    models: [{ modelName: 'm', model, apiKey: 'sk-split', baseUrl, prices: { input: 1, output: 1 }, ...own }],
    auth: { identify: () => caller },
    stores: proof.stores,
    retries,
  })
  const close = async () => {
    await gateway.close({ drainMs: 0 })
    return rowsOf(proof.stores.ledger)
  }
  return { gateway, proof, close }
}

const texts = Array.from({ length: 250 }, (_, at) => `text number ${at}`)
const request = { model: 'm', input: texts }
const listOf = (list: unknown): readonly unknown[] => (Array.isArray(list) ? list : [])

/** Cohere's API: 96 texts in a call, seven tokens for each, which are billed where the call succeeds. */
function billing(fail: (call: number) => { status: number; body: unknown } | 'broken' | undefined) {
  const bill = { tokens: 0 }
  const answer: Answer = ({ texts: sent }, call) => {
    const failure = fail(call)
    if (failure) return failure
    const tokens = listOf(sent).length * 7
    bill.tokens += tokens
    return {
      body: {
        embeddings: { float: listOf(sent).map(() => [1]) },
        meta: { billed_units: { input_tokens: tokens } },
      },
    }
  }
  return { bill, answer }
}

const pico = (tokens: number): bigint => BigInt(tokens) * 1_000_000n
const slowDown = { status: 429, body: { message: 'slow down' } }

describe('a call in several requests of which a later one fails', () => {
  it('has a row for those that were billed', async () => {
    const { bill, answer } = billing((call) => (call === 3 ? slowDown : undefined))
    const { gateway, proof, close } = start('cohere/embed-v4.0', await startUpstream(answer))
    await expect(gateway.call('embeddings', request, caller)).rejects.toMatchObject({ status: 429 })
    const rows = await close()
    expect(bill.tokens).toBe(192 * 7)
    expect(rows).toMatchObject([
      { usage: { inputUncached: bill.tokens }, aborted: true, estimated: false, status: 429, failure: 'rate_limited' },
    ])
    expect(chargedOf(rows)).toBe(pico(bill.tokens))
    expect(await levelsOf(proof)).toMatchObject([{ used: Number(chargedOf(rows) / 1_000n), held: 0 }])
  })

  it('is billed again in full where it is tried again', async () => {
    const { bill, answer } = billing((call) => (call === 2 ? slowDown : undefined))
    const { gateway, close } = start('cohere/embed-v4.0', await startUpstream(answer), {}, 1)
    await gateway.call('embeddings', request, caller)
    const rows = await close()
    expect(bill.tokens).toBe((96 + 250) * 7)
    expect(rows.map(({ aborted }) => aborted)).toEqual(expect.arrayContaining([false, true]))
    expect(chargedOf(rows)).toBe(pico(bill.tokens))
  })

  it('has no share in the row where nothing of an answer came', async () => {
    const { bill, answer } = billing((call) => (call === 2 ? 'broken' : undefined))
    const { gateway, close } = start('cohere/embed-v4.0', await startUpstream(answer))
    await expect(gateway.call('embeddings', request, caller)).rejects.toMatchObject({ kind: 'upstream_connection' })
    const rows = await close()
    expect(rows).toMatchObject([{ usage: { inputUncached: 96 * 7 }, aborted: true, estimated: false }])
    expect(chargedOf(rows)).toBe(pico(bill.tokens))
  })

  it('counts what was under way when the caller left by an estimate, and nothing of what was never asked', async () => {
    const controller = new AbortController()
    const { bill, answer } = billing((call) => {
      if (call !== 2) return undefined
      setImmediate(() => controller.abort())
      return { status: 0, body: undefined }
    })
    const { gateway, close } = start('cohere/embed-v4.0', await startUpstream(answer))
    const calling = gateway.call('embeddings', request, caller, { signal: controller.signal })
    await expect(calling).rejects.toMatchObject({ kind: 'client_closed' })
    const rows = await close()
    const second = estimateInputTokens({ model: 'embed-v4.0', input: texts.slice(96, 192) }, 'embed-v4.0').tokens
    expect(rows).toMatchObject([{ usage: { inputUncached: bill.tokens + second }, aborted: true, estimated: true }])
  })

  it('is estimated by the parts that were answered where its provider tells no tokens', async () => {
    const url = await startUpstream(({ requests }, call) =>
      call === 3
        ? { status: 500, body: { error: { message: 'down' } } }
        : { body: { embeddings: listOf(requests).map(() => ({ values: [1, 2] })) } },
    )
    const { gateway, close } = start('gemini/gemini-embedding-001', url)
    await expect(gateway.call('embeddings', request, caller)).rejects.toMatchObject({ status: 502 })
    const rows = await close()
    const parts = [texts.slice(0, 100), texts.slice(100, 200)].map(
      (input) => estimateInputTokens({ model: 'm', input }, 'gemini-embedding-001').tokens,
    )
    const expected = parts.reduce((sum, tokens) => sum + tokens, 0)
    expect(rows).toMatchObject([{ usage: { inputUncached: expected }, aborted: true, estimated: true }])
  })

  it('has a row for the images that were made', async () => {
    const url = await startUpstream((_, call) =>
      call === 3 ? { status: 500, body: { errors: ['down'] } } : { body: { image: 'aGk=', finish_reason: 'SUCCESS' } },
    )
    const { gateway, close } = start('stability/core', url, { prices: { perImage: '0.03' } })
    const calling = gateway.call('images', { model: 'm', prompt: 'a cat', n: 4 }, caller)
    await expect(calling).rejects.toMatchObject({ status: 502 })
    const rows = await close()
    expect(rows).toMatchObject([{ usage: { images: 2 }, aborted: true }])
    expect(chargedOf(rows)).toBe(60_000_000_000n)
  })
})

describe('a price per request', () => {
  it.each([
    ['all were answered', 4, 3n],
    ['the last one fails', 3, 2n],
  ])('counts every request of a call in several where %s, and is held for all of them', async (_, failing, paid) => {
    const { answer } = billing((call) => (call === failing ? slowDown : undefined))
    const prices = { input: 0, perRequest: '0.001' }
    const { gateway, proof, close } = start('cohere/embed-v4.0', await startUpstream(answer), { prices })
    await gateway.call('embeddings', request, caller).catch(() => undefined)
    const rows = await close()
    expect(chargedOf(rows)).toBe(paid * 1_000_000_000n)
    const [hold] = proof.holds.values()
    expect(hold?.amount).toBeGreaterThanOrEqual(3_000_000)
  })
})
