import { describe, expect, it } from 'vitest'
import {
  KeyInput,
  createKey,
  deleteKeys,
  findKeys,
  regenerateKey,
  setKeyBlocked,
  toKeyId,
  updateKey,
  viewKey,
} from '../../src/keys/management/index.js'
import { callerOf, refusalOf } from './lab.js'
import { createLab, outcomeOf } from './management-lab.js'

describe('an admin', () => {
  it('makes a key whose text is told once, and kept nowhere', async () => {
    const { admin, parts, directory, records, audit } = createLab()
    const { key, record } = await createKey(await admin(), { fields: { key_alias: 'one', max_budget: 3 } }, parts)
    const text = key.reveal()
    expect(text).toMatch(/^sk-[\w-]{32}$/)
    expect(JSON.stringify({ key })).not.toContain(text)
    expect((await callerOf(directory, text)).scopes).toEqual([{ kind: 'key', id: record.id, budget: { maxBudget: 3 } }])
    const all = await Promise.all((['key', 'audit'] as const).map((kind) => records.find(kind, {})))
    expect(JSON.stringify(all)).not.toContain(text.slice(3, 20))
    expect(record.data.key_name).toBe(`sk-...${text.slice(-4)}`)
    expect(await audit()).toMatchObject([
      { action: 'created', table_name: 'key', object_id: record.id, changed_by: 'master', before_value: {} },
    ])
  })

  it('gives keys texts of its own, an end, and an alias that no other has', async () => {
    const { admin, parts, directory, clock } = createLab()
    const actor = await admin()
    const text = 'sk-a-text-of-our-own'
    await createKey(actor, { fields: { key_alias: 'one', duration: '30d' }, text }, parts)
    expect(await outcomeOf(createKey(actor, { fields: {}, text }, parts))).toBe('conflict')
    expect(await outcomeOf(createKey(actor, { fields: { key_alias: 'one' } }, parts))).toBe('conflict')
    expect(await outcomeOf(createKey(actor, { fields: {}, text: 'short' }, parts))).toBe('invalid_request key')
    expect(await refusalOf(directory, text)).toBeUndefined()
    clock.advance(30 * 86_400_000)
    expect(await refusalOf(directory, text)).toBe('expired_api_key')
  })

  it.each(['team_id', 'organization_id', 'budget_id'] as const)('names no %s that does not exist', async (field) => {
    const { admin, parts } = createLab()
    const made = createKey(await admin(), { fields: { [field]: 'nowhere' } }, parts)
    expect(await outcomeOf(made)).toBe(`invalid_request ${field}`)
  })

  it('makes users and customers that the records do not know yet', async () => {
    const { keyFor, records, directory } = createLab()
    const { text } = await keyFor({ user_id: 'ann', customer_id: 'shop' })
    expect([await records.get('user', 'ann'), await records.get('customer', 'shop')]).not.toContain(undefined)
    expect((await callerOf(directory, text)).scopes.map(({ kind }) => kind)).toEqual(['user', 'key', 'customer'])
  })

  it('changes what it names and nothing else, seen by the next request and the audit', async () => {
    const { admin, parts, directory, keyFor, audit } = createLab()
    const { text, id } = await keyFor({ models: ['gpt-4o'], max_budget: 3, metadata: { a: 1 } })
    await callerOf(directory, text)
    const metadata = { a: 1, api_key: 'hush', note: 'Bearer sk-0123456789abcdef', nested: { password: 'hush' } }
    await updateKey(await admin(), { id, fields: { max_budget: null, metadata } }, parts)
    expect(await callerOf(directory, text)).toMatchObject({ models: ['gpt-4o'], scopes: [{ kind: 'key', id }] })
    const [entry] = await audit()
    expect(entry).toMatchObject({
      action: 'updated',
      before_value: { max_budget: 3, metadata: { a: 1 } },
      updated_values: {
        max_budget: null,
        metadata: { a: 1, api_key: '***', note: '***', nested: { password: '***' } },
      },
    })
    expect(Object.keys(entry?.updated_values ?? {}).toSorted()).toEqual(['max_budget', 'metadata'])
  })

  it('loses none of two changes at once, and may insist on the version it has read', async () => {
    const { admin, parts, keyFor } = createLab()
    const { id } = await keyFor({})
    const actor = await admin()
    await Promise.all([
      updateKey(actor, { id, fields: { rpm_limit: 1 } }, parts),
      updateKey(actor, { id, fields: { tpm_limit: 2 } }, parts),
      setKeyBlocked(actor, { id, blocked: true }, parts),
    ])
    const { data, version } = await viewKey(actor, id, parts)
    expect(data).toMatchObject({ rpm_limit: 1, tpm_limit: 2, blocked: true })
    expect(version).toBe(4)
    expect(await outcomeOf(updateKey(actor, { id, fields: {}, version: 3 }, parts))).toBe('conflict')
  })

  it('blocks, unblocks and deletes keys, at once', async () => {
    const { admin, parts, directory, keyFor, audit } = createLab()
    const { text, id } = await keyFor({})
    const actor = await admin()
    await callerOf(directory, text)
    await setKeyBlocked(actor, { id, blocked: true }, parts)
    expect(await refusalOf(directory, text)).toBe('blocked')
    await setKeyBlocked(actor, { id, blocked: false }, parts)
    expect(await refusalOf(directory, text)).toBeUndefined()
    expect(await deleteKeys(actor, [id], parts)).toEqual([id])
    expect(await refusalOf(directory, text)).toBe('invalid_api_key')
    expect(await outcomeOf(deleteKeys(actor, [id], parts))).toBe('not_found')
    expect((await audit()).map(({ action }) => action)).toEqual(['deleted', 'unblocked', 'blocked', 'created'])
  })

  it('gives a key a new text; spend, budgets and alias stay with it', async () => {
    const { admin, parts, directory, keyFor } = createLab()
    const { text, id } = await keyFor({ key_alias: 'one', max_budget: 3 })
    const renewed = await regenerateKey(await admin(), { id, fields: { rpm_limit: 5 } }, parts)
    expect(await refusalOf(directory, text)).toBe('invalid_api_key')
    const caller = await callerOf(directory, renewed.key.reveal())
    expect(caller).toMatchObject({ id, scopes: [{ kind: 'key', id, budget: { maxBudget: 3 }, rpm: 5 }] })
    expect(renewed.record.data.key_alias).toBe('one')
  })

  it('lets the old text work on for a while, and gives only one new one', async () => {
    const { admin, parts, directory, keyFor, clock } = createLab()
    const { text, id } = await keyFor({})
    const actor = await admin()
    const both = await Promise.all(
      [1, 2].map(() => outcomeOf(regenerateKey(actor, { id, fields: {}, graceMs: 60_000 }, parts))),
    )
    expect(both.toSorted()).toEqual(['conflict', 'done'])
    expect(await refusalOf(directory, text)).toBeUndefined()
    clock.advance(60_000)
    expect(await refusalOf(directory, text)).toBe('expired_api_key')
  })

  it('blocks and deletes the old texts that still work with the key', async () => {
    const { admin, parts, directory, keyFor } = createLab()
    const actor = await admin()
    const first = await keyFor({})
    const second = await regenerateKey(actor, { id: first.id, fields: {}, graceMs: 60_000 }, parts)
    const third = await regenerateKey(actor, { id: second.record.id, fields: {} }, parts)
    const { id } = third.record
    const refusals = () => Promise.all([first.text, third.key.reveal()].map((text) => refusalOf(directory, text)))
    expect(await refusals()).toEqual([undefined, undefined])
    await setKeyBlocked(actor, { id, blocked: true }, parts)
    expect(await refusals()).toEqual(['blocked', 'blocked'])
    await setKeyBlocked(actor, { id, blocked: false }, parts)
    expect(await refusals()).toEqual([undefined, undefined])
    expect(await deleteKeys(actor, [id], parts)).toEqual([id])
    expect(await refusals()).toEqual(['invalid_api_key', 'invalid_api_key'])
  })

  it('changes the old texts that still work with the key, and lets none of them live longer', async () => {
    const { admin, parts, directory, keyFor, clock } = createLab()
    const actor = await admin()
    const old = await keyFor({ key_alias: 'one' })
    const { record } = await regenerateKey(actor, { id: old.id, fields: {}, graceMs: 60_000 }, parts)
    await updateKey(actor, { id: record.id, fields: { max_budget: 0, models: ['gpt-4o'], key_alias: 'two' } }, parts)
    const caller = await callerOf(directory, old.text)
    expect(caller).toMatchObject({ models: ['gpt-4o'], scopes: [{ kind: 'key', budget: { maxBudget: 0 } }] })
    await updateKey(actor, { id: record.id, fields: { duration: '1y' } }, parts)
    clock.advance(60_000)
    expect(await refusalOf(directory, old.text)).toBe('expired_api_key')
  })

  it('gives no new text that lacks what was written meanwhile', async () => {
    const lab = createLab()
    const { id } = await lab.keyFor({})
    let isFirst = true
    const update: typeof lab.records.update = async (kind, record, version) => {
      const blocks = isFirst
      isFirst = false
      if (blocks) await setKeyBlocked(await lab.admin(), { id, blocked: true }, lab.parts)
      return lab.records.update(kind, record, version)
    }
    const parts = { ...lab.parts, records: { ...lab.records, update } }
    const { key } = await regenerateKey(await lab.admin(), { id, fields: {} }, parts)
    expect(await refusalOf(lab.directory, key.reveal())).toBe('blocked')
  })

  it('has the old text back where the new one could not be kept', async () => {
    const { admin, parts, directory, keyFor, clock } = createLab()
    const { text, id } = await keyFor({ key_alias: 'one' })
    const other = await keyFor({ key_alias: 'two' })
    const renewal = regenerateKey(await admin(), { id, fields: { key_alias: 'two' } }, parts)
    expect(await outcomeOf(renewal)).toBe('conflict')
    clock.advance(10_000)
    expect(await refusalOf(directory, text)).toBeUndefined()
    expect(await refusalOf(directory, other.text)).toBeUndefined()
    expect((await viewKey(await admin(), id, parts)).data.key_alias).toBe('one')
  })

  it('is obeyed though the audit is full; the log has the entry', async () => {
    const lab = createLab()
    const { id } = await lab.keyFor({})
    const insert: typeof lab.records.insert = (kind, record, options) => {
      if (kind === 'audit') throw new Error('disk full')
      return lab.records.insert(kind, record, options)
    }
    const parts = { ...lab.parts, records: { ...lab.records, insert } }
    await setKeyBlocked(await lab.admin(), { id, blocked: true }, parts)
    expect(lab.logged).toMatchObject([{ audit: { action: 'blocked', object_id: id } }])
  })
})

