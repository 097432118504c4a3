import { describe, expect, it } from 'vitest'
import { modelsFromEnvironment } from '../../src/config/from-environment.js'

describe('modelsFromEnvironment', () => {
  it('gives nothing for an environment without keys', () => {
    expect(modelsFromEnvironment({ PATH: '/bin', OPENAI_API_KEY: ' ' })).toEqual([])
  })

  it('gives a wildcard for every provider whose key is set', () => {
    const models = modelsFromEnvironment({ OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k', GEMINI_API_KEY: 'k' })
    expect(models.map((model) => model.modelName)).toEqual(
      expect.arrayContaining(['openai/*', 'anthropic/*', 'gemini/*']),
    )
    expect(models.every((model) => model.modelName === model.model && !('apiKey' in model))).toBe(true)
  })
})
