import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { toGatewayError } from '../../../src/errors.js'
import { inBatches } from '../../../src/protocols/embedding-batches.js'
import type { Codec, Exchange } from '../../../src/protocols/protocol.js'
import { bedrockProtocol } from '../../../src/providers/bedrock/protocol.js'
import { readBedrockModel } from '../../../src/providers/bedrock/model-id.js'
import { type JsonObject, isObject, parseJson } from '../../../src/wire/json.js'
import type { Operation, Operations } from '../../../src/wire/operations.js'
import { awsEvent, awsException } from '../../support/aws-event-stream.js'
import { deploymentOf } from '../../support/deployment.js'
import { deepFreeze, encode, decode, gather, streamChunks } from './exchange.js'

const plain: Readonly<Record<Operation, JsonObject>> = {
  chat: { messages: [{ role: 'user', content: 'hi' }] },
  completions: { prompt: 'hi' },
  embeddings: { input: 'hi' },
  images: { prompt: 'a cat' },
  moderations: { input: 'hi' },
}

function codecOf<K extends Operation>(operation: K): Codec<K> {
  const codec: Codec<K> | undefined = bedrockProtocol.codecs[operation]
  if (!codec) throw new Error(`no codec for ${operation}`)
  return codec
}

function exchangeOf<K extends Operation>(
  operation: K,
  model: string,
  fields: JsonObject,
  changes: Partial<Deployment> = {},
): Exchange<K> {
  const deployment = deploymentOf({ provider: 'bedrock', apiKey: undefined, model, ...changes })
  const request = { model: 'm', ...plain[operation], ...fields } as Operations[K]['request']
  return deepFreeze({ request, deployment, id: 'AbCdEfGhIjKlMnOpQrStUvWx', created: 1_760_000_000 })
}

function sent<K extends Operation>(
  operation: K,
  model: string,
  fields: JsonObject = {},
  changes: Partial<Deployment> = {},
) {
  const { path, body } = codecOf(operation).encode(exchangeOf(operation, model, fields, changes))
  const parsed = parseJson(String(body))
  return { path, body: isObject(parsed) ? parsed : {} }
}

const chunk = (payload: JsonObject) =>
  awsEvent('chunk', { bytes: Buffer.from(JSON.stringify(payload)).toString('base64'), p: 'abc' })
const errorOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return toGatewayError(error)
  }
  throw new Error('nothing was thrown')
}

describe('the name of a model on Bedrock', () => {
  const read = (model: string) => readBedrockModel({ model, info: {} })

  it('may begin with a route and a region', () => {
    expect(read('anthropic.claude-v2')).toEqual({
      id: 'anthropic.claude-v2',
      base: 'anthropic.claude-v2',
      region: undefined,
      body: undefined,
    })
    expect(read('invoke/eu-west-1/us.anthropic.claude-opus-4-6-v1')).toMatchObject({
      id: 'us.anthropic.claude-opus-4-6-v1',
      region: 'eu-west-1',
      body: 'claude',
    })
    expect(read('converse/amazon.nova-lite-v1:0').body).toBeUndefined()
    expect(read('llama/arn:aws:bedrock:us-east-1:1:imported-model/abc')).toMatchObject({
      id: 'arn:aws:bedrock:us-east-1:1:imported-model/abc',
      region: 'us-east-1',
      body: 'llama',
    })
  })

  it('chooses the body of a vendor', () => {
    const ids = [
      'anthropic.claude-v2:1',
      'amazon.nova-pro-v1:0',
      'amazon.titan-text-lite-v1',
      'meta.llama3-8b-instruct-v1:0',
      'mistral.mistral-7b-instruct-v0:2',
      'cohere.command-r-v1:0',
      'cohere.command-text-v14',
      'ai21.j2-mid-v1',
      'deepseek.r1-v1:0',
      'openai.gpt-oss-20b-1:0',
      'ai21.jamba-1-5-mini-v1:0',
    ]
    expect(ids.map((id) => read(`invoke/${id}`).body)).toEqual([
      'claude_text',
      'nova',
      'titan',
      'llama',
      'mistral',
      'command_r',
      'command',
      'jurassic',
      'deepseek',
      'openai',
      'openai',
    ])
  })

  it('is refused where it leads to another service', () => {
    expect(() => read('agent/ABC')).toThrow(/not offered/)
  })
})

