import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdminLab, type Json, hostCaller, queryOf, startAdminLab } from './lab.js'
import { newBudget, newCustomer, newKey, newTeam, newUser, samples, sendSample } from './samples.js'

let lab: AdminLab
beforeAll(async () => {
  lab = await startAdminLab()
})
afterAll(() => lab.close())

/** What nobody below an admin may give itself, and a value that would be worth having. */
const wishes = async (): Promise<Json> => ({
  max_budget: 1_000_000,
  soft_budget: 5,
  budget_duration: '1s',
  budget_starts_at: '2100-01-01T00:00:00Z',
  budget_time_zone: 'Pacific/Kiritimati',
  budget_limits: [{ max_budget: 1, budget_duration: '1s' }],
  budget_id: await newBudget(lab),
  model_max_budget: { 'gpt-4o': 1_000 },
  rpm_limit: 1_000_000,
  tpm_limit: 1_000_000,
  max_parallel_requests: 1_000,
  tags: ['free-of-charge'],
  allowed_routes: ['management_routes'],
  organization_id: 'another',
  customer_id: await newCustomer(lab),
  user_id: await newUser(lab),
  team_id: await newTeam(lab),
  key: 'sk-chosen-by-the-member',
})

/** Fields that no request may hold, whoever sends it. */
const unknownFields: Json = {
  spend: 0,
  key_id: 'x',
  key_name: 'sk-...last',
  token: 'x',
  role: 'admin',
  user_role: 'proxy_admin',
  created_by: 'admin',
  updated_by: 'admin',
  replaced_by: 'x',
  permissions: { admin: true },
  config: {},
  scopes: [],
}

async function memberKey(own: Json = {}): Promise<{ readonly user: string; readonly key: string }> {
  const user = await newUser(lab)
  return { user, key: await newKey(lab, { user_id: user, ...own }) }
}

describe('a member', () => {
  it('may make a key for itself, in its own name', async () => {
    const { user, key } = await memberKey()
    const { status, body } = await lab.send('POST', '/key/generate', { key_alias: 'mine', models: ['gpt-4o'] }, key)
    expect([status, body['user_id'], body['max_budget'], body['created_by']]).toEqual([200, user, null, user])
  })

  it('gets no privileged field into a new key', async () => {
    for (const [name, value] of Object.entries(await wishes())) {
      const { key } = await memberKey()
      const { status } = await lab.send('POST', '/key/generate', { [name]: value }, key)
      expect([400, 403], name).toContain(status)
    }
  })

  it('gets no privileged field into its own key, which stays as it was', async () => {
    const { key } = await memberKey()
    const before = await lab.send('GET', '/key/info', undefined, key)
    for (const [name, value] of Object.entries(await wishes())) {
      if (name === 'key') continue
      const { status } = await lab.send('POST', '/key/update', { key, [name]: value }, key)
      expect([400, 403], name).toContain(status)
    }
    expect((await lab.send('GET', '/key/info', undefined, key)).body).toEqual(before.body)
  })

  it('gets none by way of a new text either', async () => {
    const { key } = await memberKey()
    for (const [name, value] of Object.entries(await wishes())) {
      if (name === 'key') continue
      const { status } = await lab.send('POST', '/key/regenerate', { key, [name]: value }, key)
      expect([400, 403], name).toContain(status)
    }
    expect(await lab.chat(key)).toBe(200)
  })

  it('cannot widen its models, its end, its tags or what the gateway reads of its metadata', async () => {
    const expires = '2100-01-01T00:00:00Z'
    const { key } = await memberKey({ models: ['gpt-4o'], expires, metadata: { allowedModelRegion: 'eu' } })
    const wider: readonly Json[] = [
      { models: ['gpt-4o', 'other'] },
      { models: [] },
      { models: ['*'] },
      { models: null },
      { expires: null },
      { duration: null },
      { expires: '2200-01-01T00:00:00Z' },
      { metadata: { allowedModelRegion: 'us' } },
      { metadata: {} },
      { metadata: null },
    ]
    for (const fields of wider) {
      const { status } = await lab.send('POST', '/key/update', { key, ...fields }, key)
      expect(status, JSON.stringify(fields)).toBe(403)
    }
  })

  it('cannot lift a block', async () => {
    const { user, key } = await memberKey()
    const other = await newKey(lab, { user_id: user, blocked: true })
    expect((await lab.send('POST', '/key/unblock', { key: other }, key)).status).toBe(403)
    expect((await lab.send('POST', '/key/update', { key: other, blocked: false }, key)).status).toBe(403)
  })

  it('cannot make itself an admin, or richer, by its user', async () => {
    const { user, key } = await memberKey()
    const { key: _, ...fields } = await wishes()
    for (const [name, value] of Object.entries({ ...fields, user_role: 'proxy_admin', models: [], blocked: true })) {
      if (name === 'user_id') continue
      const { status } = await lab.send('POST', '/user/update', { user_id: user, [name]: value }, key)
      expect([400, 403], name).toContain(status)
    }
    expect((await lab.send('POST', '/user/update', { user_id: user, user_alias: 'Ann' }, key)).status).toBe(200)
  })

  it('learns nothing of others: their keys, users, teams and spend look as if they were not there', async () => {
    const { key } = await memberKey()
    const other = await memberKey({ key_alias: 'secret-alias' })
    const team = await newTeam(lab)
    const asked = [
      ['GET', `/key/info?key=${other.key}`],
      ['GET', `/user/info?user_id=${other.user}`],
      ['GET', `/team/info?team_id=${team}`],
      ['GET', `/team/members?team_id=${team}`],
      ['GET', `/spend/logs?user_id=${other.user}`],
      ['GET', `/spend/logs?api_key=${other.key}`],
      ['GET', `/spend/logs?team_id=${team}`],
      ['GET', `/spend/logs?end_user=x`],
      ['GET', `/spend/logs?tag=x`],
      ['GET', `/user/daily/activity?user_id=${other.user}`],
      ['GET', `/global/spend/report?team_id=${team}`],
      ['GET', `/key/list?user_id=${other.user}`],
      ['GET', `/key/list?team_id=${team}&user_id=${other.user}`],
    ] as const
    for (const [method, path] of asked) {
      const { status, text } = await lab.send(method, path, undefined, key)
      expect([403, 404], `${path} ${text}`).toContain(status)
    }
    for (const path of ['/key/list?return_full_object=true', '/user/list', '/key/list?key_alias=secret-alias']) {
      const { text } = await lab.send('GET', path, undefined, key)
      expect(text, path).not.toContain(other.user)
    }
    for (const field of ['keys', 'key_aliases']) {
      const names = field === 'keys' ? [other.key] : ['secret-alias']
      expect((await lab.send('POST', '/key/delete', { [field]: names }, key)).status).toBe(404)
    }
    expect(await lab.chat(other.key)).toBe(200)
  })
})

