import type { JsonObject } from '../../src/wire/json.js'

const schema = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['a', 'b'] }, list: { type: 'array', items: { $ref: '#/$defs/one' } } },
  required: ['city'],
  additionalProperties: false,
  $defs: { one: { anyOf: [{ type: 'number' }, { type: 'null' }] } },
}
const png = 'data:image/png;base64,AAAA'
const pdf = 'data:application/pdf;base64,AAAA'

const messages = [
  { role: 'system', content: [{ type: 'text', text: 'Be kind', cache_control: { type: 'ephemeral', ttl: '5m' } }] },
  { role: 'developer', content: 'Be brief', name: 'dev' },
  {
    role: 'user',
    name: 'me',
    content: [
      { type: 'text', text: 'Look' },
      { type: 'image_url', image_url: { url: png, detail: 'low', format: 'image/png' } },
      { type: 'file', file: { file_data: pdf, filename: 'a.pdf', format: 'application/pdf' } },
    ],
  },
  {
    role: 'assistant',
    content: 'Let me see',
    refusal: null,
    reasoning_content: 'Hm',
    thinking_blocks: [
      { type: 'thinking', thinking: 'Hm', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'ZGF0YQ==' },
    ],
    tool_calls: [
      { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"a"}' } },
      {
        id: 'call_2',
        type: 'function',
        function: { name: 'weather', arguments: '' },
        provider_specific_fields: { thought_signature: 'c2ln' },
      },
    ],
  },
  { role: 'tool', tool_call_id: 'call_1', name: 'weather', content: 'sunny' },
  { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: '{"rain":true}' }] },
  { role: 'user', content: 'Thanks' },
]

/** Chat with tools and everything else that a message may hold. */
export const toolChat: JsonObject = {
  messages,
  tools: [{ type: 'function', function: { name: 'weather', description: 'x', parameters: schema, strict: true } }],
  tool_choice: { type: 'function', function: { name: 'weather' } },
  parallel_tool_calls: false,
  max_completion_tokens: 100,
  metadata: { user_id: 'u', tags: ['a'] },
  user: 'u',
  stream: false,
  stream_options: { include_usage: true },
}

/** Chat with every plain parameter. */
export const parameterChat: JsonObject = {
  messages: [{ role: 'user', content: 'Hi' }],
  audio: { voice: 'alloy', format: 'wav' },
  frequency_penalty: 0.5,
  function_call: 'auto',
  functions: [{ name: 'weather', parameters: schema }],
  logit_bias: { 1: 2 },
  logprobs: true,
  top_logprobs: 2,
  max_tokens: 50,
  modalities: ['text'],
  n: 1,
  prediction: { type: 'content', content: 'x' },
  presence_penalty: 0.5,
  prompt_cache_key: 'k',
  reasoning_effort: 'low',
  response_format: { type: 'json_schema', json_schema: { name: 'a', description: 'b', schema, strict: true } },
  safety_identifier: 's',
  seed: 1,
  service_tier: 'auto',
  stop: ['x', 'y'],
  store: false,
  temperature: 0.5,
  top_p: 0.9,
  top_k: 5,
  verbosity: 'low',
  web_search_options: { search_context_size: 'low' },
  thinking: { type: 'enabled', budget_tokens: 1024 },
  extra_body: { a: 1 },
  safety_settings: [{ category: 'c', threshold: 't' }],
  drop_params: true,
  allowed_openai_params: ['seed'],
  additional_drop_params: ['a.b', 'tools[*].x'],
  unknown_field: { deep: [{ deeper: null }] },
}

/** The other operations. */
export const otherRequests: Readonly<Record<string, JsonObject>> = {
  completions: {
    drop_params: true,
    prompt: ['Once'],
    best_of: 1,
    echo: false,
    frequency_penalty: 0,
    logit_bias: { 1: 1 },
    logprobs: 1,
    max_tokens: 5,
    n: 1,
    presence_penalty: 0,
    seed: 1,
    stop: ['x'],
    stream: false,
    stream_options: { include_usage: true },
    suffix: 's',
    temperature: 1,
    top_p: 1,
    user: 'u',
  },
  embeddings: { input: ['a'], dimensions: 2, encoding_format: 'float', user: 'u' },
  'images/generations': {
    drop_params: true,
    prompt: 'a cat',
    n: 1,
    size: '1024x1024',
    quality: 'low',
    response_format: 'b64_json',
    style: 'vivid',
    background: 'auto',
    output_format: 'png',
    output_compression: 50,
    moderation: 'low',
    user: 'u',
  },
}
