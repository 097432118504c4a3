import { afterAll, beforeAll, expect, it } from 'vitest'
import { type GatewayLab, ask, chat, startGatewayLab, textOf } from '../support/gateway.js'
import { intercepted, openMemory, price, rowsOf } from './proof-lab.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const providerKey = 'sk-provider-0123456789abcdef0123456789'
const virtualKey = 'sk-virtual-fedcba9876543210fedcba9876'

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
  'keeps keys out of rows, logs, events, answers and errors, with stream: %s',
  async (stream) => {
    const proof = openMemory()
    const told: unknown[] = []
    const counters = intercepted(proof.stores.counters, ({ name, go }) =>
      name === 'settle' ? Promise.reject(new Error('away')) : go(),
    )
    const log = (fields: object, message: string): void => void told.push({ fields, message })
    const gateway = lab.start(
      ['main', 'status-401', 'status-500', 'cut-3', 'reset'].map((name) => ({
        modelName: name,
        model: `fake/${name}`,
        apiKey: providerKey,
        prices: price,
      })),
      {
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
        spend: {
          onUsage(rows) {
            told.push(rows)
            throw new Error('the host is broken')
          },
        },
      },
    )
    const headers = { authorization: `Bearer ${virtualKey}` }
    for (const name of ['main', 'status-401', 'status-500', 'cut-3', 'reset', 'unknown']) {
      // A provider that repeats what it was sent.
      if (name === 'status-500')
        lab.upstream.script({ status: 500, body: { error: { message: `bad key ${providerKey}` } } })
      const answer = await ask(gateway, 'POST', '/v1/chat/completions', chat(name, { stream }), headers)
      told.push(answer.headers, await textOf(answer).catch((error: unknown) => error))
    }
    await gateway.close()
    told.push(await rowsOf(proof.stores.ledger))
    const text = printed(told)
    expect(text).toContain('key-1')
    expect(text).not.toContain(providerKey.slice(3))
    expect(text).not.toContain(virtualKey.slice(3))
  },
  30_000,
)
