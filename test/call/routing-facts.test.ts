import { describe, expect, it } from 'vitest'
import type { CallContext } from '../../src/call/context.js'
import { createRoutingFacts, requestTags } from '../../src/call/routing-facts.js'
import type { Caller } from '../../src/ports.js'
import { DeploymentState } from '../../src/router/deployment-state.js'
import { type Member, type ModelGroup, toModelGroup } from '../../src/router/model-group.js'
import type { RoutingOptions } from '../../src/router/options.js'
import { CallTrail } from '../../src/router/trail.js'
import type { ChatRequest } from '../../src/wire/chat.js'
import { anyCaller, candidateOf, deploymentOf } from '../support/deployment.js'

const contextOf = (own: Partial<Caller> = {}, headers: Record<string, string> = {}): CallContext => ({
  caller: { ...anyCaller, ...own },
  requestId: 'req_1',
  signal: undefined,
  headers,
  trail: new CallTrail(),
})
const chat = (own: object = {}): ChatRequest => ({
  model: 'fast',
  messages: [{ role: 'user', content: 'Hello' }],
  ...own,
})

/** One deployment whose model takes little. */
function smallGroup(): ModelGroup {
  const deployment = deploymentOf({ capabilities: { contextWindow: 4_000 } })
  return toModelGroup('fast', [deployment], (id) => new DeploymentState(id))
}

describe('the tags of a request', () => {
  it('are those of the caller, the body and the headers, each once', () => {
    const headers = { 'x-sluice-tags': 'c, d', 'x-litellm-tags': 'e,,a' }
    const request = chat({ tags: ['a', 'b'], metadata: { tags: 'f' } })
    expect(requestTags(request, contextOf({ tags: ['mine'] }, headers))).toEqual(['mine', 'a', 'b', 'f', 'c', 'd', 'e'])
    expect(requestTags(chat({ metadata: { tags: ['x'] } }), contextOf())).toEqual(['x'])
    expect(requestTags(chat(), contextOf())).toEqual([])
  })

  it.each([{ tags: 5 }, { tags: ['a', 5] }, { tags: { a: 1 } }])('are refused in any other shape: %j', (own) => {
    expect(() => requestTags(chat(own), contextOf())).toThrow(expect.objectContaining({ status: 400, param: 'tags' }))
  })
})

describe('affinity', () => {
  const members = Array.from({ length: 8 }, (_, index) => candidateOf({ id: `deployment-${index}` }))
  const pick = (affinity: RoutingOptions['affinity'], request: ChatRequest, context: CallContext): Member | undefined =>
    createRoutingFacts({ affinity }, false)(request, context).prefer?.(members)
  const picks = (requests: readonly [ChatRequest, CallContext][], affinity: RoutingOptions['affinity']): Set<unknown> =>
    new Set(requests.map(([request, context]) => pick(affinity, request, context)))

  it('is none unless the host asks for it, and none for a request without a session', () => {
    expect(createRoutingFacts({}, false)(chat({ session_id: 's' }), contextOf()).prefer).toBeUndefined()
    expect(pick('session', chat(), contextOf())).toBeUndefined()
  })

  it('knows a session by body and by headers', () => {
    expect(
      picks(
        [
          [chat({ session_id: 's' }), contextOf()],
          [chat({ metadata: { session_id: 's' } }), contextOf()],
          [chat({ litellm_session_id: 's' }), contextOf()],
          [chat(), contextOf({}, { 'x-sluice-session-id': 's' })],
          [chat(), contextOf({}, { 'x-litellm-session-id': 's' })],
          [chat(), contextOf({}, { 'x-litellm-trace-id': 's' })],
        ],
        'session',
      ).size,
    ).toBe(1)
  })

  it.each([
    ['session', (index: number) => chat({ session_id: `s-${index}` })],
    ['prompt-prefix', (index: number) => chat({ messages: [{ role: 'user', content: `Question ${index}` }] })],
  ] as const)('by %s spreads many of them', (kind, request) => {
    const requests = Array.from(
      { length: 200 },
      (_, index) => [request(index), contextOf()] as [ChatRequest, CallContext],
    )
    expect(picks(requests, kind).size).toBe(8)
  })

  it.each(['session', 'prompt-prefix', 'caller'] as const)('by %s is never shared between callers', (kind) => {
    const requests = Array.from(
      { length: 200 },
      (_, index) => [chat({ session_id: 's' }), contextOf({ id: `user-${index}` })] as [ChatRequest, CallContext],
    )
    expect(picks(requests, kind).size).toBe(8)
  })

  it('takes the first kind of a list that a request has', () => {
    const list = ['session', 'caller'] as const
    expect(pick(list, chat(), contextOf())).toBe(pick('caller', chat(), contextOf()))
    expect(pick(list, chat({ session_id: 's' }), contextOf())).toBe(
      pick('session', chat({ session_id: 's' }), contextOf()),
    )
  })
})

