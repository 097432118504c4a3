import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { gatewayFetch } from '../../adapters/fetch.js'
import { createGateway, defineProvider, type Gateway } from '../../src/index.js'
import { startFakeUpstream, type FakeUpstream } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'

// A provider that does not exist costs one row.

let upstream: FakeUpstream
let gateway: Gateway
let client: OpenAI

beforeAll(async () => {
  upstream = await startFakeUpstream({ apiKey: 'sk-atlantis' })
  const atlantis = defineProvider({ name: 'atlantis', baseUrl: `${upstream.url}/v1`, apiKeyEnv: 'ATLANTIS_API_KEY' })
  gateway = createGateway({
    providers: [atlantis],
    models: [{ modelName: 'atlantis/*', model: 'atlantis/*' }],
    auth: 'none',
    retries: 0,
    env: { ATLANTIS_API_KEY: 'sk-atlantis' },
  })
  client = new OpenAI({
    apiKey: 'unused',
    baseURL: 'http://sluice/v1',
    fetch: gatewayFetch(gateway, anyCaller),
    maxRetries: 0,
  })
})

afterEach(() => upstream.reset())

afterAll(async () => {
  await gateway.close({ drainMs: 0 })
  await upstream.close()
})

const messages = [{ role: 'user' as const, content: 'hello from the sea' }]
const model = 'atlantis/poseidon-1'

describe('a provider declared with one row', () => {
  it('answers a chat, under the key of its variable and the name without its prefix', async () => {
    const answer = await client.chat.completions.create({ model, messages })
    expect(answer.choices[0]?.message.content).toBe('You said: hello from the sea')
    expect(answer.usage).toMatchObject({ prompt_tokens: 4, total_tokens: 10 })
    const [sent] = upstream.requests
    expect(sent).toMatchObject({ path: '/v1/chat/completions', body: { model: 'poseidon-1' } })
    expect(sent?.headers['authorization']).toBe('Bearer sk-atlantis')
  })

  it('streams', async () => {
    const stream = client.chat.completions.stream({ model, messages })
    const answer = await stream.finalChatCompletion()
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: 'You said: hello from the sea' },
    })
  })

  it.each([false, true])('calls tools and takes their results (stream: %s)', async (streams) => {
    const tools = [{ type: 'function' as const, function: { name: 'tide', parameters: { type: 'object' } } }]
    const ask = { model, tools, messages: [{ role: 'user' as const, content: 'call tide' }] }
    const answer = streams
      ? await client.chat.completions.stream(ask).finalChatCompletion()
      : await client.chat.completions.create(ask)
    const message = answer.choices[0]?.message
    const [call] = message?.tool_calls ?? []
    expect(call).toMatchObject({ type: 'function', function: { name: 'tide' } })
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls')
    if (!message || !call) throw new Error('no call was made')
    const result = { role: 'tool' as const, tool_call_id: call.id, content: 'it rises' }
    const next = await client.chat.completions.create({ ...ask, messages: [...ask.messages, message, result] })
    expect(next.choices[0]?.message.content).toBe('The tool said: it rises')
  })

  it('hands on what goes wrong', async () => {
    const failing = client.chat.completions.create({ model: 'atlantis/status-429', messages })
    await expect(failing).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
  })
})
