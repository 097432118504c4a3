import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ChatCompletion, type ChatMessage, type Gateway, createGateway } from '../../src/index.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'

let upstream: FakeUpstream
const gateways: Gateway[] = []

beforeAll(async () => {
  upstream = await startFakeUpstream()
})

beforeEach(() => upstream.reset())

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close({ drainMs: 0 })))
  await upstream.close()
})

const claude = 'anthropic/claude-sonnet-4-5'
const otherClaude = 'anthropic/claude-opus-4-5'
const gemini = 'gemini/gemini-3-pro-preview'
const signature = 'c2lnbmF0dXJl'

function start(): Gateway {
  const apiKey = 'sk-platform-0123456789'
  const entry = (modelName: string, model: string, order: number) => ({
    modelName,
    model,
    apiKey,
    baseUrl: upstream.url,
    order,
  })
  const gateway = createGateway({
    models: [
      ...[claude, otherClaude, gemini].map((model) => entry(model, model, 1)),
      entry('group', claude, 1),
      entry('group', gemini, 2),
    ],
    auth: { identify: () => anyCaller },
    retries: 1,
  })
  gateways.push(gateway)
  return gateway
}

const tools = [{ type: 'function', function: { name: 'sun', parameters: { type: 'object', properties: {} } } }]
const question: ChatMessage = { role: 'user', content: 'Where is the sun?' }

/** Answers a model's first request with signed reasoning and a tool call, in its own dialect. */
const thinkingAnswers: Readonly<Record<string, object>> = {
  [claude]: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [
      { type: 'thinking', thinking: 'east, says Claude', signature },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'toolu_1', name: 'sun', input: {} },
    ],
    stop_reason: 'tool_use',
    usage: { input_tokens: 1, output_tokens: 1 },
  },
  [gemini]: {
    candidates: [
      {
        content: {
          role: 'model',
          parts: [
            { text: 'east, says Gemini', thought: true },
            { text: 'Let me look.' },
            { functionCall: { name: 'sun', args: {} }, thoughtSignature: signature },
          ],
        },
        finishReason: 'STOP',
      },
    ],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  },
}

async function firstTurn(gateway: Gateway, model: string): Promise<ChatCompletion['choices'][number]['message']> {
  upstream.script({ body: thinkingAnswers[model] ?? {} })
  const answer = await gateway.call('chat', { model, messages: [question], tools }, anyCaller)
  const message = answer.choices[0]?.message
  if (!message) throw new Error('no answer')
  return message
}

async function secondTurn(gateway: Gateway, model: string, message: ChatMessage): Promise<string> {
  const calls = message.role === 'assistant' ? (message.tool_calls ?? []) : []
  const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'in the east' }))
  await gateway.call('chat', { model, messages: [question, message, ...results], tools, max_tokens: 50 }, anyCaller)
  return JSON.stringify(upstream.requests.at(-1)?.body)
}

/** What a client keeps of an answer: all of it, or the members that OpenAI documents. */
const clients: Readonly<Record<string, (message: ChatMessage) => ChatMessage>> = {
  'keeps everything': (message) => message,
  'keeps what OpenAI documents': (message) => {
    if (message.role !== 'assistant') return message
    const calls = message.tool_calls?.map(({ id, type, function: called }) => ({ id, type, function: called }))
    return { role: 'assistant', content: message.content, tool_calls: calls } as ChatMessage
  },
}

describe.each(Object.entries(clients))('a client that %s', (_, keep) => {
  it.each([claude, gemini])('brings %s its own reasoning back', async (model) => {
    const gateway = start()
    const sent = await secondTurn(gateway, model, keep(await firstTurn(gateway, model)))
    expect(sent).toContain(signature)
    expect(sent).not.toContain('"origin"')
  })

  it.each([
    [claude, gemini],
    [claude, otherClaude],
    [gemini, claude],
  ])('brings nothing of the reasoning of %s to %s, but its text, call and result', async (first, second) => {
    const gateway = start()
    const sent = await secondTurn(gateway, second, keep(await firstTurn(gateway, first)))
    expect(sent).not.toContain(signature)
    expect(sent).not.toMatch(/says Claude|says Gemini|"origin"|__thought__/)
    expect(sent).toContain('Let me look.')
    expect(sent).toContain('in the east')
    expect(sent).toContain('sun')
  })

  it('brings no reasoning to the model that takes over within a group', async () => {
    const gateway = start()
    const message = keep(await firstTurn(gateway, claude))
    upstream.script('status-500')
    const sent = await secondTurn(gateway, 'group', message)
    expect(upstream.requests.map(({ path }) => path).slice(-2)).toEqual([
      '/v1/messages',
      expect.stringContaining('gemini-3-pro-preview:generateContent'),
    ])
    expect(JSON.stringify(upstream.requests.at(-2)?.body)).toContain(signature)
    expect(sent).not.toMatch(/says Claude|c2lnbmF0dXJl/)
  })
})