describe('the region of a caller', () => {
  const group = toModelGroup(
    'fast',
    [deploymentOf({ id: 'eu', region: 'eu' }), deploymentOf({ id: 'us', region: 'us' })],
    (id) => new DeploymentState(id),
  )
  const allowed = (allowedModelRegion: unknown): string[] => {
    const { factsOf } = createRoutingFacts({}, false)(chat(), contextOf({ metadata: { allowedModelRegion } }))
    const check = factsOf?.(group).check
    return group.members.filter((member) => !check?.(member)).map(({ deployment }) => deployment.id)
  }

  it.each([
    ['eu', ['eu']],
    [undefined, ['eu', 'us']],
    [null, ['eu', 'us']],
    [['eu'], []],
    ['', []],
  ])('%j allows %j, without any option', (region, expected) => {
    expect(allowed(region)).toEqual(expected)
  })
})

describe('the estimate of a prompt', () => {
  it('leaves room for a tokenizer that counts less, and is made once for all groups of a call', () => {
    const group = (contextWindow: number) =>
      toModelGroup('fast', [deploymentOf({ capabilities: { contextWindow } })], (id) => new DeploymentState(id))
    const request = chat({
      messages: [{ role: 'user', content: 'one two three four five six seven eight '.repeat(100) }],
    })
    let read = 0
    Object.defineProperty(request, 'suffix', { enumerable: true, get: () => void (read += 1) })
    const { factsOf } = createRoutingFacts({ preCallChecks: true }, true)(request, contextOf())
    const fits = (contextWindow: number): boolean => {
      const given = group(contextWindow)
      const [member] = given.members
      return member !== undefined && factsOf?.(given).check?.(member) === undefined
    }
    // 800 words, which no tokenizer reads as fewer than 400 tokens.
    expect(fits(400)).toBe(false)
    expect(fits(800)).toBe(true)
    expect(read).toBe(1)
  })

  it('counts members of a provider for nothing, of which nobody knows whether they are read', () => {
    const grammar = 'root ::= "yes" | "no" | other '.repeat(1_000)
    for (const own of [{ guided_grammar: grammar }, { extra_body: { guided_grammar: grammar } }]) {
      const { factsOf } = createRoutingFacts({ preCallChecks: true }, true)(chat(own), contextOf())
      const small = smallGroup()
      const [member] = small.members
      expect(member && factsOf?.(small).check?.(member)).toBeUndefined()
    }
  })

  it('counts images, sounds and files for nothing, which only the provider can size', () => {
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(500_000)}` } }
    const request = chat({ messages: [{ role: 'user', content: Array.from({ length: 20 }, () => image) }] })
    const { factsOf } = createRoutingFacts({ preCallChecks: true }, true)(request, contextOf())
    const small = smallGroup()
    const [member] = small.members
    expect(member && factsOf?.(small).check?.(member)).toBeUndefined()
  })
})
