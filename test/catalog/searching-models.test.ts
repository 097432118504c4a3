import { expect, it } from 'vitest'
import { searchingOf } from '../../src/catalog/searching-models.js'

it.each([
  ['sonar', 'always'],
  ['sonar-pro', 'always'],
  ['perplexity/sonar', 'always'],
  ['sonar-deep-research', 'research'],
  ['perplexity/sonar-deep-research', 'research'],
  ['gpt-4o-search-preview-2025-03-11', 'always'],
  ['openai/gpt-6-sol:online', 'always'],
  ['gpt-5.4', 'asked'],
  ['sonarqube', 'asked'],
])('%s searches: %s', (model, searching) => expect(searchingOf(model)).toBe(searching))
