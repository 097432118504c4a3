import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type AdminLab, type Json, startAdminLab } from './lab.js'
import { newKey, newTeam, newUser } from './samples.js'

let lab: AdminLab
let ann: string
let bob: string
let lead: string
let annUser: string
beforeAll(async () => {
  lab = await startAdminLab({ callbacks: { sinks: [], bodies: true } })
  const team = await newTeam(lab)
  annUser = await newUser(lab)
  ann = await newKey(lab, { user_id: annUser, team_id: team, tags: ['nightly'] })
  bob = await newKey(lab, { user_id: await newUser(lab), models: ['gpt-4o'] })
  const leader = await newUser(lab)
  await lab.send('POST', '/team/member_add', { team_id: team, member: { user_id: leader, role: 'admin' } })
  lead = await newKey(lab, { user_id: leader })
  expect(await lab.chat(ann)).toBe(200)
  expect(await lab.chat(ann, 'other')).toBe(200)
  expect(await lab.chat(bob, 'other')).toBe(403)
  expect(await lab.chat(bob, 'nothing')).toBe(404)
  lab.upstream.script('status-500', 'status-500', 'status-500', 'status-500')
  expect(await lab.chat(bob)).toBe(502)
  await vi.waitFor(async () => expect(await find('')).toHaveLength(5), 5_000)
})
afterAll(() => lab.close())

async function find(query: string, as?: string): Promise<readonly Json[]> {
  const { body } = await lab.send('GET', `/calls?${query}`, undefined, as)
  return body['data'] as Json[]
}

const outcomesOf = (calls: readonly Json[]): readonly string[] => calls.map(({ outcome }) => String(outcome))

describe('the log of calls', () => {
  it('tells refused and failed calls beside the others, the latest first', async () => {
    const calls = await find('')
    expect(outcomesOf(calls).toSorted()).toEqual([
      'answered',
      'answered',
      'model_not_found',
      'not_allowed',
      'upstream_error',
    ])
    const ends = calls.map(({ endTime }) => String(endTime))
    expect(ends).toEqual(ends.toSorted().toReversed())
    expect(calls.find(({ outcome }) => outcome === 'model_not_found')).toMatchObject({
      status: 'failure',
      http_status: 404,
      requested_model: 'nothing',
      attempt_count: 0,
    })
    expect(calls.find(({ model_group: group, status }) => group === 'gpt-4o' && status === 'success')).toMatchObject({
      user: annUser,
      attempt_count: 1,
    })
  })

  it('narrows by key, tag, model, outcome, status and time, one or several at once', async () => {
    expect(await find(`api_key=${bob}`)).toHaveLength(3)
    expect(await find('tag=nightly')).toHaveLength(2)
    expect(await find('tag=nightly&model_group=other')).toHaveLength(1)
    expect(outcomesOf(await find('model_group=other')).toSorted()).toEqual(['answered', 'not_allowed'])
    expect(await find('outcome=not_allowed')).toHaveLength(1)
    expect(outcomesOf(await find(`status_filter=failure&api_key=${bob}&model_group=gpt-4o`))).toEqual([
      'upstream_error',
    ])
    expect(await find('end_date=2020-01-01')).toEqual([])
    expect((await lab.send('GET', '/calls?outcome=unheard')).status).toBe(400)
  })

  it('is read page by page', async () => {
    const { body } = await lab.send('GET', '/calls?limit=4')
    expect(body['has_more']).toBe(true)
    expect(await find(`limit=4&after=${String(body['next'])}`)).toHaveLength(1)
  })

  it('tells one call with its attempts, price lines and bodies', async () => {
    const [failed] = await find('outcome=upstream_error')
    const [answered] = await find('outcome=answered')
    const { body: first } = await lab.send('GET', `/calls/${String(failed?.['id'])}`)
    expect(first['attempts']).toMatchObject([
      { reason: 'first', outcome: 'failed', error: { status: 502 } },
      { reason: 'retry', outcome: 'failed' },
      { reason: 'retry', outcome: 'failed' },
    ])
    const { body: second } = await lab.send('GET', `/calls/${String(answered?.['id'])}`)
    expect(second['price_lines']).toMatchObject([{ bucket: 'inputUncached' }, { bucket: 'outputText' }])
    expect(second['request']).toMatchObject({ messages: [{ role: 'user', content: 'hi' }] })
    expect(second['response']).toMatchObject({ choices: [{ message: { role: 'assistant' } }] })
  })

  it('shows a member its own calls, and the head of a team those of the team', async () => {
    expect(await find('', bob)).toHaveLength(3)
    expect(await find('', ann)).toHaveLength(2)
    expect((await lab.send('GET', `/calls?user_id=${annUser}`, undefined, bob)).status).toBe(403)
    const [hers] = await find('', ann)
    const path = `/calls/${String(hers?.['id'])}`
    expect((await lab.send('GET', path, undefined, ann)).status).toBe(200)
    expect((await lab.send('GET', path, undefined, bob)).status).toBe(404)
    expect((await lab.send('GET', path, undefined, lead)).status).toBe(200)
  })
})

describe('a gateway without a log of calls', () => {
  it('says so', async () => {
    const quiet = await startAdminLab({ callLog: false })
    expect((await quiet.send('GET', '/calls')).status).toBe(404)
    await quiet.close()
  })
})
