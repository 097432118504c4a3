import { describe, expect, it } from 'vitest'
import { bareModelName, modelKey } from '../../src/catalog/model-name.js'

describe('bareModelName', () => {
  it.each([
    ['gpt-5-mini', 'gpt-5-mini'],
    ['openai/GPT-5-mini', 'gpt-5-mini'],
    ['us.anthropic.claude-opus-4-5-20251101-v1:0', 'claude-opus-4-5-20251101'],
    ['anthropic.claude-3-haiku-20240307-v1:0', 'claude-3-haiku-20240307'],
    ['meta.llama3-1-70b-instruct-v1:0', 'llama3-1-70b-instruct'],
    ['global.amazon.nova-2-lite-v1:0', 'nova-2-lite'],
    ['us.deepseek.r1-v1:0', 'deepseek-r1'],
    ['deepseek.v3-v1:0', 'deepseek-v3'],
    ['claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
    ['publishers/google/models/gemini-2.5-pro', 'gemini-2.5-pro'],
    ['accounts/fireworks/models/deepseek-v3', 'deepseek-v3'],
    ['deepseek-ai/DeepSeek-V3', 'deepseek-v3'],
    ['deepseek/deepseek-r1:free', 'deepseek-r1'],
    ['llama3.1:8b-instruct-q4', 'llama3.1'],
    [
      'arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-5-20251101-v1:0',
      'claude-opus-4-5-20251101',
    ],
    ['', ''],
  ])('takes everything off %s that is not its name', (model, name) => expect(bareModelName(model)).toBe(name))
})

describe('modelKey', () => {
  it('is the same for one model under the names of its hosts', () => {
    const names = [
      'claude-haiku-4-5',
      'claude-haiku-4-5-20251001',
      'claude-haiku-4-5@20251001',
      'us.anthropic.claude-haiku-4-5-20251001-v1:0',
      'anthropic/claude-haiku-4.5',
    ]
    expect(new Set(names.map(modelKey))).toEqual(new Set(['claude-haiku-4-5']))
  })

  it.each([
    ['claude-haiku-4-5', 'claude-sonnet-4-5'],
    ['gemini-2.5-pro', 'gemini-3-pro-preview'],
    ['gpt-5', 'gpt-5-mini'],
    ['deepseek-v3', 'deepseek-v3.1'],
  ])('differs for %s and %s', (left, right) => expect(modelKey(left)).not.toBe(modelKey(right)))
})
