import { LLMock } from '@copilotkit/aimock'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ServedGateway, clientKey, gatewayOf, providerKey, serveGateway } from './served-gateway.js'

// Upstreams that somebody else wrote. What they are known not to do (usage, base64 vectors, Gemini's finish reason
// beside a call) is not asked of them here.

let mock: LLMock
let served: ServedGateway
let client: OpenAI

beforeAll(async () => {
  mock = new LLMock({ port: 0, chunkSize: 4 })
  await mock.start()
  const models = [
    { modelName: 'openai', model: 'openai/gpt-4o', baseUrl: `${mock.url}/v1` },
    { modelName: 'anthropic', model: 'anthropic/claude-sonnet-4-5', baseUrl: mock.url },
    { modelName: 'gemini', model: 'gemini/gemini-2.5-flash', baseUrl: mock.url },
  ]
  served = await serveGateway(gatewayOf(models.map((model) => ({ ...model, apiKey: providerKey }))))
  client = new OpenAI({ apiKey: clientKey, maxRetries: 0, ...served.transports.node })
})

beforeEach(() => {
  mock.reset()
  mock.onMessage('hello', { content: 'Hello to you too, ünï 🙂' })
  mock.onMessage('think', { content: 'The answer is 4', reasoning: 'Two and two is four' })
  mock.onMessage('weather', {
    toolCalls: [
      { name: 'get_weather', arguments: '{"city":"Paris"}' },
      { name: 'get_time', arguments: '{"zone":"Europe/Paris"}' },
    ],
  })
})

afterAll(async () => {
  await served.close()
  await mock.stop()
})

const user = (content: string) => [{ role: 'user' as const, content }]
const tools: OpenAI.ChatCompletionTool[] = ['get_weather', 'get_time'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: {} } },
}))

/** The whole answer, read whole or put together from a stream. */
async function ask(
  request: Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'>,
  stream: boolean,
): Promise<OpenAI.ChatCompletion.Choice | undefined> {
  const { completions } = client.chat
  const answer = stream ? await completions.stream(request).finalChatCompletion() : await completions.create(request)
  return answer.choices[0]
}

describe.each(['openai', 'anthropic', 'gemini'])('aimock as %s', (model) => {
  describe.each([
    ['whole', false],
    ['streamed', true],
  ])('%s', (_, stream) => {
    it('chats', async () => {
      const choice = await ask({ model, messages: user('hello') }, stream)
      expect(choice).toMatchObject({ finish_reason: 'stop', message: { content: 'Hello to you too, ünï 🙂' } })
    })

    it('calls two tools at once', async () => {
      const choice = await ask({ model, messages: user('weather please'), tools }, stream)
      if (model !== 'gemini') expect(choice?.finish_reason).toBe('tool_calls')
      const calls = choice?.message.tool_calls?.flatMap((call) => (call.type === 'function' ? [call.function] : []))
      expect(calls?.map((call) => [call.name, JSON.parse(call.arguments)])).toEqual([
        ['get_weather', { city: 'Paris' }],
        ['get_time', { zone: 'Europe/Paris' }],
      ])
    })

    it('thinks aloud', async () => {
      const request = { model, messages: user('think'), reasoning_effort: 'low', max_completion_tokens: 4_000 } as const
      if (stream) {
        let reasoning = ''
        for await (const chunk of await client.chat.completions.create({ ...request, stream })) {
          const delta = chunk.choices[0]?.delta ?? {}
          if ('reasoning_content' in delta) reasoning += String(delta.reasoning_content)
        }
        expect(reasoning).toBe('Two and two is four')
        return
      }
      const choice = await ask(request, stream)
      expect(choice?.message).toMatchObject({
        content: 'The answer is 4',
        reasoning_content: 'Two and two is four',
      })
    })

    it('fails as it is told to', async () => {
      mock.nextRequestError(429, { message: 'slow down', type: 'rate_limit_error' })
      await expect(ask({ model, messages: user('hello') }, stream)).rejects.toThrow(OpenAI.RateLimitError)
      mock.nextRequestError(503, { message: 'broken', type: 'server_error' })
      await expect(ask({ model, messages: user('hello') }, stream)).rejects.toThrow(OpenAI.InternalServerError)
    })
  })

  it('never resolves a stream that was cut', async () => {
    mock.onMessage('long', { content: 'word '.repeat(50) }, { truncateAfterChunks: 5 })
    await expect(ask({ model, messages: user('long story') }, true)).rejects.toThrow(OpenAI.OpenAIError)
  })
})
