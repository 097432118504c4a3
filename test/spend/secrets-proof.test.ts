import { afterAll, beforeAll, expect, it } from 'vitest'
import { startRecordingServer } from '../callbacks/recording-server.js'
import { type GatewayLab, ask, chat, startGatewayLab, textOf } from '../support/gateway.js'
import { intercepted, openMemory, price, rowsOf } from './proof-lab.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const faults = ['main', 'status-401', 'status-500', 'cut-3', 'reset', 'hang'] as const
const eachFault = 5
const keyOf = (index: number): string => `sk-provider-${index}-0123456789abcdef0123456789`
const providerKeys = Array.from({ length: faults.length * eachFault }, (_, index) => keyOf(index))
const virtualKeys = Array.from({ length: 5 }, (_, index) => `sk-virtual-${index}-fedcba9876543210fedcba9876`)

/** Everything of a value that could be printed, hidden members of errors included. */
function printed(value: unknown): string {
  const seen = new WeakSet<object>()
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return String(member)
    if (typeof member !== 'object' || member === null) return member
    if (seen.has(member)) return undefined
    seen.add(member)
    if (member instanceof Error)
      return {
        ...Object.fromEntries(Object.entries(member)),
        message: member.message,
        stack: member.stack,
        cause: member.cause,
      }
    return member
  })
}

it.each([false, true])(
  'keeps keys out of rows, logs, events, callbacks, answers and errors, with stream: %s',
  async (stream) => {
    const proof = openMemory()
    const told: unknown[] = []
    const sink = await startRecordingServer()
    let isAway = true
    const counters = intercepted(proof.stores.counters, ({ name, go }) =>
      name === 'settle' && isAway ? Promise.reject(new Error('away')) : go(),
    )
    const log = (fields: object, message: string): void => void told.push({ fields, message })
    const models = providerKeys.map((apiKey, index) => {
      const fault = faults[Math.floor(index / eachFault)] ?? ''
      return { modelName: `m${index}`, model: `fake/${fault}`, apiKey, prices: price, timeouts: { total: 100 } }
    })
    const gateway = lab.start(models, {
      stores: { ...proof.stores, counters },
      auth: {
        identify: () => ({
          id: 'user-1',
          role: 'member',
          models: 'all',
          scopes: [{ kind: 'key', id: 'key-1', budget: { maxBudget: 1, softBudget: 0.000_001 } }],
        }),
      },
      retries: 0,
      logger: { debug: log, info: log, warn: log, error: log },
      onEvent: (event) => void told.push(event),
      callbacks: { sinks: [{ type: 'webhook', url: sink.url }], bodies: true, queue: { delayMs: 10 } },
      spend: {
        onUsage(rows) {
          told.push(rows)
          if (isAway) throw new Error('the host is broken')
        },
      },
    })
    const asked = [...models.map(({ modelName }) => modelName), 'unknown']
    for (const [index, name] of asked.entries()) {
      const key = virtualKeys[index % virtualKeys.length] ?? ''
      // A provider that repeats what it was sent.
      if (models[index]?.model === 'fake/status-500')
        lab.upstream.script({ status: 500, body: { error: { message: `bad key ${keyOf(index)}` } } })
      const headers = { authorization: `Bearer ${key}` }
      const answer = await ask(gateway, 'POST', '/v1/chat/completions', chat(name, { stream }), headers)
      told.push(answer.headers, await textOf(answer).catch((error: unknown) => error))
    }
    isAway = false
    await gateway.close()
    expect(sink.requests.length).toBeGreaterThan(0)
    told.push(sink.requests.map(({ text, headers }) => ({ text, headers })))
    await sink.close()
    told.push(await rowsOf(proof.stores.ledger))
    const text = printed(told)
    expect(text).toContain('key-1')
    const secrets = [...providerKeys, ...virtualKeys].map((key) => key.slice(3))
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
  },
  30_000,
)
