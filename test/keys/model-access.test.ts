import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDuration, isDuration } from '../../src/keys/duration.js'
import { type ModelAccess, intersect, isWithin } from '../../src/keys/model-access.js'
import type { Caller } from '../../src/ports.js'
import { mayUse } from '../../src/router/model-groups.js'
import { callerOf, memberOfTeam, setUp } from './lab.js'

describe('the models of a key', () => {
  const team = { x: { models: ['gpt-4o', 'mistral/*'] } }
  const free = { x: {} }
  type Row = readonly [string, Parameters<typeof setUp>[0], Parameters<typeof setUp>[1], ModelAccess]
  it.each<Row>([
    ['all where nobody says anything', {}, {}, 'all'],
    ['all for *', { models: ['*'] }, {}, 'all'],
    ['all for all-proxy-models', { models: ['all-proxy-models', 'a'] }, {}, 'all'],
    ['its own', { models: ['a', 'b/*'] }, {}, ['a', 'b/*']],
    ["its team's, where it has none", { team_id: 'x' }, { team }, ['gpt-4o', 'mistral/*']],
    [
      "its team's for all-team-models",
      { team_id: 'x', models: ['all-team-models'] },
      { team },
      ['gpt-4o', 'mistral/*'],
    ],
    ['none for all-team-models without a team', { models: ['all-team-models'] }, {}, []],
    [
      'those of both key and team',
      { team_id: 'x', models: ['gpt-4o', 'claude', 'mistral/small', 'mis*'] },
      { team },
      ['gpt-4o', 'mistral/small', 'mistral/*'],
    ],
    ["its user's", { user_id: 'x', models: ['a', 'b'] }, { user: { x: { models: ['b', 'c'] } } }, ['b']],
    ['none of a user who has none', { user_id: 'x' }, { user: { x: { models: ['no-default-models'] } } }, []],
    [
      "its team's where the user has only those",
      { user_id: 'x', team_id: 'x' },
      { user: { x: { models: ['no-default-models'] } }, team },
      ['gpt-4o', 'mistral/*'],
    ],
    [
      "narrowed by the user's place in the team",
      { user_id: 'x', team_id: 'x' },
      {
        user: free,
        team,
        member: { [memberOfTeam('x', 'x')]: { user_id: 'x', team_id: 'x', role: 'user', models: ['gpt-4o'] } },
      },
      ['gpt-4o'],
    ],
    [
      "narrowed by its organization's",
      { organization_id: 'x', models: ['a'] },
      { organization: { x: { models: ['b'] } } },
      [],
    ],
    ['those of an access group', { models: ['beta-models', 'a'] }, {}, ['b1', 'b2', 'a']],
  ])('are %s', async (_, key, others, expected) => {
    const accessGroups = (name: string) => (name === 'beta-models' ? ['b1', 'b2'] : undefined)
    const { directory } = await setUp(key, others, { accessGroups })
    expect((await callerOf(directory)).models).toEqual(expected)
  })

  it('has the names that its team and itself gave to models', async () => {
    const { directory } = await setUp(
      { team_id: 'x', aliases: { fast: 'gpt-4o-mini' } },
      { team: { x: { model_aliases: { fast: 'other', good: 'gpt-4o' } } } },
    )
    expect((await callerOf(directory)).aliases).toEqual({ fast: 'gpt-4o-mini', good: 'gpt-4o' })
  })
})

describe('the intersection of model lists', () => {
  const names = ['a', 'ab', 'abc', 'b', 'bc', 'abab', 'a/b']
  const pattern = fc.constantFrom(...names, 'a*', 'ab*', '*b', 'a*b', 'a*c', 'b*')
  const access = fc.oneof(fc.constant<ModelAccess>('all'), fc.array(pattern, { maxLength: 4 }))
  const allows = (models: ModelAccess, name: string): boolean => {
    const caller: Caller = { id: 'x', role: 'member', models, scopes: [] }
    return mayUse(caller, name)
  }

  it('allows nothing that one of them does not, and no less where names or prefixes are concerned', () => {
    fc.assert(
      fc.property(access, access, fc.constantFrom(...names), (left, right, name) => {
        const both = intersect(left, right)
        if (allows(both, name)) expect(allows(left, name) && allows(right, name)).toBe(true)
        const isPlain = [left, right].every(
          (list) => list === 'all' || list.every((one) => !one.startsWith('*') && !/\*./.test(one)),
        )
        if (isPlain) expect(allows(both, name)).toBe(allows(left, name) && allows(right, name))
      }),
      { numRuns: 3_000 },
    )
  })

  it('knows what lies within what', () => {
    fc.assert(
      fc.property(access, access, fc.constantFrom(...names), (inner, outer, name) => {
        if (isWithin(inner, outer) && allows(inner, name)) expect(allows(outer, name)).toBe(true)
      }),
      { numRuns: 3_000 },
    )
    expect(isWithin('all', ['*x'])).toBe(false)
    expect(isWithin(['ab*', 'c'], ['a*', 'c'])).toBe(true)
  })
})

describe('the life of a key', () => {
  const from = Date.UTC(2028, 0, 31, 12, 30)
  it.each([
    ['30s', '2028-01-31T12:30:30.000Z'],
    ['36h', '2028-02-02T00:30:00.000Z'],
    ['2w', '2028-02-14T12:30:00.000Z'],
    ['1mo', '2028-02-29T12:30:00.000Z'],
    ['13mo', '2029-02-28T12:30:00.000Z'],
    ['1y', '2029-01-31T12:30:00.000Z'],
  ])('of %s ends when it should', (duration, end) => {
    expect(new Date(addDuration(from, duration) ?? 0).toISOString()).toBe(end)
  })

  it('ends before the end of dates', () => {
    for (const text of ['999999999y', '999999999mo', '999999999w', '0d', '1.5h', 'd', '30 d', '']) {
      expect(addDuration(from, text)).toBeUndefined()
    }
    expect(isDuration('30d')).toBe(true)
  })
})
