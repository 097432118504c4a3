import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LedgerEntry } from '../../../src/ports/ledger.js'
import { createMemoryLedger } from '../../../src/stores/memory-ledger.js'
import { sampleEntry } from '../../../src/testing/contracts/sample-entry.js'
import { type AdminLab, type Json, hostCaller, queryOf, startAdminLab } from './lab.js'
import { newKey, newTag, newTeam, newUser } from './samples.js'

const ledger = createMemoryLedger()
let lab: AdminLab
beforeAll(async () => {
  lab = await startAdminLab({ stores: { ledger } })
})
afterAll(() => lab.close())

describe('answers from the cache', () => {
  it('are counted by day', async () => {
    const cached = await startAdminLab({ cache: true })
    const key = await newKey(cached)
    for (let count = 0; count < 3; count++) expect(await cached.chat(key)).toBe(200)
    const { body } = await cached.send('GET', '/user/daily/activity')
    expect(body['metadata']).toMatchObject({ total_api_requests: 3, total_cache_hits: 2 })
    expect(body['results']).toMatchObject([{ metrics: { api_requests: 3, cache_hits: 2 } }])
    await cached.close()
  })
})

describe('what a call cost', () => {
  it('is in the logs, the sums and the key, the same everywhere', async () => {
    const [user, team, tag] = [await newUser(lab), await newTeam(lab), await newTag(lab)]
    const key = await newKey(lab, { user_id: user, team_id: team, tags: [tag], max_budget: 100 })
    for (let count = 0; count < 3; count++) expect(await lab.chat(key)).toBe(200)
    const info = (await lab.send('GET', `/key/info?key=${key}`)).body
    const logs = (await lab.send('GET', `/spend/logs?api_key=${key}`)).list
    expect(logs).toHaveLength(3)
    const [log] = logs
    expect(log).toMatchObject({
      api_key: info['key'],
      user,
      team_id: team,
      model_group: 'gpt-4o',
      custom_llm_provider: 'fake',
      status: 'success',
      cache_hit: 'False',
      call_type: 'chat',
    })
    // 2.5 and 10 dollars per million tokens.
    const [input, output] = [Number(log?.['prompt_tokens']), Number(log?.['completion_tokens'])]
    expect(input * output).toBeGreaterThan(0)
    const each = (input * 2_500_000 + output * 10_000_000) / 1e12
    expect(log?.['spend']).toBe(each)
    const total = Number((each * 3).toFixed(12))
    expect((info['info'] as Json)['spend']).toBe(total)
    const rowOf = async (path: string, field: string, id: unknown): Promise<unknown> =>
      (await lab.send('GET', path)).list.find((row) => row[field] === id)?.['spend']
    expect(await rowOf('/spend/keys', 'api_key', info['key'])).toBe(total)
    expect(await rowOf('/spend/users', 'user_id', user)).toBe(total)
    expect(await rowOf('/spend/teams', 'team_id', team)).toBe(total)
    expect(await rowOf('/spend/tags', 'individual_request_tag', tag)).toBe(total)
    const [day] = (await lab.send('GET', `/global/spend/report?group_by=team&team_id=${team}`)).list
    expect(day).toMatchObject({
      teams: [
        { team_name: team, total_spend: total, metadata: [{ model: 'gpt-4o', spend: total, api_key: info['key'] }] },
      ],
    })
    const activity = (await lab.send('GET', `/user/daily/activity?user_id=${user}`)).body
    expect(activity['metadata']).toMatchObject({
      total_spend: total,
      total_api_requests: 3,
      total_successful_requests: 3,
      total_tokens: 3 * (input + output),
    })
    const [result] = activity['results'] as Json[]
    expect(result?.['breakdown']).toMatchObject({
      models: { 'gpt-4o': { metrics: { spend: total } } },
      providers: { fake: { metrics: { spend: total } } },
      api_keys: { [String(info['key'])]: { metrics: { spend: total } } },
    })
  })

  it('is seen by whoever spent it, and only by them', async () => {
    const [mine, theirs] = [await newUser(lab), await newUser(lab)]
    const [key, other] = [await newKey(lab, { user_id: mine }), await newKey(lab, { user_id: theirs })]
    await lab.chat(key)
    await lab.chat(other)
    const logs = (await lab.send('GET', '/spend/logs', undefined, key)).list
    expect(logs.map(({ user }) => user)).toEqual([mine])
    const asHost = hostCaller('member', { kind: 'user', id: mine })
    expect((await lab.send('GET', '/spend/logs/v2', undefined, asHost)).body['data']).toHaveLength(1)
    expect((await lab.send('GET', '/spend/users', undefined, key)).list.map(({ user_id }) => user_id)).toEqual([mine])
    expect((await lab.send('GET', '/spend/keys', undefined, key)).list).toHaveLength(1)
    expect((await lab.send('GET', '/spend/logs', undefined, hostCaller('member'))).status).toBe(403)
  })
})

