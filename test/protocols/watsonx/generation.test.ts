import { describe, expect, it } from 'vitest'
import { watsonxCodecs } from '../../../src/protocols/watsonx/index.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { encode, exchange, stream, thrownBy } from '../further-exchange.js'

const { completions, embeddings, chatOverText } = watsonxCodecs
const deployment = { model: 'ibm/granite-13b', settings: { projectId: 'project-1' } }

const known = new Set([
  'decoding_method',
  'max_new_tokens',
  'random_seed',
  'stop_sequences',
  'temperature',
  'top_p',
  'repetition_penalty',
])

/** What the API refuses: a request without model or home, with two homes, and parameters that it does not know. */
function check(body: JsonObject): JsonObject {
  const homes = ['project_id', 'space_id'].filter((name) => typeof body[name] === 'string')
  if (typeof body['model_id'] !== 'string' || homes.length !== 1) throw new Error('one model and one home, please')
  const parameters = isObject(body['parameters']) ? body['parameters'] : {}
  const unknown = Object.keys(parameters).filter((name) => !known.has(name))
  if (unknown.length > 0) throw new Error(`unknown parameters: ${unknown.join()}`)
  if (parameters['decoding_method'] === 'greedy' && 'temperature' in parameters) throw new Error('greedy has none')
  return body
}

const bodyOf = (fields: JsonObject, changes = {}) =>
  check(encode(completions, 'completions', fields, { ...deployment, ...changes }).body)

describe('text generation', () => {
  it('names model, project and version', () => {
    const { sent, body } = encode(completions, 'completions', { prompt: 'Sun' }, deployment)
    expect(sent.path).toBe('/ml/v1/text/generation?version=2024-05-31')
    expect(check(body)).toEqual({ input: 'Sun', model_id: 'ibm/granite-13b', project_id: 'project-1' })
    const streamed = encode(completions, 'completions', { stream: true }, { ...deployment, apiVersion: '2026-01-01' })
    expect(streamed.sent.path).toBe('/ml/v1/text/generation_stream?version=2026-01-01')
  })

  it('lets the deployment decide whose project is billed', () => {
    expect(bodyOf({ project_id: 'another' })['project_id']).toBe('project-1')
    const spaced = bodyOf({ project_id: 'another' }, { settings: { spaceId: 'space-1' } })
    expect(spaced).toMatchObject({ space_id: 'space-1' })
    expect(spaced).not.toHaveProperty('project_id')
    expect(bodyOf({ project_id: 'another' }, { settings: {} })['project_id']).toBe('another')
    expect(thrownBy(() => bodyOf({}, { settings: {} })).message).toMatch(/project or a space/)
  })

  it('has deployments that bring model and project with them', () => {
    const { sent, body } = encode(completions, 'completions', {}, { model: 'deployment/abc', settings: {} })
    expect(sent.path).toBe('/ml/v1/deployments/abc/text/generation?version=2024-05-31')
    expect(body).toEqual({ input: 'hi' })
  })

  it('samples where something asks for it, and takes the likeliest token at temperature 0', () => {
    expect(bodyOf({ temperature: 0.5, max_tokens: 9, stop: ['x'], seed: 4 })['parameters']).toEqual({
      decoding_method: 'sample',
      temperature: 0.5,
      max_new_tokens: 9,
      stop_sequences: ['x'],
      random_seed: 4,
    })
    expect(bodyOf({ temperature: 0, top_p: 0.4, max_tokens: 9 })['parameters']).toEqual({
      decoding_method: 'greedy',
      max_new_tokens: 9,
    })
    expect(bodyOf({ repetition_penalty: 1.2 })['parameters']).toEqual({ repetition_penalty: 1.2 })
  })

  it('refuses what it has no word for', () => {
    expect(thrownBy(() => bodyOf({ frequency_penalty: 1, n: 2 })).message).toMatch(/frequency_penalty, n/)
  })

  it('writes a chat in the template of its model', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ]
    const inputOf = (model: string) =>
      encode(chatOverText, 'chat', { messages }, { ...deployment, model }).body['input']
    expect(inputOf('ibm/granite-3-8b-instruct')).toBe(
      '<|start_of_role|>system<|end_of_role|>Be brief.<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>Hello<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>',
    )
    expect(inputOf('mistralai/mixtral-8x7b')).toBe('<s>[INST] Be brief.\n\nHello [/INST]')
    expect(inputOf('google/flan-ul2')).toBe('System: Be brief.\n\nUser: Hello\n\nAssistant:')
  })

  it('answers with text, reason and counts', () => {
    const result = { generated_text: '2', generated_token_count: 2, input_token_count: 7, stop_reason: 'max_tokens' }
    const answer = { model_id: 'google/flan-ul2', results: [result] }
    expect(completions.decode(answer, exchange('completions'))).toMatchObject({
      model: 'google/flan-ul2',
      choices: [{ text: '2', finish_reason: 'length' }],
      usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
    })
  })

  const piece = (text: string, count: number, reason = 'not_finished') => ({
    results: [
      {
        generated_text: text,
        generated_token_count: count,
        input_token_count: count === 0 ? 8 : 0,
        stop_reason: reason,
      },
    ],
  })

  it('streams pieces until one says why it ended', () => {
    const events = [piece('', 0), piece('the', 1), piece(' sun', 2), piece('', 3, 'eos_token')]
    const chunks = stream(chatOverText, exchange('chat'), events)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('the sun')
    expect(chunks.at(-1)).toMatchObject({ usage: { prompt_tokens: 8, completion_tokens: 3 } })
    expect(thrownBy(() => stream(completions, exchange('completions'), events.slice(0, 3))).kind).toBe(
      'stream_truncated',
    )
  })

  it('throws on an error within a stream', () => {
    const failure = { errors: [{ code: 'x', message: 'out of memory' }], status_code: 500 }
    expect(thrownBy(() => stream(completions, exchange('completions'), [failure])).message).toBe('out of memory')
  })
})

describe('embeddings', () => {
  it('ask for several texts at once', () => {
    const fields = { input: ['a', 'b'], truncate_input_tokens: 5 }
    const { sent, body } = encode(embeddings, 'embeddings', fields, deployment)
    expect(sent.path).toBe('/ml/v1/text/embeddings?version=2024-05-31')
    expect(body).toEqual({
      inputs: ['a', 'b'],
      parameters: { truncate_input_tokens: 5 },
      model_id: 'ibm/granite-13b',
      project_id: 'project-1',
    })
    const answer = { results: [{ embedding: [1] }, { embedding: [2] }], input_token_count: 4 }
    expect(embeddings.decode(answer, exchange('embeddings', fields))).toMatchObject({
      data: [{ embedding: [1] }, { embedding: [2] }],
      usage: { prompt_tokens: 4 },
    })
  })
})
