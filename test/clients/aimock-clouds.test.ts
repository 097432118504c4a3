import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { LLMock } from '@copilotkit/aimock'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { gatewayFetch } from '../../adapters/fetch.js'
import type { Gateway } from '../../src/index.js'
import { anyCaller } from '../support/deployment.js'
import { cloudUpstreams } from './cloud-upstreams.js'
import { gatewayOf } from './served-gateway.js'

// Upstreams of the clouds that somebody else wrote, which also say how they understood what they were sent.

let mock: LLMock
let gateway: Gateway
let client: OpenAI
let received: IncomingMessage | undefined

// aimock's journal blackens the headers that sign, so they are taken from its server; no other one runs here.
const receive = (message: unknown): void => {
  ;({ request: received } = message as { request: IncomingMessage })
}

beforeAll(async () => {
  subscribe('http.server.request.start', receive)
  mock = new LLMock({ port: 0, chunkSize: 4 })
  await mock.start()
  gateway = gatewayOf(cloudUpstreams.map(({ name, options }) => ({ ...options, modelName: name, baseUrl: mock.url })))
  const fetch = gatewayFetch(gateway, anyCaller)
  client = new OpenAI({ apiKey: 'unused', baseURL: 'http://sluice/v1', maxRetries: 0, fetch })
})

beforeEach(() => {
  mock.reset()
  mock.on({ userMessage: 'weather', hasToolResult: true }, { content: 'Rain in Zürich, at noon.' })
  mock.onMessage('hello', { content: 'Hello to you too, ünï 🙂', usage: { prompt_tokens: 11, completion_tokens: 7 } })
  mock.onMessage('limit', { content: 'Cut sho', finishReason: 'length' })
  mock.onMessage('think', { content: 'The answer is 4', reasoning: 'Two and two is four' })
  mock.onMessage('weather', {
    toolCalls: [
      { name: 'get_weather', arguments: '{"city":"Zürich 🙂"}', id: 'call_weather_1' },
      { name: 'get_time', arguments: '{"zone":{"area":"Europe","city":"Zurich"}}', id: 'call_time_2' },
    ],
  })
})

afterAll(async () => {
  unsubscribe('http.server.request.start', receive)
  await gateway.close({ drainMs: 0 })
  await mock.stop()
})

const user = (content: string) => ({ role: 'user' as const, content })
const tools: OpenAI.ChatCompletionTool[] = ['get_weather', 'get_time'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}))

type Request = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream' | 'model'>

/** The whole answer, read whole or put together from a stream. */
async function ask(model: string, request: Request, stream: boolean): Promise<OpenAI.ChatCompletion> {
  const { completions } = client.chat
  if (!stream) return completions.create({ ...request, model })
  return completions.stream({ ...request, model, stream_options: { include_usage: true } }).finalChatCompletion()
}

/** What a piece of an answer, or all of it, may say. */
interface Thought {
  readonly content?: string | null
  readonly reasoning_content?: string
}

/** The conversation of the last request, as aimock understood it in the upstream's dialect. */
function understood(): unknown {
  const body = mock.getLastRequest()?.body
  return body && 'messages' in body ? body.messages : undefined
}

const ways = [
  ['whole', false],
  ['streamed', true],
] as const

