import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdminLab, startAdminLab } from './lab.js'

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
