import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { huggingface } from '../../src/providers/huggingface/index.js'
import type { JsonObject } from '../../src/wire/json.js'
import type { Operation } from '../../src/wire/operations.js'
import { codecIn, encode, exchange, stream, thrownBy } from '../protocols/further-exchange.js'
import { deploymentOf, noTokens, requestOf } from './deployments.js'

const own = 'https://abc.endpoints.huggingface.test'
const ask = (operation: Operation, fields: JsonObject, changes: Partial<Deployment> = {}) =>
  encode(codecIn(huggingface.protocol, operation), operation, fields, { provider: 'huggingface', ...changes })

/** What Text Generation Inference refuses: https://huggingface.github.io/text-generation-inference */
function brokenRules({ inputs, parameters, stream: streams }: JsonObject): readonly string[] {
  const given = parameters as Readonly<Record<string, unknown>>
  return [
    ...(typeof inputs === 'string' ? [] : ['inputs must be a string']),
    ...(given['temperature'] === undefined || Number(given['temperature']) > 0 ? [] : ['temperature must be > 0']),
    ...(given['top_p'] === undefined || Number(given['top_p']) < 1 ? [] : ['top_p must be < 1']),
    ...(streams === true && given['decoder_input_details'] === true ? ['decoder_input_details in a stream'] : []),
    ...(given['max_new_tokens'] === undefined || Number(given['max_new_tokens']) > 0 ? [] : ['max_new_tokens > 0']),
  ]
}

describe('chat at Hugging Face', () => {
  it('goes to the router, which is told who is to run the model', () => {
    const nameOf = (model: string) => ask('chat', {}, { model }).body['model']
    expect(ask('chat', {}, { model: 'Qwen/Qwen3-4B' }).sent.path).toBe('/v1/chat/completions')
    expect(nameOf('Qwen/Qwen3-4B')).toBe('Qwen/Qwen3-4B')
    expect(nameOf('Qwen/Qwen3-4B:fastest')).toBe('Qwen/Qwen3-4B:fastest')
    expect(nameOf('together/deepseek-ai/DeepSeek-R1')).toBe('deepseek-ai/DeepSeek-R1:together')
    expect(ask('chat', {}, { model: 'a/b/c', baseUrl: own }).body['model']).toBe('a/b/c')
  })

  it('with an old server is a text that the model continues', () => {
    const tgi = { settings: { api: 'tgi' }, baseUrl: own, model: 'tgi' }
    const { sent, body } = ask('chat', { max_tokens: 5, temperature: 0, stream: true }, tgi)
    expect(sent.path).toBe('/')
    expect(brokenRules(body)).toEqual([])
    expect(body).toEqual({
      inputs: 'hi',
      parameters: { return_full_text: false, details: true, max_new_tokens: 5, do_sample: false },
      stream: true,
    })
    const answer = [
      { generated_text: 'Hello', details: { finish_reason: 'eos_token', generated_tokens: 2, prefill: [{}] } },
    ]
    const codec = codecIn(huggingface.protocol, 'chat')
    expect(codec.decode(answer, exchange('chat', {}, tgi))).toMatchObject({
      choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    })
  })

  it('bills an organization where one is named', async () => {
    const signed = async (settings: JsonObject) =>
      (await huggingface.authorize(requestOf(), deploymentOf({ settings }), noTokens)).headers
    expect(await signed({ billTo: 'acme' })).toMatchObject({
      authorization: 'Bearer sk-test-key',
      'x-hf-bill-to': 'acme',
    })
    expect(await signed({})).not.toHaveProperty('x-hf-bill-to')
  })
})

