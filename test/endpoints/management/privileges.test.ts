import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { managementEndpoints } from '../../../src/endpoints/management/index.js'
import type { AdminParts } from '../../../src/endpoints/management/parts.js'
import { type AdminLab, hostCaller, startAdminLab } from './lab.js'
import { newKey, newUser, samples, sendSample } from './samples.js'

const routes = managementEndpoints({ callers: {}, models: {} } as AdminParts)
const names = routes.map(({ method, paths }) => `${method} ${paths[0]}`)

let lab: AdminLab
beforeAll(async () => {
  lab = await startAdminLab()
})
afterAll(() => lab.close())

/** What a member without any place gets of records that are not its own; everything that is not here must be refused. */
const openToMembers: ReadonlySet<string> = new Set([
  // Its own keys, itself, nothing.
  'GET /key/list',
  'GET /key/aliases',
  // Tells by key that it may not.
  'POST /key/bulk_update',
  'GET /user/list',
  'GET /team/list',
  'GET /organization/list',
  // Of the models that it may use.
  'GET /model/info',
  'POST /cost/estimate',
  'POST /spend/calculate',
  // Its own calls and spend.
  'GET /calls',
  'GET /spend/logs',
  'GET /spend/logs/v2',
  'GET /spend/keys',
  'GET /spend/users',
  'GET /spend/teams',
  'GET /spend/tags',
  'GET /global/spend/report',
  'GET /user/daily/activity',
])

describe('every route of the table', () => {
  it('has a sample here, and no other has', () => {
    expect(Object.keys(samples).toSorted()).toEqual([...new Set(names)].toSorted())
  })

  it('is closed to strangers unless it says otherwise', () => {
    expect(routes.filter(({ access }) => access !== 'caller' && access !== 'admin')).toEqual([])
  })

  it.each(names)('%s: 401 for nobody, 401 for an unknown key', async (name) => {
    const sample = await samples[name]?.(lab)
    for (const as of ['', 'sk-unknown-0123456789']) {
      const { status } = await sendSample(lab, name, sample ?? {}, as)
      expect(status, as).toBe(401)
    }
  })

  it.each(names)('%s: works for an admin', async (name) => {
    const sample = await samples[name]?.(lab)
    const { status, text } = await sendSample(lab, name, sample ?? {})
    expect(status, text).toBe(200)
  })

  it.each(names)('%s: refused to a member, unless it is about the member itself', async (name) => {
    const user = await newUser(lab)
    const asKey = await newKey(lab, { user_id: user })
    const asHost = hostCaller('member', { kind: 'user', id: user })
    const onlyLooks = await newKey(lab, { user_id: await newUser(lab, { user_role: 'internal_user_viewer' }) })
    for (const as of [asKey, asHost, onlyLooks, hostCaller('member')]) {
      const sample = await samples[name]?.(lab)
      const { status, text } = await sendSample(lab, name, sample ?? {}, as)
      const expected = openToMembers.has(name) ? [200, 403] : [403, 404]
      expect(expected, `${status} ${text}`).toContain(status)
    }
  })

  it.each(names.filter((name) => openToMembers.has(name)))('%s: open to a member', async (name) => {
    const asKey = await newKey(lab, { user_id: await newUser(lab) })
    expect((await sendSample(lab, name, (await samples[name]?.(lab)) ?? {}, asKey)).status).toBe(200)
  })

  it.each(names.filter((name) => name.startsWith('GET ')))('%s: seen by a viewer', async (name) => {
    const viewer = await newKey(lab, { user_id: await newUser(lab, { user_role: 'proxy_admin_viewer' }) })
    expect((await sendSample(lab, name, (await samples[name]?.(lab)) ?? {}, viewer)).status).toBe(200)
  })

  it.each(names.filter((name) => !name.startsWith('GET ') && !openToMembers.has(name)))(
    '%s: not written by a viewer',
    async (name) => {
      const viewer = await newKey(lab, { user_id: await newUser(lab, { user_role: 'proxy_admin_viewer' }) })
      const { status } = await sendSample(lab, name, (await samples[name]?.(lab)) ?? {}, viewer)
      const looks = ['POST /budget/info', 'POST /tag/info', 'POST /v2/key/info'].includes(name)
      expect(status).toBe(looks ? 200 : 403)
    },
  )

  it.each([...new Set(routes.flatMap(({ paths }) => paths))])('%s: 405 for every other method', async (path) => {
    const allowed = new Set<string>(routes.filter(({ paths }) => paths.includes(path)).map(({ method }) => method))
    const target = path.replace(/\{\w+\}/g, 'x')
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !allowed.has(one))) {
      expect((await lab.send(method, target, {})).status, method).toBe(405)
    }
  })

  const withFields = names.filter((name) => name !== 'GET /audit/{id}')
  it.each(withFields)('%s: 400 naming a field that it does not know', async (name) => {
    const sample = (await samples[name]?.(lab)) ?? {}
    const isQuery = name.startsWith('GET ')
    const strange = isQuery
      ? { ...sample, query: { ...sample.query, is_admin: 'true' } }
      : { body: { ...sample.body, is_admin: true } }
    const { status, param } = await sendSample(lab, name, strange)
    expect([status, param]).toEqual([400, 'is_admin'])
  })
})