describe('chat over InvokeModel', () => {
  it('sends Claude the Messages API’s body, without what the path says', () => {
    const { path, body } = sent('chat', 'invoke/anthropic.claude-haiku-4-5-20251001-v1:0', {
      max_tokens: 10,
      stream: true,
      anthropic_beta: 'a-beta',
    })
    expect(path).toBe('/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke-with-response-stream')
    expect(body).toEqual({
      anthropic_version: 'bedrock-2023-05-31',
      anthropic_beta: ['a-beta'],
      max_tokens: 10,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    })
  })

  it('refuses images from the web for Claude, which it would not fetch', () => {
    const content = [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }]
    const model = 'invoke/anthropic.claude-haiku-4-5-20251001-v1:0'
    expect(errorOf(() => sent('chat', model, { messages: [{ role: 'user', content }] })).status).toBe(400)
  })

  it('streams Claude’s own events out of their envelope', () => {
    const events = [
      {
        type: 'message_start',
        message: { id: 'msg_1', model: 'claude-haiku', usage: { input_tokens: 3, output_tokens: 1 } },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Grüße' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
      { type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 3 } },
    ]
    const changes = { model: 'invoke/anthropic.claude-haiku-4-5-20251001-v1:0' }
    const gathered = gather(streamChunks(events.map(chunk), {}, changes))
    expect(gathered).toMatchObject({
      text: 'Grüße',
      finish: ['stop'],
      usage: { prompt_tokens: 3, completion_tokens: 2 },
    })
    expect(
      errorOf(() =>
        streamChunks([chunk(events[0] ?? {}), awsException('modelStreamErrorException', 'Broke.')], {}, changes),
      ),
    ).toMatchObject({
      kind: 'upstream_error',
      message: 'Broke.',
    })
  })

  it('sends Nova Converse’s body with a version, cache points within their blocks', () => {
    const mark = { cache_control: { type: 'ephemeral' } }
    const messages = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a', ...mark },
          { type: 'text', text: 'b' },
        ],
      },
    ]
    const { body } = encode({ messages, max_tokens: 5, top_k: 3 }, { model: 'invoke/amazon.nova-lite-v1:0' })
    expect(body).toEqual({
      schemaVersion: 'messages-v1',
      messages: [{ role: 'user', content: [{ text: 'a', cachePoint: { type: 'default' } }, { text: 'b' }] }],
      inferenceConfig: { maxTokens: 5, topK: 3 },
    })
    const stream = [
      chunk({ messageStart: { role: 'assistant' } }),
      chunk({ contentBlockDelta: { contentBlockIndex: 0, delta: { text: 'Hel' } } }),
      chunk({ contentBlockStop: { contentBlockIndex: 0 } }),
      chunk({ contentBlockDelta: { contentBlockIndex: 0, delta: { text: 'lo' } } }),
      chunk({ contentBlockStop: { contentBlockIndex: 0 } }),
      chunk({ messageStop: { stopReason: 'end_turn' } }),
      chunk({ metadata: { usage: { inputTokens: 1, outputTokens: 2 } } }),
    ]
    expect(gather(streamChunks(stream, {}, { model: 'invoke/amazon.nova-lite-v1:0' }))).toMatchObject({
      text: 'Hello',
      finish: ['stop'],
      usage: { total_tokens: 3 },
    })
  })

  it('speaks OpenAI’s format to the others, and sets apart what gpt-oss thinks', () => {
    const model = 'invoke/openai.gpt-oss-20b-1:0'
    const { body } = sent('chat', model, { max_tokens: 5, stream: true })
    expect(body).toEqual({ max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] })
    const answer = {
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'gpt-oss',
      choices: [
        { index: 0, message: { role: 'assistant', content: '<reasoning>Hm</reasoning>Hi' }, finish_reason: 'stop' },
      ],
    }
    const completion = codecOf('chat').decode(answer, exchangeOf('chat', model, {}), {
      'x-amzn-bedrock-input-token-count': '7',
      'x-amzn-bedrock-output-token-count': '2',
    })
    expect(completion).toMatchObject({
      choices: [{ message: { content: 'Hi', reasoning_content: 'Hm' } }],
      usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
    })
    const piece = (delta: JsonObject, finish: string | null = null) =>
      chunk({
        id: 'c',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'm',
        choices: [{ index: 0, delta, finish_reason: finish }],
      })
    const stream = [
      piece({ role: 'assistant', content: '' }),
      piece({ content: '<reasoning>We </reasoning>' }),
      piece({ content: '<reasoning>think</reasoning>' }),
      piece({ content: 'Hi' }),
      piece({}, 'stop'),
      chunk({
        id: 'c',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'm',
        choices: [],
        'amazon-bedrock-invocationMetrics': { inputTokenCount: 1, outputTokenCount: 2 },
      }),
    ]
    expect(gather(streamChunks(stream, {}, { model }))).toMatchObject({
      text: 'Hi',
      reasoning: 'We think',
      finish: ['stop'],
    })
  })

  it('writes conversations as the prompts that text models were trained on', () => {
    const fields = {
      messages: [
        { role: 'system', content: 'Be.' },
        { role: 'user', content: 'Hi' },
      ],
      max_tokens: 9,
    }
    const promptOf = (id: string) => sent('chat', `invoke/${id}`, fields).body
    expect(promptOf('meta.llama3-8b-instruct-v1:0')).toMatchObject({
      max_gen_len: 9,
      prompt: expect.stringMatching(/^<\|begin_of_text\|>.*assistant<\|end_header_id\|>\n\n$/s),
    })
    expect(promptOf('mistral.mistral-7b-instruct-v0:2')).toMatchObject({
      max_tokens: 9,
      prompt: expect.stringContaining('[INST] Be.'),
    })
    expect(promptOf('amazon.titan-text-lite-v1')).toMatchObject({ textGenerationConfig: { maxTokenCount: 9 } })
    expect(promptOf('deepseek.r1-v1:0')).toMatchObject({
      prompt: expect.stringContaining('<｜User｜>Hi<｜Assistant｜>'),
    })
  })
})