describe('a member', () => {
  it('makes keys for itself and sees, changes, renews, blocks and deletes them', async () => {
    const { user, parts, directory } = createLab()
    const ann = await user('ann')
    const { record, key } = await createKey(ann, { fields: { key_alias: 'mine', models: ['gpt-4o'] } }, parts)
    expect(await callerOf(directory, key.reveal())).toMatchObject({ role: 'member', models: ['gpt-4o'] })
    const { id } = record
    expect((await viewKey(ann, id, parts)).data.user_id).toBe('ann')
    await updateKey(ann, { id, fields: { key_alias: 'still mine' } }, parts)
    const renewed = await regenerateKey(ann, { id, fields: {} }, parts)
    expect((await findKeys(ann, {}, parts)).records.map((found) => found.id)).toEqual([renewed.record.id])
    await setKeyBlocked(ann, { id: renewed.record.id, blocked: true }, parts)
    expect(await outcomeOf(setKeyBlocked(ann, { id: renewed.record.id, blocked: false }, parts))).toBe('permission')
    expect(await outcomeOf(updateKey(ann, { id: renewed.record.id, fields: { blocked: false } }, parts))).toBe(
      'permission blocked',
    )
    await deleteKeys(ann, [renewed.record.id], parts)
  })

  const privileged: readonly KeyInput[] = [
    { max_budget: 1e6 },
    { soft_budget: 1 },
    { budget_id: 'tier' },
    { budget_limits: [] },
    { budget_duration: '1s' },
    { budget_starts_at: '2026-11-25T00:00:00Z' },
    { model_max_budget: { a: 1 } },
    { rpm_limit: 1e6 },
    { tpm_limit: 1e6 },
    { max_parallel_requests: 1e6 },
    { organization_id: 'acme' },
    { customer_id: 'shop' },
    { tags: ['free'] },
    { allowed_routes: ['/*'] },
    { metadata: { allowedModelRegion: 'us' } },
  ]
  it.each(privileged.map((fields) => [fields]))('may not write %j', async (fields) => {
    const { user, parts, keyFor } = createLab()
    const ann = await user('ann')
    const { id } = await keyFor({ user_id: 'ann' })
    const before = await parts.records.get('key', id)
    const name = Object.keys(fields)[0]
    const what = name === 'metadata' ? 'metadata.allowedModelRegion' : name
    expect(await outcomeOf(createKey(ann, { fields }, parts))).toBe(`permission ${what}`)
    expect(await outcomeOf(updateKey(ann, { id, fields }, parts))).toBe(`permission ${what}`)
    expect(await outcomeOf(regenerateKey(ann, { id, fields }, parts))).toBe(`permission ${what}`)
    expect(await parts.records.get('key', id)).toEqual(before)
  })

  it('may not choose the text, the user or a team that is not its own', async () => {
    const { user, parts, team } = createLab()
    await team('blue')
    const ann = await user('ann')
    const attempts = [
      createKey(ann, { fields: {}, text: 'sk-a-text-of-my-own' }, parts),
      createKey(ann, { fields: { user_id: 'bob' } }, parts),
      createKey(ann, { fields: { user_id: null } }, parts),
      createKey(ann, { fields: { team_id: 'blue' } }, parts),
    ]
    expect(await Promise.all(attempts.map(outcomeOf))).toEqual([
      'permission key',
      'permission user_id',
      'permission user_id',
      'permission team_id',
    ])
  })

  it('does not learn that a key of somebody else exists', async () => {
    const { user, parts, keyFor, team } = createLab()
    await team('blue')
    const { id } = await keyFor({ user_id: 'bob', team_id: 'blue' })
    const ann = await user('ann')
    const attempts = [
      viewKey(ann, id, parts),
      updateKey(ann, { id, fields: {} }, parts),
      regenerateKey(ann, { id, fields: {} }, parts),
      setKeyBlocked(ann, { id, blocked: true }, parts),
      deleteKeys(ann, [id], parts),
    ]
    expect(new Set(await Promise.all(attempts.map(outcomeOf)))).toEqual(new Set(['not_found']))
    expect((await findKeys(ann, {}, parts)).records).toEqual([])
    expect((await findKeys(ann, { index: { team: 'blue' } }, parts)).records).toEqual([])
    for (const index of [{ user: 'bob' }, { user: 'bob', alias: 'x' }]) {
      expect(await outcomeOf(findKeys(ann, { index }, parts))).toMatch(/permission/)
    }
  })

  it('gets no key that opens more than what it came with', async () => {
    const { user, parts, keyFor, actorWith } = createLab()
    const narrow = await keyFor({ user_id: 'ann', models: ['gpt-4o-mini', 'mistral/*'] })
    const wide = await keyFor({ user_id: 'ann' })
    const ann = await actorWith(narrow.text)
    const models = async (fields: KeyInput) => (await createKey(ann, { fields }, parts)).record.data.models
    expect(await models({})).toEqual(['gpt-4o-mini', 'mistral/*'])
    expect(await models({ models: ['*'] })).toEqual(['gpt-4o-mini', 'mistral/*'])
    expect(await models({ models: ['mistral/small'] })).toEqual(['mistral/small'])
    expect(await outcomeOf(models({ models: ['gpt-4o'] }))).toBe('permission models')
    expect(await outcomeOf(regenerateKey(ann, { id: wide.id, fields: {} }, parts))).toBe('permission')
    expect(await outcomeOf(updateKey(ann, { id: narrow.id, fields: { models: ['gpt-4o'] } }, parts))).toBe(
      'permission models',
    )
    for (const models of [[], null, ['*'], ['gpt-4o-mini', 'all-proxy-models']]) {
      const change = { id: narrow.id, fields: { models } }
      expect(await outcomeOf(updateKey(ann, change, parts))).toBe('permission models')
      expect(await outcomeOf(regenerateKey(ann, change, parts))).toBe('permission models')
    }
    const nothing = await user('bob', { models: [] })
    const { record } = await createKey(nothing, { fields: {} }, parts)
    expect(record.data.models).toEqual(['no-default-models'])
  })

  it('gets no second key where the first, or its host, sets limits', async () => {
    const { user, parts, keyFor, actorWith } = createLab()
    const limited = await actorWith((await keyFor({ user_id: 'ann', max_budget: 1 })).text)
    const hosted = await user('bob', { scopes: [{ kind: 'user', id: 'bob', rpm: 1 }] })
    for (const actor of [limited, hosted]) {
      expect(await outcomeOf(createKey(actor, { fields: {} }, parts))).toBe('permission')
    }
  })

  it('stays in the team, with the customer, tags, region and end of the key that it came with', async () => {
    const { parts, keyFor, actorWith, team, member, clock } = createLab()
    await team('blue', { team_member_permissions: ['/key/generate'] })
    await team('red', { team_member_permissions: ['/key/generate'] })
    await member('blue', 'ann')
    await member('red', 'ann')
    const expires = new Date(clock.now() + 60_000).toISOString()
    const fields = { user_id: 'ann', team_id: 'blue', customer_id: 'shop', tags: ['t'], expires }
    const { text } = await keyFor({ ...fields, metadata: { allowedModelRegion: 'eu' } })
    const ann = await actorWith(text)
    const { record } = await createKey(ann, { fields: { duration: '1y', metadata: { a: 1 } } }, parts)
    expect(record.data).toMatchObject({ ...fields, metadata: { a: 1, allowedModelRegion: 'eu' } })
    expect(await outcomeOf(createKey(ann, { fields: { team_id: 'red' } }, parts))).toBe('permission team_id')
  })

  it('gets no key for models with one for management', async () => {
    const { parts, keyFor, actorWith } = createLab()
    const { text } = await keyFor({ user_id: 'ann', key_type: 'management' })
    const other = await keyFor({ user_id: 'ann' })
    const ann = await actorWith(text)
    const { record } = await createKey(ann, { fields: { key_type: 'default' } }, parts)
    expect(record.data.key_type).toBe('management')
    expect(await outcomeOf(regenerateKey(ann, { id: other.id, fields: {} }, parts))).toBe('permission')
  })

  it('may shorten the life of a key, and not lengthen it', async () => {
    const { user, parts, keyFor } = createLab()
    const { id } = await keyFor({ user_id: 'ann', duration: '1d' })
    const ann = await user('ann')
    await updateKey(ann, { id, fields: { duration: '1h' } }, parts)
    for (const duration of ['2h', null]) {
      expect(await outcomeOf(updateKey(ann, { id, fields: { duration } }, parts))).toBe('permission expires')
    }
  })

  it('makes keys in its team where the team lets it, for others only as the team admin', async () => {
    const { user, parts, team, member } = createLab()
    await team('blue', { team_member_permissions: ['/key/generate'] })
    await team('red')
    for (const name of ['blue', 'red']) {
      await member(name, 'ann')
      await member(name, 'chief', { role: 'admin' })
    }
    const make = async (who: string, fields: KeyInput) => outcomeOf(createKey(await user(who), { fields }, parts))
    expect(await make('ann', { team_id: 'blue' })).toBe('done')
    expect(await make('ann', { team_id: 'red' })).toBe('permission team_id')
    expect(await make('ann', { team_id: 'blue', user_id: 'chief' })).toBe('permission user_id')
    expect(await make('chief', { team_id: 'red', user_id: 'ann' })).toBe('done')
    expect(await make('chief', { team_id: 'red', user_id: null })).toBe('done')
    expect(await make('chief', { team_id: 'red', user_id: 'stranger' })).toBe('permission user_id')
    expect(await make('chief', { team_id: 'red', max_budget: 5 })).toBe('permission max_budget')
    const seen = await findKeys(await user('chief'), { index: { team: 'red' } }, parts)
    expect(seen.records).toHaveLength(2)
    expect(await outcomeOf(findKeys(await user('ann'), { index: { team: 'red' } }, parts))).toBe('done')
    expect((await findKeys(await user('ann'), { index: { team: 'red' } }, parts)).records).toHaveLength(1)
  })

  it('only looks where its role is to look only', async () => {
    const { user, parts, keyFor, records } = createLab()
    const { id } = await keyFor({ user_id: 'ann' })
    const other = await keyFor({ user_id: 'bob' })
    await records.insert('user', { id: 'eve', data: { user_role: 'proxy_admin_viewer' } })
    const known = await records.get('user', 'ann')
    await records.update('user', { id: 'ann', data: { user_role: 'internal_user_viewer' } }, known?.version ?? 0)
    for (const who of ['ann', 'eve']) {
      const actor = await user(who)
      await viewKey(actor, id, parts)
      expect(await outcomeOf(createKey(actor, { fields: {} }, parts))).toBe('permission')
      expect(await outcomeOf(deleteKeys(actor, [id], parts))).toBe('permission')
      expect(await outcomeOf(viewKey(actor, other.id, parts))).toBe(who === 'eve' ? 'done' : 'not_found')
    }
  })
})

describe('what is written of a key', () => {
  it.each([
    { key_id: 'mine' },
    { key_name: 'x' },
    { created_by: 'x' },
    { replaced_by: 'x' },
    { spend: 0 },
    { user_role: 'proxy_admin' },
    { max_budget: -1 },
    { max_budget: Infinity },
    { rpm_limit: 1.5 },
    { budget_duration: 'often' },
    { budget_time_zone: 'Mars/Base' },
    { models: 'gpt-4o' },
    { user_id: '' },
    { team_id: 'a\u0000b' },
    { user_id: 'x'.repeat(201) },
    { user_id: '\ud800' },
    { expires: 'tomorrow' },
  ])('may not be %j', (fields) => {
    expect(KeyInput.safeParse(fields).success).toBe(false)
  })

  it('is found by its text or its hash, and by nothing else', () => {
    const id = toKeyId('sk-0123456789abcdef', {})
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(toKeyId(id ?? '', {})).toBe(id)
    expect(toKeyId("' OR 1=1 --", {})).toBeUndefined()
  })
})
