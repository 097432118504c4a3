import { describe, expect, it } from 'vitest'
import { claudeGeneration } from '../../../src/catalog/claude-models.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { chat, encode, exchangeOf } from './exchange.js'

const haiku3 = 'claude-3-haiku-20240307'
const summarized = { type: 'adaptive', display: 'summarized' }
const budget = (tokens: number): JsonObject => ({ type: 'enabled', budget_tokens: tokens })
const enabled = { thinking: { type: 'enabled', budget_tokens: 5000 } }
const effort = (level: string): JsonObject => ({ reasoning_effort: level })

describe('reasoning_effort and thinking, by generation', () => {
  it.each<readonly [string, JsonObject, unknown, string | undefined]>([
    // model, request, thinking, effort
    [haiku3, {}, undefined, undefined],
    [haiku3, effort('none'), undefined, undefined],
    ['claude-3-7-sonnet-20250219', effort('low'), budget(1024), undefined],
    ['claude-sonnet-4-20250514', effort('minimal'), budget(1024), undefined],
    ['claude-opus-4-1', effort('medium'), budget(2048), undefined],
    ['claude-sonnet-4-5', effort('high'), budget(4096), undefined],
    ['claude-sonnet-4-5', effort('none'), { type: 'disabled' }, undefined],
    ['claude-sonnet-4-5', enabled, budget(5000), undefined],
    ['claude-sonnet-4-5', { thinking: { type: 'adaptive' } }, budget(4096), undefined],
    ['claude-sonnet-4-6', {}, undefined, undefined],
    ['claude-sonnet-4-6', effort('minimal'), { type: 'adaptive' }, 'low'],
    ['claude-sonnet-4-6', effort('xhigh'), { type: 'adaptive' }, 'high'],
    ['claude-sonnet-4-6', effort('max'), { type: 'adaptive' }, 'max'],
    ['claude-sonnet-4-6', effort('none'), { type: 'disabled' }, undefined],
    ['claude-sonnet-4-6', enabled, budget(5000), undefined],
    ['claude-opus-4-7', {}, undefined, undefined],
    ['claude-opus-4-7', effort('xhigh'), summarized, 'xhigh'],
    ['claude-opus-4-7', effort('none'), { type: 'disabled' }, undefined],
    ['claude-opus-4-7', enabled, summarized, 'medium'],
    [
      'claude-opus-4-7',
      { thinking: { type: 'adaptive', display: 'omitted' } },
      { type: 'adaptive', display: 'omitted' },
      undefined,
    ],
    ['claude-sonnet-5', {}, undefined, undefined],
    ['claude-sonnet-5', effort('low'), summarized, 'low'],
    ['claude-sonnet-5', effort('none'), { type: 'disabled' }, undefined],
    ['claude-sonnet-5', enabled, summarized, 'medium'],
    ['claude-opus-5-5', {}, undefined, undefined],
    ['claude-opus-5-5', effort('high'), summarized, 'high'],
    ['claude-opus-5-5', effort('none'), undefined, 'low'],
    ['claude-opus-5-5', { thinking: { type: 'disabled' } }, undefined, 'low'],
    ['claude-opus-5-5', enabled, summarized, 'medium'],
  ])('%s with %j', (model, request, thinking, level) => {
    const { body } = encode(request, { model })
    expect(body['thinking']).toEqual(thinking)
    expect(body['output_config']).toEqual(level === undefined ? undefined : { effort: level })
  })

  it('refuses effort for a model that cannot think, or drops it', () => {
    expect(() => encode(effort('low'), { model: haiku3 })).toThrow(/reasoning_effort/)
    expect(encode(effort('low'), { model: haiku3, dropParams: true }).upstream.droppedParams).toEqual([
      'reasoning_effort',
    ])
  })

  it('reports that a model that always thinks was told not to', () => {
    const { upstream } = encode(effort('none'), { model: 'claude-opus-5-5' })
    expect(upstream.droppedParams).toEqual(['reasoning_effort'])
  })

  it('refuses an unknown effort', () => {
    expect(() => encode(effort('enormous'))).toThrow(
      expect.objectContaining({ status: 400, param: 'reasoning_effort' }),
    )
  })

  it("keeps the caller's own output_config", () => {
    const { body } = encode({ ...effort('low'), output_config: { effort: 'high' } }, { model: 'claude-opus-4-7' })
    expect(body['output_config']).toEqual({ effort: 'high' })
  })

  it('passes a kind of thinking that is newer than this code', () => {
    const exchange = exchangeOf({ thinking: { type: 'between_tools' } }, { model: 'claude-sonnet-5' })
    expect(JSON.parse(String(chat().encode(exchange).body))).toMatchObject({ thinking: { type: 'between_tools' } })
  })
})