describe('GET /spend/logs', () => {
  const entry = (own: Partial<LedgerEntry> & Pick<LedgerEntry, 'id'>): LedgerEntry =>
    sampleEntry({ scopes: [{ kind: 'user', id: 'pager' }], ...own })

  it('pages over rows that keep coming: none twice, none of the first ones missing', async () => {
    const at = Date.parse('2026-11-01T00:00:00Z')
    const rows = Array.from({ length: 25 }, (_, index) => entry({ id: `row-${index}`, at: at + (index % 7) * 1_000 }))
    await ledger.append(rows)
    const seen: unknown[] = []
    let after: string | undefined
    for (let page = 0; page < 20; page++) {
      const query = queryOf({ user_id: 'pager', page_size: '4', ...(after !== undefined && { after }) })
      const answer = await lab.send('GET', `/spend/logs?${query}`)
      seen.push(...answer.list.map(({ id }) => id))
      after = answer.headers['x-sluice-next']
      if (after === undefined) break
      await ledger.append([entry({ id: `late-${page}`, at: at + 100_000 + page })])
    }
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toHaveLength(25)
  })

  it('narrows by time, status, model, request and customer', async () => {
    const scopes = [{ kind: 'customer', id: 'acme' }] as const
    const at = Date.parse('2026-10-05T12:00:00Z')
    await ledger.append([
      entry({ id: 'f1', callId: 'call-1', at, scopes, modelName: 'a', failure: 'timeout', status: 504 }),
      entry({ id: 'f2', callId: 'call-1', at: at + 1_000, scopes, modelName: 'b' }),
      entry({ id: 'f3', callId: 'call-2', at: at + 86_400_000, scopes, modelName: 'b', priced: false }),
    ])
    const idsOf = async (query: string): Promise<unknown[]> =>
      (await lab.send('GET', `/spend/logs?end_user=acme&${query}`)).list.map(({ id }) => id)
    expect(await idsOf('')).toEqual(['f3', 'f2', 'f1'])
    expect(await idsOf('status_filter=failure')).toEqual(['f1'])
    expect(await idsOf('model_group=b&status_filter=success')).toEqual(['f3', 'f2'])
    expect(await idsOf('request_id=call-1')).toEqual(['f2', 'f1'])
    expect(await idsOf('priced=false')).toEqual(['f3'])
    expect(await idsOf('start_date=2026-10-05&end_date=2026-10-05')).toEqual(['f2', 'f1'])
    expect(await idsOf(`end_date=${encodeURIComponent('2026-10-05 12:00:00')}`)).toEqual(['f1'])
    expect(await idsOf('start_date=2026-10-06T00:00:00%2B00:00')).toEqual(['f3'])
    const wrong = await lab.send('GET', '/spend/logs?start_date=yesterday')
    expect([wrong.status, wrong.param]).toEqual([400, 'start_date'])
    expect((await lab.send('GET', '/spend/logs?user_id=a&team_id=b')).status).toBe(400)
    expect((await lab.send('GET', '/spend/teams?start_date=2026-10-06&end_date=2026-10-05')).status).toBe(400)
  })

  it('counts pages the way LiteLLM’s clients ask for them', async () => {
    const rows = Array.from({ length: 5 }, (_, index) =>
      entry({ id: `n${index}`, scopes: [{ kind: 'user', id: 'counter' }] }),
    )
    await ledger.append(rows)
    const { body } = await lab.send('GET', '/spend/logs/v2?user_id=counter&page=3&page_size=2')
    expect(body).toMatchObject({ total: 5, page: 3, page_size: 2, total_pages: 3 })
    expect(body['data']).toHaveLength(1)
  })

  it('tells money to the pico-dollar', async () => {
    await ledger.append([entry({ id: 'exact', scopes: [{ kind: 'team', id: 'exact' }], charged: 999_123456789012n })])
    const [row] = (await lab.send('GET', '/spend/logs?team_id=exact')).list
    expect(row?.['spend']).toBe(999.123456789012)
  })
})

