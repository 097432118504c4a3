import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toGatewayError } from '../../../src/errors.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { converseRefusals } from '../../protocols/bedrock-converse/strict-rules.js'
import { answerOf, chat, claude, decode, encode, exchangeOf } from './exchange.js'

const nova = 'amazon.nova-lite-v1:0'
const llama = 'us.meta.llama3-3-70b-instruct-v1:0'
const png = 'data:image/png;base64,iVBORw0KGgo='
const tool = (name: string, more: JsonObject = {}): JsonObject => ({ type: 'function', function: { name, ...more } })
const calls = (id: string, name: string, args: string): JsonObject => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id, type: 'function', function: { name, arguments: args } }],
})
const refusal = (request: JsonObject, changes = {}) => {
  try {
    chat().encode(exchangeOf(request, changes))
  } catch (error) {
    return toGatewayError(error)
  }
  throw new Error('nothing was thrown')
}

describe('a request to Converse', () => {
  it('goes to the model in the path, encoded once, and to another path for a stream', () => {
    expect(encode({}).sent.path).toBe('/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse')
    expect(encode({ stream: true }).sent.path).toMatch(/\/converse-stream$/)
    const model = 'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-v1:0'
    expect(encode({}, { model }).sent.path).toBe(`/model/${encodeURIComponent(model)}/converse`)
  })

  it('says the settings of inference in its own words, and no limit that nobody set', () => {
    const request = { max_completion_tokens: 50, temperature: 0.5, stop: ['END'] }
    expect(encode(request).body['inferenceConfig']).toEqual({ maxTokens: 50, temperature: 0.5, stopSequences: ['END'] })
    expect(encode({}).body).not.toHaveProperty('inferenceConfig')
    expect(encode({ top_k: 5 }).body['additionalModelRequestFields']).toEqual({ top_k: 5 })
    expect(encode({ top_k: 5 }, { model: nova }).body['additionalModelRequestFields']).toEqual({
      inferenceConfig: { topK: 5 },
    })
  })

  it('hoists system messages, and puts them first where the model takes none', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'developer', content: 'And kind.' },
    ]
    expect(encode({ messages }).body['system']).toEqual([{ text: 'Be brief.' }, { text: 'And kind.' }])
    const { body } = encode({ messages }, { model: 'amazon.titan-text-express-v1' })
    expect(body).not.toHaveProperty('system')
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ text: 'Be brief.' }, { text: 'And kind.' }, { text: 'Hi' }] },
    ])
  })

  it('sends images, documents, videos and sound as bytes or from S3', () => {
    const content = [
      { type: 'text', text: 'See' },
      { type: 'image_url', image_url: { url: png } },
      { type: 'file', file: { filename: 'a_b & c.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
      { type: 'file', file: { filename: 'a b c.pdf', file_data: 'JVBERi0=' } },
      { type: 'video_url', video_url: { url: 's3://bucket/film.mp4' } },
      { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
      { type: 'guarded_text', text: 'Careful', qualifiers: ['query'] },
    ]
    const [message] = encode({ messages: [{ role: 'user', content }] }).body['messages'] as JsonObject[]
    expect(message?.['content']).toEqual([
      { text: 'See' },
      { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } },
      { document: { format: 'pdf', name: 'a b c', source: { bytes: 'JVBERi0=' } } },
      { document: { format: 'pdf', name: 'a b c (2)', source: { bytes: 'JVBERi0=' } } },
      { video: { format: 'mp4', source: { s3Location: { uri: 's3://bucket/film.mp4' } } } },
      { audio: { format: 'wav', source: { bytes: 'UklGRg==' } } },
      { guardContent: { text: { text: 'Careful', qualifiers: ['query'] } } },
    ])
  })

  it('names web addresses to be fetched, and refuses those that were not', () => {
    const url = 'https://example.com/cat.png'
    const request = { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] }
    expect(chat().mediaToFetch?.(exchangeOf(request))).toEqual([url])
    expect(refusal(request)).toMatchObject({ status: 400, param: 'messages[0].content[0]' })
  })

  it('adds a text to a document that stands alone', () => {
    const content = [{ type: 'file', file: { filename: 'x.csv', file_data: 'YSxi' } }]
    const [message] = encode({ messages: [{ role: 'user', content }] }).body['messages'] as JsonObject[]
    expect(message?.['content']).toEqual([
      { document: { format: 'csv', name: 'x', source: { bytes: 'YSxi' } } },
      { text: '.' },
    ])
  })

  it('drops blank texts and fills empty tool results (case 27)', () => {
    const messages = [
      {
        role: 'user',
        content: [
          { type: 'text', text: '  ' },
          { type: 'text', text: 'Go' },
        ],
      },
      { ...calls('t1', 'run', '{}'), content: '\n' },
      { role: 'tool', tool_call_id: 't1', content: '' },
    ]
    const { body } = encode({ messages, tools: [tool('run')] })
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ text: 'Go' }] },
      { role: 'assistant', content: [{ toolUse: { toolUseId: 't1', name: 'run', input: {} } }] },
      { role: 'user', content: [{ toolResult: { toolUseId: 't1', content: [{ text: '.' }] } }] },
    ])
  })

  it('defines the tools that only the history names (case 28, vector B8)', () => {
    const messages = [
      { role: 'user', content: 'Go' },
      calls('t1', 'run', ''),
      { role: 'tool', tool_call_id: 't1', content: '' },
    ]
    for (const model of [claude, nova, llama]) {
      const { body } = encode({ messages }, { model })
      const json = { type: 'object', properties: {} }
      const toolSpec = { name: 'run', description: 'run', inputSchema: { json } }
      expect(body['toolConfig']).toEqual({ tools: [{ toolSpec }] })
    }
  })

  it('makes names and ids fit everywhere alike, and gives them back (case 29)', () => {
    const name = `weather.for city/${'x'.repeat(60)}`
    const id = 'call|1:'.repeat(20)
    const messages = [
      { role: 'user', content: 'Go' },
      calls(id, name, '{"a":1}'),
      { role: 'tool', tool_call_id: id, content: 'ok' },
    ]
    const request = { messages, tools: [tool(name)], tool_choice: { type: 'function', function: { name } } }
    const { body } = encode(request)
    const [, assistant] = body['messages'] as JsonObject[]
    const wire = /"name":"([^"]+)"/.exec(JSON.stringify(assistant))?.[1] ?? ''
    expect(body['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { name: wire } }],
      toolChoice: { tool: { name: wire } },
    })
    const answer = answerOf([{ toolUse: { toolUseId: 'u', name: wire, input: {} } }], { stopReason: 'tool_use' })
    expect(decode(answer, request).choices[0]?.message.tool_calls?.[0]?.function?.name).toBe(name)
  })

  it('refuses a call without a name itself (case 29)', () => {
    const messages = [
      { role: 'user', content: 'Go' },
      calls('t1', '', '{}'),
      { role: 'tool', tool_call_id: 't1', content: 'x' },
    ]
    expect(refusal({ messages })).toMatchObject({ status: 400, param: 'messages[1].tool_calls[0]' })
  })

  it('answers parallel calls in one message, errors marked', () => {
    const messages = [
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        tool_calls: ['a', 'b'].map((id) => ({ id, type: 'function', function: { name: 'run', arguments: '{}' } })),
      },
      {
        role: 'tool',
        tool_call_id: 'a',
        content: [
          { type: 'text', text: '1' },
          { type: 'image_url', image_url: { url: png } },
        ],
      },
      { role: 'tool', tool_call_id: 'b', content: 'failed', is_error: true },
      { role: 'user', content: 'And?' },
    ]
    const [, , results] = encode({ messages, tools: [tool('run')] }).body['messages'] as JsonObject[]
    expect(results?.['content']).toEqual([
      {
        toolResult: {
          toolUseId: 'a',
          content: [{ text: '1' }, { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } }],
        },
      },
      { toolResult: { toolUseId: 'b', content: [{ text: 'failed' }], status: 'error' } },
      { text: 'And?' },
    ])
  })

  it('translates choices of tools as far as a model takes them', () => {
    const tools = [tool('a'), tool('b')]
    const choiceOf = (choice: unknown, model: string, more: JsonObject = {}) =>
      encode({ tools, tool_choice: choice, ...more }, { model, dropParams: true })
    expect(choiceOf('auto', claude).body['toolConfig']).toMatchObject({ toolChoice: { auto: {} } })
    expect(choiceOf('required', nova).body['toolConfig']).toMatchObject({ toolChoice: { any: {} } })
    expect(choiceOf('none', nova).body).not.toHaveProperty('toolConfig')
    const named = { type: 'function', function: { name: 'b' } }
    expect(choiceOf(named, nova).body['toolConfig']).toMatchObject({ toolChoice: { tool: { name: 'b' } } })
    expect(choiceOf(named, 'mistral.mistral-large-3-675b-instruct').body['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { name: 'b' } }],
      toolChoice: { any: {} },
    })
    expect(choiceOf('required', llama).sent.droppedParams).toEqual(['tool_choice'])
    expect(refusal({ tools, tool_choice: 'required' }, { model: llama })).toMatchObject({
      kind: 'unsupported_parameter',
      param: 'tool_choice',
    })
  })

  it('forbids parallel calls where Claude can be told so', () => {
    const request = { tools: [tool('a')], parallel_tool_calls: false }
    expect(encode(request).body['additionalModelRequestFields']).toEqual({
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    })
    expect(refusal(request, { model: nova }).param).toBe('parallel_tool_calls')
  })

  it('turns cache marks into cache points, at most four, and none for models without', () => {
    const mark = { cache_control: { type: 'ephemeral', ttl: '1h' } }
    const parts = Array.from({ length: 6 }, (_, index) => ({ type: 'text', text: `part ${index}`, ...mark }))
    const request = {
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be.', ...mark }] },
        { role: 'user', content: parts },
      ],
      tools: [{ ...tool('a'), ...mark }],
    }
    const points = (body: JsonObject) =>
      JSON.stringify(body).split('"cachePoint":{"type":"default","ttl":"1h"}').length - 1
    expect(points(encode(request).body)).toBe(4)
    expect(JSON.stringify(encode(request, { model: llama }).body)).not.toContain('cachePoint')
    const automatic = encode({ cache_control: { type: 'ephemeral' } }).body
    expect(automatic['messages']).toEqual([
      { role: 'user', content: [{ text: 'Hello' }, { cachePoint: { type: 'default' } }] },
    ])
    expect(automatic).not.toHaveProperty('additionalModelRequestFields')
  })

  it('asks for JSON natively where the model can, the schema as text', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      additionalProperties: false,
    }
    const request = { response_format: { type: 'json_schema', json_schema: { name: 'my answer', schema } } }
    for (const model of [claude, 'qwen.qwen3-32b-v1:0', 'minimax.minimax-m2']) {
      expect(encode(request, { model }).body['outputConfig']).toEqual({
        textFormat: {
          type: 'json_schema',
          structure: { jsonSchema: { name: 'my_answer', schema: JSON.stringify(schema) } },
        },
      })
    }
  })

  it('has a tool called for JSON elsewhere, and unwraps its call', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } }
    const request = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } }
    const changes = { model: nova }
    expect(encode(request, changes).body['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { name: 'json_tool_call' } }],
      toolChoice: { tool: { name: 'json_tool_call' } },
    })
    const use = { toolUse: { toolUseId: 'u', name: 'json_tool_call', input: { properties: { a: 'x' } } } }
    const [choice] = decode(answerOf([use], { stopReason: 'tool_use' }), { ...request }, changes).choices
    expect(choice).toMatchObject({ finish_reason: 'stop', message: { content: '{"a":"x"}' } })
  })

  it('keeps signed thinking before tool calls for Claude, and strips it for others (cases 1, 3)', () => {
    const messages = [
      { role: 'user', content: 'Go' },
      {
        ...calls('t1', 'run', '{}'),
        thinking_blocks: [
          { type: 'thinking', thinking: 'Hm', signature: 'c2ln' },
          { type: 'redacted_thinking', data: 'ZGF0YQ==' },
          { type: 'thinking', thinking: 'unsigned', signature: '' },
        ],
      },
      { role: 'tool', tool_call_id: 't1', content: 'ok' },
    ]
    const request = {
      messages,
      tools: [tool('run')],
      max_tokens: 4000,
      thinking: { type: 'enabled', budget_tokens: 2000 },
    }
    const { body } = encode(request)
    const [, assistant] = body['messages'] as JsonObject[]
    expect(assistant?.['content']).toEqual([
      { reasoningContent: { reasoningText: { text: 'Hm', signature: 'c2ln' } } },
      { reasoningContent: { redactedContent: 'ZGF0YQ==' } },
      { toolUse: { toolUseId: 't1', name: 'run', input: {} } },
    ])
    expect(body['additionalModelRequestFields']).toEqual({ thinking: { type: 'enabled', budget_tokens: 2000 } })
    const other = encode({ messages, tools: [tool('run')] }, { model: nova })
    expect(JSON.stringify(other.body)).not.toContain('reasoningContent')
  })

  it('lets other models think in their own words', () => {
    const fields = (model: string) =>
      encode({ reasoning_effort: 'low' }, { model }).body['additionalModelRequestFields']
    expect(fields('us.amazon.nova-2-lite-v1:0')).toEqual({
      reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' },
    })
    expect(fields('openai.gpt-oss-120b-1:0')).toEqual({ reasoning_effort: 'low' })
    expect(refusal({ reasoning_effort: 'low' }, { model: nova }).param).toBe('reasoning_effort')
  })

  it('passes its own members through, and unknown fields on to the model', () => {
    const guardrailConfig = { guardrailIdentifier: 'g', guardrailVersion: '1' }
    const { body, sent } = encode({
      guardrailConfig,
      performanceConfig: { latency: 'optimized' },
      service_tier: 'flex',
      metadata: { team: 'blue' },
      new_field: { a: 1 },
      user: 'u-1',
    })
    expect(body).toMatchObject({
      guardrailConfig,
      performanceConfig: { latency: 'optimized' },
      serviceTier: { type: 'flex' },
      requestMetadata: { team: 'blue' },
      additionalModelRequestFields: { new_field: { a: 1 } },
    })
    expect(sent.droppedParams).toEqual(['user'])
  })

  it('names what changes nothing in the answer and is left out', () => {
    const messages = [{ role: 'user', name: 'ann', content: 'hi' }]
    const account = { safety_identifier: 's', prompt_cache_key: 'k', prompt_cache_retention: '24h' }
    const { sent } = encode({ messages, ...account })
    expect(sent.droppedParams.toSorted()).toEqual(['messages[].name', ...Object.keys(account)].toSorted())
  })

  it('names every parameter that no model honours', () => {
    expect(refusal({ n: 2, seed: 1, logit_bias: { '1': 1 } }).message).toMatch(/n, seed|seed|logit_bias/)
    expect(encode({ n: 2, seed: 1 }, { dropParams: true }).sent.droppedParams.toSorted()).toEqual(['n', 'seed'])
  })

  it('takes the rules of the model that stands behind an opaque profile', () => {
    const model = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123'
    const { body, sent } = encode({ top_k: 3 }, { model, info: { base_model: 'bedrock/amazon.nova-pro-v1:0' } })
    expect(sent.path).toContain(encodeURIComponent(model))
    expect(body['additionalModelRequestFields']).toEqual({ inferenceConfig: { topK: 3 } })
  })

  it('is one that Converse takes, whatever the conversation', () => {
    const text = fc.oneof(fc.constantFrom('', ' ', '\n'), fc.string({ maxLength: 8 }))
    const id = fc.constantFrom('a', 'b', 'c d', '')
    const message = fc.oneof(
      fc.record({ role: fc.constantFrom('user', 'system', 'developer'), content: text }),
      fc.record({ role: fc.constant('tool'), tool_call_id: id, content: text }),
      fc.record({
        role: fc.constant('assistant'),
        content: fc.option(text),
        tool_calls: fc.array(
          fc.record({
            id,
            type: fc.constant('function'),
            function: fc.record({
              name: fc.constantFrom('run', 'go there', 'x.y'),
              arguments: fc.constantFrom('', '{}', '{"a":1}'),
            }),
          }),
          { maxLength: 3 },
        ),
      }),
    )
    let encoded = 0
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(claude, nova, llama, 'mistral.mistral-large-3-675b-instruct', 'cohere.command-r-v1:0'),
        fc.boolean(),
        (messages, model, withTools) => {
          const request = { messages, ...(withTools && { tools: [tool('run')], tool_choice: 'none' }) }
          const exchange = exchangeOf(request, { model, dropParams: true })
          let sent
          try {
            sent = chat().encode(exchange)
          } catch (error) {
            expect(toGatewayError(error).status).toBe(400)
            return
          }
          encoded += 1
          expect(converseRefusals(JSON.parse(String(sent.body)) as JsonObject)).toEqual([])
        },
      ),
      { numRuns: 300 },
    )
    expect(encoded).toBeGreaterThan(100)
  })
})