describe.each(cloudUpstreams)('aimock as $name', ({ name, paths, signature, embeddings, thinks }) => {
  // aimock's Ollama counts no tokens and knows one reason to stop, whatever its script says.
  const isScripted = name !== 'ollama'
  // Vertex and Ollama know calls by their names and places.
  const sendsIds = name !== 'vertex' && name !== 'ollama'

  describe.each(ways)('%s', (_, stream) => {
    it('chats, at the right path, signed', async () => {
      const messages = [{ role: 'system' as const, content: 'Be kind.' }, user('hello')]
      const { choices, usage } = await ask(name, { messages }, stream)
      expect(choices).toMatchObject([{ finish_reason: 'stop', message: { content: 'Hello to you too, ünï 🙂' } }])
      const [prompt_tokens, completion_tokens, total_tokens] = isScripted ? [11, 7, 18] : [0, 0, 0]
      expect(usage).toMatchObject({ prompt_tokens, completion_tokens, total_tokens })
      expect(received).toMatchObject({ method: 'POST', url: paths[stream ? 1 : 0] })
      expect(received?.headers[signature[0]]).toMatch(signature[1])
      expect(understood()).toMatchObject(messages)
    })

    if (isScripted) {
      it('says that an answer met its limit', async () => {
        const { choices } = await ask(name, { messages: [user('limit')], max_completion_tokens: 3 }, stream)
        expect(choices).toMatchObject([{ finish_reason: 'length', message: { content: 'Cut sho' } }])
      })
    }

    it('calls two tools, and tells their results', async () => {
      const question = user('weather please')
      const { choices } = await ask(name, { messages: [question], tools }, stream)
      // aimock's Gemini gives FUNCTION_CALL as the reason beside a call, the real one STOP.
      if (name !== 'vertex') expect(choices[0]?.finish_reason).toBe('tool_calls')
      const calls = choices[0]?.message.tool_calls?.flatMap((call) => (call.type === 'function' ? [call] : [])) ?? []
      expect(calls.map(({ function: called }) => [called.name, JSON.parse(called.arguments)])).toEqual([
        ['get_weather', { city: 'Zürich 🙂' }],
        ['get_time', { zone: { area: 'Europe', city: 'Zurich' } }],
      ])
      const ids = calls.map(({ id }) => id)
      expect(new Set(ids).size).toBe(2)
      const turn = { role: 'assistant' as const, content: null, tool_calls: calls }
      const results = ids.map((id, place) => ({
        role: 'tool' as const,
        tool_call_id: id,
        content: `{"result":"number ${place}"}`,
      }))
      const answer = await ask(name, { messages: [question, turn, ...results], tools }, stream)
      expect(answer.choices[0]).toMatchObject({
        finish_reason: 'stop',
        message: { content: 'Rain in Zürich, at noon.' },
      })
      expect(understood()).toMatchObject([
        question,
        { role: 'assistant', tool_calls: calls.map(({ function: called }) => ({ function: called })) },
        ...results.map(({ tool_call_id, ...result }) => ({ ...result, ...(sendsIds && { tool_call_id }) })),
      ])
    })

    if (thinks) {
      it('thinks aloud', async () => {
        const request = { model: name, messages: [user('think')], reasoning_effort: 'low' as const }
        const said = { content: '', reasoning_content: '' }
        const answers = stream
          ? await client.chat.completions.create({ ...request, stream })
          : [await client.chat.completions.create(request)]
        for await (const { choices } of answers) {
          for (const choice of choices) {
            const part: Thought = 'delta' in choice ? choice.delta : choice.message
            said.content += part.content ?? ''
            said.reasoning_content += part.reasoning_content ?? ''
          }
        }
        expect(said).toEqual({ content: 'The answer is 4', reasoning_content: 'Two and two is four' })
      })
    }

    it.each([
      [400, 400, OpenAI.BadRequestError, null],
      [401, 401, OpenAI.AuthenticationError, 'invalid_api_key'],
      [429, 429, OpenAI.RateLimitError, 'rate_limit_exceeded'],
      [500, 502, OpenAI.InternalServerError, 'upstream_error'],
    ])('fails where the upstream answers %i', async (status, seen, kind, code) => {
      mock.nextRequestError(status, { message: 'as it was told', type: 'some_error' })
      const failure: unknown = await ask(name, { messages: [user('hello')] }, stream).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(kind)
      expect(failure).toMatchObject({
        status: seen,
        code,
        message: `${seen} as it was told`,
        error: { upstream: { status } },
      })
    })
  })

  it('fails in a stream that is cut, after what had come', async () => {
    // aimock drops the connection with whatever is not yet written, hence the milliseconds between the pieces.
    mock.onMessage('long', { content: 'word '.repeat(50) }, { truncateAfterChunks: 8, latency: 5 })
    const stream = await client.chat.completions.create({ model: name, messages: [user('long story')], stream: true })
    let said = ''
    const read = async (): Promise<void> => {
      for await (const { choices } of stream) said += choices[0]?.delta.content ?? ''
    }
    await expect(read()).rejects.toMatchObject({ code: 'upstream_connection_error', type: 'server_error' })
    expect(said).toMatch(/^word /)
  })

  if (embeddings) {
    it('embeds', async () => {
      mock.onEmbedding('a text', { embedding: [0.5, -0.25, 1] })
      // The client asks for base64, which aimock does not give and the gateway has to.
      const { data } = await client.embeddings.create({ model: name, input: ['a text', 'another'] })
      expect(data).toMatchObject([0, 1].map((index) => ({ index, embedding: [0.5, -0.25, 1] })))
      expect(received?.url).toBe(embeddings)
      expect(received?.headers[signature[0]]).toMatch(signature[1])
    })
  }
})