describe('thinking within max_tokens', () => {
  it.each([
    [{ max_tokens: 3000, ...effort('high') }, 2400],
    [{ max_tokens: 1025, ...effort('high') }, 1024],
    [{ max_tokens: 8000, thinking: { type: 'enabled', budget_tokens: 9000 } }, 6400],
    [{ thinking: { type: 'enabled', budget_tokens: 10 } }, 1024],
    [{ thinking: { type: 'enabled' } }, 4096],
  ])('fits the budget of %j', (request, tokens) => {
    expect(encode(request).body['thinking']).toEqual(budget(tokens))
  })

  it('refuses to think in too few tokens, or does not think and says so', () => {
    const request = { max_tokens: 1024, ...effort('low') }
    expect(() => encode(request)).toThrow(expect.objectContaining({ status: 400, param: 'max_tokens' }))
    const { body, upstream } = encode(request, { dropParams: true })
    expect(body['thinking']).toEqual({ type: 'disabled' })
    expect(upstream.droppedParams).toEqual(['reasoning_effort'])
  })
})

describe('thinking beside a forced tool', () => {
  const forced = { tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'required' }

  it.each(['claude-sonnet-4-5', 'claude-sonnet-4-6', 'claude-sonnet-5'])(
    'is refused for %s, or switched off',
    (model) => {
      const request = { ...forced, ...effort('low') }
      expect(() => encode(request, { model })).toThrow(expect.objectContaining({ status: 400, param: 'tool_choice' }))
      const { body, upstream } = encode(request, { model, dropParams: true })
      expect(body).toMatchObject({ tool_choice: { type: 'any' }, thinking: { type: 'disabled' } })
      expect(upstream.droppedParams).toEqual(['reasoning_effort'])
    },
  )

  it('yields where only the deployment asked for it', () => {
    const { body, upstream } = encode(forced, { params: { reasoning_effort: 'high' } })
    expect(body).toMatchObject({ tool_choice: { type: 'any' }, thinking: { type: 'disabled' } })
    expect(upstream.droppedParams).toEqual(['reasoning_effort'])
  })

  it('is off where nobody asked for it, also on a model that thinks by default', () => {
    const { body, upstream } = encode(forced, { model: 'claude-sonnet-5' })
    expect(body).toMatchObject({ tool_choice: { type: 'any' }, thinking: { type: 'disabled' } })
    expect(upstream.droppedParams).toEqual([])
  })

  it('wins on a model that always thinks: the choice is refused, or dropped', () => {
    const named = { ...forced, tool_choice: { type: 'function', function: { name: 'f' } }, parallel_tool_calls: false }
    const deployment = { model: 'claude-opus-5-5' }
    expect(() => encode(named, deployment)).toThrow(/tool_choice/)
    const { body, upstream } = encode(named, { ...deployment, dropParams: true })
    expect(body['tool_choice']).toEqual({ type: 'auto', disable_parallel_tool_use: true })
    expect(upstream.droppedParams).toEqual(['tool_choice'])
  })
})

describe('the generation of a model id', () => {
  it.each([
    ['claude-2.1', 'none', 'free', false, true],
    ['claude-3-opus-20240229', 'none', 'free', false, true],
    ['claude-3-5-haiku-latest', 'none', 'free', false, true],
    ['claude-3-7-sonnet-latest', 'budget', 'free', false, true],
    ['claude-sonnet-4-0', 'budget', 'free', false, true],
    ['claude-opus-4@20250514', 'budget', 'free', false, true],
    ['us.anthropic.claude-opus-4-1-20250805-v1:0', 'budget', 'either', true, true],
    ['anthropic/claude-haiku-4.5', 'budget', 'either', true, true],
    ['claude-opus-4-5-20251101', 'budget', 'either', true, true],
    ['claude-opus-4-6', 'adaptive_or_budget', 'either', true, false],
    ['claude-opus-4-8', 'adaptive', 'refused', true, false],
    ['claude-opus-5', 'on_by_default', 'refused', true, false],
    ['claude-sonnet-5-20260601', 'on_by_default', 'refused', true, false],
    ['claude-haiku-5-5', 'on_by_default', 'refused', true, false],
    ['claude-sonnet-5-5', 'always', 'refused', true, false],
    ['claude-fable-5', 'always', 'refused', true, false],
    ['claude-mythos-preview', 'always', 'refused', true, false],
    ['claude-opus-9', 'always', 'refused', true, false],
    ['MiniMax-M2', 'budget', 'free', false, true],
  ])('%s', (model, thinking, sampling, jsonSchema, assistantPrefill) => {
    expect(claudeGeneration(model)).toMatchObject({ thinking, sampling, jsonSchema, assistantPrefill })
  })

  it('yields to what the deployment says of its model', () => {
    const capabilities = { reasoning: false, jsonSchema: false, vision: false, tools: false, maxOutputTokens: 7 }
    expect(claudeGeneration('claude-opus-9', capabilities)).toMatchObject({
      thinking: 'none',
      jsonSchema: false,
      vision: false,
      tools: false,
      maxOutputTokens: 7,
    })
    expect(claudeGeneration('claude-3-haiku', { reasoning: true }).thinking).toBe('budget')
  })

  it('refuses tools for a model that has none', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    expect(() => encode({ tools }, { capabilities: { tools: false } })).toThrow(/tools/)
  })
})
