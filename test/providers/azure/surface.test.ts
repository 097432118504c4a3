import { describe, expect, it } from 'vitest'
import { azurePath, responsesPath } from '../../../src/providers/azure/surface.js'
import { joinPath } from '../../../src/providers/target.js'
import type { Operation } from '../../../src/wire/operations.js'

const resource = 'https://r.openai.azure.com'

function urlOf(
  operation: Operation | 'responses',
  baseUrl: string,
  apiVersion?: string,
  model = 'my deployment',
): string {
  const place = { baseUrl, apiVersion, settings: {}, model }
  const path = operation === 'responses' ? responsesPath(place) : azurePath(operation, place)
  const { origin, pathname } = new URL(baseUrl)
  return origin + joinPath(pathname.replace(/\/+$/, ''), path)
}

describe('addresses at Azure', () => {
  it.each([
    // base URL, version → address of a chat
    [resource, undefined, `${resource}/openai/v1/chat/completions`],
    [resource, 'v1', `${resource}/openai/v1/chat/completions`],
    [resource, 'preview', `${resource}/openai/v1/chat/completions?api-version=preview`],
    [`${resource}/openai`, undefined, `${resource}/openai/v1/chat/completions`],
    [`${resource}/openai/v1`, undefined, `${resource}/openai/v1/chat/completions`],
    [resource, '2024-10-21', `${resource}/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21`],
    [
      `${resource}/openai`,
      '2024-10-21',
      `${resource}/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21`,
    ],
    [
      `${resource}/openai/deployments/prod`,
      undefined,
      `${resource}/openai/deployments/prod/chat/completions?api-version=2024-10-21`,
    ],
    [
      'https://gateway.ai.cloudflare.com/v1/acc/gw/azure-openai/res',
      '2024-10-21',
      'https://gateway.ai.cloudflare.com/v1/acc/gw/azure-openai/res/my%20deployment/chat/completions?api-version=2024-10-21',
    ],
  ])('%s, version %s', (baseUrl, version, expected) => {
    expect(urlOf('chat', baseUrl, version)).toBe(expected)
  })

  it('differ by operation', () => {
    expect(urlOf('completions', resource)).toBe(`${resource}/openai/v1/completions`)
    expect(urlOf('embeddings', resource)).toBe(`${resource}/openai/v1/embeddings`)
    expect(urlOf('images', resource, '2025-04-01-preview', 'gpt-image-1')).toBe(
      `${resource}/openai/deployments/gpt-image-1/images/generations?api-version=2025-04-01-preview`,
    )
  })

  it('of the Responses API are the newer ones where a version does not know it', () => {
    expect(urlOf('responses', resource)).toBe(`${resource}/openai/v1/responses`)
    expect(urlOf('responses', resource, '2024-10-21')).toBe(`${resource}/openai/v1/responses`)
    expect(urlOf('responses', resource, '2025-04-01-preview')).toBe(
      `${resource}/openai/responses?api-version=2025-04-01-preview`,
    )
  })

  it('take the version of a setting, and leave prefixes out of the name', () => {
    const place = {
      baseUrl: resource,
      apiVersion: undefined,
      settings: { apiVersion: '2024-10-21' },
      model: 'o_series/x',
    }
    expect(azurePath('chat', place)).toBe('/openai/deployments/x/chat/completions?api-version=2024-10-21')
  })
})
