import { describe, expect, it } from 'vitest'
import { type LiteLLMAuthHook, fromLiteLLMAuth } from '../../src/config/custom-auth.js'
import { GatewayError } from '../../src/errors.js'
import { hashKey } from '../../src/keys/key-material.js'
import { requestOf } from '../support/http-request.js'

const bearer = { authorization: 'Bearer sk-their-own-key' }
const path = '/v1/chat/completions'

async function identify(hook: LiteLLMAuthHook, headers: Record<string, string> = bearer) {
  return fromLiteLLMAuth(hook).identify(requestOf('POST', path, {}, { headers }))
}

describe('fromLiteLLMAuth', () => {
  it.each([
    [bearer, 'sk-their-own-key'],
    [{ 'api-key': 'azure' }, 'azure'],
    [{ 'x-api-key': 'anthropic' }, 'anthropic'],
    [{ 'x-litellm-api-key': 'Bearer first', authorization: 'Bearer second' }, 'first'],
    [{}, ''],
  ])('gives the hook the request and the credential of %j', async (headers, expected) => {
    const seen: unknown[] = []
    await identify((request, apiKey) => void seen.push(request.path, apiKey), headers)
    expect(seen).toEqual([path, expected])
  })

  it('takes a caller as it is', async () => {
    const caller = { id: 'ann', role: 'member', models: ['gpt'], scopes: [{ kind: 'user', id: 'ann' }] } as const
    expect(await identify(() => caller)).toBe(caller)
  })

  it.each([null, undefined, false])('knows nobody for %j', async (answer) => {
    expect(await identify(async () => answer)).toBeNull()
  })

  it('takes a text for the key alone, and keeps none of it', async () => {
    const caller = await identify((_, apiKey) => apiKey)
    const id = hashKey('sk-their-own-key')
    expect(caller).toMatchObject({ id, role: 'member', models: 'all', scopes: [{ kind: 'key', id }] })
    expect(JSON.stringify(caller)).not.toContain('sk-their')
  })

  it('reads the fields of UserAPIKeyAuth, with the budgets and limits of all whom the key belongs to', async () => {
    const caller = await identify(() => ({
      api_key: 'sk-their-own-key',
      user_id: 'ann',
      user_role: 'internal_user',
      team_id: 'red',
      org_id: 'acme',
      end_user_id: 'shop',
      models: ['gpt', 'claude'],
      team_models: ['gpt'],
      max_budget: 10,
      budget_duration: '30d',
      rpm_limit: 5,
      tpm_limit: 500,
      max_parallel_requests: 2,
      team_max_budget: 100,
      team_rpm_limit: 50,
      user_max_budget: 20,
      organization_max_budget: 1_000,
      end_user_tpm_limit: 7,
      metadata: { tags: ['night'], plan: 'pro' },
      something_new: true,
    }))
    expect(caller).toMatchObject({
      role: 'member',
      models: ['gpt'],
      tags: ['night'],
      metadata: { plan: 'pro' },
      scopes: [
        { kind: 'organization', id: 'acme', budget: { maxBudget: 1_000 } },
        { kind: 'team', id: 'red', budget: { maxBudget: 100 }, rpm: 50 },
        { kind: 'member' },
        { kind: 'user', id: 'ann', budget: { maxBudget: 20 } },
        {
          kind: 'key',
          budget: { maxBudget: 10, budgetDuration: '30d' },
          rpm: 5,
          tpm: 500,
          maxParallelRequests: 2,
        },
        { kind: 'customer', id: 'shop', tpm: 7 },
        { kind: 'tag', id: 'night' },
      ],
    })
  })

  it('makes an admin of a proxy_admin only', async () => {
    expect(await identify(() => ({ api_key: 'k', user_role: 'proxy_admin' }))).toMatchObject({ role: 'admin' })
    expect(await identify(() => ({ api_key: 'k', user_role: 'team' }))).toMatchObject({ role: 'member' })
  })

  it('tells users without a credential apart, and knows nobody who has neither', async () => {
    const [ann, bob] = await Promise.all(['ann', 'bob'].map((user_id) => identify(() => ({ user_id }), {})))
    expect(ann?.id).not.toBe(bob?.id)
    await expect(identify(() => ({}), {})).rejects.toThrow(TypeError)
  })

  it('refuses with 401 what the hook throws, and does not tell why', async () => {
    const refused = identify(() => {
      throw new Error('no row for sk-their-own-key')
    })
    await expect(refused).rejects.toMatchObject({ status: 401, message: 'The credential was refused.' })
  })

  it('takes mistakes of the hook for faults, not for refusals', async () => {
    const failed = identify(async () => {
      throw new TypeError('fetch failed')
    })
    await expect(failed).rejects.toThrow(TypeError)
    await expect(identify(() => 42)).rejects.toThrow(TypeError)
    const wrong = identify(() => ({ api_key: 'k', max_budget: 'sk-much', team_id: 't', team_rpm_limit: -1 }))
    await expect(wrong).rejects.toThrow(/max_budget/)
    await expect(wrong).rejects.not.toThrow(/sk-much/)
    await expect(identify(() => ({ api_key: 'k', budget_id: 'gold' }))).rejects.toThrow(/budget_id/)
  })

  it('lets GatewayErrors of the hook through', async () => {
    const refused = identify(() => {
      throw new GatewayError('permission', 'Not today.')
    })
    await expect(refused).rejects.toMatchObject({ status: 403, message: 'Not today.' })
  })

  it.each([
    [{ blocked: true }, 403],
    [{ expires: '2020-01-01T00:00:00Z' }, 401],
    [{ allowed_routes: ['/v1/models'] }, 403],
    [{ team_id: 't', team_blocked: true }, 403],
  ])('refuses %j', async (fields, status) => {
    await expect(identify(() => ({ api_key: 'k', ...fields }))).rejects.toMatchObject({ status })
  })
})
