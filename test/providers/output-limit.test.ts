import { describe, expect, it } from 'vitest'
import { findCodec } from '../../src/call/codec.js'
import { outputLimitOf } from '../../src/protocols/output-limit.js'
import type { Codec, Exchange } from '../../src/protocols/protocol.js'
import { createRegistry } from '../../src/providers/registry.js'
import { isObject, type JsonObject, parseJson } from '../../src/wire/json.js'
import type { StreamOperation } from '../../src/wire/operations.js'
import { deploymentOf } from './deployments.js'
import { setups } from './every-row/rows.js'

const registry = createRegistry([])
const plain: Readonly<Record<StreamOperation, JsonObject>> = {
  chat: { model: 'm', messages: [{ role: 'user', content: 'hi' }] },
  completions: { model: 'm', prompt: 'hi' },
}

const fields: Readonly<Record<StreamOperation, readonly string[]>> = {
  chat: ['max_tokens', 'max_completion_tokens'],
  completions: ['max_tokens'],
}

/** Every number in a body under a name that speaks of a limit. */
function limitsIn(body: unknown): readonly number[] {
  if (Array.isArray(body)) return body.flatMap(limitsIn)
  if (!isObject(body)) return []
  return Object.entries(body).flatMap(([name, value]) =>
    typeof value === 'number' && /max|predict|maximum/i.test(name) ? [value] : limitsIn(value),
  )
}

function bodyOf(text: string): unknown {
  return parseJson(text) ?? Object.fromEntries([...new URLSearchParams(text)].map(([name, value]) => [name, +value]))
}

const models = ['demo', 'gpt-5.4', 'responses/gpt-5.4', 'claude-sonnet-4-6', 'chat-bison-001', 'gpt-4o']
const cases = registry.list().flatMap(({ name }) =>
  (['chat', 'completions'] as const).flatMap((operation) => {
    const own = setups[name]?.models?.[operation]
    return [...models, ...(own === undefined ? [] : [own])].map((model) => [name, operation, model] as const)
  }),
)

describe('a limit of output tokens on its way to a provider', () => {
  it('is what the codec says it is, at every provider', () => {
    const wrong: string[] = []
    let checked = 0
    for (const [name, operation, model] of cases) {
      const provider = registry.get(name)
      const settings = setups[name]?.settings ?? {}
      const deployment = deploymentOf({ provider: name, model, settings, dropParams: true, baseUrl: 'http://x.test/y' })
      const codec = provider && (findCodec(provider, operation, deployment) as Codec<StreamOperation> | undefined)
      if (!codec) continue
      for (const field of fields[operation]) {
        for (const limit of [1, 7, 15, 16, 300]) {
          const request = { ...plain[operation], [field]: limit }
          const exchange = { request, deployment, id: 'x'.repeat(24), created: 1 } as Exchange<StreamOperation>
          let sent: readonly number[]
          try {
            sent = limitsIn(bodyOf(String(codec.encode(exchange).body)))
          } catch {
            // Not a model of this provider.
            continue
          }
          checked += 1
          const said = outputLimitOf(codec, limit, exchange)
          if (sent.join() !== (said === undefined ? '' : String(said))) {
            wrong.push(`${name} ${operation} ${model} ${field}=${limit}: sent ${sent.join()}, said ${said}`)
          }
        }
      }
    }
    expect(wrong).toEqual([])
    expect(checked).toBeGreaterThan(2_000)
  })
})
