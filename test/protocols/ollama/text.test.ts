import { describe, expect, it } from 'vitest'
import { ollamaProtocol } from '../../../src/protocols/ollama/index.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { codecIn, encode, exchange, stream, thrownBy } from '../further-exchange.js'
import { brokenRules } from './strict-rules.js'

const completions = codecIn(ollamaProtocol, 'completions')
const embeddings = codecIn(ollamaProtocol, 'embeddings')
const of = exchange('completions', { stream: true })

const complete = (fields: JsonObject) => {
  const { sent, body } = encode(completions, 'completions', fields, { model: 'llama3.2' })
  expect(brokenRules(sent.path, body)).toEqual([])
  return body
}

describe('text completions of Ollama', () => {
  it('are asked for with prompt, suffix and options', () => {
    const fields = { prompt: ['def f'], suffix: 'return', max_tokens: 5, system: 'Code.', raw: true }
    expect(complete(fields)).toEqual({
      model: 'llama3.2',
      prompt: 'def f',
      suffix: 'return',
      stream: false,
      system: 'Code.',
      raw: true,
      options: { num_predict: 5 },
    })
    expect(thrownBy(() => complete({ prompt: ['a', 'b'] }))).toMatchObject({ param: 'prompt' })
    expect(thrownBy(() => complete({ best_of: 2, echo: true })).message).toMatch(/best_of, echo/)
  })

  it('are answered whole and in pieces', () => {
    const piece = (response: string, more: JsonObject = {}) => ({ model: 'llama3.2', response, done: false, ...more })
    const end = piece('', { done: true, done_reason: 'length', prompt_eval_count: 2, eval_count: 3 })
    expect(completions.decode({ ...end, response: 'ab' }, of)).toMatchObject({
      object: 'text_completion',
      model: 'llama3.2',
      choices: [{ index: 0, text: 'ab', finish_reason: 'length' }],
      usage: { total_tokens: 5 },
    })
    const chunks = stream(completions, of, [piece('a'), piece('b'), end])
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('ab')
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['length'])
    expect(chunks.at(-1)?.usage).toMatchObject({ total_tokens: 5 })
    expect(thrownBy(() => stream(completions, of, [piece('a')]))).toMatchObject({ kind: 'stream_truncated' })
    expect(thrownBy(() => stream(completions, of, [{ error: 'busy' }])).message).toBe('busy')
  })
})

describe('embeddings of Ollama', () => {
  const embed = (fields: JsonObject) => {
    const { sent, body } = encode(embeddings, 'embeddings', fields, { model: 'nomic-embed-text' })
    expect(brokenRules(sent.path, body)).toEqual([])
    return body
  }

  it('take one text or many, and a width', () => {
    expect(embed({ input: 'a' })).toEqual({ model: 'nomic-embed-text', input: 'a' })
    expect(embed({ input: ['a', 'b'], dimensions: 64, truncate: false, num_ctx: 512 })).toEqual({
      model: 'nomic-embed-text',
      input: ['a', 'b'],
      dimensions: 64,
      truncate: false,
      options: { num_ctx: 512 },
    })
    expect(thrownBy(() => embed({ input: [1, 2] }))).toMatchObject({ status: 400 })
  })

  it('are read from both APIs, in the encoding that was asked for', () => {
    const many = exchange('embeddings', { input: ['a', 'b'] })
    expect(
      embeddings.decode(
        {
          embeddings: [
            [1, 2],
            [3, 4],
          ],
          prompt_eval_count: 6,
        },
        many,
      ),
    ).toMatchObject({
      data: [
        { index: 0, embedding: [1, 2] },
        { index: 1, embedding: [3, 4] },
      ],
      usage: { prompt_tokens: 6, total_tokens: 6 },
    })
    const one = exchange('embeddings', { encoding_format: 'base64' })
    expect(embeddings.decode({ embedding: [1] }, one).data[0]?.embedding).toBe('AACAPw==')
    expect(thrownBy(() => embeddings.decode({ embeddings: [[1]] }, many))).toMatchObject({ kind: 'upstream_invalid' })
    expect(thrownBy(() => embeddings.decode({ error: 'no model' }, many)).message).toBe('no model')
  })
})
