import { type AdminLab, type Json, queryOf } from './lab.js'

/** A request that an admin can make of a route, made anew so that it works each time. */
export interface Sample {
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Json
}

/** Makes what a route needs and gives a request for it. */
export type MakeSample = (lab: AdminLab) => Promise<Sample> | Sample

let made = 0
const fresh = (kind: string): string => `${kind}-${(made += 1)}`

/** A record that was just made; its id. */
async function make(lab: AdminLab, path: string, body: Json, field: string): Promise<string> {
  const answer = await lab.send('POST', path, body)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.text}`)
  return String(answer.body[field])
}

export const newKey = (lab: AdminLab, body: Json = {}): Promise<string> => make(lab, '/key/generate', body, 'key')
export const newUser = (lab: AdminLab, body: Json = {}): Promise<string> =>
  make(lab, '/user/new', { user_id: fresh('user'), auto_create_key: false, ...body }, 'user_id')
export const newTeam = (lab: AdminLab, body: Json = {}): Promise<string> =>
  make(lab, '/team/new', { team_id: fresh('team'), ...body }, 'team_id')
export const newOrganization = (lab: AdminLab): Promise<string> =>
  make(lab, '/organization/new', { organization_id: fresh('organization') }, 'organization_id')
export const newCustomer = (lab: AdminLab): Promise<string> =>
  make(lab, '/customer/new', { user_id: fresh('customer') }, 'user_id')
export const newBudget = (lab: AdminLab): Promise<string> =>
  make(lab, '/budget/new', { budget_id: fresh('budget'), max_budget: 1 }, 'budget_id')
export const newTag = (lab: AdminLab): Promise<string> => make(lab, '/tag/new', { name: fresh('tag') }, 'name')
export const newModel = (lab: AdminLab): Promise<string> => make(lab, '/model/new', modelBody(), 'model_id')
const newMember = async (lab: AdminLab, group: 'team' | 'organization'): Promise<Json> => {
  const id = group === 'team' ? await newTeam(lab) : await newOrganization(lab)
  const user = await newUser(lab)
  await lab.send('POST', `/${group}/member_add`, { [`${group}_id`]: id, member: { user_id: user, role: 'user' } })
  return { [`${group}_id`]: id, user_id: user }
}

const calls = new WeakMap<AdminLab, string>()

/** The id of a call that was logged; one for all samples, as it takes a moment until it is. */
async function someCall(lab: AdminLab): Promise<string> {
  const known = calls.get(lab)
  if (known !== undefined) return known
  await lab.chat(await newKey(lab))
  for (let tries = 0; tries < 100; tries += 1) {
    const { body } = await lab.send('GET', '/calls')
    const [call] = body['data'] as Json[]
    if (call) {
      calls.set(lab, String(call['id']))
      return String(call['id'])
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('The call was not logged.')
}

const modelBody = (): Json => ({
  model_name: fresh('model'),
  litellm_params: { model: 'fake/openai', api_key: 'sk-runtime-provider-key' },
  model_info: { note: 'free data' },
})

const limits = { max_budget: 10, budget_duration: '30d', rpm_limit: 10, tpm_limit: 1_000, max_parallel_requests: 2 }

/** A sample of every route by its method and first path. */
export const samples: Readonly<Record<string, MakeSample>> = {
  'POST /key/generate': () => ({
    body: { key_alias: fresh('alias'), models: ['gpt-4o'], duration: '20m', metadata: { user: 'x@y' }, ...limits },
  }),
  'POST /key/update': async (lab) => ({ body: { key: await newKey(lab), key_alias: fresh('alias'), max_budget: 3 } }),
  'POST /key/bulk_update': async (lab) => ({ body: { keys: [{ key: await newKey(lab), max_budget: 3 }] } }),
  'POST /key/regenerate': async (lab) => ({ body: { key: await newKey(lab), grace_period: '1h' } }),
  'POST /key/delete': async (lab) => ({ body: { keys: [await newKey(lab)] } }),
  'POST /key/block': async (lab) => ({ body: { key: await newKey(lab) } }),
  'POST /key/unblock': async (lab) => ({ body: { key: await newKey(lab, { blocked: true }) } }),
  'POST /v2/key/info': async (lab) => ({ body: { keys: [await newKey(lab), await newKey(lab)] } }),
  'GET /key/info': async (lab) => ({ query: { key: await newKey(lab) } }),
  'GET /key/list': () => ({ query: { size: '2', return_full_object: 'true' } }),
  'GET /key/aliases': () => ({ query: { size: '2', search: 'alias' } }),
  'POST /user/new': () => ({ body: { user_id: fresh('user'), user_email: `${fresh('mail')}@example.com`, ...limits } }),
  'POST /user/update': async (lab) => ({ body: { user_id: await newUser(lab), user_alias: 'Ann', max_budget: 3 } }),
  'POST /user/delete': async (lab) => ({ body: { user_ids: [await newUser(lab)] } }),
  'GET /user/info': async (lab) => ({ query: { user_id: await newUser(lab) } }),
  'GET /user/list': () => ({ query: { page: '1', page_size: '2' } }),
  'POST /team/new': () => ({ body: { team_alias: 'Team', models: ['gpt-4o'], metadata: { a: 'b' }, ...limits } }),
  'POST /team/update': async (lab) => ({ body: { team_id: await newTeam(lab), team_alias: 'Other', max_budget: 3 } }),
  'POST /team/delete': async (lab) => ({ body: { team_ids: [await newTeam(lab)] } }),
  'POST /team/block': async (lab) => ({ body: { team_id: await newTeam(lab) } }),
  'POST /team/unblock': async (lab) => ({ body: { team_id: await newTeam(lab, { blocked: true }) } }),
  'GET /team/info': async (lab) => ({ query: { team_id: await newTeam(lab) } }),
  'GET /team/list': () => ({ query: { limit: '2' } }),
  'GET /team/members': async (lab) => ({ query: { team_id: await newTeam(lab) } }),
  'POST /team/member_add': async (lab) => ({
    body: { team_id: await newTeam(lab), member: { user_id: fresh('user'), role: 'user' }, max_budget_in_team: 2 },
  }),
  'POST /team/member_update': async (lab) => ({ body: { ...(await newMember(lab, 'team')), max_budget_in_team: 5 } }),
  'POST /team/member_delete': async (lab) => ({ body: await newMember(lab, 'team') }),
  'POST /organization/new': () => ({ body: { organization_alias: 'Org', models: ['gpt-4o'], ...limits } }),
  'PATCH /organization/update': async (lab) => ({
    body: { organization_id: await newOrganization(lab), organization_alias: 'Other', max_budget: 3 },
  }),
  'POST /organization/update': async (lab) => ({
    body: { organization_id: await newOrganization(lab), max_budget: 3 },
  }),
  'DELETE /organization/delete': async (lab) => ({ body: { organization_ids: [await newOrganization(lab)] } }),
  'POST /organization/delete': async (lab) => ({ body: { organization_ids: [await newOrganization(lab)] } }),
  'GET /organization/info': async (lab) => ({ query: { organization_id: await newOrganization(lab) } }),
  'GET /organization/list': () => ({}),
  'GET /organization/members': async (lab) => ({ query: { organization_id: await newOrganization(lab) } }),
  'POST /organization/member_add': async (lab) => ({
    body: { organization_id: await newOrganization(lab), member: [{ user_id: fresh('user'), role: 'org_admin' }] },
  }),
  'PATCH /organization/member_update': async (lab) => ({
    body: { ...(await newMember(lab, 'organization')), role: 'org_admin' },
  }),
  'POST /organization/member_update': async (lab) => ({
    body: { ...(await newMember(lab, 'organization')), role: 'org_admin' },
  }),
  'DELETE /organization/member_delete': async (lab) => ({ body: await newMember(lab, 'organization') }),
  'POST /organization/member_delete': async (lab) => ({ body: await newMember(lab, 'organization') }),
  'POST /customer/new': () => ({ body: { user_id: fresh('customer'), alias: 'Acme', ...limits } }),
  'POST /customer/update': async (lab) => ({
    body: { user_id: await newCustomer(lab), alias: 'Other', max_budget: 3 },
  }),
  'POST /customer/delete': async (lab) => ({ body: { user_ids: [await newCustomer(lab)] } }),
  'POST /customer/block': async (lab) => ({ body: { user_ids: [await newCustomer(lab)] } }),
  'POST /customer/unblock': async (lab) => ({ body: { user_ids: [await newCustomer(lab)] } }),
  'GET /customer/info': async (lab) => ({ query: { end_user_id: await newCustomer(lab) } }),
  'GET /customer/list': () => ({}),
  'POST /budget/new': () => ({ body: { budget_id: fresh('budget'), ...limits } }),
  'POST /budget/update': async (lab) => ({ body: { budget_id: await newBudget(lab), max_budget: 3 } }),
  'POST /budget/info': async (lab) => ({ body: { budgets: [await newBudget(lab)] } }),
  'GET /budget/list': () => ({}),
  'POST /budget/delete': async (lab) => ({ body: { id: await newBudget(lab) } }),
  'POST /tag/new': () => ({ body: { name: fresh('tag'), description: 'A tag', ...limits } }),
  'POST /tag/update': async (lab) => ({ body: { name: await newTag(lab), description: 'Another' } }),
  'POST /tag/info': async (lab) => ({ body: { names: [await newTag(lab)] } }),
  'GET /tag/list': () => ({}),
  'POST /tag/delete': async (lab) => ({ body: { name: await newTag(lab) } }),
  'POST /model/new': () => ({ body: modelBody() }),
  'POST /model/update': async (lab) => ({
    body: { id: await newModel(lab), litellm_params: { rpm: 7 }, model_info: { note: 'changed' } },
  }),
  'POST /model/delete': async (lab) => ({ body: { id: await newModel(lab) } }),
  'GET /model/info': () => ({}),
  'GET /spend/logs': () => ({ query: { start_date: '2026-01-01', limit: '5' } }),
  'GET /spend/logs/v2': () => ({ query: { status_filter: 'success' } }),
  'GET /calls': () => ({ query: { status_filter: 'success', limit: '5' } }),
  'GET /calls/{id}': async (lab) => ({ query: {}, body: { id: await someCall(lab) } }),
  'GET /spend/keys': () => ({}),
  'GET /spend/users': () => ({}),
  'GET /spend/teams': () => ({}),
  'GET /spend/tags': () => ({}),
  'GET /global/spend/report': () => ({ query: { group_by: 'team' } }),
  'GET /user/daily/activity': () => ({}),
  'POST /cost/estimate': () => ({ body: { model: 'gpt-4o', input_tokens: 1_000, output_tokens: 500 } }),
  'POST /spend/calculate': () => ({ body: { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] } }),
  'GET /settings': () => ({}),
  'GET /budget/usage': () => ({ query: { limit: '3' } }),
  'GET /audit': () => ({}),
  'GET /audit/{id}': async (lab) => {
    await newUser(lab)
    const { body } = await lab.send('GET', '/audit')
    const [first] = body['audit_logs'] as Json[]
    return { query: {}, body: { id: first?.['id'] } }
  },
}

/** Sends a sample; `{name}` in a path comes from its body. */
export function sendSample(
  lab: AdminLab,
  name: string,
  { query, body }: Sample,
  as?: Parameters<AdminLab['send']>[3],
): ReturnType<AdminLab['send']> {
  const [method = '', path = ''] = name.split(' ')
  const filled = path.replace(/\{(\w+)\}/g, (_, field: string) => encodeURIComponent(String(body?.[field])))
  const target = query ? `${filled}?${queryOf(query)}` : filled
  return lab.send(method, target, method === 'GET' ? undefined : body, as)
}
