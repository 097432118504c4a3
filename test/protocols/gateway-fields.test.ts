import { describe, expect, it } from 'vitest'
import { isGatewayField, toDropPolicy } from '../../src/protocols/gateway-fields.js'

describe('a field of the gateway', () => {
  it.each([
    'api_base',
    'api_key',
    'base_url',
    'drop_params',
    'litellm_call_id',
    'x-sluice-tags',
    'mock_testing_fallbacks',
  ])('is %s', (name) => {
    expect(isGatewayField(name)).toBe(true)
  })

  it.each(['model', 'temperature', 'metadata', 'user', 'top_k', 'priority', 'provider', 'thinking'])(
    'is not %s',
    (name) => {
      expect(isGatewayField(name)).toBe(false)
    },
  )
})

describe('the treatment of unsupported parameters', () => {
  it('is the deployment’s unless the request says otherwise', () => {
    expect(toDropPolicy({}, {}, true).drop).toBe(true)
    expect(toDropPolicy({ drop_params: false }, {}, true).drop).toBe(false)
    expect(toDropPolicy({ drop_params: true }, {}, false).drop).toBe(true)
    expect(toDropPolicy({ drop_params: 'yes' }, {}, false).drop).toBe(false)
  })

  it('adds the lists of both', () => {
    const request = { allowed_openai_params: ['a', 1], additional_drop_params: 'x' }
    const params = { allowed_openai_params: ['b'], additional_drop_params: ['c'] }
    expect(toDropPolicy(request, params, false)).toEqual({ drop: false, allowed: ['b', 'a'], additional: ['c'] })
  })
})
