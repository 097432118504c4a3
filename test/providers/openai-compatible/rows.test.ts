import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../../src/providers/registry.js'
import type { Deployment } from '../../../src/deployment.js'
import type { Exchange } from '../../../src/protocols/protocol.js'
import type { Operation, Operations } from '../../../src/wire/operations.js'
import { deploymentOf } from '../deployments.js'

const registry = createRegistry([])

type Parameters<K extends Operation> = Partial<Operations[K]['request']>

const bases: { readonly [K in Operation]: Operations[K]['request'] } = {
  chat: { model: 'group', messages: [{ role: 'user', content: 'hi' }] },
  completions: { model: 'group', prompt: 'hi' },
  embeddings: { model: 'group', input: 'hi' },
  images: { model: 'group', prompt: 'a cat' },
  moderations: { model: 'group', input: 'hi' },
}

function exchangeOf<K extends Operation>(
  operation: K,
  name: string,
  parameters: Parameters<K>,
  over: Partial<Deployment> = {},
): Exchange<K> {
  const [prefix = '', ...model] = name.split('/')
  const deployment = deploymentOf({ provider: prefix, model: model.join('/'), ...over })
  return { request: { ...bases[operation], ...parameters }, deployment, id: 'a'.repeat(24), created: 1 }
}

function codecOf<K extends Operation>(operation: K, name: string) {
  const codec = registry.resolve(name)?.provider.protocol.codecs[operation]
  if (!codec) throw new Error(`${name} has no ${operation}`)
  return codec
}

/** What a provider is sent: its path and its body. */
function sent<K extends Operation>(operation: K, name: string, parameters: Parameters<K> = {}) {
  const { path, body } = codecOf(operation, name).encode(exchangeOf(operation, name, parameters))
  return { path, body: JSON.parse(String(body)) as Record<string, unknown> }
}

const tool = { type: 'function', function: { name: 'now', strict: true, parameters: { type: 'object' } } }

describe('token limit', () => {
  it.each([
    ['openrouter/acme/cheap', { models: ['acme/dear'] }],
    ['openrouter/acme/cheap', { preset: 'dear' }],
    ['vercel_ai_gateway/acme/cheap', { providerOptions: { gateway: { models: ['acme/dear'] } } }],
  ])('%s answers with no other model that a caller names: %j', (name, members) => {
    expect(() => sent('chat', name, members)).toThrow(expect.objectContaining({ status: 400 }))
  })

  it.each(['xiaomi_mimo/m', 'mistral/m', 'xai/m', 'nebius/m'])('%s gets it by the older name', (name) => {
    expect(sent('chat', name, { max_completion_tokens: 9 }).body).toMatchObject({ max_tokens: 9 })
  })

  it('goes to OpenAI by the name that the model knows', () => {
    expect(sent('chat', 'openai/gpt-5-mini', { max_tokens: 9 }).body).toMatchObject({ max_completion_tokens: 9 })
  })
})

describe('parameters that only some models of xAI refuse', () => {
  it.each([
    ['grok-2-1212', true],
    ['grok-2-vision-1212', true],
    ['grok-beta', true],
    ['grok-vision-beta', true],
    ['grok-3', true],
    ['grok-3-fast', true],
    ['grok-3-mini', false],
    ['grok-3-mini-fast', false],
    ['grok-4', false],
    ['grok-4-0709', false],
    ['grok-4-latest', false],
    ['grok-4-fast', false],
    ['grok-4-fast-reasoning', false],
    ['grok-4-fast-non-reasoning', true],
    ['grok-4-1-fast-reasoning', false],
    ['grok-4-1-fast-non-reasoning', true],
    ['grok-4.20-0309-reasoning', false],
    ['grok-4.20-0309-non-reasoning', true],
    ['grok-4.3', false],
    ['grok-build-0.1', false],
    ['grok-code-fast-1', false],
    ['grok-5', false],
  ])('%s takes `stop`: %s', (model, takes) => {
    const send = () => sent('chat', `xai/${model}`, { stop: ['x'] }).body['stop']
    if (takes) expect(send()).toEqual(['x'])
    else expect(send).toThrow(/stop/)
  })
})

