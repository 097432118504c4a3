import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { DeploymentState } from '../../src/router/deployment-state.js'
import { toModelGroup } from '../../src/router/model-group.js'
import { type CheckPolicy, type CheckedRequest, createPreCallChecks } from '../../src/router/pre-call-checks.js'
import { toTagFilter } from '../../src/router/tag-filter.js'
import { deploymentOf } from '../support/deployment.js'

const groupOf = (...deployments: readonly Partial<Deployment>[]) =>
  toModelGroup(
    'fast',
    deployments.map((own, index) => deploymentOf({ id: String(index), ...own })),
    (id) => new DeploymentState(id),
  )

const off: CheckPolicy = { preCallChecks: false, enforceRates: false, tagMatch: undefined }

interface Asked extends CheckedRequest {
  estimated: number
}

function request(own: Partial<CheckedRequest> = {}): Asked {
  const asked: Asked = {
    estimated: 0,
    tags: [],
    region: undefined,
    inputTokens() {
      asked.estimated += 1
      return { guess: 1_000, atLeast: 600 }
    },
    needs: () => ({ tools: false, vision: false, jsonSchema: false }),
    ...own,
  }
  return asked
}

/** The obstacle of each member. */
function obstacles(policy: Partial<CheckPolicy>, group: ReturnType<typeof groupOf>, asked: CheckedRequest): unknown[] {
  const { check } = createPreCallChecks({ ...off, ...policy })(asked, group)
  return group.members.map((member) => check?.(member))
}

describe('pre-call checks', () => {
  const checked = { preCallChecks: true }

  it('rule nobody out while they are off', () => {
    const group = groupOf({ capabilities: { contextWindow: 1, tools: false }, tags: ['x'] })
    expect(obstacles({}, group, request())).toEqual([undefined])
  })

  it('rule out a context window that is surely too small, and no other', () => {
    const windows = [599, 600, 900, undefined].map((size) => (size === undefined ? {} : { contextWindow: size }))
    const group = groupOf(...windows.map((capabilities) => ({ capabilities })))
    expect(obstacles(checked, group, request())).toEqual(['context_window', undefined, undefined, undefined])
  })

  it('know the windows of well-known models, also behind a name of the host’s', () => {
    const group = groupOf({ model: 'gpt-3.5-turbo' }, { model: 'my-own', info: { base_model: 'azure/gpt-3.5-turbo' } })
    const long = request({ inputTokens: () => ({ guess: 50_000, atLeast: 30_000 }) })
    expect(obstacles(checked, group, long)).toEqual(['context_window', 'context_window'])
  })

  it('estimate a prompt only where a window or a limit of the group asks for it', () => {
    const asked = request()
    obstacles(checked, groupOf({}, {}), asked)
    expect(asked.estimated).toBe(0)
    obstacles(checked, groupOf({}, { capabilities: { contextWindow: 5 } }), asked)
    expect(asked.estimated).toBe(1)
    expect(createPreCallChecks({ ...off, enforceRates: true })(asked, groupOf({}, { tpm: 10 })).inputTokens).toBe(1_000)
    expect(createPreCallChecks({ ...off, enforceRates: true })(asked, groupOf({}, {})).inputTokens).toBe(0)
  })

  it.each(['tools', 'vision'] as const)('rule out a model that is known not to take %s', (capability) => {
    const needs = { tools: false, vision: false, jsonSchema: false, [capability]: true }
    const group = groupOf({ capabilities: { [capability]: false } }, {})
    expect(obstacles(checked, group, request({ needs: () => needs }))).toEqual(['capability', undefined])
    expect(obstacles(checked, group, request())).toEqual([undefined, undefined])
  })

  it('prefer models that take a JSON schema, unless none of the group does or it may be left out', () => {
    const asked = request({ needs: () => ({ tools: false, vision: false, jsonSchema: true }) })
    const without = { capabilities: { jsonSchema: false } }
    expect(obstacles(checked, groupOf(without, {}), asked)).toEqual(['capability', undefined])
    expect(obstacles(checked, groupOf({ ...without, dropParams: true }, {}), asked)).toEqual([undefined, undefined])
    expect(obstacles(checked, groupOf(without), asked)).toEqual([undefined])
  })

  it('keep a caller’s data in its region always: elsewhere and unknown are ruled out', () => {
    const group = groupOf({ region: 'eu' }, { region: 'us' }, {})
    expect(obstacles({}, group, request({ region: 'eu' }))).toEqual([undefined, 'region', 'region'])
  })
})

describe('tags', () => {
  const serving = (tags: readonly string[], match: 'any' | 'all', ...deployments: readonly (readonly string[])[]) => {
    const group = groupOf(...deployments.map((own) => ({ tags: own })))
    const fits = toTagFilter(group, tags, match)
    return group.members.flatMap(({ deployment }) => (!fits || fits(deployment) ? [deployment.id] : []))
  }

  it.each([
    ['any of them', ['paid'], 'any', [['free'], ['paid', 'eu'], []], ['1']],
    ['any of several', ['paid', 'free'], 'any', [['free'], ['paid', 'eu'], []], ['0', '1']],
    ['all of them', ['paid', 'eu'], 'all', [['paid'], ['paid', 'eu', 'x'], []], ['1']],
    ['the default where none fits', ['paid'], 'any', [['free'], ['default'], []], ['1']],
    ['the default where none has all', ['paid', 'eu'], 'all', [['paid'], ['default'], []], ['1']],
    ['nobody where there is no default either', ['paid'], 'any', [['free'], []], []],
    ['the default for a request without tags', [], 'any', [['free'], ['default'], []], ['1']],
    ['the default for a request without tags that would need all', [], 'all', [['free'], ['default'], []], ['1']],
    ['everybody for a request without tags where there is no default', [], 'any', [['free'], []], ['0', '1']],
  ] as const)('choose %s', (_, tags, match, deployments, expected) => {
    expect(serving(tags, match, ...deployments)).toEqual(expected)
  })
})
