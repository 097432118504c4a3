import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type CallRecord,
  type Callback,
  type ChatMessage,
  GatewayError,
  type GatewayOptions,
  textPrompts,
} from '../../src/index.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'
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
    // Were it not ended at once, the call would end when the test does.
    const slow = lab.start([{ modelName: 'slow', model: 'fake/hang' }], { hooks: { duringCall: refuse } })
    expect((await ask(slow, 'POST', path, chat('slow'))).status).toBe(403)
    expect((await ask(slow, 'POST', path, chat('slow', { stream: true }))).status).toBe(403)
  })

  it('refuse a stream beside it also once it has begun', async () => {
    const duringCall = async (): Promise<never> => {
      await new Promise((resolve) => setTimeout(resolve, 60))
      throw new GatewayError('permission', 'Not today.')
    }
    const gateway = lab.start([{ modelName: 'slow', model: 'fake/trickle-20ms+words-200' }], { hooks: { duringCall } })
    const text = await textOf(await ask(gateway, 'POST', path, chat('slow', { stream: true })))
    expect(text).toContain('Not today.')
    expect(text).not.toContain('[DONE]')
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

/** The part of a whole answer that these tests look at. */
interface Whole {
  readonly choices: readonly { readonly message: { readonly content: string }; readonly finish_reason?: string }[]
}

describe('bodies in callbacks', () => {
  /** Makes calls, and gives the records that they end in. */
  async function recordsOf(
    options: Partial<GatewayOptions>,
    ...bodies: readonly object[]
  ): Promise<readonly CallRecord[]> {
    const records: CallRecord[] = []
    const callback = { onCall: (record: CallRecord) => void records.push(record) }
    const callbacks = { bodies: true, ...options.callbacks, sinks: [{ type: 'callback' as const, callback }] }
    const gateway = start({ ...options, callbacks })
    for (const body of bodies) await textOf(await ask(gateway, 'POST', path, body))
    await gateway.close()
    return records
  }

  it('are the whole answer also where it was streamed, and what was sent of one that broke off', async () => {
    const [whole, streamed, cut] = await recordsOf(
      {},
      chat('main'),
      chat('main', { stream: true }),
      chat('cut', { stream: true }),
    )
    const messageOf = (record: CallRecord | undefined) => {
      const whole = record?.response as Whole | undefined
      return whole?.choices[0]
    }
    expect(messageOf(whole)?.message.content).not.toBe('')
    expect(messageOf(streamed)).toMatchObject({
      message: { role: 'assistant', content: messageOf(whole)?.message.content },
      finish_reason: 'stop',
    })
    expect(streamed?.response).toMatchObject({ object: 'chat.completion' })
    expect(streamed?.request).toMatchObject({ messages: [{ content: 'Hello there, gateway' }] })
    expect(cut?.outcome).toBe('stream_broken')
    expect(messageOf(cut)?.message.content).not.toBe('')
    expect(messageOf(cut)?.finish_reason).toBeUndefined()
  })

  const judged = { name: 'mod', type: 'moderation', model: 'judge' } as const
  it.each([
    ['no guardrail', {}],
    ['a guardrail that only logs and is still at it', { guardrails: [{ ...judged, mode: 'logging_only' }] }],
  ] satisfies readonly (readonly [string, Partial<GatewayOptions>])[])(
    'are what they were, whatever a host goes on to do with its own request and answer, with %s',
    async (_, options) => {
      const records: CallRecord[] = []
      const callback = { onCall: (record: CallRecord) => void records.push(record) }
      const judge = { modelName: 'judge', model: 'fake/slow-50ms' }
      const callbacks: GatewayOptions['callbacks'] = { bodies: true, sinks: [{ type: 'callback', callback }] }
      const gateway = lab.start([...models, judge], { ...options, callbacks })
      const first = { role: 'user' as const, content: 'Hello there, gateway' }
      const messages: ChatMessage[] = [first]
      const answer = await gateway.call('chat', { model: 'main', messages }, anyCaller)
      const [choice] = answer.choices
      const content = choice?.message.content
      messages.push({ role: 'assistant', content: 'and so on' })
      first.content = 'Something else'
      Object.assign(choice?.message ?? {}, { content: 'Something else' })
      await gateway.close()
      const [record] = records
      expect(record?.request).toMatchObject({ messages: [{ content: 'Hello there, gateway' }] })
      expect(JSON.stringify(record?.request)).not.toContain('and so on')
      expect((record?.response as Whole | undefined)?.choices[0]?.message.content).toBe(content)
      expect(content).not.toBe('Something else')
    },
  )

  it('are only those of whose metadata asks for it, by scope', async () => {
    const identify = ({ headers }: { readonly headers: Readonly<Record<string, string | undefined>> }) => ({
      ...anyCaller,
      metadata: { 'log-bodies': headers['x-user'] === 'seen' },
    })
    const records: CallRecord[] = []
    const callback = { onCall: (record: CallRecord) => void records.push(record) }
    const gateway = start({
      auth: { identify },
      callbacks: { bodies: 'by_scope', sinks: [{ type: 'callback', callback }] },
    })
    for (const user of ['seen', 'unseen']) {
      await textOf(await ask(gateway, 'POST', path, chat('main', { stream: true }), { 'x-user': user }))
      await ask(gateway, 'POST', path, chat('main', { messages: 5 }), { 'x-user': user })
    }
    await gateway.close()
    expect(records.map((record) => ['request', 'response'].filter((name) => name in record))).toEqual([
      ['request', 'response'],
      ['request'],
      [],
      [],
    ])
  })

  it.each([false, true])('hide what guardrails hid, and tell what they found, with stream: %s', async (stream) => {
    const guardrails: GatewayOptions['guardrails'] = [
      { name: 'pii', type: 'pii' },
      { name: 'watch', type: 'words', mode: 'logging_only', words: ['today'] },
    ]
    const [record] = await recordsOf({ guardrails }, say('Write to ada@example.com today', { stream }))
    expect(JSON.stringify(record?.request)).toContain('[EMAIL_1]')
    expect(JSON.stringify(record?.response)).toContain('[EMAIL_1]')
    expect(JSON.stringify(record)).not.toContain('ada@example.com')
    expect(record?.guardrails).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ guardrail: 'pii', outcome: 'masked', counts: { email: 1 } }),
        expect.objectContaining({ guardrail: 'watch', outcome: 'flagged' }),
      ]),
    )
  })

  it('are left out of calls whose request a guardrail refused, or never saw', async () => {
    const guardrails: GatewayOptions['guardrails'] = [{ name: 'w', type: 'words', words: ['swordfish'] }]
    const [refused, unseen] = await recordsOf(
      { guardrails },
      say('swordfish'),
      say('swordfish', { guardrails: ['unknown'] }),
    )
    expect(refused).toMatchObject({
      outcome: 'guardrail_blocked',
      guardrails: [{ guardrail: 'w', outcome: 'refused' }],
    })
    expect(unseen).toMatchObject({ outcome: 'invalid_request' })
    expect(JSON.stringify([refused, unseen])).not.toContain('swordfish')
  })
})

describe('attempts', () => {
  it('are told of when they end, before their call is over', async () => {
    const told: string[] = []
    const callback: Callback = {
      onAttempt: ({ outcome, reason, model }, { callId }) => void told.push(`${callId} ${reason} ${model} ${outcome}`),
      onCall: ({ callId, outcome }) => void told.push(`${callId} ${outcome}`),
    }
    const gateway = lab.start(
      [
        { modelName: 'a', model: 'fake/status-500' },
        { modelName: 'b', model: 'fake/hang' },
      ],
      {
        retries: 0,
        routing: { fallbacks: { a: ['b'] } },
        callbacks: { sinks: [{ type: 'callback', callback }] },
      },
    )
    const leaving = new AbortController()
    const asked = gateway.handle(
      requestOf('POST', path, chat('a'), { headers: { 'x-request-id': 'one' }, signal: leaving.signal }),
    )
    // The second attempt never ends by itself, and the first is told of all the same.
    await vi.waitFor(() => expect(told).toEqual(['one first status-500 failed']))
    leaving.abort()
    await asked
    await gateway.close()
    expect(told.slice(1)).toEqual(['one fallback hang cancelled', 'one client_left'])
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
