import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type CallRecord, GatewayError, type GatewayOptions, textPrompts } from '../../src/index.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab, textOf } from '../support/gateway.js'

let lab: GatewayLab

beforeAll(async () => {
  lab = await startGatewayLab()
})

afterAll(() => lab.close())

const path = '/v1/chat/completions'
const models = [
  { modelName: 'main', model: 'fake/main', prices: { input: 1, output: 1 } },
  { modelName: 'down', model: 'fake/status-500' },
  { modelName: 'cut', model: 'fake/cut-3' },
]
const start = (options: Partial<GatewayOptions>) => lab.start(models, { retries: 0, ...options })
const say = (content: string, own: object = {}): object => ({
  model: 'main',
  messages: [{ role: 'user', content }],
  ...own,
})

/** The text of a stream's chunks. */
function contentOf(stream: string): string {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)).choices?.[0]?.delta?.content ?? '')
    .join('')
}

describe('guardrails', () => {
  const guardrails = [{ name: 'pii', type: 'pii' as const }]

  it.each([false, true])(
    'hide personal data from the provider and show it in the answer, with stream: %s',
    async (stream) => {
      const gateway = start({ guardrails })
      const answer = await ask(gateway, 'POST', path, say('Write to ada@example.com today', { stream }))
      const sent = JSON.stringify(lab.upstream.requests.at(-1)?.body)
      expect(sent).not.toContain('ada@example.com')
      const text = await textOf(answer)
      const said = stream ? contentOf(text) : JSON.parse(text).choices[0].message.content
      expect(said).toContain('ada@example.com')
      expect(answer.headers['x-sluice-guardrails']).toBe('pii=masked')
    },
  )

  it('refuse with a 400 that names the guardrail, before the provider is asked', async () => {
    const gateway = start({ guardrails: [{ name: 'no-secrets', type: 'words', words: ['swordfish'] }] })
    const before = lab.upstream.requests.length
    const answer = await ask(gateway, 'POST', path, say('the password is swordfish'))
    expect(answer.status).toBe(400)
    expect(jsonOf(answer).error).toMatchObject({
      code: 'guardrail_refused',
      message: expect.stringContaining('no-secrets'),
    })
    expect(JSON.stringify(jsonOf(answer))).not.toContain('swordfish')
    expect(lab.upstream.requests.length).toBe(before)
  })

  it('that do not exist are told to who names them', async () => {
    const answer = await ask(start({}), 'POST', path, chat('main', { guardrails: ['nobody'] }))
    expect(answer.status).toBe(400)
  })
})

describe('hooks', () => {
  it('change requests, answers and chunks', async () => {
    const gateway = start({
      hooks: {
        beforeCall: (request) => ({ ...request, model: 'main' }),
        afterCall: (answer) => ({ ...answer, id: 'changed' }),
        onStream: (chunk) => ({ ...chunk, id: 'changed' }),
      },
    })
    const whole = await ask(gateway, 'POST', path, chat('main'))
    expect(jsonOf(whole)).toMatchObject({ id: 'changed' })
    const stream = await textOf(await ask(gateway, 'POST', path, chat('main', { stream: true })))
    expect(stream).toContain('"changed"')
    expect(stream).toContain('[DONE]')
  })

  it('refuse before, and beside, whose refusal ends the call at once', async () => {
    const refuse = (): never => {
      throw new GatewayError('permission', 'Not today.')
    }
    expect((await ask(start({ hooks: { beforeCall: refuse } }), 'POST', path, chat('main'))).status).toBe(403)
    const slow = lab.start([{ modelName: 'slow', model: 'fake/slow-5000ms' }], { hooks: { duringCall: refuse } })
    const startedAt = Date.now()
    expect((await ask(slow, 'POST', path, chat('slow'))).status).toBe(403)
    expect(Date.now() - startedAt).toBeLessThan(3_000)
  })

  it('see no call of a model that the caller may not use', async () => {
    const beforeCall = vi.fn()
    expect((await ask(start({ hooks: { beforeCall } }), 'POST', path, chat('unknown'))).status).toBe(404)
    expect(beforeCall).not.toHaveBeenCalled()
  })
})

describe('callbacks', () => {
  it('tell of every call once, with what it cost and how it ended', async () => {
    const records: CallRecord[] = []
    const callback = { onCall: (record: CallRecord) => void records.push(record) }
    const gateway = start({
      stores: { ledger: createMemoryLedger() },
      guardrails: [{ name: 'w', type: 'words', words: ['swordfish'] }],
      callbacks: { sinks: [{ type: 'callback', callback }] },
    })
    await ask(gateway, 'POST', path, chat('main'))
    await textOf(await ask(gateway, 'POST', path, chat('main', { stream: true })))
    await ask(gateway, 'POST', path, chat('down'))
    await textOf(await ask(gateway, 'POST', path, chat('cut', { stream: true })))
    await ask(gateway, 'POST', path, chat('nowhere'))
    await ask(gateway, 'POST', path, say('swordfish'))
    const left = await ask(gateway, 'POST', path, chat('main', { stream: true }))
    if ('stream' in left) await left.stream[Symbol.asyncIterator]().return?.()
    await gateway.close()
    expect(records.map(({ outcome }) => outcome).toSorted()).toEqual([
      'answered',
      'client_left',
      'guardrail_blocked',
      'model_not_found',
      'stream_broken',
      'streamed',
      'upstream_error',
    ])
    const answered = records.find(({ outcome }) => outcome === 'answered')
    expect(answered).toMatchObject({ status: 'success', provider: 'fake', attempts: [{ outcome: 'answered' }] })
    expect(Number(answered?.cost)).toBeGreaterThan(0)
    expect(answered).not.toHaveProperty('request')
  })
})

describe('prompts', () => {
  it('come before the conversation of who names them, with their variables', async () => {
    const prompts = { own: textPrompts({ polite: 'Always say {{word}}.' }) }
    const gateway = start({ prompts })
    const body = chat('main', { prompt_id: 'polite', prompt_variables: { word: 'please' } })
    expect((await ask(gateway, 'POST', path, body)).status).toBe(200)
    const sent = lab.upstream.requests.at(-1)?.body as { messages: { content: string }[] }
    expect(sent.messages[0]?.content).toBe('Always say please.')
    expect(sent.messages).toHaveLength(2)
    expect(sent).not.toHaveProperty('prompt_id')
    expect((await ask(gateway, 'POST', path, chat('main', { prompt_id: 'rude' }))).status).toBe(400)
  })
})
