import { describe, expect, it } from 'vitest'
import {
  type GroupKind,
  addMember,
  createGroup,
  createKey,
  deleteGroup,
  findMembers,
  removeMember,
  setGroupBlocked,
  updateGroup,
  updateMember,
  viewGroup,
} from '../../src/keys/management/index.js'
import { callerOf, refusalOf } from './lab.js'
import { createLab, hostUser, outcomeOf } from './management-lab.js'

const kinds = ['user', 'team', 'organization', 'customer', 'budget', 'tag'] as const

/** An organization `acme` with its admin `olga`, its team `blue` with its admin `tim`, and `ann` in it. */
async function company() {
  const lab = createLab()
  const admin = await lab.admin()
  await createGroup(admin, { kind: 'organization', id: 'acme', data: {} }, lab.parts)
  await createGroup(admin, { kind: 'organization', id: 'other', data: {} }, lab.parts)
  const olga = { group: { organization: 'acme' }, user: 'olga', fields: { role: 'org_admin' as const } }
  await addMember(admin, olga, lab.parts)
  await lab.team('blue', { organization_id: 'acme' })
  await lab.team('red', { organization_id: 'other' })
  await lab.member('blue', 'tim', { role: 'admin' })
  await lab.member('blue', 'ann')
  return lab
}

