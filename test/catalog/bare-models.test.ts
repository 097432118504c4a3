import { expect, it } from 'vitest'
import { providerOfBareModel } from '../../src/catalog/bare-models.js'

it.each([
  ['gpt-5-mini', 'openai'],
  ['ft:gpt-4o:acme', 'openai'],
  ['o3', 'openai'],
  ['o4-mini', 'openai'],
  ['chatgpt-4o-latest', 'openai'],
  ['text-embedding-3-small', 'openai'],
  ['dall-e-3', 'openai'],
  ['gpt-image-1', 'openai'],
  ['claude-sonnet-4-5', 'anthropic'],
  ['gemini-2.5-flash', 'gemini'],
  ['grok-4.3', 'xai'],
  ['deepseek-chat', 'deepseek'],
  ['mistral-large-latest', 'mistral'],
  ['kimi-k2', 'moonshot'],
  ['glm-4.6', 'zai'],
  ['command-a-03-2025', 'cohere'],
  ['sonar', 'perplexity'],
  ['text-embedding-004', 'vertex_ai'],
  ['us.anthropic.claude-sonnet-4-5-v1:0', 'bedrock'],
])('knows the maker of %s', (model, provider) => {
  expect(providerOfBareModel(model)).toBe(provider)
})

it.each(['my-model', 'o', 'olmo-2', 'llama-3', 'acme/gpt-5', 'gptx', ''])('does not guess for "%s"', (model) => {
  expect(providerOfBareModel(model)).toBeUndefined()
})