describe('an answer of Converse', () => {
  it('becomes text, reasoning, calls and usage', () => {
    const answer = answerOf(
      [
        { reasoningContent: { reasoningText: { text: 'Hm', signature: 'c2ln' } } },
        { reasoningContent: { redactedContent: 'ZGF0YQ==' } },
        { text: 'Hello' },
        { toolUse: { toolUseId: 't1', name: 'run', input: {} } },
      ],
      {
        stopReason: 'tool_use',
        usage: {
          inputTokens: 3,
          outputTokens: 4,
          totalTokens: 1237,
          cacheReadInputTokens: 30,
          cacheWriteInputTokens: 1200,
          cacheDetails: [{ ttl: '1h', inputTokens: 1200 }],
        },
        trace: { guardrail: {} },
      },
    )
    const completion = decode(answer)
    expect(completion).toMatchObject({
      id: 'chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx',
      model: claude,
      choices: [
        {
          finish_reason: 'tool_calls',
          message: {
            content: 'Hello',
            reasoning_content: 'Hm',
            thinking_blocks: [
              { type: 'thinking', thinking: 'Hm', signature: 'c2ln' },
              { type: 'redacted_thinking', data: 'ZGF0YQ==' },
            ],
            tool_calls: [{ id: 't1', type: 'function', function: { name: 'run', arguments: '{}' } }],
            provider_specific_fields: { other_blocks: [{ type: 'trace', trace: { guardrail: {} } }] },
          },
        },
      ],
      usage: {
        prompt_tokens: 1233,
        completion_tokens: 4,
        total_tokens: 1237,
        prompt_tokens_details: { cached_tokens: 30, cache_creation_tokens: 1200 },
        cache_creation: { ephemeral_1h_input_tokens: 1200 },
      },
    })
  })

  it('tells why it ended in the words of OpenAI, and in its own (case 31)', () => {
    const finish = (stopReason: string) => decode(answerOf([{ text: 'x' }], { stopReason })).choices[0]
    expect(finish('max_tokens')?.finish_reason).toBe('length')
    expect(finish('model_context_window_exceeded')?.finish_reason).toBe('length')
    expect(finish('guardrail_intervened')).toMatchObject({
      finish_reason: 'content_filter',
      message: { provider_specific_fields: { native_finish_reason: 'guardrail_intervened' } },
    })
  })

  it('keeps what it cites, and tools of its own servers, apart from the caller’s', () => {
    const web = { web: { url: 'https://example.com/a' } }
    const answer = answerOf([
      { toolUse: { toolUseId: 's1', name: 'nova_grounding', type: 'server_tool_use', input: {} } },
      { toolResult: { toolUseId: 's1', type: 'nova_grounding_result', content: [{ json: {} }] } },
      { citationsContent: { content: [{ text: 'Sky is blue.' }], citations: [{ title: 'A', location: web }] } },
    ])
    const message = decode(answer).choices[0]?.message
    expect(message).toMatchObject({
      content: 'Sky is blue.',
      annotations: [{ type: 'url_citation', url_citation: { url: 'https://example.com/a', title: 'A' } }],
    })
    expect(message).not.toHaveProperty('tool_calls')
    // The next turn sends all of it back as it came.
    const { body } = encode({
      messages: [
        { role: 'user', content: 'Go' },
        { ...message, refusal: null },
        { role: 'user', content: 'More' },
      ],
    })
    const [, assistant] = body['messages'] as JsonObject[]
    expect(JSON.stringify(assistant)).toContain('"type":"nova_grounding_result"')
    expect(JSON.stringify(assistant)).toContain('"type":"server_tool_use"')
  })

  it('that is none is an error', () => {
    expect(() => decode({ message: 'Nope' })).toThrow()
    expect(() => decode([])).toThrow(/not a message/)
  })
})