describe('what a provider takes and does nothing about', () => {
  it('is sent, and named: OpenRouter gives one choice whatever `n` says', () => {
    const ask = (n: number) => codecOf('chat', 'openrouter/a/b').encode(exchangeOf('chat', 'openrouter/a/b', { n }))
    expect(ask(2).droppedParams).toEqual(['n'])
    expect(JSON.parse(String(ask(2).body))).toMatchObject({ n: 2 })
    expect(ask(1).droppedParams).toEqual([])
  })
})

describe('refusals', () => {
  it.each([
    ['groq/m', { logprobs: true }],
    ['groq/m', { n: 2 }],
    ['cerebras/m', { logit_bias: { '1': 1 } }],
    ['sambanova/m', { seed: 1 }],
    ['featherless_ai/m', { tools: [tool] }],
    ['gradient_ai/m', { tools: [tool] }],
    ['moonshot/kimi-thinking-preview', { tools: [tool] }],
    ['hyperbolic/m', { logprobs: true }],
    ['meta_llama/m', { response_format: { type: 'json_object' } }],
    ['deepinfra/m', { tools: [tool], tool_choice: 'required' }],
    ['zai/glm-4.6', { logprobs: true }],
    ['xai/grok-4', { stop: 'x' }],
    ['xai/grok-4', { reasoning_effort: 'high' }],
    ['mistral/m', { user: 'x' }],
    ['baseten/m', { logit_bias: { '1': 1 } }],
    ['ai21/jamba-large', { frequency_penalty: 1 }],
    ['nvidia_nim/google/gemma-2-9b-it', { tools: [tool] }],
    ['poe/m', { reasoning_effort: 'high' }],
    ['openai/gpt-5', { temperature: 0 }],
  ] as const)('%s refuses %j', (name, parameters) => {
    expect(() => sent('chat', name, parameters as Parameters<'chat'>)).toThrow(/does not support/)
  })

  it.each([
    ['groq/m', { n: 1 }],
    ['meta_llama/m', { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } } }],
    ['meta_llama/m', { response_format: { type: 'text' } }],
    ['xai/grok-4-fast-non-reasoning', { stop: 'x' }],
    ['xai/grok-4.3', { reasoning_effort: 'high' }],
    ['nvidia_nim/meta/llama', { tools: [tool] }],
    ['moonshot/kimi-k2', { tools: [tool] }],
    ['deepinfra/m', { tools: [tool], tool_choice: 'auto' }],
    ['openai/gpt-5', { temperature: 1 }],
  ] as const)('%s takes %j', (name, parameters) => {
    expect(() => sent('chat', name, parameters as Parameters<'chat'>)).not.toThrow()
  })
})

describe('reasoning', () => {
  it.each([
    ['deepseek/m', 'medium', { thinking: { type: 'enabled' }, reasoning_effort: 'high' }],
    ['deepseek/m', 'none', { thinking: { type: 'disabled' } }],
    ['moonshot/m', 'high', { thinking: { type: 'enabled' } }],
    ['zai/m', 'none', { thinking: { type: 'disabled' } }],
    ['xiaomi_mimo/m', 'low', { thinking: { type: 'enabled' } }],
    ['volcengine/m', 'low', { thinking: { type: 'enabled' } }],
    ['dashscope/m', 'low', { enable_thinking: true }],
    ['dashscope/deepseek-v4', 'high', { reasoning_effort: 'high' }],
    ['siliconflow/m', 'none', { enable_thinking: false }],
    ['novita/m', 'high', { enable_thinking: true }],
    ['openrouter/a/b', 'high', { reasoning: { effort: 'high' } }],
    ['vercel_ai_gateway/a/b', 'low', { reasoning: { effort: 'low' } }],
    ['zenmux/a/b', 'none', { reasoning: { enabled: false } }],
    ['together_ai/m', 'high', { reasoning_effort: 'high' }],
    ['together_ai/m', 'none', { reasoning: { enabled: false } }],
    ['vllm/m', 'none', { chat_template_kwargs: { enable_thinking: false } }],
    ['vllm/m', 'high', { reasoning_effort: 'high' }],
    ['friendliai/m', 'high', { chat_template_kwargs: { enable_thinking: true } }],
    ['wandb/m', 'none', { chat_template_kwargs: { enable_thinking: false } }],
    ['baseten/m', 'none', { chat_template_args: { enable_thinking: false } }],
    ['baseten/m', 'high', { reasoning_effort: 'high' }],
    ['mistral/m', 'low', { reasoning_effort: 'high' }],
    ['sarvam/m', 'none', { reasoning_effort: null }],
    ['groq/m', 'low', { reasoning_effort: 'low' }],
  ])('%s at effort %s', (name, effort, expected) => {
    const { body } = sent('chat', name, { reasoning_effort: effort })
    expect(body).toMatchObject(expected)
    for (const control of ['reasoning', 'thinking', 'reasoning_effort', 'enable_thinking', 'chat_template_kwargs']) {
      if (!(control in expected)) expect(body).not.toHaveProperty(control)
    }
  })

  it.each([
    ['fireworks_ai/m', { thinking: { type: 'enabled', budget_tokens: 2_000 } }],
    ['siliconflow/m', { enable_thinking: true, thinking_budget: 2_000 }],
    ['vllm/m', { reasoning_effort: 'low' }],
    ['openrouter/a/b', { reasoning: { max_tokens: 2_000 } }],
  ])('%s is told a budget', (name, expected) => {
    const thinking = { type: 'enabled', budget_tokens: 2_000 }
    expect(sent('chat', name, { thinking }).body).toMatchObject(expected)
  })

  it('of SiliconFlow has a least budget', () => {
    const thinking = { type: 'enabled', budget_tokens: 5 }
    expect(sent('chat', 'siliconflow/m', { thinking }).body).toMatchObject({ thinking_budget: 128 })
  })
})