describe('an admin of a team', () => {
  async function leader(): Promise<{ readonly team: string; readonly key: string }> {
    const { user, key } = await memberKey()
    const team = await newTeam(lab)
    await lab.send('POST', '/team/member_add', { team_id: team, member: { user_id: user, role: 'admin' } })
    return { team, key }
  }

  it.each(['proxy_admin', 'proxy_admin_viewer'])(
    'gets no key of a %s whom it takes into the team',
    async (user_role) => {
      const { team, key } = await leader()
      const boss = await newUser(lab, { user_role })
      await lab.send('POST', '/team/member_add', { team_id: team, member: { user_id: boss } }, key)
      for (const key_type of ['default', 'management', 'llm_api', 'read_only', undefined]) {
        const { status, text } = await lab.send(
          'POST',
          '/key/generate',
          { team_id: team, user_id: boss, key_type },
          key,
        )
        expect([key_type, status, text.includes('"sk-')]).toEqual([key_type, 403, false])
      }
      const theirs = await newKey(lab, { team_id: team, user_id: boss })
      expect((await lab.send('POST', '/key/regenerate', { key: theirs }, key)).status).toBe(403)
    },
  )

  it('makes keys of its members for models only: none that manages what they manage elsewhere', async () => {
    const { team, key } = await leader()
    const { key: other, team: elsewhere } = await leader()
    const { body } = await lab.send('GET', '/key/info', undefined, other)
    const user = ((body as { info: Json }).info['user_id'] ?? '') as string
    await lab.send('POST', '/team/member_add', { team_id: team, member: { user_id: user } }, key)
    const wanted = { team_id: team, user_id: user }
    expect((await lab.send('POST', '/key/generate', { ...wanted, key_type: 'default' }, key)).param).toBe('key_type')
    const made = await lab.send('POST', '/key/generate', wanted, key)
    expect([made.status, made.body['key_type']]).toEqual([200, 'llm_api'])
    const text = String(made.body['key'])
    expect(await lab.chat(text)).toBe(200)
    expect((await lab.send('POST', '/team/update', { team_id: elsewhere, team_alias: 'mine' }, text)).status).toBe(403)
    const theirs = await newKey(lab, wanted)
    expect((await lab.send('POST', '/key/regenerate', { key: theirs }, key)).status).toBe(403)
    expect((await lab.send('POST', '/key/regenerate', { key: text }, key)).status).toBe(200)
  })
})