describe('text completions at Hugging Face', () => {
  const completions = codecIn(huggingface.protocol, 'completions')
  const tgi = { settings: { api: 'tgi' }, baseUrl: own }
  const pathOf = (changes: Partial<Deployment>) => ask('completions', {}, changes).sent.path

  it('go where the model can complete text', () => {
    expect(pathOf({ model: 'm', baseUrl: own })).toBe('/v1/completions')
    expect(pathOf({ model: 'featherless-ai/meta-llama/Llama-3' })).toBe('/featherless-ai/v1/completions')
    expect(pathOf({ model: 'hf-inference/openai-community/gpt2' })).toBe('/hf-inference/models/openai-community/gpt2')
    expect(pathOf({ model: 'Qwen/Qwen3-4B' })).toBe('/v1/chat/completions')
    expect(pathOf({ model: 'm', ...tgi })).toBe('/')
  })

  it('keep parameters within what the server takes', () => {
    const fields = { temperature: 0, top_p: 1, stop: 'END', seed: 3, top_k: 4, best_of: 2, max_tokens: 0 }
    const { body } = ask('completions', fields, tgi)
    expect(brokenRules(body)).toEqual([])
    expect(body['parameters']).toEqual({
      return_full_text: false,
      details: true,
      decoder_input_details: true,
      do_sample: false,
      stop: ['END'],
      seed: 3,
      top_k: 4,
      best_of: 2,
      max_new_tokens: 1,
    })
    expect(thrownBy(() => ask('completions', { n: 2 }, tgi)).message).toMatch(/parameter n /)
  })

  it('stream token by token, without the marks of the model', () => {
    const token = (text: string, special = false) => ({ token: { id: 1, text, special }, generated_text: null })
    const details = { finish_reason: 'length', generated_tokens: 3, input_length: 7 }
    const last = { token: { id: 2, text: '</s>', special: true }, generated_text: 'ab', details }
    const chunks = stream(completions, exchange('completions', { stream: true }, tgi), [token('a'), token('b'), last])
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('ab')
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['length'])
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 })
  })

  it('end with an error where the server says so, or nothing', () => {
    const of = exchange('completions', { stream: true }, tgi)
    const long = { error: '`inputs` tokens + `max_new_tokens` must be <= 2048', error_type: 'validation' }
    expect(thrownBy(() => stream(completions, of, [long]))).toMatchObject({ kind: 'context_window' })
    expect(thrownBy(() => stream(completions, of, [{ token: { text: 'a' } }]))).toMatchObject({
      kind: 'stream_truncated',
    })
    expect(thrownBy(() => completions.decode([{}], of))).toMatchObject({ kind: 'upstream_invalid' })
  })
})

describe('vectors and pictures at Hugging Face', () => {
  const embeddings = codecIn(huggingface.protocol, 'embeddings')
  const images = codecIn(huggingface.protocol, 'images')

  it('are tasks of a model, or all that an endpoint does', () => {
    const model = 'sentence-transformers/all-MiniLM-L6-v2'
    const { sent, body } = ask('embeddings', { normalize: true }, { model })
    expect(sent.path).toBe('/hf-inference/models/sentence-transformers/all-MiniLM-L6-v2/pipeline/feature-extraction')
    expect(body).toEqual({ inputs: 'hi', normalize: true })
    expect(ask('embeddings', { input: ['a'] }, { model, baseUrl: own }).sent.path).toBe('/')
    const picture = ask('images', { size: '512x256', negative_prompt: 'dogs' }, { model: 'hf-inference/a/b' })
    expect(picture.sent).toMatchObject({ path: '/hf-inference/models/a/b', headers: { accept: 'image/png' } })
    expect(picture.body).toEqual({
      inputs: 'a cat',
      parameters: { width: 512, height: 256, negative_prompt: 'dogs' },
    })
    expect(thrownBy(() => ask('images', { n: 2 }, { model: 'a/b' })).message).toMatch(/parameter n /)
  })

  it('are read at every depth; words of one text are averaged', () => {
    const read = (body: unknown, input: unknown) =>
      embeddings.decode(body, exchange('embeddings', { input })).data.map(({ embedding }) => embedding)
    const rows = [
      [1, 2],
      [3, 4],
    ]
    expect(read([1, 2], 'a')).toEqual([[1, 2]])
    expect(read([[1, 2]], 'a')).toEqual([[1, 2]])
    expect(read(rows, ['a', 'b'])).toEqual(rows)
    expect(read(rows, 'a')).toEqual([[2, 3]])
    expect(read([rows], ['a'])).toEqual([[2, 3]])
    expect(thrownBy(() => read({ error: ['bad', 'input'] }, 'a')).message).toMatch(/bad/)
  })

  it('are pictures as bytes, or as some endpoints write them', () => {
    const read = (body: unknown) => images.decode(body, exchange('images')).data
    expect(read({ mediaType: 'image/jpeg', base64: 'QUJD' })).toEqual([{ b64_json: 'QUJD' }])
    expect(read({ images: [{ url: 'https://example.com/a.png' }] })).toEqual([{ url: 'https://example.com/a.png' }])
    expect(read({ image: 'QUJD' })).toEqual([{ b64_json: 'QUJD' }])
    expect(thrownBy(() => read({ error: 'busy' })).message).toBe('busy')
  })
})

describe('refusals of Hugging Face', () => {
  it('tell when a model that is being loaded is worth another try', () => {
    expect(
      huggingface.protocol.failure(503, { error: 'Model x is currently loading', estimated_time: 20.5 }),
    ).toMatchObject({ kind: 'unavailable', retryAfterMs: 20_500 })
    expect(huggingface.protocol.failure(429, { error: 'Model is overloaded', error_type: 'overloaded' })).toMatchObject(
      {
        kind: 'overloaded',
      },
    )
    expect(huggingface.protocol.failure(400, { error: ['a', 'b'] }).message).toBe('a; b')
  })
})