describe('models', () => {
  it.each([
    ['fireworks_ai/llama', 'accounts/fireworks/models/llama'],
    ['fireworks_ai/accounts/me/models/x', 'accounts/me/models/x'],
    ['openrouter/auto', 'openrouter/auto'],
    ['openrouter/acme/m', 'acme/m'],
    ['clarifai/user.app.llama-3.1', 'https://clarifai.com/user/app/models/llama-3.1'],
    ['clarifai/https://clarifai.com/a/b/models/c', 'https://clarifai.com/a/b/models/c'],
  ])('%s are called %s there', (name, model) => {
    expect(sent('chat', name).body['model']).toBe(model)
  })

  it('of embeddings keep their names at Fireworks', () => {
    expect(sent('embeddings', 'fireworks_ai/nomic-ai/embed').body['model']).toBe('nomic-ai/embed')
  })
})

describe('paths', () => {
  it('are those of the provider', () => {
    expect(sent('completions', 'deepseek/m').path).toBe('/beta/completions')
    expect(sent('completions', 'codestral/m').path).toBe('/fim/completions')
    expect(sent('chat', 'datarobot/m').path).toBe('/api/v2/genai/llmgw/chat/completions')
    expect(sent('images', 'fireworks_ai/flux').path).toBe('/workflows/accounts/fireworks/models/flux/text_to_image')
    expect(sent('images', 'openrouter/acme/painter').path).toBe('/images')
  })
})

describe('Mistral', () => {
  it('gets its own names and no options of streams', () => {
    const { body } = sent('chat', 'mistral/m', { seed: 1, tool_choice: 'required', tools: [tool], stream: true })
    expect(body).toMatchObject({ random_seed: 1, tool_choice: 'any', stream: true })
    expect(body).not.toHaveProperty('stream_options')
    expect(JSON.stringify(body['tools'])).not.toContain('strict')
  })
})

describe('Moonshot', () => {
  it('clamps the temperature and asks for a tool in words', () => {
    const { body } = sent('chat', 'moonshot/m', { temperature: 2, tool_choice: 'required', tools: [tool] })
    expect(body['temperature']).toBe(1)
    expect(body).not.toHaveProperty('tool_choice')
    expect(body['messages']).toHaveLength(2)
  })
})

describe('Fireworks', () => {
  it('gets a schema beside json_object', () => {
    const format = { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } }
    expect(sent('chat', 'fireworks_ai/m', { response_format: format }).body['response_format']).toEqual({
      type: 'json_object',
      schema: { type: 'object' },
    })
  })

  it('draws', () => {
    const name = 'fireworks_ai/flux'
    expect(sent('images', name, { size: '1024x1024' }).body).toEqual({ prompt: 'a cat', aspect_ratio: '1:1' })
    const answer = codecOf('images', name).decode({ base64: ['AAAA'] }, exchangeOf('images', name, {}))
    expect(answer).toMatchObject({ created: 1, data: [{ b64_json: 'AAAA' }] })
    expect(() => sent('images', name, { n: 2 })).toThrow(/does not support the parameter n/)
  })
})

