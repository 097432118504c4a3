import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdminLab, type Json, hostCaller, queryOf, startAdminLab } from './lab.js'
import {
  newBudget,
  newCustomer,
  newKey,
  newOrganization,
  newTag,
  newTeam,
  newUser,
  samples,
  sendSample,
} from './samples.js'

let lab: AdminLab
beforeAll(async () => {
  lab = await startAdminLab()
})
afterAll(() => lab.close())

async function auditOf(kind: string, id: string): Promise<readonly Json[]> {
  const query = queryOf({ table_name: kind, object_id: id })
  return (await lab.send('GET', `/audit?${query}`)).body['audit_logs'] as Json[]
}

describe('keys', () => {
  it('can be asked for by text, by hash, and by the key itself', async () => {
    const { body } = await lab.send('POST', '/key/generate', {
      key_alias: 'by-three-ways',
      max_budget: 5,
      budget_duration: '1mo',
    })
    const [key, token] = [String(body['key']), String(body['token'])]
    for (const [path, as] of [[`/key/info?key=${key}`], [`/key/info?key=${token}`], ['/key/info', key]] as const) {
      const info = await lab.send('GET', path, undefined, as)
      expect(info.body['key']).toBe(token)
      expect(info.body['info']).toMatchObject({ key_alias: 'by-three-ways', max_budget: 5, spend: 0 })
      const resets = (info.body['info'] as Json)['budget_reset_at']
      expect(String(resets)).toMatch(/^\d{4}-\d{2}-01T00:00:00.000Z$/)
    }
  })

  it('take an admin’s own text, and refuse one that is taken', async () => {
    const key = 'sk-a-text-of-my-own-1'
    expect((await lab.send('POST', '/key/generate', { key })).body['key']).toBe(key)
    expect((await lab.send('POST', '/key/generate', { key })).status).toBe(409)
    expect((await lab.send('POST', '/key/generate', { key: 'too-short' })).param).toBe('key')
    expect(await lab.chat(key)).toBe(200)
  })

  it('stop at once when they are blocked, work again when unblocked, and end when deleted', async () => {
    const key = await newKey(lab)
    expect(await lab.chat(key)).toBe(200)
    await lab.send('POST', '/key/block', { key })
    expect(await lab.chat(key)).toBe(403)
    await lab.send('POST', '/key/unblock', { key })
    expect(await lab.chat(key)).toBe(200)
    const deleted = await lab.send('POST', '/key/delete', { keys: [key] })
    expect(deleted.body['deleted_keys']).toHaveLength(1)
    expect(await lab.chat(key)).toBe(401)
    expect((await lab.send('POST', '/key/delete', { keys: [key] })).status).toBe(404)
  })

  it('get a new text, and the old one works as long as the grace period says', async () => {
    const [one, two] = [await newKey(lab), await newKey(lab)]
    const next = await lab.send('POST', '/key/regenerate', { key: one })
    const later = await lab.send('POST', `/key/${two}/regenerate`, { grace_period: '1h', max_budget: 4 })
    expect([next.status, later.status, later.body['max_budget']]).toEqual([200, 200, 4])
    expect(await lab.chat(one)).toBe(401)
    expect(await lab.chat(two)).toBe(200)
    expect(await lab.chat(String(next.body['key']))).toBe(200)
    expect(await lab.chat(String(later.body['key']))).toBe(200)
    expect((await lab.send('POST', '/key/regenerate', { key: one, grace_period: 'soon' })).param).toBe('grace_period')
  })

  it('can be deleted by alias, and aliases are unique', async () => {
    await newKey(lab, { key_alias: 'twin' })
    expect((await lab.send('POST', '/key/generate', { key_alias: 'twin' })).status).toBe(409)
    expect((await lab.send('POST', '/key/delete', { key_aliases: ['twin'] })).status).toBe(200)
    expect((await lab.send('POST', '/key/generate', { key_alias: 'twin' })).status).toBe(200)
    expect((await lab.send('POST', '/key/delete', {})).status).toBe(400)
  })

  it('lose a field that is set to null, and keep those that are not named', async () => {
    const key = await newKey(lab, { max_budget: 5, rpm_limit: 3, metadata: { a: 1 } })
    const { body } = await lab.send('POST', '/key/update', { key, max_budget: null })
    expect(body).toMatchObject({ max_budget: null, rpm_limit: 3, metadata: { a: 1 } })
  })
})

