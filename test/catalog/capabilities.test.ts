import { describe, expect, it } from 'vitest'
import { capabilitiesOf } from '../../src/catalog/capabilities.js'

describe('capabilitiesOf', () => {
  it.each([
    // family, then what differs within it
    [
      'anthropic/claude-3-haiku-20240307',
      { family: 'claude', reasoning: false, jsonSchema: false, assistantPrefill: true },
    ],
    ['anthropic/claude-sonnet-4-5', { reasoningControl: 'budget', jsonSchema: true, contextWindow: 200_000 }],
    ['anthropic/claude-opus-4-6', { reasoningControl: 'effort_or_budget', assistantPrefill: false }],
    ['bedrock/us.anthropic.claude-opus-4-8-v1:0', { family: 'claude', refusedParameters: ['temperature', 'top_p'] }],
    ['gemini/gemini-2.0-flash', { family: 'gemini', reasoning: false, maxOutputTokens: 8_192 }],
    ['gemini/gemini-2.5-pro', { reasoningControl: 'budget', contextWindow: 1_048_576 }],
    ['vertex_ai/publishers/google/models/gemini-3-flash-preview', { reasoningControl: 'effort', jsonSchema: true }],
    ['gemini/gemini-2.5-flash-image', { tools: false, jsonSchema: false }],
    ['gemini/gemma-3-27b-it', { family: 'gemini', tools: false, contextWindow: 131_072 }],
    ['openai/gpt-3.5-turbo', { family: 'openai', vision: false, jsonSchema: false, reasoning: false }],
    ['openai/gpt-4', { vision: false, contextWindow: 8_192 }],
    ['openai/gpt-4o-mini', { vision: true, jsonSchema: true, reasoning: false, refusedParameters: [] }],
    ['openai/o3-mini', { vision: false, tools: true, reasoningControl: 'effort', contextWindow: 200_000 }],
    ['openai/gpt-5-mini', { reasoning: true, contextWindow: 400_000, maxOutputTokens: 128_000 }],
    ['openai/gpt-5-chat-latest', { reasoning: false, tools: false }],
    ['groq/openai/gpt-oss-120b', { family: 'gpt-oss', reasoningControl: 'effort', vision: false }],
    ['mistral/mistral-large-latest', { family: 'mistral', vision: true, assistantPrefill: true }],
    ['mistral/codestral-2508', { vision: false, contextWindow: 262_144 }],
    ['mistral/open-mixtral-8x7b', { vision: false, contextWindow: 32_768 }],
    ['mistral/magistral-medium-2509', { reasoningControl: 'always' }],
    ['deepseek/deepseek-chat', { family: 'deepseek', reasoning: false, jsonSchema: false, maxOutputTokens: 8_192 }],
    [
      'deepseek/deepseek-reasoner',
      { reasoningControl: 'always', refusedParameters: expect.arrayContaining(['temperature']) },
    ],
    ['bedrock/us.deepseek.r1-v1:0', { family: 'deepseek', reasoningControl: 'always' }],
    ['fireworks_ai/accounts/fireworks/models/deepseek-v3p1', { family: 'deepseek' }],
    ['xai/grok-3-mini', { family: 'grok', reasoningControl: 'effort' }],
    [
      'xai/grok-4-0709',
      { reasoningControl: 'always', refusedParameters: expect.arrayContaining(['reasoning_effort']) },
    ],
    ['xai/grok-4-fast-non-reasoning', { reasoning: false, contextWindow: 2_000_000 }],
    [
      'bedrock/meta.llama3-1-70b-instruct-v1:0',
      { family: 'llama', tools: true, vision: false, contextWindow: 131_072 },
    ],
    ['groq/llama-3.3-70b-versatile', { tools: true, vision: false }],
    ['together_ai/meta-llama/Llama-3.2-90B-Vision-Instruct-Turbo', { vision: true }],
    ['groq/meta-llama/llama-4-maverick-17b-128e-instruct', { vision: true, contextWindow: 1_000_000 }],
    ['ollama/llama2', { tools: false, contextWindow: 4_096 }],
    ['dashscope/qwen2.5-72b-instruct', { family: 'qwen', reasoning: false }],
    ['dashscope/qwen3-32b', { reasoningControl: 'switch', vision: false }],
    ['dashscope/qwen3-vl-plus', { vision: true }],
    ['groq/qwen-qwq-32b', { family: 'qwen' }],
    ['moonshot/kimi-k2-0905-preview', { family: 'kimi', reasoning: false, contextWindow: 262_144 }],
    ['moonshot/kimi-k2-thinking', { reasoningControl: 'always' }],
    ['moonshot/moonshot-v1-8k', { contextWindow: 8_192 }],
    ['zai/glm-4.5', { family: 'glm', reasoningControl: 'switch', contextWindow: 131_072 }],
    ['zai/glm-4.5v', { vision: true }],
    ['cohere/command-r-plus-08-2024', { family: 'command', tools: true, maxOutputTokens: 4_096 }],
    ['cohere/command-a-reasoning-08-2025', { reasoningControl: 'budget' }],
    ['bedrock/us.amazon.nova-micro-v1:0', { family: 'nova', vision: false }],
    ['bedrock/amazon.nova-pro-v1:0', { vision: true, contextWindow: 300_000 }],
  ])('knows %s', (name, expected) => {
    const slash = name.indexOf('/')
    expect(capabilitiesOf(name.slice(0, slash), name.slice(slash + 1))).toMatchObject(expected)
  })

  it.each([
    ['claude-opus-9-9', 'claude', 'effort'],
    ['gemini-9-ultra', 'gemini', 'effort'],
    ['gpt-9', 'openai', 'effort'],
    ['mistral-huge-9', 'mistral', 'none'],
    ['deepseek-v9', 'deepseek', 'switch_and_effort'],
    ['grok-9', 'grok', 'effort'],
    ['llama-9-1t', 'llama', 'none'],
    ['qwen9-max', 'qwen', 'switch'],
    ['kimi-k9', 'kimi', 'switch'],
    ['glm-9', 'glm', 'switch'],
    ['command-z', 'command', 'budget'],
    ['nova-9-pro', 'nova', 'effort'],
  ])('takes the newer id %s for the newest of its family', (model, family, reasoningControl) => {
    const profile = capabilitiesOf('somewhere', model)
    expect(profile).toMatchObject({ family, reasoningControl, tools: true, shutdownDate: undefined })
    expect(profile.contextWindow).toBeGreaterThan(100_000)
  })

  it('believes everything of a model that nobody knows', () => {
    expect(capabilitiesOf('openai_like', 'my-own-model')).toEqual({
      family: 'unknown',
      tools: true,
      vision: true,
      jsonSchema: true,
      reasoning: true,
      reasoningControl: 'effort',
      assistantPrefill: true,
      refusedParameters: [],
      maxOutputTokens: undefined,
      contextWindow: undefined,
      shutdownDate: undefined,
    })
  })

  it('believes a host more than its own table', () => {
    const own = {
      tools: false,
      vision: false,
      jsonSchema: false,
      reasoning: false,
      assistantPrefill: true,
      maxOutputTokens: 7,
      contextWindow: 9,
    }
    expect(capabilitiesOf('anthropic', 'claude-opus-4-8', own)).toMatchObject({ ...own, reasoningControl: 'none' })
    expect(capabilitiesOf('openai', 'gpt-4o', { reasoning: true })).toMatchObject({ reasoningControl: 'effort' })
  })

  it.each([
    ['openai', 'gpt-4-32k-0613', '2025-06-06'],
    ['openai', 'gpt-4', '2026-10-23'],
    ['openai', 'gpt-4-turbo-2024-04-09', '2026-10-23'],
    ['openai', 'gpt-3.5-turbo-0125', '2026-10-23'],
    ['openai', 'gpt-4o-2024-05-13', '2026-10-23'],
    ['openai', 'gpt-4o-2024-08-06', '2027-01-14'],
    ['openai', 'gpt-5-2025-08-07', '2026-12-11'],
    ['openai', 'gpt-5.2', undefined],
    ['openai', 'gpt-5-codex', undefined],
    ['openai', 'dall-e-3', '2026-05-12'],
    ['anthropic', 'claude-3-5-sonnet-20241022', '2025-10-28'],
    ['anthropic', 'claude-3-opus-latest', '2026-01-05'],
    ['anthropic', 'claude-sonnet-4-20250514', '2026-06-15'],
    ['anthropic', 'claude-sonnet-4-5-20250929', undefined],
    ['bedrock', 'anthropic.claude-3-opus-20240229-v1:0', undefined],
    ['azure', 'gpt-4', undefined],
    ['gemini', 'models/gemini-1.5-pro-002', '2025-09-29'],
    ['gemini', 'gemini-2.0-flash-lite-001', '2026-06-01'],
    ['gemini', 'gemini-2.5-flash', '2026-12-01'],
    ['gemini', 'gemini-2.5-flash-lite', undefined],
    ['xai', 'grok-3-mini', '2026-05-15'],
    ['xai', 'grok-4.3', undefined],
    ['deepseek', 'deepseek-chat', '2026-07-24'],
    ['together_ai', 'deepseek-chat', undefined],
    ['toString', 'gpt-4', undefined],
  ])('knows when %s ends %s', (provider, model, date) => {
    expect(capabilitiesOf(provider, model).shutdownDate).toBe(date)
  })
})