describe('POST /cost/estimate', () => {
  it('answers by request, day and month', async () => {
    const { body } = await lab.send('POST', '/cost/estimate', {
      model: 'gpt-4o',
      input_tokens: 1_000,
      output_tokens: 500,
      num_requests_per_day: 100,
      num_requests_per_month: 3_000,
    })
    expect(body).toMatchObject({
      model: 'gpt-4o',
      provider: 'fake',
      cost_per_request: 0.0075,
      input_cost_per_request: 0.0025,
      output_cost_per_request: 0.005,
      daily_cost: 0.75,
      monthly_cost: 22.5,
    })
  })

  it('refuses models that do not exist, that the caller may not use, and sizes that are none', async () => {
    const body = { model: 'nothing', input_tokens: 1, output_tokens: 1 }
    expect((await lab.send('POST', '/cost/estimate', body)).status).toBe(404)
    const key = await newKey(lab, { models: ['other'] })
    expect((await lab.send('POST', '/cost/estimate', { ...body, model: 'gpt-4o' }, key)).status).toBe(403)
    expect((await lab.send('POST', '/cost/estimate', { ...body, model: 'other' }, key)).status).toBe(200)
    const wrong = await lab.send('POST', '/cost/estimate', { ...body, input_tokens: -1 })
    expect([wrong.status, wrong.param]).toEqual([400, 'input_tokens'])
  })
})

describe('POST /spend/calculate', () => {
  const calculate = (body: Json, as?: string) => lab.send('POST', '/spend/calculate', body, as)

  it('tells what an answer has cost', async () => {
    const usage = { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 }
    const { body } = await calculate({ completion_response: { id: 'x', model: 'gpt-4o', usage, choices: [] } })
    expect(body).toEqual({ cost: 0.0075, priced: true })
    const input = { prompt_tokens: 1_000, completion_tokens: 0, total_tokens: 1_000 }
    expect((await calculate({ model: 'gpt-4o', completion_response: { usage: input } })).body['cost']).toBe(0.0025)
  })

  it('tells what the input of messages costs', async () => {
    const short = await calculate({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] })
    const long = await calculate({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello '.repeat(1_000) }] })
    expect(Number(short.body['cost'])).toBeGreaterThan(0)
    expect(Number(long.body['cost'])).toBeGreaterThan(100 * Number(short.body['cost']))
  })

  it('refuses what names no model, nothing to count, or a model that the caller may not use', async () => {
    const messages = [{ role: 'user', content: 'Hello' }]
    expect((await calculate({ messages })).param).toBe('model')
    expect((await calculate({ model: 'gpt-4o' })).param).toBe('messages')
    expect((await calculate({ model: 'gpt-4o', messages }, await newKey(lab, { models: ['other'] }))).status).toBe(403)
  })
})

describe('a ledger that does not answer', () => {
  it('is a 503 that tells nothing of why', async () => {
    const broken = { ...createMemoryLedger(), query: () => Promise.reject(new Error('password of the database')) }
    const own = await startAdminLab({ stores: { ledger: broken } })
    const { status, text } = await own.send('GET', '/spend/logs')
    expect(status).toBe(503)
    expect(text).not.toContain('password')
    await own.close()
  })
})