describe('OpenRouter', () => {
  it('tells the cost of every call', () => {
    expect(sent('chat', 'openrouter/a/b').body['usage']).toEqual({ include: true })
  })

  it("keeps Claude's cache marks, on the last part, and drops others'", () => {
    const messages = [
      { role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }], cache_control: { type: 'ephemeral' } },
    ]
    expect(JSON.stringify(sent('chat', 'openrouter/anthropic/claude-x', { messages }).body['messages'])).toBe(
      '[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}]',
    )
    expect(JSON.stringify(sent('chat', 'openrouter/acme/m', { messages }).body)).not.toContain('cache_control')
  })

  it('draws', () => {
    const name = 'openrouter/acme/painter'
    const asked = { n: 2, size: '1024x1024', quality: 'high', output_format: 'webp', background: 'opaque' } as const
    expect(sent('images', name, { ...asked, response_format: 'b64_json' }).body).toEqual({
      model: 'acme/painter',
      prompt: 'a cat',
      ...asked,
    })
    expect(() => sent('images', name, { response_format: 'url' })).toThrow(/response_format/)
    expect(() => sent('images', name, { style: 'vivid' })).toThrow(/style/)
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.01 }
    const answer = codecOf('images', name).decode(
      { created: 0, data: [{ b64_json: 'AAAA', media_type: 'image/png' }], usage },
      exchangeOf('images', name, {}),
    )
    expect(answer).toMatchObject({
      created: 1,
      data: [{ b64_json: 'AAAA' }],
      usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3, cost: 0.01 },
    })
  })
})

describe('other images', () => {
  it('get sizes and counts by their own names', () => {
    expect(sent('images', 'aiml/m', { n: 2, size: '640x480' }).body).toMatchObject({
      num_images: 2,
      image_size: { width: 640, height: 480 },
    })
    expect(sent('images', 'together_ai/m', { size: '640x480', response_format: 'b64_json' }).body).toMatchObject({
      width: 640,
      height: 480,
      response_format: 'base64',
    })
    expect(() => sent('images', 'cometapi/m', { background: 'transparent' })).toThrow(/background/)
  })
})

describe('Codestral', () => {
  it('completes text, whole and streamed', () => {
    const name = 'codestral/m'
    const codec = codecOf('completions', name)
    const exchange = exchangeOf('completions', name, { suffix: ';' })
    const base = { id: 'c', object: 'chat.completion', created: 1, model: 'm' }
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
    const whole = { ...base, choices: [{ index: 0, message: { content: 'a + b' }, finish_reason: 'stop' }], usage }
    expect(codec.decode(whole, exchange)).toMatchObject({
      object: 'text_completion',
      choices: [{ text: 'a + b', finish_reason: 'stop' }],
    })

    const decoder = codec.decodeStream?.(exchangeOf('completions', name, { stream: true }))
    const push = (data: string) => decoder?.push({ event: '', data, frame: undefined }) ?? []
    const piece = (content: string, finish: string | null) =>
      JSON.stringify({ ...base, choices: [{ index: 0, delta: { content }, finish_reason: finish }] })
    const parts = [
      ...push(piece('a +', null)),
      ...push(piece(' b', 'stop')),
      ...push('[DONE]'),
      ...(decoder?.end() ?? []),
    ]
    const text = parts.flatMap(({ chunk }) => chunk?.choices ?? []).map((choice) => choice.text)
    expect(text.join('')).toBe('a + b')
    expect(decoder?.progress).toBe('terminated')
  })
})

describe('a 200 that holds an error', () => {
  it.each([
    ['xai/grok-4.3', { code: 'Client specified an invalid argument', error: 'bad model' }],
    ['minimax/m', { base_resp: { status_code: 1002, status_msg: 'rate limit' } }],
  ])('of %s is thrown', (name, body) => {
    expect(() => codecOf('chat', name).decode(body, exchangeOf('chat', name, {}))).toThrow()
  })
})
