import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyDirectory } from '../../src/keys/directory.js'
import { hashKey } from '../../src/keys/key-material.js'
import { Secret } from '../../src/secret.js'
import {
  callerOf,
  keyText,
  localBroadcast,
  memberOfTeam,
  put,
  refusalOf,
  setUp,
  silent,
  watchedRecords,
} from './lab.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('the directory of keys', () => {
  it('knows no key that was never issued, and asks for it once a second at most', async () => {
    const { directory, asked, clock } = await setUp()
    const other = 'sk-another-key-of-mine'
    expect(await refusalOf(directory, other)).toBe('invalid_api_key')
    expect(await refusalOf(directory, other)).toBe('invalid_api_key')
    expect(asked.get('key')).toBe(1)
    clock.advance(1_000)
    expect(await refusalOf(directory, other)).toBe('invalid_api_key')
    expect(asked.get('key')).toBe(2)
  })

  it('asks the store for nothing that cannot be a key', async () => {
    const { directory, asked } = await setUp()
    for (const text of ['', 'sk-', 'sk-short', "sk-' OR '1'='1' -- ", `sk-${'a'.repeat(300)}`, 'pk-0123456789abcdef']) {
      expect(await refusalOf(directory, text)).toBe('invalid_api_key')
    }
    expect(asked.size).toBe(0)
  })

  it('finds keys by their HMAC where there is a salt, and by nothing else', async () => {
    const salt = new Secret('pepper')
    const { directory, records } = await setUp({}, {}, { salt })
    expect(await refusalOf(directory)).toBe('invalid_api_key')
    const other = 'sk-0123456789salted'
    await put(records, 'key', hashKey(other, salt), { key_id: 'salted', key_name: 'sk-...lted' })
    expect((await callerOf(directory, other)).id).toBe('salted')
  })

  it('gives one caller with the scopes of everything the key belongs to, outermost first', async () => {
    const { directory, hash } = await setUp(
      {
        user_id: 'ann',
        team_id: 'blue',
        customer_id: 'shop',
        tags: ['beta'],
        max_budget: 5,
        soft_budget: 4,
        budget_duration: '30d',
        budget_limits: [{ max_budget: 1, budget_duration: '1d' }],
        model_max_budget: { 'gpt-4o': { budget_limit: 2, time_period: '1d' }, 'openai/*': 3 },
        budget_id: 'small',
      },
      {
        user: { ann: { tpm_limit: 100 } },
        team: { blue: { organization_id: 'acme', team_member_budget: 7, tags: ['inner'] } },
        organization: { acme: { max_budget: 0, metadata: { region: 1 } } },
        customer: { shop: { budget_id: 'small', allowed_model_region: 'eu' } },
        tag: { beta: { rpm_limit: 9 } },
        budget: { small: { max_budget: 1, rpm_limit: 10, max_parallel_requests: 2 } },
        member: { [memberOfTeam('blue', 'ann')]: { user_id: 'ann', team_id: 'blue', role: 'user', rpm_limit: 3 } },
      },
    )
    expect(await callerOf(directory)).toEqual({
      id: hash,
      role: 'member',
      models: 'all',
      tags: ['inner', 'beta'],
      metadata: { region: 1, allowedModelRegion: 'eu' },
      scopes: [
        { kind: 'organization', id: 'acme', budget: { maxBudget: 0 } },
        { kind: 'team', id: 'blue' },
        { kind: 'member', id: 'team:blue:ann', budget: { maxBudget: 7 }, rpm: 3 },
        { kind: 'user', id: 'ann', tpm: 100 },
        {
          kind: 'key',
          id: hash,
          budget: { maxBudget: 5, softBudget: 4, budgetDuration: '30d' },
          modelBudgets: { 'gpt-4o': { maxBudget: 2, budgetDuration: '1d' }, 'openai/*': { maxBudget: 3 } },
          rpm: 10,
          maxParallelRequests: 2,
        },
        { kind: 'key', id: hash, budget: { maxBudget: 1, budgetDuration: '1d' } },
        { kind: 'customer', id: 'shop', budget: { maxBudget: 1 }, rpm: 10, maxParallelRequests: 2 },
        { kind: 'tag', id: 'inner' },
        { kind: 'tag', id: 'beta', rpm: 9 },
      ],
    })
  })

  it.each([
    ['key', { blocked: true }, {}],
    ['user', { user_id: 'x' }, { user: { x: { blocked: true } } }],
    ['team', { team_id: 'x' }, { team: { x: { blocked: true } } }],
    ['customer', { customer_id: 'x' }, { customer: { x: { blocked: true } } }],
    ['organization', { organization_id: 'x' }, { organization: { x: { blocked: true } } }],
    [
      "team's organization",
      { team_id: 't' },
      { team: { t: { organization_id: 'x' } }, organization: { x: { blocked: true } } },
    ],
  ])('refuses a key whose %s is blocked', async (_, key, others) => {
    const { directory } = await setUp(key, others)
    expect(await directory.find(keyText)).toMatchObject({ refused: { kind: 'permission', code: 'blocked' } })
  })

  it.each([
    ['user', { user_id: 'x' }],
    ['team', { team_id: 'x' }],
    ['customer', { customer_id: 'x' }],
    ['organization', { organization_id: 'x' }],
  ])('knows no key whose %s is gone', async (_, key) => {
    const { directory } = await setUp(key)
    expect(await refusalOf(directory)).toBe('invalid_api_key')
  })

  it('refuses a key whose tier is gone, as its limits would be gone with it', async () => {
    const { directory } = await setUp({ budget_id: 'gone' })
    expect(await refusalOf(directory)).toBe('budget_not_found')
  })

  it.each([
    ['user', { user_id: 'x' }, {}],
    ['team', { team_id: 'x' }, {}],
    ['customer', { customer_id: 'x' }, {}],
    ['organization', { organization_id: 'x' }, {}],
    ['organization', { team_id: 't' }, { team: { t: { organization_id: 'x' } } }],
  ] as const)('refuses a key from the moment on that its %s expires: %o', async (kind, key, others) => {
    const { directory, records, clock } = await setUp(key, others)
    await put(records, kind, 'x', { expires: new Date(clock.now() + 2_000).toISOString() })
    await callerOf(directory)
    clock.advance(1_999)
    await callerOf(directory)
    clock.advance(1)
    expect(await refusalOf(directory)).toBe('expired_api_key')
    await put(records, kind, 'x', { expires: null })
    clock.advance(5_001)
    await callerOf(directory)
  })

  it('refuses a key from the moment on that it expires', async () => {
    const { directory, clock, records, hash } = await setUp()
    await put(records, 'key', hash, { expires: new Date(clock.now() + 2_000).toISOString() })
    clock.advance(1_999)
    expect(await refusalOf(directory)).toBeUndefined()
    clock.advance(1)
    expect(await refusalOf(directory)).toBe('expired_api_key')
  })

  it('relies on what it knows for 5 s, store or no store, and then opens nothing', async () => {
    const { directory, clock, state, asked } = await setUp()
    await callerOf(directory)
    state.failure = new Error('ECONNREFUSED at 10.0.0.1')
    clock.advance(4_999)
    await callerOf(directory)
    expect(asked.get('key')).toBe(1)
    clock.advance(1)
    await expect(directory.find(keyText)).rejects.toMatchObject({ status: 503, kind: 'unavailable' })
    delete state.failure
    await callerOf(directory)
  })

  it('opens nothing for a record that is not as it should be', async () => {
    const { directory, records, hash } = await setUp()
    const known = await records.get('key', hash)
    await records.update('key', { id: hash, data: { ...known?.data, max_budget: 'lots' } }, known?.version ?? 0)
    await expect(directory.find(keyText)).rejects.toMatchObject({ status: 500 })
  })

  it('asks no more often for tags and places that have no record', async () => {
    const key = { user_id: 'u', team_id: 't', tags: ['g'] }
    const { directory, clock, asked } = await setUp(key, { user: { u: {} }, team: { t: {} } })
    for (let second = 0; second < 5; second++) {
      await callerOf(directory)
      clock.advance(999)
    }
    expect([...asked]).toEqual(['key', 'user', 'team', 'member', 'tag'].map((kind) => [kind, 1]))
  })

  it('asks the store once for everybody who comes meanwhile', async () => {
    const { directory, asked, state } = await setUp({ team_id: 'blue' }, { team: { blue: {} } })
    state.wait = turn
    await Promise.all(Array.from({ length: 100 }, () => callerOf(directory)))
    expect([asked.get('key'), asked.get('team')]).toEqual([1, 1])
  })

  it('is not emptied of real keys by invented ones, nor grows with them', async () => {
    const { directory, asked } = await setUp({}, {}, { maxCached: 10 })
    await callerOf(directory)
    for (let n = 0; n < 200; n++) await refusalOf(directory, `sk-invented-key-number-${n}`)
    asked.clear()
    await callerOf(directory)
    expect(asked.get('key')).toBeUndefined()
    expect(directory.size).toBeLessThan(30)
  })

  it('keeps opening where more is in use than it may remember', async () => {
    const { directory, records } = await setUp({ team_id: 'a' }, { team: { a: {}, b: {} } }, { maxCached: 1 })
    const other = 'sk-of-the-other-team'
    await put(records, 'key', hashKey(other), { key_id: 'other', key_name: 'x', team_id: 'b' })
    const found = await Promise.all([keyText, other, keyText, other].map((text) => callerOf(directory, text)))
    expect(found.map(({ id }) => id)).toEqual([hashKey(keyText), 'other', hashKey(keyText), 'other'])
  })

  it.each(['user', 'team', 'organization', 'customer', 'tag', 'budget', 'member'] as const)(
    'sees a change of its %s at once when it is told',
    async (kind) => {
      const ids = { user: 'u', team: 't', organization: 'o', customer: 'c', tag: 'g', budget: 'b' }
      const id = kind === 'member' ? memberOfTeam('t', 'u') : ids[kind]
      const { directory, records } = await setUp(
        { user_id: 'u', team_id: 't', organization_id: 'o', customer_id: 'c', tags: ['g'], budget_id: 'b' },
        {
          user: { u: {} },
          team: { t: {} },
          organization: { o: {} },
          customer: { c: {} },
          budget: { b: {} },
          member: { [memberOfTeam('t', 'u')]: { user_id: 'u', team_id: 't', role: 'user' } },
        },
      )
      const limits = async () => (await callerOf(directory)).scopes.flatMap(({ rpm }) => rpm ?? [])
      expect(await limits()).toEqual([])
      await put(records, kind, id, { rpm_limit: 4 })
      expect(await limits()).toEqual([])
      await directory.changed(kind, id)
      expect(await limits()).toEqual([4])
    },
  )

  it('knows a key that was made a moment ago though it was asked for before', async () => {
    const { directory, records } = await setUp()
    const other = 'sk-another-key-of-mine'
    expect(await refusalOf(directory, other)).toBe('invalid_api_key')
    await put(records, 'key', hashKey(other), { key_id: 'other', key_name: 'x' })
    await directory.changed('key', hashKey(other))
    expect((await callerOf(directory, other)).id).toBe('other')
  })

  it('goes on when others cannot be told', async () => {
    const warnings: object[] = []
    const logger = { ...silent, warn: (fields: object) => warnings.push(fields) }
    const deaf = { publish: () => new Promise<void>(() => {}), subscribe: () => () => {} }
    const { directory, clock } = await setUp({}, {}, { broadcast: deaf, logger })
    const told = directory.changed('key', 'x')
    clock.advance(1_000)
    await told
    expect(warnings).toHaveLength(1)
    const broken = {
      publish() {
        throw new Error('closed')
      },
      subscribe: () => () => {},
    }
    const second = await setUp({}, {}, { broadcast: broken, logger })
    await second.directory.changed('key', 'x')
    expect(warnings).toHaveLength(2)
  })

  it('listens no longer once it is closed', async () => {
    const broadcast = localBroadcast()
    const { directory, records, hash } = await setUp({}, {}, { broadcast })
    await callerOf(directory)
    directory.close()
    await put(records, 'key', hash, { blocked: true })
    await broadcast.publish('records', `key ${hash}`)
    expect(await refusalOf(directory)).toBeUndefined()
  })
})