describe('text over InvokeModel', () => {
  const headers = { 'x-amzn-bedrock-input-token-count': '4', 'x-amzn-bedrock-output-token-count': '6' }
  const request = { max_tokens: 9, temperature: 0.5, top_p: 0.8, stop: 'END' }

  it.each<[string, JsonObject, JsonObject, string, string]>([
    [
      'anthropic.claude-v2',
      { prompt: 'hi', max_tokens_to_sample: 9, temperature: 0.5, top_p: 0.8, stop_sequences: ['END'] },
      { completion: 'yo', stop_reason: 'max_tokens' },
      'yo',
      'length',
    ],
    [
      'amazon.titan-text-lite-v1',
      {
        inputText: 'hi',
        textGenerationConfig: { maxTokenCount: 9, temperature: 0.5, topP: 0.8, stopSequences: ['END'] },
      },
      { inputTextTokenCount: 4, results: [{ tokenCount: 6, outputText: 'yo', completionReason: 'FINISH' }] },
      'yo',
      'stop',
    ],
    [
      'mistral.mistral-7b-instruct-v0:2',
      { prompt: 'hi', max_tokens: 9, temperature: 0.5, top_p: 0.8, stop: ['END'] },
      { outputs: [{ text: 'yo', stop_reason: 'length' }] },
      'yo',
      'length',
    ],
    [
      'cohere.command-text-v14',
      { prompt: 'hi', max_tokens: 9, temperature: 0.5, p: 0.8, stop_sequences: ['END'] },
      { generations: [{ text: 'yo', finish_reason: 'MAX_TOKENS' }] },
      'yo',
      'length',
    ],
    [
      'cohere.command-r-v1:0',
      { message: 'hi', max_tokens: 9, temperature: 0.5, p: 0.8, stop_sequences: ['END'] },
      { text: 'yo', finish_reason: 'COMPLETE' },
      'yo',
      'stop',
    ],
    [
      'ai21.j2-mid-v1',
      { prompt: 'hi', maxTokens: 9, temperature: 0.5, topP: 0.8, stopSequences: ['END'] },
      { completions: [{ data: { text: 'yo' }, finishReason: { reason: 'length' } }] },
      'yo',
      'length',
    ],
    [
      'deepseek.r1-v1:0',
      { prompt: 'hi', max_tokens: 9, temperature: 0.5, top_p: 0.8, stop: ['END'] },
      { choices: [{ text: 'yo', stop_reason: 'stop' }] },
      'yo',
      'stop',
    ],
  ])('%s', (id, body, answer, text, finish) => {
    const model = `invoke/${id}`
    expect(sent('completions', model, request)).toEqual({ path: `/model/${encodeURIComponent(id)}/invoke`, body })
    const completion = codecOf('completions').decode(
      deepFreeze(answer),
      exchangeOf('completions', model, request),
      headers,
    )
    expect(completion).toMatchObject({
      choices: [{ index: 0, text, finish_reason: finish }],
      usage: { prompt_tokens: 4, completion_tokens: 6, total_tokens: 10 },
    })
  })

  it('names what a model cannot do', () => {
    expect(errorOf(() => sent('completions', 'invoke/meta.llama3-8b-instruct-v1:0', { stop: 'x' }))).toMatchObject({
      kind: 'unsupported_parameter',
      param: 'stop',
    })
  })

  it('streams to its end, or to an error', () => {
    const changes = { model: 'invoke/meta.llama3-8b-instruct-v1:0' }
    const pieces = [
      chunk({ generation: 'He', prompt_token_count: 4, generation_token_count: 1, stop_reason: null }),
      chunk({
        generation: 'y',
        generation_token_count: 2,
        stop_reason: 'stop',
        'amazon-bedrock-invocationMetrics': { inputTokenCount: 4, outputTokenCount: 2 },
      }),
    ]
    expect(gather(streamChunks(pieces, {}, changes))).toMatchObject({
      text: 'Hey',
      finish: ['stop'],
      usage: { prompt_tokens: 4, completion_tokens: 2 },
    })
    expect(errorOf(() => streamChunks(pieces.slice(0, 1), {}, changes)).kind).toBe('stream_truncated')
  })

  it('is an error where the answer holds none', () => {
    expect(() => decode({}, {}, { model: 'invoke/amazon.titan-text-lite-v1' })).toThrow(/without text/)
  })
})

