import { describe, expect, it } from 'vitest'
import {
  authorizeAnthropic,
  authorizeBearer,
  authorizeBearerAndHeader,
  authorizeGoogle,
  authorizeOpenai,
  withAnthropicBetas,
  withDeploymentHeaders,
} from '../../src/providers/authorize.js'
import { EnvironmentSecret } from '../../src/providers/environment.js'
import { Secret } from '../../src/secret.js'
import { deploymentOf, requestOf } from './deployments.js'

describe('authorizeBearer', () => {
  it('sends the key as Bearer and leaves the request as it is', () => {
    const request = requestOf()
    expect(authorizeBearer(request, deploymentOf()).headers).toEqual({
      'content-type': 'application/json',
      authorization: 'Bearer sk-test-key',
    })
    expect(request.headers).toEqual({ 'content-type': 'application/json' })
  })

  it('sends nothing without a key', () => {
    expect(authorizeBearer(requestOf(), deploymentOf({ apiKey: undefined })).headers).not.toHaveProperty(
      'authorization',
    )
  })

  it("lets a deployment's own authorization header win", () => {
    const deployment = deploymentOf({ headers: { authorization: 'Basic abc' } })
    const request = withDeploymentHeaders(requestOf(), deployment)
    expect(authorizeBearer(request, deployment).headers['authorization']).toBe('Basic abc')
  })
})

describe('authorizeOpenai', () => {
  it('names the organization only where the deployment does', () => {
    expect(authorizeOpenai(requestOf(), deploymentOf()).headers).not.toHaveProperty('openai-organization')
    const headers = authorizeOpenai(requestOf(), deploymentOf({ organization: 'org-1' })).headers
    expect(headers).toMatchObject({ authorization: 'Bearer sk-test-key', 'openai-organization': 'org-1' })
  })
})

describe('authorizeBearerAndHeader', () => {
  it('sends the key twice', () => {
    expect(authorizeBearerAndHeader('x-subscription')(requestOf(), deploymentOf()).headers).toMatchObject({
      authorization: 'Bearer sk-test-key',
      'x-subscription': 'sk-test-key',
    })
  })
})

describe('authorizeGoogle', () => {
  it('sends the key in a header, not in the path', () => {
    const authorized = authorizeGoogle(requestOf(), deploymentOf())
    expect(authorized.headers['x-goog-api-key']).toBe('sk-test-key')
    expect(authorized.path).toBe('/chat/completions')
    expect(authorized.headers).not.toHaveProperty('authorization')
  })
})

describe('authorizeAnthropic', () => {
  it('sends x-api-key and the version', () => {
    const { headers } = authorizeAnthropic(requestOf(), deploymentOf())
    expect(headers).toMatchObject({ 'x-api-key': 'sk-test-key', 'anthropic-version': '2023-06-01' })
    expect(headers).not.toHaveProperty('authorization')
  })

  it("sends the deployment's version", () => {
    const { headers } = authorizeAnthropic(
      requestOf({ 'anthropic-version': '2023-06-01' }),
      deploymentOf({ apiVersion: '2099-01-01' }),
    )
    expect(headers['anthropic-version']).toBe('2099-01-01')
  })

  it('sends an OAuth token as Bearer, with its beta beside others', () => {
    const deployment = deploymentOf({ apiKey: new Secret('sk-ant-oat01-x'), headers: { 'anthropic-beta': 'one' } })
    const request = withAnthropicBetas(requestOf({ 'anthropic-beta': 'two' }), deployment)
    const { headers } = authorizeAnthropic(request, deployment)
    expect(headers['authorization']).toBe('Bearer sk-ant-oat01-x')
    expect(headers['anthropic-beta']).toBe('one,two,oauth-2025-04-20')
    expect(headers).not.toHaveProperty('x-api-key')
  })

  it('sends what ANTHROPIC_AUTH_TOKEN holds as Bearer', () => {
    const apiKey = new EnvironmentSecret({ name: 'ANTHROPIC_AUTH_TOKEN', value: 'token-1' })
    const { headers } = authorizeAnthropic(requestOf(), deploymentOf({ apiKey }))
    expect(headers['authorization']).toBe('Bearer token-1')
    expect(headers).not.toHaveProperty('x-api-key')
  })

  it('sends what ANTHROPIC_API_KEY holds as x-api-key', () => {
    const apiKey = new EnvironmentSecret({ name: 'ANTHROPIC_API_KEY', value: 'key-1' })
    expect(authorizeAnthropic(requestOf(), deploymentOf({ apiKey })).headers['x-api-key']).toBe('key-1')
  })
})
