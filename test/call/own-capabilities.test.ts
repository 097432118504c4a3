import { describe, expect, it } from 'vitest'
import { codecOf } from '../../src/call/codec.js'
import type { ModelCapabilities } from '../../src/deployment.js'
import { toGatewayError } from '../../src/errors.js'
import type { Exchange } from '../../src/protocols/protocol.js'
import { createRegistry } from '../../src/providers/registry.js'
import type { ChatRequest } from '../../src/wire/chat.js'
import { isObject, type JsonObject, parseJson } from '../../src/wire/json.js'
import { deploymentOf } from '../providers/deployments.js'

const registry = createRegistry([])

/** What is sent of a request, or why it is refused. */
function encode(name: string, fields: JsonObject, capabilities: ModelCapabilities = {}, dropParams = false) {
  const [id = '', ...rest] = name.split('/')
  const provider = registry.get(id)
  if (!provider) throw new Error(`no provider ${id}`)
  const settings = { region: 'us-east-1', account: 'a', project: 'p' }
  const model = rest.join('/')
  const deployment = deploymentOf({ provider: id, model, capabilities, settings, dropParams })
  const request = { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields } as ChatRequest
  const exchange: Exchange<'chat'> = { request, deployment, id: 'x'.repeat(24), created: 1 }
  try {
    const { path, body, droppedParams } = codecOf(provider, 'chat', deployment).encode(exchange)
    const parsed = parseJson(String(body))
    return { path, body: isObject(parsed) ? parsed : {}, droppedParams, error: undefined }
  } catch (thrown) {
    const { status, param, message } = toGatewayError(thrown)
    return { path: '', body: {}, droppedParams: [], error: { status, param, message } }
  }
}

const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }]
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
const asks = {
  tools: { tools },
  images: { messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, image] }] },
  schema: {
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'n', schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } },
    },
  },
  effort: { reasoning_effort: 'low', max_tokens: 20_000 },
  prefill: {
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'Well,' },
    ],
  },
  temperature: { temperature: 0.3 },
  penalty: { presence_penalty: 0.5 },
  nothing: {},
} satisfies Record<string, JsonObject>

const everywhere = [
  'anthropic/claude-sonnet-4-5',
  'vertex_ai/claude-sonnet-4-5',
  'bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0',
  'bedrock/invoke/anthropic.claude-sonnet-4-5-20250929-v1:0',
  'bedrock/amazon.nova-2-lite-v1:0',
  'gemini/gemini-2.5-pro',
  'openai/gpt-5.1',
  'openai/responses/gpt-5.4',
  'azure/gpt-5.1',
  'together_ai/openai/gpt-oss-120b',
  'cohere/command-a-reasoning-08-2025',
  'ollama/gpt-oss',
]

describe('what a host says that its model cannot do', () => {
  const without: readonly (readonly [string, ModelCapabilities, JsonObject, string])[] = [
    ['tools', { tools: false }, asks.tools, 'tools'],
    ['images', { vision: false }, asks.images, 'messages[0].content[1]'],
    ['reasoning', { reasoning: false }, asks.effort, 'reasoning_effort'],
    ['steered reasoning', { reasoningControl: 'none' }, asks.effort, 'reasoning_effort'],
    ['continued answers', { assistantPrefill: false }, asks.prefill, 'messages[1]'],
    ['a temperature', { refusedParameters: ['temperature'] }, asks.temperature, 'temperature'],
  ]

  it.each(everywhere.flatMap((model) => without.map((row) => [model, ...row] as const)))(
    'is refused of %s: %s',
    (model, _, capabilities, fields, named) => {
      const { error } = encode(model, fields, capabilities)
      expect(error).toMatchObject({ status: 400 })
      expect(`${error?.param} ${error?.message}`).toContain(named)
    },
  )

  it.each(everywhere)('is left out for %s where that was asked for', (model) => {
    const fields = { ...asks.tools, ...asks.effort, ...asks.temperature, tool_choice: 'auto' }
    const own: ModelCapabilities = { tools: false, reasoning: false, refusedParameters: ['temperature'] }
    const { body, droppedParams, error } = encode(model, fields, own, true)
    expect(error).toBeUndefined()
    expect(droppedParams).toEqual(expect.arrayContaining(['tools', 'reasoning_effort', 'temperature']))
    expect(JSON.stringify(body)).not.toMatch(/"look"|"temperature"|"tool_choice"|"low"/)
  })

  it('costs nothing where nothing of it is asked', () => {
    const own: ModelCapabilities = { tools: false, vision: false, reasoning: false, assistantPrefill: false }
    for (const model of everywhere) expect(encode(model, {}, own)).toMatchObject({ error: undefined })
  })
})