describe('groups of callers', () => {
  it.each(kinds)('lets an admin make, read, change and delete a %s', async (kind: GroupKind) => {
    const { admin, parts, audit } = createLab()
    const actor = await admin()
    const { id } = await createGroup(actor, { kind, data: {} }, parts)
    await updateGroup(actor, { kind, id, fields: { max_budget: 3 } }, parts)
    const { data, version } = await viewGroup(actor, { kind, id }, parts)
    expect(data).toMatchObject({ max_budget: 3 })
    expect(await outcomeOf(updateGroup(actor, { kind, id, fields: {}, version: version - 1 }, parts))).toBe('conflict')
    expect(await outcomeOf(createGroup(actor, { kind, id, data: {} }, parts))).toBe('conflict')
    await deleteGroup(actor, { kind, id }, parts)
    expect(await outcomeOf(viewGroup(actor, { kind, id }, parts))).toBe('not_found')
    const isBlockedFirst = kind !== 'budget' && kind !== 'tag'
    expect((await audit()).map(({ action }) => action)).toEqual([
      'deleted',
      ...(isBlockedFirst ? ['blocked'] : []),
      'updated',
      'created',
    ])
  })

  it.each(kinds)('lets nobody else make, change or delete a %s', async (kind) => {
    const { admin, user, parts } = createLab()
    await createGroup(await admin(), { kind, id: 'it', data: {} }, parts)
    const actor = await user('mallory')
    const attempts = [
      createGroup(actor, { kind, data: {} }, parts),
      updateGroup(actor, { kind, id: 'it', fields: {} }, parts),
      deleteGroup(actor, { kind, id: 'it' }, parts),
      viewGroup(actor, { kind, id: 'it' }, parts),
    ]
    expect(await Promise.all(attempts.map(outcomeOf))).toEqual(['permission', 'not_found', 'not_found', 'not_found'])
  })

  it('lets users write their name, and never their role or limits', async () => {
    const { admin, user, parts } = createLab()
    await createGroup(await admin(), { kind: 'user', id: 'ann', data: {} }, parts)
    const ann = await user('ann')
    await updateGroup(ann, { kind: 'user', id: 'ann', fields: { user_alias: 'Ann' } }, parts)
    for (const fields of [{ user_role: 'proxy_admin' as const }, { max_budget: 9 }, { models: [] }, { metadata: {} }]) {
      const name = Object.keys(fields)[0]
      expect(await outcomeOf(updateGroup(ann, { kind: 'user', id: 'ann', fields }, parts))).toBe(`permission ${name}`)
    }
  })

  it('lets the admin of an organization run its teams, and no others', async () => {
    const { user, parts } = await company()
    const olga = await user('olga')
    const make = (organization_id?: string) => createGroup(olga, { kind: 'team', data: { organization_id } }, parts)
    const made = await make('acme')
    expect(await outcomeOf(make('other'))).toBe('permission')
    expect(await outcomeOf(make())).toBe('permission')
    await updateGroup(await user('olga'), { kind: 'team', id: made.id, fields: { max_budget: 3 } }, parts)
    const change = (id: string, fields: object) => outcomeOf(updateGroup(olga, { kind: 'team', id, fields }, parts))
    expect(await change('blue', { organization_id: null })).toBe('permission organization_id')
    expect(await change('blue', { metadata: { allowedModelRegion: 'us' } })).toBe(
      'permission metadata.allowedModelRegion',
    )
    expect(await change('red', { max_budget: 3 })).toBe('not_found')
    const own = { kind: 'organization', id: 'acme', fields: { max_budget: 3 } } as const
    expect(await outcomeOf(updateGroup(olga, own, parts))).toBe('permission max_budget')
    expect((await findMembers(olga, { group: { team: made.id } }, parts)).records).toMatchObject([
      { data: { user_id: 'olga', role: 'admin' } },
    ])
    await deleteGroup(olga, { kind: 'team', id: made.id }, parts)
    expect(await outcomeOf(deleteGroup(olga, { kind: 'organization', id: 'acme' }, parts))).toBe('permission')
  })

  it('lets the admin of a team change its members and names, and no money', async () => {
    const { user, parts } = await company()
    const tim = await user('tim')
    const group = { team: 'blue' }
    await addMember(tim, { group, user: 'new', fields: {} }, parts)
    await updateMember(tim, { group, user: 'new', fields: { role: 'admin' } }, parts)
    await removeMember(tim, { group, user: 'new' }, parts)
    const attempts = [
      addMember(tim, { group, user: 'rich', fields: { max_budget: 9 } }, parts),
      updateMember(tim, { group, user: 'ann', fields: { rpm_limit: 9 } }, parts),
      updateMember(tim, { group, user: 'ann', fields: { role: 'org_admin' } }, parts),
      addMember(tim, { group: { team: 'red' }, user: 'tim', fields: {} }, parts),
      addMember(tim, { group: { organization: 'acme' }, user: 'tim', fields: { role: 'org_admin' } }, parts),
      addMember(await user('ann'), { group, user: 'friend', fields: {} }, parts),
      updateGroup(tim, { kind: 'team', id: 'blue', fields: { max_budget: 9 } }, parts),
      updateGroup(tim, { kind: 'team', id: 'blue', fields: { models: ['*'] } }, parts),
      deleteGroup(tim, { kind: 'team', id: 'blue' }, parts),
      setGroupBlocked(tim, { kind: 'team', id: 'blue', blocked: false }, parts),
    ]
    expect(await Promise.all(attempts.map(outcomeOf))).toEqual([
      'permission max_budget',
      'permission rpm_limit',
      'invalid_request role',
      'not_found',
      'not_found',
      'permission',
      'permission max_budget',
      'permission models',
      'permission',
      'permission',
    ])
  })

  it('takes the keys of a team along when it is deleted, at once and for good', async () => {
    const { admin, parts, directory, keyFor, records } = await company()
    const keys = [await keyFor({ team_id: 'blue' }), await keyFor({ team_id: 'blue', user_id: 'ann' })]
    for (const { text } of keys) await callerOf(directory, text)
    await deleteGroup(await admin(), { kind: 'team', id: 'blue' }, parts)
    for (const { text } of keys) expect(await refusalOf(directory, text)).toBe('invalid_api_key')
    expect((await records.find('member', { index: { team: 'blue' } })).records).toEqual([])
    expect((await records.find('key', {})).records).toEqual([])
    await createGroup(await admin(), { kind: 'team', id: 'blue', data: {} }, parts)
    for (const { text } of keys) expect(await refusalOf(directory, text)).toBe('invalid_api_key')
  })

  it('takes teams and their keys along when an organization is deleted, and what a user had', async () => {
    const { admin, parts, directory, keyFor, records } = await company()
    const inTeam = await keyFor({ team_id: 'blue' })
    const ofUser = await keyFor({ user_id: 'ann' })
    await deleteGroup(await admin(), { kind: 'organization', id: 'acme' }, parts)
    await deleteGroup(await admin(), { kind: 'user', id: 'ann' }, parts)
    for (const { text } of [inTeam, ofUser]) expect(await refusalOf(directory, text)).toBe('invalid_api_key')
    expect((await records.find('team', {})).records.map(({ id }) => id)).toEqual(['red'])
    expect((await records.find('key', {})).records).toEqual([])
  })

  it('takes the keys of a member in the team along with the place, and leaves the others', async () => {
    const { admin, parts, directory, keyFor } = await company()
    const inTeam = await keyFor({ team_id: 'blue', user_id: 'ann' })
    const personal = await keyFor({ user_id: 'ann' })
    await removeMember(await admin(), { group: { team: 'blue' }, user: 'ann' }, parts)
    expect(await refusalOf(directory, inTeam.text)).toBe('invalid_api_key')
    expect(await refusalOf(directory, personal.text)).toBeUndefined()
  })

  it.each(['user', 'team', 'organization', 'customer'] as const)('blocks all keys of a %s at once', async (kind) => {
    const { admin, parts, directory, keyFor } = await company()
    const ids = { user: 'ann', team: 'blue', organization: 'acme', customer: 'shop' }
    const { text } = await keyFor({ user_id: 'ann', team_id: 'blue', customer_id: 'shop' })
    await callerOf(directory, text)
    const ref = { kind, id: ids[kind] }
    await setGroupBlocked(await admin(), { ...ref, blocked: true }, parts)
    expect(await refusalOf(directory, text)).toBe('blocked')
    await setGroupBlocked(await admin(), { ...ref, blocked: false }, parts)
    expect(await refusalOf(directory, text)).toBeUndefined()
  })

  it.each(['user', 'team', 'organization', 'customer'] as const)(
    'ends the keys of a %s for good: whoever gets its id later does not bring them back',
    async (kind) => {
      const { admin, parts, directory, keyFor } = await company()
      const ids = { user: 'ann', team: 'blue', organization: 'acme', customer: 'shop' }
      const { text } = await keyFor({ user_id: 'ann', team_id: 'blue', customer_id: 'shop' })
      const ref = { kind, id: ids[kind] }
      await deleteGroup(await admin(), ref, parts)
      expect(await refusalOf(directory, text)).toBe('invalid_api_key')
      await createGroup(await admin(), { ...ref, data: {} }, parts)
      expect(await refusalOf(directory, text)).toBe('invalid_api_key')
    },
  )

  it('can be deleted again where the store failed half-way, with its keys stopped from the start', async () => {
    const { admin, parts, directory, keyFor, records } = await company()
    const { text } = await keyFor({ user_id: 'ann' })
    const failing = { ...records, delete: () => Promise.reject(new Error('away')) }
    const ref = { kind: 'user', id: 'ann' } as const
    await expect(deleteGroup(await admin(), ref, { ...parts, records: failing })).rejects.toThrow('away')
    expect(await refusalOf(directory, text)).toBe('blocked')
    await deleteGroup(await admin(), ref, parts)
    await createGroup(await admin(), { ...ref, data: {} }, parts)
    expect(await refusalOf(directory, text)).toBe('invalid_api_key')
  })

  it('leaves no key behind that was made while its team was deleted', async () => {
    const lab = await company()
    const insert: typeof lab.records.insert = async (kind, record, options) => {
      if (kind === 'key') await deleteGroup(await lab.admin(), { kind: 'team', id: 'blue' }, lab.parts)
      return lab.records.insert(kind, record, options)
    }
    const parts = { ...lab.parts, records: { ...lab.records, insert } }
    const made = createKey(await lab.admin(), { fields: { team_id: 'blue' } }, parts)
    expect(await outcomeOf(made)).toBe('conflict')
    expect((await lab.records.find('key', {})).records).toEqual([])
  })

  it('makes the keys of its admins admins, but not those for models', async () => {
    const { admin, parts, directory, keyFor } = createLab()
    await createGroup(await admin(), { kind: 'user', id: 'boss', data: { user_role: 'proxy_admin' } }, parts)
    const roleOf = async (key_type: 'default' | 'management' | 'llm_api' | 'read_only') =>
      (await callerOf(directory, (await keyFor({ user_id: 'boss', key_type })).text)).role
    expect(await Promise.all((['default', 'management', 'llm_api', 'read_only'] as const).map(roleOf))).toEqual([
      'admin',
      'admin',
      'member',
      'member',
    ])
  })

  it('takes no role from what a host calls its user', async () => {
    const { admin, parts, actorOf } = createLab()
    await createGroup(await admin(), { kind: 'user', id: 'boss', data: { user_role: 'proxy_admin' } }, parts)
    expect((await actorOf(hostUser('boss'))).level).toBe('member')
  })
})
