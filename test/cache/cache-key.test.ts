import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { type CachedGroup, createModelIdentity } from '../../src/cache/cache-key.js'
import { type CacheQuestion, createPlanner } from '../../src/cache/cache-plan.js'
import { toCacheSettings } from '../../src/cache/options.js'
import { readCacheWishes } from '../../src/cache/wishes.js'
import type { Deployment } from '../../src/deployment.js'
import type { Caller, Scope } from '../../src/ports.js'
import { ChatRequest } from '../../src/wire/chat.js'
import { CompletionRequest } from '../../src/wire/completions.js'
import { EmbeddingRequest } from '../../src/wire/embeddings.js'
import { ImageRequest } from '../../src/wire/images.js'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import type { Operation } from '../../src/wire/operations.js'
import { anyCaller, deploymentOf } from '../support/deployment.js'
import { variantsOf } from './schema-variants.js'

const groupOf = (name: string, ...own: Partial<Deployment>[]): CachedGroup => ({
  name,
  members: (own.length > 0 ? own : [{}]).map((one) => ({ deployment: deploymentOf({ modelName: name, ...one }) })),
})
const group = groupOf('fast')

interface Asked {
  readonly operation?: Operation
  readonly request?: JsonObject
  readonly caller?: Caller
  readonly group?: CachedGroup
  readonly streamed?: boolean
}

const planner = createPlanner(toCacheSettings({ allowScopes: ['team', 'global'] }))

function keyOf(asked: Asked = {}, planFor = planner): string | undefined {
  const { operation = 'chat', request = { model: 'fast', messages: [] }, caller = anyCaller, streamed = false } = asked
  const question = {
    operation,
    request,
    caller,
    group: asked.group ?? group,
    wishes: readCacheWishes(request, undefined),
    signal: undefined,
  }
  return planFor(question as CacheQuestion<Operation>, streamed)?.key
}

const schemas: readonly (readonly [Operation, z.ZodObject])[] = [
  ['chat', ChatRequest],
  ['completions', CompletionRequest],
  ['embeddings', EmbeddingRequest],
  ['images', ImageRequest],
]