describe('embeddings over InvokeModel', () => {
  it.each<[string, JsonObject, JsonObject]>([
    [
      'amazon.titan-embed-text-v2:0',
      { dimensions: 256, normalize: true },
      { inputText: 'hi', dimensions: 256, normalize: true },
    ],
    ['amazon.titan-embed-text-v1', {}, { inputText: 'hi' }],
    [
      'amazon.titan-embed-image-v1',
      { dimensions: 256 },
      { inputText: 'hi', embeddingConfig: { outputEmbeddingLength: 256 } },
    ],
    ['cohere.embed-v4:0', { dimensions: 512 }, { texts: ['hi'], input_type: 'search_document', output_dimension: 512 }],
    ['cohere.embed-english-v3', { input_type: 'query' }, { texts: ['hi'], input_type: 'search_query' }],
    ['twelvelabs.marengo-embed-2-7-v1:0', {}, { inputType: 'text', inputText: 'hi' }],
  ])('%s', (id, fields, body) => {
    expect(sent('embeddings', id, fields)).toEqual({ path: `/model/${encodeURIComponent(id)}/invoke`, body })
  })

  it('asks Nova for a single embedding', () => {
    expect(sent('embeddings', 'amazon.nova-2-multimodal-embeddings-v1:0', { dimensions: 1024 }).body).toEqual({
      schemaVersion: 'nova-multimodal-embed-v1',
      taskType: 'SINGLE_EMBEDDING',
      singleEmbeddingParams: {
        embeddingPurpose: 'GENERIC_INDEX',
        embeddingDimension: 1024,
        text: { truncationMode: 'END', value: 'hi' },
      },
    })
  })

  it('refuses a width that a model cannot have, and token ids', () => {
    expect(errorOf(() => sent('embeddings', 'amazon.titan-embed-text-v1', { dimensions: 5 })).param).toBe('dimensions')
    expect(errorOf(() => sent('embeddings', 'amazon.titan-embed-text-v1', { input: [1, 2] })).status).toBe(400)
  })

  it('takes as many calls as inputs need, and puts their vectors together (case 42)', () => {
    const codec = inBatches(codecOf('embeddings'))
    const exchange = exchangeOf('embeddings', 'amazon.titan-embed-text-v2:0', {
      input: ['a', 'b', 'c'],
      encoding_format: 'base64',
    })
    const bodies = [JSON.parse(String(codec.encode(exchange).body))]
    const kept: unknown[] = []
    const vector = (value: number) => ({ embedding: [value, 0.5], inputTextTokenCount: 2 })
    for (let answers = 1; ; answers += 1) {
      const follow = codec.next?.(vector(answers), exchange, answers)
      if (!follow) break
      kept.push(follow.keep)
      bodies.push(JSON.parse(String(follow.request.body)))
    }
    expect(bodies).toEqual(['a', 'b', 'c'].map((inputText) => ({ inputText })))
    const answer = codec.decode([...kept, vector(3)], exchange)
    expect(answer.usage).toEqual({ prompt_tokens: 6, total_tokens: 6 })
    const vectors = answer.data.map(({ embedding }) => Buffer.from(String(embedding), 'base64'))
    expect(vectors.map((bytes) => [bytes.length, bytes.readFloatLE(0), bytes.readFloatLE(4)])).toEqual([
      [8, 1, 0.5],
      [8, 2, 0.5],
      [8, 3, 0.5],
    ])
  })

  it('reads vectors by type, and the count of tokens from a header', () => {
    const codec = codecOf('embeddings')
    const exchange = exchangeOf('embeddings', 'cohere.embed-v4:0', { input: ['a', 'b'] })
    const answer = codec.decode({ embeddings: { float: [[1], [2]] } }, exchange, {
      'x-amzn-bedrock-input-token-count': '9',
    })
    expect(answer).toMatchObject({ data: [{ embedding: [1] }, { embedding: [2] }], usage: { prompt_tokens: 9 } })
    expect(() => codec.decode({ embeddings: [[1]] }, exchange)).toThrow(/1 embeddings for 2 inputs/)
    expect(() => codec.decode({}, exchange)).toThrow(/without embeddings/)
  })
})

