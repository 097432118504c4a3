import { describe, expect, it } from 'vitest'
import { encryptsReasoning, needsResponses } from '../../src/catalog/responses-models.js'

describe('models that need the Responses API', () => {
  it.each([
    'gpt-5-pro',
    'o3-pro-2025-06-10',
    'gpt-5.1-codex-mini',
    'codex-mini-latest',
    'o3-deep-research',
    'computer-use-preview',
    'openai/gpt-5.5-pro',
  ])('always: %s', (model) => {
    expect(needsResponses(model, false, undefined)).toBe(true)
  })

  it.each(['gpt-4.1', 'gpt-5', 'gpt-5.1', 'o3', 'gpt-5.5', 'gpt-6-sol', 'gemini-2.5-pro', 'my-codex', 'llama-3'])(
    'never for plain chat: %s',
    (model) => {
      expect(needsResponses(model, false, 'high')).toBe(false)
    },
  )

  it.each([
    // model, effort → with tools
    ['gpt-5.2', 'high', false],
    ['gpt-5.4', undefined, false],
    ['gpt-5.4', 'none', false],
    ['gpt-5.4', 'low', true],
    ['gpt-5.6-luna', 'medium', true],
    ['gpt-6-sol', undefined, true],
    ['gpt-6-sol', 'none', false],
    ['gpt-6-luna', 'low', true],
    ['gpt-6-astra', 'none', true],
    ['gpt-6.1-sol', undefined, true],
    ['my-model', 'high', false],
  ])('with tools: %s at effort %s → %s', (model, effort, expected) => {
    expect(needsResponses(model, true, effort)).toBe(expected)
  })
})

describe('models that encrypt their reasoning', () => {
  it.each(['o3', 'gpt-5-mini', 'gpt-5.6-luna', 'gpt-6-sol', 'codex-mini', 'openai.gpt-5.5', 'grok-4.3'])(
    '%s',
    (model) => {
      expect(encryptsReasoning(model)).toBe(true)
    },
  )

  it.each([
    'gpt-4.1',
    'gpt-5-chat-latest',
    'gpt-5.2-chat',
    'gpt-5-search-api',
    'grok-4-fast-non-reasoning',
    'grok-3',
    'prod',
  ])('not %s', (model) => {
    expect(encryptsReasoning(model)).toBe(false)
  })
})