describe('the cache key', () => {
  it.each(schemas)('of %s changes with every single change that the schema allows', (operation, schema) => {
    const { values, paths } = variantsOf(schema)
    for (const name of Object.keys(schema.shape)) expect(paths).toContain(name)
    const keys = new Map<string, unknown>()
    for (const request of values) {
      if (!isObject(request)) throw new TypeError('a request is an object')
      // The model counts as what it was resolved to.
      const key = keyOf({ operation, request, group: groupOf(String(request['model'])) })
      expect(key).toMatch(/^[0-9a-f]{64}$/)
      expect(keys.get(key ?? ''), JSON.stringify(request)).toBeUndefined()
      keys.set(key ?? '', request)
    }
    expect(keys.size).toBe(values.length)
  })

  it('reaches inside messages, tools and schemas', () => {
    const { paths, values } = variantsOf(ChatRequest)
    expect(paths).toContain('messages[].content[].image_url.detail')
    expect(paths).toContain('messages[].tool_calls[].function.arguments')
    expect(paths).toContain('tools[].function.strict')
    expect(paths).toContain('response_format.json_schema.schema')
    expect(values.length).toBeGreaterThan(250)
  })

  it('does not depend on the order of members, and does on the order of messages', () => {
    const one = { role: 'user', content: 'a' }
    const other = { content: 'b', role: 'user' }
    const key = keyOf({ request: { messages: [one, other], temperature: 0 } })
    expect(keyOf({ request: { temperature: 0, messages: [{ content: 'a', role: 'user' }, other] } })).toBe(key)
    expect(keyOf({ request: { temperature: 0, messages: [other, one] } })).not.toBe(key)
  })

  it.each(['extra_body', 'drop_params', 'tags', 'fallbacks', 'guardrails', 'metadata', 'user', 'seed', 'unheard_of'])(
    'counts %s',
    (name) => {
      expect(keyOf({ request: { messages: [], [name]: ['x'] } })).not.toBe(keyOf({ request: { messages: [] } }))
    },
  )

  it.each([
    'timeout',
    'request_timeout',
    'stream_timeout',
    'num_retries',
    'max_retries',
    'litellm_call_id',
    'litellm_session_id',
    'litellm_trace_id',
    'no-log',
  ])('does not count %s, which changes no answer', (name) => {
    expect(keyOf({ request: { messages: [], [name]: 7 } })).toBe(keyOf({ request: { messages: [] } }))
  })

  it('does not count wishes for the cache, but for namespace and scope', () => {
    const plain = keyOf({ request: { messages: [] } })
    const withCache = (cache: JsonObject): string | undefined => keyOf({ request: { messages: [], cache } })
    expect(withCache({ ttl: 5, 'no-cache': true, 's-maxage': 3 })).toBe(plain)
    expect(new Set([plain, withCache({ namespace: 'a' }), withCache({ namespace: 'b' })]).size).toBe(3)
    expect(withCache({ scope: 'global' })).not.toBe(plain)
  })

  it('does not count fields that the host takes out', () => {
    const planFor = createPlanner(toCacheSettings({ ignoreFields: ['metadata'] }))
    const plain = keyOf({ request: { messages: [] } }, planFor)
    expect(keyOf({ request: { messages: [], metadata: { trace: '1' } } }, planFor)).toBe(plain)
    expect(keyOf({ request: { messages: [], user: 'u' } }, planFor)).not.toBe(plain)
  })

  it('keeps operations, streams and the host’s namespaces apart', () => {
    const request = { input: 'x', messages: [] }
    const elsewhere = createPlanner(toCacheSettings({ namespace: 'other' }))
    const keys = [
      keyOf({ request }),
      keyOf({ request, streamed: true }),
      keyOf({ request, operation: 'completions' }),
      keyOf({ request, operation: 'embeddings' }),
      keyOf({ request }, elsewhere),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('is none for a request that has no canonical text', () => {
    expect(keyOf({ request: { messages: [], when: new Date() } })).toBeUndefined()
  })
})

describe('the scope of a key', () => {
  const callerOf = (id: string, ...scopes: Scope[]): Caller => ({ ...anyCaller, id, scopes })
  const team = (id: string): Scope => ({ kind: 'team', id })
  const keyIn = (caller: Caller, scope?: string): string | undefined =>
    keyOf({ caller, request: { messages: [], ...(scope !== undefined && { cache: { scope } }) } })

  it('is the caller by default, of one team or not', () => {
    expect(keyIn(callerOf('a', team('t')))).not.toBe(keyIn(callerOf('b', team('t'))))
    expect(keyIn(callerOf('a'))).toBe(keyIn(callerOf('a', team('t'))))
  })

  it('can be the team', () => {
    expect(keyIn(callerOf('a', team('t')), 'team')).toBe(keyIn(callerOf('b', team('t')), 'team'))
    expect(keyIn(callerOf('a', team('t')), 'team')).not.toBe(keyIn(callerOf('b', team('u')), 'team'))
    expect(keyIn(callerOf('a'), 'team')).not.toBe(keyIn(callerOf('b'), 'team'))
  })

  it('keeps teams of one name in two organizations apart', () => {
    const within = (organization: string): Caller =>
      callerOf('a', { kind: 'organization', id: organization }, team('t'))
    expect(keyIn(within('o'), 'team')).not.toBe(keyIn(within('p'), 'team'))
  })

  it('can be everybody', () => {
    expect(keyIn(callerOf('a'), 'global')).toBe(keyIn(callerOf('b'), 'global'))
  })

  it('is not taken for another kind of the same name', () => {
    expect(keyIn(callerOf('t'))).not.toBe(keyIn(callerOf('x', team('t')), 'team'))
  })

  it.each(['team', 'global'])('is refused with a 403 where the host does not allow %s', (scope) => {
    const request = { messages: [], cache: { scope } }
    const own = createPlanner(toCacheSettings({}))
    expect(() => keyOf({ request }, own)).toThrow(expect.objectContaining({ status: 403, param: 'cache.scope' }))
  })

  it('may always be narrowed to the caller', () => {
    const shared = createPlanner(toCacheSettings({ scope: 'global' }))
    const request = { messages: [], cache: { scope: 'caller' } }
    expect(keyOf({ request, caller: callerOf('a') }, shared)).not.toBe(
      keyOf({ request, caller: callerOf('b') }, shared),
    )
  })
})

describe('the identity of a model group', () => {
  const identify = createModelIdentity()

  it('is that of its members, however many serve the same', () => {
    const one = groupOf('fast', { id: '1', model: 'm' })
    const two = groupOf('fast', { id: '1', model: 'm' }, { id: '2', model: 'm' })
    expect(identify(two)).toBe(identify(one))
  })

  it.each([
    { provider: 'anthropic' },
    { model: 'other' },
    { baseUrl: 'https://other.example' },
    { params: { temperature: 1 } },
    { dropParams: true },
  ])('changes with %j', (own) => {
    expect(identify(groupOf('fast', own))).not.toBe(identify(group))
  })

  it('changes with the name, and where a further model serves it', () => {
    expect(identify(groupOf('slow'))).not.toBe(identify(group))
    expect(identify(groupOf('fast', {}, { model: 'other' }))).not.toBe(identify(group))
  })

  it('does not depend on the order of members', () => {
    const [a, b] = [{ model: 'a' }, { model: 'b' }]
    expect(identify(groupOf('fast', a, b))).toBe(identify(groupOf('fast', b, a)))
  })
})
