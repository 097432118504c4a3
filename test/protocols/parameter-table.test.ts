import { describe, expect, it } from 'vitest'
import { settleRequest, settleUnsupported, translateParameters } from '../../src/protocols/parameter-table.js'
import { deploymentOf } from '../support/deployment.js'
import { thrownBy } from './further-exchange.js'

const policy = { drop: false, allowed: [], additional: [] }

describe('translateParameters', () => {
  it('renames, translates, keeps what is unknown, and names what cannot be honoured', () => {
    const request = {
      model: 'm',
      messages: [],
      user: 'u',
      metadata: {},
      temperature: 0,
      stop: 'x',
      n: 2,
      logit_bias: {},
      top_p: null,
      own_field: 1,
      api_key: 'sk-never',
      seed: 3,
    }
    const table = { temperature: 'heat', stop: (value: unknown) => ({ ends: [value] }) }
    expect(translateParameters('chat', request, policy, table, ['seed'])).toEqual({
      members: { heat: 0, ends: ['x'] },
      extra: { own_field: 1 },
      unsupported: ['n'],
    })
  })

  it('sends refused parameters that the deployment allows, and extra_body, but never over the request itself', () => {
    const extraBody = { model: 'other', messages: [], api_base: 'http://evil.test', own_field: 2 }
    const request = { n: 2, extra_body: extraBody }
    expect(translateParameters('chat', request, { ...policy, allowed: ['n'] }, {})).toEqual({
      members: {},
      extra: { own_field: 2, n: 2 },
      unsupported: [],
    })
  })

  it('pollutes no prototype', () => {
    const request: Record<string, unknown> = JSON.parse('{"__proto__":{"bad":1},"constructor":1}') as never
    const { extra } = translateParameters('chat', request, policy, {})
    expect(Object.getPrototypeOf(extra)).toBe(Object.prototype)
    expect(extra).not.toHaveProperty('bad')
  })
})

describe('settleRequest', () => {
  it("lays the request over the deployment's params; one wish in two words is one wish", () => {
    const deployment = deploymentOf({ params: { max_tokens: 5, temperature: 1, model: 'other', top_p: 0.5 } })
    const asked = { model: 'm', max_completion_tokens: 9, temperature: null, top_p: 0.1 }
    expect(settleRequest(asked, deployment).request).toEqual({
      model: 'm',
      max_completion_tokens: 9,
      temperature: 1,
      top_p: 0.1,
    })
    const plain = { model: 'm' }
    expect(settleRequest(plain, deploymentOf()).request).toBe(plain)
  })

  it('takes away what is to be dropped in any case', () => {
    const asked = { model: 'm', seed: 3, additional_drop_params: ['seed'] }
    expect(settleRequest(asked, deploymentOf()).request.seed).toBeUndefined()
  })
})

describe('settleUnsupported', () => {
  it('throws all of it at once, or gives it back', () => {
    expect(thrownBy(() => settleUnsupported(deploymentOf(), policy, ['n', 'seed'])).message).toMatch(/n, seed/)
    expect(settleUnsupported(deploymentOf(), { ...policy, drop: true }, ['n', 'n'])).toEqual(['n'])
    expect(settleUnsupported(deploymentOf(), policy, [])).toEqual([])
  })
})