describe('lists', () => {
  it('show everything that was there all the while exactly once, whatever comes and goes between pages', async () => {
    const user = await newUser(lab)
    const keys = await Promise.all(Array.from({ length: 40 }, () => newKey(lab, { user_id: user })))
    const listed = await lab.send('GET', `/key/list?user_id=${user}&limit=100`)
    const all = listed.body['keys'] as string[]
    const seen: string[] = []
    let after: unknown = undefined
    for (let page = 0; ; page++) {
      const query = queryOf({ user_id: user, limit: '7', ...(typeof after === 'string' && { after }) })
      const { body } = await lab.send('GET', `/key/list?${query}`)
      seen.push(...(body['keys'] as string[]))
      after = body['next']
      if (body['has_more'] !== true) break
      // One that was shown, and one that is still to come.
      await newKey(lab, { user_id: user })
      await lab.send('POST', '/key/delete', { keys: [keys[keys.length - 1 - page], keys[page]] })
    }
    expect(new Set(seen).size).toBe(seen.length)
    const gone = new Set<string>()
    for (const hash of all) if ((await lab.send('GET', `/key/info?key=${hash}`)).status === 404) gone.add(hash)
    expect(gone.size).toBeGreaterThan(5)
    expect(all.filter((hash) => !gone.has(hash) && !seen.includes(hash))).toEqual([])
  })

  it('count pages the way LiteLLM’s clients ask for them', async () => {
    const user = await newUser(lab)
    for (let count = 0; count < 5; count++) await newKey(lab, { user_id: user })
    const pages = [1, 2, 3, 4].map((page) => lab.send('GET', `/key/list?user_id=${user}&page=${page}&size=2`))
    const bodies = (await Promise.all(pages)).map(({ body }) => body)
    expect(bodies.map(({ keys }) => (keys as string[]).length)).toEqual([2, 2, 1, 0])
    expect(new Set(bodies.flatMap(({ keys }) => keys as string[])).size).toBe(5)
    expect(bodies[1]).toMatchObject({ total_count: 5, current_page: 2, total_pages: 3 })
  })

  it('are arrays where LiteLLM’s are, and lead to the next page by a header', async () => {
    for (let count = 0; count < 3; count++) await newTag(lab)
    const first = await lab.send('GET', '/tag/list?limit=2')
    const second = await lab.send('GET', `/tag/list?limit=2&after=${first.headers['x-sluice-next']}`)
    expect(first.list).toHaveLength(2)
    const names = [...first.list, ...second.list].map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect((await lab.send('GET', '/tag/list?after=nonsense')).param).toBe('after')
    expect((await lab.send('GET', '/tag/list?limit=0')).param).toBe('limit')
    expect((await lab.send('GET', '/tag/list?limit=1001')).param).toBe('limit')
  })
})

describe('groups', () => {
  it('a new user comes with a key, unless that is not wanted', async () => {
    const { body } = await lab.send('POST', '/user/new', { user_email: 'ann@example.com', max_budget: 3 })
    expect(await lab.chat(String(body['key']))).toBe(200)
    expect(body).toMatchObject({ user_email: 'ann@example.com', user_role: 'internal_user', max_budget: 3 })
    const without = await lab.send('POST', '/user/new', { auto_create_key: false })
    expect(without.body).not.toHaveProperty('key')
    expect((await lab.send('POST', '/user/new', { user_email: 'ann@example.com' })).status).toBe(409)
  })

  it('a team leader manages its members and keys, and nothing beyond', async () => {
    const [team, other, leader, member] = [
      await newTeam(lab),
      await newTeam(lab),
      await newUser(lab),
      await newUser(lab),
    ]
    await lab.send('POST', '/team/member_add', { team_id: team, member: { user_id: leader, role: 'admin' } })
    const as = hostCaller('member', { kind: 'user', id: leader })
    const place = { team_id: team, member: { user_id: member, role: 'user' } }
    expect((await lab.send('POST', '/team/member_add', place, as)).status).toBe(200)
    expect((await lab.send('POST', '/team/member_add', place, as)).status).toBe(409)
    expect((await lab.send('POST', '/team/member_add', { ...place, team_id: other }, as)).status).toBe(404)
    expect(
      (await lab.send('POST', '/team/member_update', { team_id: team, user_id: member, max_budget_in_team: 9 }, as))
        .status,
    ).toBe(403)
    const made = await lab.send('POST', '/key/generate', { team_id: team, user_id: member }, as)
    expect(made.status).toBe(200)
    const info = await lab.send('GET', `/team/info?team_id=${team}`, undefined, as)
    expect(info.body['team_info']).toMatchObject({
      members_with_roles: expect.arrayContaining([{ user_id: leader, role: 'admin' }]),
    })
    expect(info.body['keys']).toHaveLength(1)
    expect((await lab.send('POST', '/team/update', { team_id: team, max_budget: 100 }, as)).status).toBe(403)
    expect((await lab.send('POST', '/team/update', { team_id: team, team_alias: 'Ours' }, as)).status).toBe(200)
    // With the place go the keys in it.
    const key = String(made.body['key'])
    expect(await lab.chat(key)).toBe(200)
    expect((await lab.send('POST', '/team/member_delete', { team_id: team, user_id: member }, as)).status).toBe(200)
    expect(await lab.chat(key)).toBe(401)
  })

  it('a blocked or deleted team, user or customer takes its keys along', async () => {
    const [team, user, customer] = [await newTeam(lab), await newUser(lab), await newCustomer(lab)]
    const keys = [{ team_id: team }, { user_id: user }, { customer_id: customer }]
    const [ofTeam = '', ofUser = '', ofCustomer = ''] = await Promise.all(keys.map((own) => newKey(lab, own)))
    await lab.send('POST', '/team/block', { team_id: team })
    await lab.send('POST', '/end_user/block', { user_ids: [customer] })
    await lab.send('POST', '/user/delete', { user_ids: [user] })
    expect(await Promise.all([ofTeam, ofUser, ofCustomer].map((key) => lab.chat(key)))).toEqual([403, 401, 403])
    await lab.send('POST', '/team/unblock', { team_id: team })
    await lab.send('POST', '/customer/unblock', { user_ids: [customer] })
    expect(await Promise.all([ofTeam, ofCustomer].map((key) => lab.chat(key)))).toEqual([200, 200])
  })

  it('a tier, an organization and members by LiteLLM’s methods', async () => {
    const [budget, organization, user] = [await newBudget(lab), await newOrganization(lab), await newUser(lab)]
    const update = { organization_id: organization, budget_id: budget }
    expect((await lab.send('PATCH', '/organization/update', update)).body['budget_id']).toBe(budget)
    const place = { organization_id: organization, user_id: user }
    await lab.send('POST', '/organization/member_add', { organization_id: organization, member: { user_id: user } })
    expect((await lab.send('PATCH', '/organization/member_update', { ...place, role: 'org_admin' })).body['role']).toBe(
      'org_admin',
    )
    const info = await lab.send('GET', `/organization/info?organization_id=${organization}`)
    expect(info.body['members']).toHaveLength(1)
    expect((await lab.send('DELETE', '/organization/member_delete', place)).status).toBe(200)
    expect((await lab.send('DELETE', '/organization/delete', { organization_ids: [organization] })).status).toBe(200)
    expect((await lab.send('POST', '/key/generate', { budget_id: 'no-such-tier' })).param).toBe('budget_id')
  })

  it('a budget that is used up closes the key', async () => {
    const key = await newKey(lab, { max_budget: 0 })
    expect(await lab.chat(key)).toBe(429)
  })
})

