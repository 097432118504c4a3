import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { DeploymentState } from '../../src/router/deployment-state.js'
import { createModelGroups, mayUse } from '../../src/router/model-groups.js'
import { anyCaller, deploymentOf } from '../support/deployment.js'

const allowed = (...models: string[]): typeof anyCaller => ({ ...anyCaller, models })

describe('createModelGroups', () => {
  const groups = createModelGroups({
    stateOf: (id) => new DeploymentState(id),
    aliases: new Map([
      ['quick', { modelName: 'fast', hidden: false }],
      ['secret', { modelName: 'fast', hidden: true }],
    ]),
    deployments: [
      deploymentOf({ id: 'late', modelName: 'fast', order: 2 }),
      deploymentOf({ id: 'early', modelName: 'fast', order: 1 }),
      deploymentOf({ id: 'any', modelName: 'anthropic/*', model: '*' }),
      deploymentOf({ id: 'haiku', modelName: 'anthropic/claude-haiku-*', model: 'cheap-*' }),
      deploymentOf({ id: 'mini', modelName: 'openai/*-mini', model: '*-mini' }),
    ],
  })
  const resolve = (model: string): readonly Deployment[] =>
    groups.resolve(model, anyCaller).members.map((member) => member.deployment)
  const idsOf = (model: string): string[] => resolve(model).map((deployment) => deployment.id)

  it('gives the deployments of a name, lowest order first', () => {
    expect(idsOf('fast')).toEqual(['early', 'late'])
  })

  it.each([
    ['weights, where any has one', [{ weight: 3, tpm: 10 }, { rpm: 900 }, { weight: 0 }], [3, 1, 0]],
    [
      'requests per minute, where none has a weight',
      [{ rpm: 60, tpm: 90_000 }, { rpm: 20 }, { tpm: 80_000 }],
      [60, 20, 1],
    ],
    ['tokens per minute, where that is all they have', [{ tpm: 90_000 }, { tpm: 30_000 }, {}], [90_000, 30_000, 1]],
    ['nothing, where they have nothing', [{}, {}], [1, 1]],
    ['what those of the same order have', [{ rpm: 60 }, { rpm: 20 }, { weight: 5, order: 2 }], [60, 20, 5]],
  ])('weighs deployments by %s', (_, inputs, weights) => {
    const deployments = inputs.map((input, index) => deploymentOf({ id: String(index), weight: undefined, ...input }))
    const { members } = createModelGroups({ deployments, stateOf: (id) => new DeploymentState(id) }).resolve(
      'fast',
      anyCaller,
    )
    expect(members.map(({ weight }) => weight)).toEqual(weights)
  })

  it('serves what a wildcard matches, with the matched part in the model', () => {
    const [deployment] = resolve('anthropic/claude-opus')
    expect(deployment).toMatchObject({ id: 'any', model: 'claude-opus', modelName: 'anthropic/claude-opus' })
    expect(Object.isFrozen(deployment)).toBe(true)
  })

  it('has a default deployment where one is called *, for every name that nothing else serves', () => {
    const all = [
      deploymentOf({ id: 'any', modelName: '*', model: '*' }),
      deploymentOf({ id: 'own', modelName: 'fast', model: 'x' }),
      deploymentOf({ id: 'claude', modelName: 'anthropic/*', model: '*' }),
    ]
    const defaults = createModelGroups({ deployments: all, stateOf: (id) => new DeploymentState(id) })
    const served = ['gpt-9', 'fast', 'anthropic/x'].map(
      (name) => defaults.resolve(name, anyCaller).members[0]?.deployment,
    )
    expect(served.map((one) => [one?.id, one?.model])).toEqual([
      ['any', 'gpt-9'],
      ['own', 'x'],
      ['claude', 'x'],
    ])
  })

  it('prefers the more specific wildcard', () => {
    expect(resolve('anthropic/claude-haiku-5')[0]).toMatchObject({ id: 'haiku', model: 'cheap-5' })
  })

  it('anchors wildcards at both ends', () => {
    expect(idsOf('openai/gpt-mini')).toEqual(['mini'])
    expect(() => idsOf('openai/gpt-mini-transcribe')).toThrow(/does not exist/)
    expect(() => idsOf('anthropic/')).toThrow(/does not exist/)
  })

  it('puts the matched part in as it is, special characters of replacements too', () => {
    expect(resolve('anthropic/$&-x')[0]?.model).toBe('$&-x')
  })

  it('gives the same deployments for the same name, so that what is known of them is found again', () => {
    expect(resolve('anthropic/a')[0]).toBe(resolve('anthropic/a')[0])
  })

  it('refuses an unknown model with 404 and says where the allowed ones are listed', () => {
    expect(() => groups.resolve('nope', anyCaller)).toThrow(
      expect.objectContaining({
        status: 404,
        code: 'model_not_found',
        message: expect.stringContaining('GET /v1/models'),
      }),
    )
  })

  it.each([
    'anthropic/../tokens',
    'anthropic/a/../../x',
    'anthropic/./x',
    'anthropic//x',
    'anthropic/x/',
    'anthropic/a\\..\\b',
    'anthropic/..',
  ])('knows no model called %s, which would climb about in a provider’s paths', (model) => {
    expect(() => groups.resolve(model, anyCaller)).toThrow(expect.objectContaining({ status: 404 }))
  })

  it('refuses a model that the caller may not use with 403', () => {
    expect(() => groups.resolve('fast', allowed('slow'))).toThrow(
      expect.objectContaining({ status: 403, code: 'model_not_allowed' }),
    )
  })

  it('shortens absurd names in errors', () => {
    expect(() => groups.resolve('x'.repeat(10_000), anyCaller)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{50,200}$/) }),
    )
  })

  it('knows aliases, of which hidden ones are not listed', () => {
    expect(idsOf('quick')).toEqual(['early', 'late'])
    expect(idsOf('secret')).toEqual(['early', 'late'])
    expect(groups.list(anyCaller)).not.toContain('secret')
    expect(() => groups.resolve('quick', allowed('quick'))).not.toThrow()
    expect(() => groups.resolve('quick', allowed('slow'))).toThrow(expect.objectContaining({ status: 403 }))
  })

  it('takes the id of a deployment for that deployment alone', () => {
    expect(idsOf('late')).toEqual(['late'])
    expect(() => groups.resolve('late', allowed('fast'))).not.toThrow()
    expect(() => groups.resolve('late', allowed('late'))).not.toThrow()
    expect(() => groups.resolve('late', allowed('la*'))).toThrow(expect.objectContaining({ status: 403 }))
  })

  it('lists only what the caller may use', () => {
    expect(groups.list(anyCaller)).toEqual([
      'fast',
      'anthropic/*',
      'anthropic/claude-haiku-*',
      'openai/*-mini',
      'quick',
    ])
    expect(groups.list(allowed('fast'))).toEqual(['fast'])
    expect(groups.list(allowed('anthropic/*'))).toEqual(['anthropic/*', 'anthropic/claude-haiku-*'])
  })
})

describe('mayUse', () => {
  it.each([
    [['fast'], 'fast', true],
    [['fast'], 'faster', false],
    [['anthropic/*'], 'anthropic/claude', true],
    [['anthropic/*'], 'openai/gpt', false],
    [[], 'fast', false],
  ])('with %j, %s: %s', (models, model, expected) => {
    expect(mayUse(allowed(...models), model)).toBe(expected)
  })
})
