import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdminLab, startAdminLab } from './lab.js'
import { newKey, newTeam, newUser } from './samples.js'

let lab: AdminLab
beforeAll(async () => {
  lab = await startAdminLab()
})
afterAll(() => lab.close())

describe('POST /key/generate', () => {
  it('answers as LiteLLM does', async () => {
    const before = Date.now()
    const { status, body } = await lab.send('POST', '/key/generate', {
      models: ['gpt-4o'],
      duration: '20m',
      metadata: { user: 'x@y' },
    })
    expect(status).toBe(200)
    const { key, token, expires } = body
    expect(key).toMatch(/^sk-[\w-]{22,}$/)
    expect(body).toMatchObject({
      key_name: `sk-...${String(key).slice(-4)}`,
      token_id: token,
      models: ['gpt-4o'],
      metadata: { user: 'x@y' },
      aliases: {},
      user_id: null,
      team_id: null,
      key_alias: null,
      max_budget: null,
      budget_duration: null,
      tpm_limit: null,
      rpm_limit: null,
      spend: 0,
    })
    const lasts = Date.parse(String(expires)) - before
    expect(lasts).toBeGreaterThanOrEqual(20 * 60_000)
    expect(lasts).toBeLessThan(21 * 60_000)
  })

  it('gives keys that open their models and no others', async () => {
    const { body } = await lab.send('POST', '/key/generate', { models: ['gpt-4o'] })
    const key = String(body['key'])
    expect(await lab.chat(key)).toBe(200)
    expect(await lab.chat(key, 'other')).toBe(403)
  })
})

describe('POST /key/bulk_update', () => {
  it('changes each key by itself, and tells of those that it could not change without their texts', async () => {
    const [one, two] = [await newKey(lab), await newKey(lab, { max_budget: 1 })]
    const unknown = 'sk-unknown-0123456789'
    const keys = [
      { key: one, max_budget: 7 },
      { key: unknown, tags: ['x'] },
      { key: two, max_budget: null },
    ]
    const { status, body, text } = await lab.send('POST', '/key/bulk_update', { keys })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      total_requested: 3,
      successful_updates: [{ key_info: { max_budget: 7 } }, { key_info: { max_budget: null } }],
      failed_updates: [{ key: expect.stringMatching(/^[0-9a-f]{64}$/), failed_reason: 'There is no such key.' }],
    })
    for (const secret of [one, two, unknown]) expect(text).not.toContain(secret)
    expect((await lab.send('GET', `/key/info?key=${one}`)).body).toMatchObject({ info: { max_budget: 7 } })
  })

  it('changes no key for somebody whose key it is not, and nothing at all with a field that is none', async () => {
    const [mine, other] = [await newKey(lab, { user_id: await newUser(lab) }), await newKey(lab)]
    const { body } = await lab.send('POST', '/key/bulk_update', { keys: [{ key: other, key_alias: 'stolen' }] }, mine)
    expect(body).toMatchObject({ successful_updates: [], failed_updates: [{ failed_reason: 'There is no such key.' }] })
    const keys = [
      { key: other, key_alias: 'stolen' },
      { key: other, spend: 0 },
    ]
    expect((await lab.send('POST', '/key/bulk_update', { keys })).status).toBe(400)
    expect((await lab.send('GET', `/key/info?key=${other}`)).body).toMatchObject({ info: { key_alias: null } })
  })
})

describe('GET /key/aliases', () => {
  it('lists aliases by page, those of a team, and those that contain a text', async () => {
    const team = await newTeam(lab)
    for (const name of ['Alpha-1', 'alpha-2', 'beta']) await newKey(lab, { key_alias: `al-${name}`, team_id: team })
    await newKey(lab, { team_id: team })
    const ask = async (query: string) => (await lab.send('GET', `/key/aliases?${query}`)).body
    expect(await ask(`team_id=${team}`)).toEqual({
      aliases: ['al-beta', 'al-alpha-2', 'al-Alpha-1'],
      total_count: 3,
      current_page: 1,
      total_pages: 1,
      size: 50,
    })
    expect(await ask(`team_id=${team}&size=2&page=2`)).toMatchObject({ aliases: ['al-Alpha-1'], total_pages: 2 })
    expect(await ask('search=AL-ALPHA')).toMatchObject({ aliases: ['al-alpha-2', 'al-Alpha-1'], total_count: 2 })
  })

  it('tells a member of its own alone', async () => {
    const user = await newUser(lab)
    const key = await newKey(lab, { user_id: user, key_alias: 'al-own' })
    await newKey(lab, { key_alias: 'al-other' })
    expect((await lab.send('GET', '/key/aliases', undefined, key)).body).toMatchObject({ aliases: ['al-own'] })
  })
})

describe('limits of one model in a key', () => {
  it('let in so many requests of that model a minute, and others as before', async () => {
    const key = await newKey(lab, { model_rpm_limit: { 'gpt-*': 2 }, model_tpm_limit: { other: 100_000 } })
    expect([await lab.chat(key), await lab.chat(key), await lab.chat(key)]).toEqual([200, 200, 429])
    expect(await lab.chat(key, 'other')).toBe(200)
    expect((await lab.send('GET', `/key/info?key=${key}`)).body).toMatchObject({
      info: { model_rpm_limit: { 'gpt-*': 2 }, model_tpm_limit: { other: 100_000 } },
    })
    await lab.send('POST', '/key/update', { key, model_rpm_limit: null, model_tpm_limit: { 'gpt-4o': 1 } })
    expect(await lab.chat(key)).toBe(429)
    expect(await lab.chat(key, 'other')).toBe(200)
  })

  it('are refused where they are no limits', async () => {
    const { status, param } = await lab.send('POST', '/key/generate', { model_rpm_limit: { 'gpt-4o': -1 } })
    expect(status).toBe(400)
    expect(param).toContain('model_rpm_limit')
  })
})
