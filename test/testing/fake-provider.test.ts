import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createGateway, type Caller, type Gateway } from '../../src/index.js'
import { fakeProvider, startFakeUpstream, type FakeUpstream } from '../../src/testing/index.js'
import { collect } from './client.js'

const caller: Caller = { id: 'test', role: 'member', models: 'all', scopes: [] }
const messages = [{ role: 'user' as const, content: 'Hello there' }]

let upstream: FakeUpstream
let gateway: Gateway
beforeAll(async () => {
  upstream = await startFakeUpstream()
  gateway = createGateway({
    providers: [
      fakeProvider(upstream.url),
      fakeProvider(upstream.url, { name: 'fake-claude', protocol: 'anthropic' }),
      fakeProvider(upstream.url, { name: 'fake-gemini', protocol: 'gemini' }),
    ],
    models: ['fake', 'fake-claude', 'fake-gemini'].map((name) => ({ modelName: `${name}/*`, model: `${name}/*` })),
    auth: 'none',
    retries: 0,
  })
})
beforeEach(() => upstream.reset())
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

describe.each([
  ['fake', '/v1/chat/completions'],
  ['fake-claude', '/v1/messages'],
  ['fake-gemini', '/v1beta/models/demo:generateContent'],
])('a gateway over the provider %s', (name, path) => {
  it('speaks its dialect and answers in that of OpenAI', async () => {
    const answer = await gateway.call('chat', { model: `${name}/demo`, messages }, caller)
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'You said: Hello there' } })
    expect(answer.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 })
    expect(upstream.requests[0]?.path).toBe(path)
    const chunks = await collect(gateway.stream('chat', { model: `${name}/demo`, messages }, caller))
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('You said: Hello there')
  })

  it('meets the faults that the model name asks for', async () => {
    const broken = gateway.stream('chat', { model: `${name}/cut-5`, messages }, caller)
    await expect(collect(broken)).rejects.toMatchObject({ status: 502 })
    const limited = gateway.call('chat', { model: `${name}/status-429+retry-after-30`, messages }, caller)
    await expect(limited).rejects.toMatchObject({ status: 429, retryAfterMs: 30_000 })
  })
})
