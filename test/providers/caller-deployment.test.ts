import { describe, expect, it } from 'vitest'
import { toCallerDeployment } from '../../src/providers/caller-deployment.js'
import type { Provider } from '../../src/providers/provider.js'
import { gemini } from '../../src/providers/gemini.js'
import { Secret } from '../../src/secret.js'
import { createAddressGuard } from '../../src/upstream/address-guard.js'
import { deploymentOf } from '../support/deployment.js'

const cloud: Provider = {
  ...gemini,
  name: 'cloud',
  apiKeyRequired: false,
  settings: {
    region: { env: ['CLOUD_REGION'] },
    account: { env: ['CLOUD_ACCOUNT'] },
    accessKey: { env: ['CLOUD_ACCESS_KEY'], secret: true },
  },
}
const platform = deploymentOf({
  provider: 'cloud',
  organization: 'org',
  apiVersion: 'v9',
  headers: { 'x-account': 'platform' },
  params: { temperature: 1 },
  settings: { region: 'eu-1', account: 'platform', accessKey: new Secret('platform-secret') },
})
const guard = createAddressGuard({ hosts: ['api.example.com'] })

describe('toCallerDeployment', () => {
  it('keeps the model, the place and the parameters, and nothing that identifies the platform', () => {
    const own = toCallerDeployment(platform, { apiKey: 'tenant' }, cloud, undefined)
    expect(own).toEqual({
      ...platform,
      apiKey: expect.any(Secret),
      organization: undefined,
      headers: {},
      settings: { region: 'eu-1' },
    })
    expect(own.apiKey?.reveal()).toBe('tenant')
    expect(Object.isFrozen(own)).toBe(true)
  })

  it('takes settings instead of a key, and wraps the secret ones', () => {
    const own = toCallerDeployment(platform, { settings: { accessKey: 'tenant-secret', region: 'us-1' } }, cloud, guard)
    expect(own.apiKey).toBeUndefined()
    expect(own.settings).toEqual({ region: 'us-1', accessKey: expect.any(Secret) })
    expect(JSON.stringify(own)).not.toContain('secret')
  })

  it.each([
    ['nothing', {}],
    ['only a place', { settings: { region: 'us-1' } }],
    ['only an endpoint', { baseUrl: 'https://api.example.com' }],
  ])('refuses %s, with which the provider would look for the platform’s credentials', (_, credentials) => {
    expect(() => toCallerDeployment(platform, credentials, cloud, guard)).toThrow('no credentials of yours')
  })

  it('takes an endpoint without a key where the provider needs none', () => {
    const { settings: _settings, ...keyless } = cloud
    const credentials = { baseUrl: 'https://api.example.com/v1beta/' }
    const own = toCallerDeployment(deploymentOf({ provider: 'cloud' }), credentials, keyless, guard)
    expect(own).toMatchObject({ apiKey: undefined, baseUrl: 'https://api.example.com' })
  })

  it.each(['http://api.example.com', 'https://other.example.com', 'https://api.example.com:444', 'x'])(
    'refuses the endpoint %s',
    (baseUrl) => {
      expect(() => toCallerDeployment(platform, { apiKey: 'x', baseUrl }, cloud, guard)).toThrow('is not allowed')
      expect(() => toCallerDeployment(platform, { apiKey: 'x', baseUrl }, cloud, undefined)).toThrow('not enabled')
    },
  )

  it('lets settings choose a host of the provider’s domain, and no other', () => {
    const regional: Provider = {
      ...cloud,
      baseUrl: ({ settings }) => `https://${String(settings['region'])}.cloud.example`,
    }
    const move = (region: string) =>
      toCallerDeployment(platform, { apiKey: 'x', settings: { region } }, regional, guard)
    expect(move('us-1').settings).toEqual({ region: 'us-1' })
    for (const region of [
      'evil.test/',
      'evil.test#',
      'evil.test?',
      'evil.test\\',
      'a@evil.test:443/',
      '127.0.0.1/',
      '[::1]/',
    ]) {
      expect(() => move(region)).toThrow('lead to another domain')
    }
  })

  it.each([
    ['an unknown setting', { apiKey: 'x', settings: { nonsense: 1 } }],
    ['a header that may not be set', { apiKey: 'x', headers: { host: 'evil.example' } }],
    ['a header that cannot be sent', { apiKey: 'x', headers: { 'x-a': 'a\r\nb' } }],
    ['an endpoint with a query', { apiKey: 'x', baseUrl: 'https://api.example.com/?a=1' }],
  ])('refuses %s', (_, credentials) => {
    expect(() => toCallerDeployment(platform, credentials, cloud, guard)).toThrow(/.+/)
  })
})