describe('the audit', () => {
  const writing = Object.keys(samples).filter(
    (name) => !name.startsWith('GET ') && !/info$|estimate$|calculate$/.test(name),
  )

  it.each(writing)('%s: leaves a row', async (name) => {
    const sample = (await samples[name]?.(lab)) ?? {}
    const before = (await lab.send('GET', '/audit?limit=1')).body['audit_logs'] as Json[]
    await sendSample(lab, name, sample)
    const after = (await lab.send('GET', '/audit?limit=1')).body['audit_logs'] as Json[]
    expect(after[0]?.['id']).not.toBe(before[0]?.['id'])
    expect(after[0]).toMatchObject({ changed_by: 'master', changed_by_api_key: 'master' })
  })

  it('tells who changed what, from what to what', async () => {
    const user = await newUser(lab)
    const key = await newKey(lab, { user_id: user, key_alias: 'before' })
    const { body } = await lab.send('POST', '/key/update', { key, key_alias: 'after' }, key)
    const rows = await auditOf('key', String(body['token']))
    expect(rows.map(({ action }) => action)).toEqual(['updated', 'created'])
    expect(rows[0]).toMatchObject({
      changed_by: user,
      before_value: { key_alias: 'before' },
      updated_values: { key_alias: 'after' },
    })
  })

  it('has no row of what was refused', async () => {
    const key = await newKey(lab, { user_id: await newUser(lab) })
    const before = await lab.send('GET', '/audit?limit=1')
    await lab.send('POST', '/key/update', { key, max_budget: 1_000 }, key)
    expect((await lab.send('GET', '/audit?limit=1')).text).toBe(before.text)
  })
})

describe('whoever leads an organization', () => {
  it('makes and sees its teams, and those of no other', async () => {
    const [organization, other, leader] = [await newOrganization(lab), await newOrganization(lab), await newUser(lab)]
    await lab.send('POST', '/organization/member_add', {
      organization_id: organization,
      member: { user_id: leader, role: 'org_admin' },
    })
    const as = hostCaller('member', { kind: 'user', id: leader })
    const team = {
      organization_id: organization,
      max_budget: 5,
      members_with_roles: [{ user_id: 'bob', role: 'admin' }],
    }
    const made = await lab.send('POST', '/team/new', team, as)
    expect([made.status, made.body['max_budget']]).toEqual([200, 5])
    await lab.send('POST', '/team/new', { organization_id: organization })
    expect((await lab.send('POST', '/team/new', { organization_id: other }, as)).status).toBe(403)
    const list = await lab.send('GET', `/team/list?organization_id=${organization}`, undefined, as)
    expect(list.list).toHaveLength(2)
    expect((await lab.send('GET', `/team/list?organization_id=${other}`, undefined, as)).list).toEqual([])
    const info = await lab.send('GET', `/organization/info?organization_id=${organization}`, undefined, as)
    expect([info.status, (info.body['teams'] as Json[]).length]).toEqual([200, 2])
    const members = await lab.send('GET', `/team/members?team_id=${String(made.body['team_id'])}`, undefined, as)
    expect((members.body['members'] as Json[]).map(({ user_id }) => user_id)).toContain('bob')
  })
})