describe('a revocation that races with look-ups', () => {
  const kinds = ['key', 'team', 'user', 'organization'] as const

  /** Three processes over one store and one broadcast; every read and message takes some turns. */
  async function race(kind: (typeof kinds)[number], pauses: readonly number[], how: 'blocked' | 'deleted') {
    let pause = 0
    const wait = async (): Promise<void> => {
      for (let left = pauses[pause++ % pauses.length] ?? 0; left > 0; left--) await turn()
    }
    const broadcast = localBroadcast(wait)
    const { records, state, clock, hash } = await setUp(
      { team_id: 'x', user_id: 'x' },
      { team: { x: { organization_id: 'x' } }, user: { x: {} }, organization: { x: {} } },
    )
    state.wait = wait
    const make = () => createKeyDirectory({ records, clock, logger: silent, broadcast, maxCached: 20 })
    const directories = [make(), make(), make()] as const
    const id = kind === 'key' ? hash : 'x'
    let over = false
    const load = directories.map(async (directory, index) => {
      if (index > 0) await wait()
      while (!over) await Promise.all([directory.find(keyText), directory.find(keyText), turn()])
    })
    await wait()
    if (how === 'deleted') await records.delete(kind, id)
    else await put(records, kind, id, { blocked: true })
    await directories[0].changed(kind, id)
    const after = await Promise.all(directories.map((directory) => refusalOf(directory)))
    // Those that are still under way began before, and must leave nothing behind.
    over = true
    await Promise.all(load)
    for (const directory of directories) after.push(await refusalOf(directory))
    return after
  }

  it('never resurrects a key, in 1,000 races', async () => {
    let races = 0
    const schedule = fc.array(fc.nat(4), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...kinds), schedule, fc.boolean(), async (kind, pauses, isDeletion) => {
        races++
        const after = await race(kind, pauses, isDeletion ? 'deleted' : 'blocked')
        const code = isDeletion ? 'invalid_api_key' : 'blocked'
        expect(after).toEqual(after.map(() => code))
      }),
      { numRuns: 1_000 },
    )
    expect(races).toBe(1_000)
  }, 120_000)

  it('answers nothing that was right only before, where the change comes while the key is looked up', async () => {
    const { directory, records, state, hash } = await setUp({ team_id: 'x' }, { team: { x: {} } })
    let blocked = false
    state.wait = async () => {
      if (blocked) return
      blocked = true
      await put(records, 'key', hash, { blocked: true })
      await directory.changed('key', hash)
    }
    expect(await refusalOf(directory)).toBe('blocked')
  })

  it('refuses in the end where everything changes all the while', async () => {
    const { directory, state, hash } = await setUp()
    state.wait = () => directory.changed('key', hash)
    await expect(directory.find(keyText)).rejects.toMatchObject({ status: 503 })
  })
})

function expectAtOnce(answer: unknown): void {
  if (answer instanceof Promise) throw new Error('the store was asked')
}

describe('100,000 keys', () => {
  it('cost no more to look up than 1,000', async () => {
    const { records } = watchedRecords()
    const texts = Array.from({ length: 100_000 }, (_, n) => `sk-one-of-the-many-${n}`)
    for (const text of texts) await put(records, 'key', hashKey(text), { key_id: text, key_name: 'x' })
    const { directory } = await setUp({}, {}, { records, maxCached: 100_000 })
    const some = texts.filter((_, n) => n % 100 === 0)
    const timeOf = async (list: readonly string[]): Promise<number> => {
      for (const text of list) await callerOf(directory, text)
      const before = process.cpuUsage()
      for (const text of list) expectAtOnce(directory.find(text))
      const { user, system } = process.cpuUsage(before)
      return (user + system) / list.length
    }
    const few = Math.min(await timeOf(some), await timeOf(some), await timeOf(some))
    const many = await timeOf(texts)
    if (process.env['SHOW_MEASURES']) console.log('microseconds for one look-up', { few, many })
    // Caches of the processor make it two or three times as much; a scan would make it a hundred times.
    expect(many).toBeLessThan(few * 10)
  }, 120_000)
})
