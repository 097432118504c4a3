import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../../src/index.js'
import { createMemoryCalls } from '../../../src/stores/memory-calls.js'
import { type AdminLab, type Json, startAdminLab } from './lab.js'

const planted = (name: string): string => `sk-planted-${name}-0123456789abcdef`

let lab: AdminLab
let settings: Record<string, Json>
beforeAll(async () => {
  lab = await startAdminLab({
    models: [
      {
        modelName: 'gpt-4o',
        model: 'fake/openai',
        apiKey: new Secret(planted('api-key')),
        baseUrl: `https://models.example.com/v1/${planted('url-path')}`,
        headers: { 'x-own': planted('header') },
        params: { user: planted('param') },
        organization: planted('organization'),
        info: { note: planted('info') },
        rpm: 60,
      },
    ],
    masterKey: planted('master-key'),
    keys: { salt: planted('salt'), cacheTtlMs: 1_000 },
    encryptionKeys: [{ id: 'first', key: '5a'.repeat(32) }],
    stores: { calls: createMemoryCalls() },
    routing: { fallbacks: { 'gpt-4o': ['other'] }, cooldown: { durationMs: 7_000 } },
    cache: { ttlMs: 5_000, namespace: planted('namespace') },
    spend: { journalDirectory: undefined, everybody: { budget: { maxBudget: 9, budgetDuration: '30d' } } },
    guardrails: [
      { type: 'words', name: 'words', words: [planted('word')] },
      { type: 'http', name: 'judge', url: `https://judge.example.com/?key=${planted('judge-url')}` },
    ],
    hooks: { beforeCall: () => undefined },
    callbacks: {
      bodies: 'by_scope',
      sinks: [
        { type: 'langfuse', publicKey: planted('public-key'), secretKey: planted('secret-key') },
        { type: 'webhook', name: 'ours', url: `https://hooks.example.com/${planted('hook-path')}` },
        { type: 'slack', webhookUrl: `https://hooks.example.com/${planted('slack-path')}` },
      ],
    },
    timeouts: { total: 1_234 },
    callerEndpoints: { allow: ['api.example.com'] },
    credentials: () => 'platform',
    env: { OPENAI_API_KEY: planted('environment') },
  })
  const answer = await lab.send('GET', '/settings', undefined, planted('master-key'))
  expect(answer.status, answer.text).toBe(200)
  expect(answer.text).not.toContain('planted-')
  expect(answer.text).not.toContain('5a5a')
  settings = answer.body as Record<string, Json>
})
afterAll(() => lab.close())

describe('the settings', () => {
  it('tell what is in force, defaults included', () => {
    expect(settings['gateway']).toMatchObject({ node: process.version, maxBodyBytes: 20_971_520, dropParams: false })
    expect(settings['timeouts']).toMatchObject({ total: 1_234, connect: 10_000 })
    expect(settings['routing']).toMatchObject({
      strategy: 'simple-shuffle',
      fallbacks: { 'gpt-4o': ['other'] },
      retry: { retries: 2, maxAttempts: 6 },
      cooldown: { durationMs: 7_000, consecutiveFailures: 3 },
    })
    expect(settings['cache']).toMatchObject({ ttlMs: 5_000, maxEntryBytes: 1_048_576, namespace: '***' })
    expect(settings['spend']).toMatchObject({ ledger: true, everybody: { budget: { maxBudget: 9 } } })
  })

  it('tell where things are kept, and what is set without what it is set to', () => {
    expect(settings['stores']).toMatchObject({ calls: "the host's", ledger: 'memory of this process' })
    expect(settings['access']).toMatchObject({ masterKey: '***', keys: { salt: '***', cacheTtlMs: 1_000 } })
    expect(settings['access']?.['encryptionKeys']).toEqual(['first'])
    expect(settings['hooks']).toEqual(['beforeCall'])
    expect(settings['guardrails']).toMatchObject([
      { type: 'words', name: 'words', words: ['***'], defaultOn: true },
      { type: 'http', url: '***' },
    ])
    expect(settings['callbacks']?.['bodies']).toBe('by_scope')
    expect(settings['callbacks']?.['sinks']).toMatchObject([
      { type: 'langfuse', secretKey: '***' },
      { type: 'webhook', name: 'ours', url: '***', on: 'all' },
      { type: 'slack' },
    ])
    const { list } = settings['models'] as { list: Json[] }
    expect(list).toMatchObject([
      { modelName: 'gpt-4o', apiKey: '***', baseUrl: 'https://models.example.com/v1/…', rpm: 60 },
    ])
    expect(list[0]?.['headers']).toEqual({ 'x-own': '***' })
  })

  it('are told to admins alone', async () => {
    const key = await newKeyOf(lab)
    expect((await lab.send('GET', '/settings', undefined, key)).status).toBe(403)
    expect((await lab.send('GET', '/settings', undefined, '')).status).toBe(401)
  })
})

async function newKeyOf(admin: AdminLab): Promise<string> {
  const { body } = await admin.send('POST', '/key/generate', {}, planted('master-key'))
  return String(body['key'])
}