describe('images over InvokeModel', () => {
  it('asks Nova Canvas and Titan in their own words', () => {
    const fields = { size: '512x768', n: 2, quality: 'hd', negative_prompt: 'dogs', seed: 7 }
    expect(sent('images', 'amazon.nova-canvas-v1:0', fields).body).toEqual({
      taskType: 'TEXT_IMAGE',
      textToImageParams: { text: 'a cat', negativeText: 'dogs' },
      imageGenerationConfig: { width: 512, height: 768, numberOfImages: 2, quality: 'premium', seed: 7 },
    })
  })

  it('asks Stability’s models, old and new', () => {
    expect(sent('images', 'stability.sd3-5-large-v1:0', { size: '1792x1024', output_format: 'png' }).body).toEqual({
      prompt: 'a cat',
      aspect_ratio: '16:9',
      output_format: 'png',
    })
    expect(sent('images', 'stability.stable-diffusion-xl-v1', { size: '512x512', cfg_scale: 8 }).body).toEqual({
      text_prompts: [{ text: 'a cat', weight: 1 }],
      width: 512,
      height: 512,
      cfg_scale: 8,
    })
    expect(errorOf(() => sent('images', 'stability.sd3-5-large-v1:0', { n: 2 })).param).toBe('n')
  })

  it('gives pictures, or why there are none', () => {
    const read = (model: string, body: JsonObject) => codecOf('images').decode(body, exchangeOf('images', model, {}))
    expect(read('amazon.nova-canvas-v1:0', { images: ['QQ=='] })).toEqual({
      created: 1_760_000_000,
      data: [{ b64_json: 'QQ==' }],
    })
    expect(
      read('stability.stable-diffusion-xl-v1', { artifacts: [{ base64: 'QQ==', finishReason: 'SUCCESS' }] }).data,
    ).toEqual([{ b64_json: 'QQ==' }])
    const filtered = errorOf(() =>
      read('stability.sd3-5-large-v1:0', { images: [''], finish_reasons: ['Filter reason: prompt'] }),
    )
    expect(filtered).toMatchObject({ kind: 'content_policy', status: 400 })
    expect(errorOf(() => read('amazon.nova-canvas-v1:0', { error: 'blocked by policy' })).kind).toBe('content_policy')
    expect(errorOf(() => read('amazon.nova-canvas-v1:0', {})).kind).toBe('upstream_invalid')
  })
})