describe('what a host says of its model in place of the catalog', () => {
  const overrides: readonly (readonly [string, keyof typeof asks, ModelCapabilities, unknown])[] = [
    // Claude
    ['anthropic/claude-2.1', 'tools', { tools: true }, { body: { tools: [{ name: 'look' }] } }],
    [
      'anthropic/claude-2.1',
      'images',
      { vision: true },
      { body: { messages: [{ content: [{}, { type: 'image' }] }] } },
    ],
    [
      'anthropic/claude-3-opus-20240229',
      'schema',
      { jsonSchema: true },
      { body: { output_config: { format: { type: 'json_schema' } } } },
    ],
    [
      'anthropic/claude-sonnet-4-5',
      'schema',
      { jsonSchema: false },
      { body: { tools: [{ name: 'json_tool_call' }], tool_choice: { type: 'tool' } } },
    ],
    [
      'anthropic/claude-3-opus-20240229',
      'effort',
      { reasoning: true },
      { body: { thinking: { type: 'enabled', budget_tokens: 1024 } } },
    ],
    [
      'anthropic/claude-sonnet-4-5',
      'effort',
      { reasoningControl: 'effort' },
      { body: { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } } },
    ],
    [
      'anthropic/claude-opus-4-8',
      'effort',
      { reasoningControl: 'budget' },
      { body: { thinking: { type: 'enabled', budget_tokens: 1024 } } },
    ],
    ['anthropic/claude-opus-4-8', 'prefill', { assistantPrefill: true }, { body: { messages: [{}, {}] } }],
    ['anthropic/claude-opus-4-8', 'temperature', { refusedParameters: [] }, { body: { temperature: 0.3 } }],
    ['anthropic/claude-sonnet-4-5', 'nothing', { maxOutputTokens: 77 }, { body: { max_tokens: 77 } }],
    // Gemini
    [
      'gemini/gemini-1.5-pro',
      'schema',
      { jsonSchema: true },
      { body: { generationConfig: { responseJsonSchema: {} } } },
    ],
    ['gemini/gemini-2.5-pro', 'schema', { jsonSchema: false }, { body: { generationConfig: { responseSchema: {} } } }],
    [
      'gemini/gemini-2.0-flash',
      'effort',
      { reasoning: true },
      { body: { generationConfig: { thinkingConfig: { thinkingLevel: 'low' } } } },
    ],
    [
      'gemini/gemini-3-pro-preview',
      'effort',
      { reasoningControl: 'budget' },
      { body: { generationConfig: { thinkingConfig: { thinkingBudget: 1024 } } } },
    ],
    [
      'gemini/gemini-3-pro-preview',
      'penalty',
      { refusedParameters: [] },
      { body: { generationConfig: { presencePenalty: 0.5 } } },
    ],
    // OpenAI, and what speaks its dialect
    ['openai/gpt-5', 'temperature', { refusedParameters: [] }, { body: { temperature: 0.3 } }],
    ['openai/responses/o3', 'temperature', { refusedParameters: [] }, { body: { temperature: 0.3 } }],
    ['azure/gpt-5', 'temperature', { reasoning: false, refusedParameters: [] }, { body: { temperature: 0.3 } }],
    ['openai/gpt-4o', 'effort', { reasoning: true }, { body: { max_completion_tokens: 20_000 } }],
    ['openai/gpt-4o', 'schema', { jsonSchema: false }, { body: { tools: [{ function: { name: 'json_tool_call' } }] } }],
    [
      'groq/llama-3.3-70b-versatile',
      'schema',
      { jsonSchema: true },
      { body: { response_format: { type: 'json_schema', json_schema: { name: 'n' } } } },
    ],
    ['xai/grok-4', 'penalty', { refusedParameters: [] }, { body: { presence_penalty: 0.5 } }],
    ['snowflake/llama3.1-8b', 'effort', { reasoning: true }, { body: { reasoning_effort: 'low' } }],
    [
      'openai/responses/gpt-4o',
      'nothing',
      { reasoningControl: 'effort' },
      { body: { include: ['reasoning.encrypted_content'] } },
    ],
    // Bedrock
    ['bedrock/amazon.titan-text-premier-v1:0', 'tools', { tools: true }, { body: { toolConfig: {} } }],
    ['bedrock/amazon.nova-pro-v1:0', 'schema', { jsonSchema: true }, { body: { outputConfig: {} } }],
    [
      'bedrock/meta.llama3-3-70b-instruct-v1:0',
      'effort',
      { reasoning: true },
      { body: { additionalModelRequestFields: { reasoning_effort: 'low' } } },
    ],
    [
      'bedrock/anthropic.claude-opus-4-8-v1:0',
      'effort',
      { reasoningControl: 'budget' },
      { body: { additionalModelRequestFields: { thinking: { type: 'enabled' } } } },
    ],
    // Cohere
    ['cohere/command-a-03-2025', 'effort', { reasoning: true }, { body: { thinking: { type: 'enabled' } } }],
  ]

  it.each(overrides)('changes what is sent to %s for %s under %j', (model, ask, capabilities, expected) => {
    expect(encode(model, asks[ask], capabilities)).toMatchObject({ error: undefined, ...(expected as object) })
    expect(encode(model, asks[ask])).not.toMatchObject(expected as object)
  })
})