describe('a user of the host', () => {
  it('gets no key that makes it an admin, though the records say that it is one', async () => {
    const boss = await newUser(lab, { user_role: 'proxy_admin' })
    const theirs = await newKey(lab, { user_id: boss })
    const caller = hostCaller('member', { kind: 'user', id: boss })
    expect((await lab.send('POST', '/key/generate', {}, caller)).status).toBe(403)
    expect((await lab.send('POST', '/key/generate', { key_type: 'management' }, caller)).status).toBe(403)
    expect((await lab.send('POST', '/key/regenerate', { key: theirs }, caller)).status).toBe(403)
    expect((await lab.send('POST', '/key/generate', { key_type: 'llm_api' }, caller)).status).toBe(200)
  })
})

describe('an admin too', () => {
  it('is refused fields that are not written by anybody, by name', async () => {
    for (const [name, value] of Object.entries(unknownFields)) {
      const answer = await lab.send('POST', '/key/generate', { [name]: value })
      expect([answer.status, answer.param]).toEqual([400, name])
    }
  })

  it.each(['-1', 'NaN', 'Infinity', '1e400', '"5"', '[]', '{}', '9000001'])(
    'is refused a budget of %s',
    async (written) => {
      const value: unknown = written === 'NaN' ? Number.NaN : written === 'Infinity' ? Infinity : JSON.parse(written)
      const { status, param } = await lab.send('POST', '/key/generate', { max_budget: value })
      expect([status, param]).toEqual([400, 'max_budget'])
    },
  )
})

const evil = [
  `'; DROP TABLE sluice_records; --`,
  `" OR 1=1 --`,
  `%' UNION SELECT * FROM sluice_records WHERE '1'='1`,
  `\\'; SELECT pg_sleep(10); --`,
  '__proto__',
  'constructor',
  'toString',
  '${7*7}{{7*7}}<script>alert(1)</script>',
  '../../../etc/passwd',
  'a\u0000b',
  'line\nbreak',
  '\ud800',
  '💥'.repeat(60),
]

describe('strings that mean something elsewhere', () => {
  const writing = Object.keys(samples).filter((name) => !name.startsWith('GET '))

  it.each(writing)('%s: are data or a 4xx, in every field', async (name) => {
    const { body = {} } = (await samples[name]?.(lab)) ?? {}
    for (const field of Object.keys(body)) {
      for (const text of evil) {
        const value = Array.isArray(body[field]) ? [text] : text
        const { status, text: told } = await sendSample(lab, name, { body: { ...body, [field]: value } })
        expect(status, `${field}=${text}: ${told}`).toBeLessThan(500)
      }
    }
  })

  it.each(Object.keys(samples).filter((name) => name.startsWith('GET ')))('%s: in every parameter', async (name) => {
    const { query = {}, body } = (await samples[name]?.(lab)) ?? {}
    const fields = [...Object.keys(query), 'after', 'user_id', 'api_key', 'tag', 'key_alias']
    for (const field of fields) {
      for (const text of evil) {
        const { status, text: told } = await sendSample(lab, name, {
          query: { ...query, [field]: text },
          ...(body && { body }),
        })
        expect(status, `${field}=${text}: ${told}`).toBeLessThan(500)
      }
    }
  })

  it('come back as they were sent', async () => {
    for (const text of evil.slice(0, 4)) {
      const { status, body } = await lab.send('POST', '/team/new', { team_id: text, team_alias: text })
      expect([status, body['team_id'], body['team_alias']]).toEqual([200, text, text])
      const info = await lab.send('GET', `/team/info?${queryOf({ team_id: text })}`)
      expect([info.status, info.body['team_id']]).toEqual([200, text])
    }
  })

  it('change no prototype', async () => {
    const polluting: readonly unknown[] = ['metadata', 'aliases', 'model_max_budget'].map((field) =>
      JSON.parse(`{"${field}":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}`),
    )
    for (const body of [...polluting, JSON.parse('{"__proto__":{"max_budget":1}}')]) {
      const { status } = await lab.send('POST', '/key/generate', body)
      expect(status).toBeLessThan(500)
      const sent = await lab.send('POST', '/user/new', body)
      expect(sent.status).toBeLessThan(500)
    }
    expect(({} as Json)['polluted']).toBeUndefined()
    expect(({} as Json)['max_budget']).toBeUndefined()
  })

  it('refuses a parameter that is given twice', async () => {
    expect((await lab.send('GET', '/key/list?user_id=a&user_id=b')).param).toBe('user_id')
  })
})
