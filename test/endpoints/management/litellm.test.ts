import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdminLab, startAdminLab } from './lab.js'

let lab: AdminLab
beforeAll(async () => {
  lab = await startAdminLab()
})
afterAll(() => lab.close())

/** LiteLLM's management paths that answer here, by method. */
const served: Readonly<Record<string, readonly string[]>> = {
  POST: [
    ...['generate', 'update', 'regenerate', 'delete', 'block', 'unblock'].map((action) => `/key/${action}`),
    '/key/some-key/regenerate',
    '/v2/key/info',
    ...['new', 'update', 'delete'].map((action) => `/user/${action}`),
    ...['new', 'update', 'delete', 'block', 'unblock'].map((action) => `/team/${action}`),
    ...['member_add', 'member_update', 'member_delete'].map((action) => `/team/${action}`),
    ...['new', 'member_add'].map((action) => `/organization/${action}`),
    ...['new', 'update', 'delete', 'block', 'unblock'].flatMap((action) => [
      `/customer/${action}`,
      `/end_user/${action}`,
    ]),
    ...['new', 'update', 'info', 'delete'].flatMap((action) => [`/tag/${action}`, `/budget/${action}`]),
    ...['new', 'update', 'delete'].map((action) => `/model/${action}`),
    '/cost/estimate',
  ],
  PATCH: ['/organization/update', '/organization/member_update'],
  DELETE: ['/organization/delete', '/organization/member_delete'],
  GET: [
    '/key/info',
    '/key/list',
    '/user/info',
    '/user/list',
    '/team/info',
    '/team/list',
    '/organization/info',
    '/organization/list',
    '/customer/info',
    '/customer/list',
    '/end_user/info',
    '/end_user/list',
    '/tag/list',
    '/budget/list',
    '/model/info',
    '/v1/model/info',
    '/audit',
    '/audit/some-id',
    '/spend/logs',
    '/spend/logs/v2',
    '/spend/keys',
    '/spend/users',
    '/spend/teams',
    '/spend/tags',
    '/global/spend/report',
    '/user/daily/activity',
  ],
}

describe('LiteLLM’s management paths', () => {
  const all = Object.entries(served).flatMap(([method, paths]) => paths.map((path) => [method, path] as const))

  it.each(all)('%s %s is served', async (method, path) => {
    const { status, text } = await lab.send(method, path, method === 'GET' ? undefined : {})
    // 404 with a message of ours: the route is there, the record is not.
    expect(text).not.toContain('not allowed here')
    expect([200, 400, 404]).toContain(status)
  })
})

/** What LiteLLM's `POST /key/generate` answers, in the order of its documentation. */
const answered = [
  'key',
  'key_name',
  'key_alias',
  'token',
  'token_id',
  'expires',
  'created_at',
  'updated_at',
  'created_by',
  'updated_by',
  'models',
  'aliases',
  'spend',
  'max_budget',
  'soft_budget',
  'budget_duration',
  'budget_limits',
  'budget_id',
  'model_max_budget',
  'tpm_limit',
  'rpm_limit',
  'max_parallel_requests',
  'user_id',
  'team_id',
  'organization_id',
  'metadata',
  'tags',
  'blocked',
  'allowed_routes',
  'key_type',
]

describe('LiteLLM’s README', () => {
  it('makes a key, with every field of its answer that there is here', async () => {
    const body = { models: ['gpt-4o', 'other'], duration: '20m', metadata: { user: 'ishaan@berri.ai' } }
    const answer = await lab.send('POST', '/key/generate', body)
    expect(answer.status).toBe(200)
    expect(answered.filter((name) => !(name in answer.body))).toEqual([])
    expect(answer.body).toMatchObject({
      key: expect.stringMatching(/^sk-/),
      models: body.models,
      metadata: body.metadata,
    })
    expect(Date.parse(String(answer.body['expires']))).toBeGreaterThan(Date.parse(String(answer.body['created_at'])))
  })

  it('asks for fields that there are not, and is told which', async () => {
    for (const name of ['permissions', 'config', 'enforced_params', 'allowed_cache_controls', 'budget_fallbacks']) {
      const { status, param } = await lab.send('POST', '/key/generate', { [name]: {} })
      expect([status, param]).toEqual([400, name])
    }
  })
})
