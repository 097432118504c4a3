import OpenAI, { AzureOpenAI } from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import {
  type ServedGateway,
  clientKey,
  dialects,
  gatewayOf,
  modelsAt,
  serveGateway,
  transports,
} from './served-gateway.js'

let upstream: FakeUpstream
let served: ServedGateway

beforeAll(async () => {
  upstream = await startFakeUpstream()
  served = await serveGateway(gatewayOf(modelsAt(upstream.url)))
})

beforeEach(() => upstream.reset())

afterAll(async () => {
  await served.close()
  await upstream.close()
})

function clientOver(transport: (typeof transports)[number], apiKey = clientKey): OpenAI {
  return new OpenAI({ apiKey, maxRetries: 0, ...served.transports[transport] })
}

const user = (content: string) => [{ role: 'user' as const, content }]
const cities = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const functionTool = (name: string) => ({ type: 'function' as const, function: { name, parameters: cities } })
const tools = [functionTool('get_weather'), functionTool('get_time')]
const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII='

describe.each(transports)('the openai SDK over %s', (transport) => {
  describe.each(dialects)('before %s', (dialect) => {
    const model = `${dialect}/demo`

    it('chats, and tells the id of the request', async () => {
      const { data, response } = await clientOver(transport)
        .chat.completions.create({ model, messages: user('Hello there') })
        .withResponse()
      expect(data).toMatchObject({
        object: 'chat.completion',
        choices: [
          { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'You said: Hello there' } },
        ],
      })
      expect(data.usage?.total_tokens).toBe((data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0))
      expect(response.headers.get('x-request-id')).toMatch(/^req_\w{24}$/)
      expect(data).toHaveProperty('_request_id', response.headers.get('x-request-id'))
    })

    it('streams a chat, with usage when asked for', async () => {
      const stream = await clientOver(transport).chat.completions.create({
        model,
        messages: user('Hello there'),
        stream: true,
        stream_options: { include_usage: true },
      })
      let text = ''
      const finishes: string[] = []
      let usage: OpenAI.CompletionUsage | null | undefined
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? ''
        if (chunk.choices[0]?.finish_reason) finishes.push(chunk.choices[0].finish_reason)
        usage = chunk.usage ?? usage
      }
      expect([text, finishes]).toEqual(['You said: Hello there', ['stop']])
      expect(usage?.completion_tokens).toBe(4)
    })

    it('runs parallel tools to the end, streamed or not', async () => {
      for (const stream of [false, true] as const) {
        const called: string[] = []
        const runnable = ['get_weather', 'get_time'].map((name) => ({
          type: 'function' as const,
          function: {
            name,
            description: `Knows the ${name}`,
            parameters: cities,
            parse: JSON.parse,
            function: ({ city }: { city: string }) => {
              called.push(`${name} ${typeof city}`)
              return `${name} is fine`
            },
          },
        }))
        const messages = user('Please call get_weather and call get_time')
        const { completions } = clientOver(transport).chat
        const answer = stream
          ? completions.runTools({ model, messages, tools: runnable, stream })
          : completions.runTools({ model, messages, tools: runnable })
        expect(await answer.finalContent()).toMatch(/^The tool said: .*get_\w+ is fine/)
        expect(called).toEqual(['get_weather string', 'get_time string'])
        const turns = answer.messages.map(({ role }) => role)
        expect(turns).toEqual(['user', 'assistant', 'tool', 'tool', 'assistant'])
      }
      expect(upstream.requests).toHaveLength(4)
    })

    it('assembles parallel tool calls with the stream helper', async () => {
      const stream = clientOver(transport).chat.completions.stream({
        model,
        messages: user('call get_weather then call get_time'),
        tools,
      })
      const done: string[] = []
      stream.on('tool_calls.function.arguments.done', ({ name, index }) => done.push(`${index} ${name}`))
      const message = (await stream.finalChatCompletion()).choices[0]?.message
      expect(done).toEqual(['0 get_weather', '1 get_time'])
      const calls = message?.tool_calls?.flatMap((call) => (call.type === 'function' ? [call] : [])) ?? []
      expect(calls.map((call) => [call.function.name, Object.keys(JSON.parse(call.function.arguments))])).toEqual([
        ['get_weather', ['city']],
        ['get_time', ['city']],
      ])
      expect(new Set(calls.map((call) => call.id)).size).toBe(2)
    })

    it('shows images to the model', async () => {
      const content: OpenAI.ChatCompletionContentPart[] = [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: pixel } },
      ]
      const answer = await clientOver(transport).chat.completions.create({
        model,
        messages: [{ role: 'user', content }],
      })
      expect(answer.usage?.prompt_tokens).toBe(3 + 85)
      expect(JSON.stringify(upstream.requests[0]?.body)).toContain(pixel.slice(22))
    })

    it('parses an answer by its schema, streamed or not', async () => {
      const Weather = z.object({ city: z.string(), degrees: z.number(), tags: z.array(z.string()) })
      const request = {
        model,
        messages: user('Berlin'),
        response_format: zodResponseFormat(Weather, 'weather'),
      }
      const { completions } = clientOver(transport).chat
      const whole = await completions.parse(request)
      const streamed = await completions.stream(request).finalChatCompletion()
      for (const answer of [whole, streamed]) {
        expect(answer.choices[0]?.message.parsed).toEqual({ city: 'Berlin', degrees: 1.5, tags: ['Berlin'] })
      }
    })

    it('completes a text, streamed or not', async () => {
      const request = { model, prompt: 'Once upon', max_tokens: 20 }
      const { completions } = clientOver(transport)
      const whole = await completions.create(request)
      expect(whole.choices[0]).toMatchObject({ index: 0, finish_reason: 'stop', text: expect.stringContaining('Once') })
      let text = ''
      for await (const chunk of await completions.create({ ...request, stream: true })) text += chunk.choices[0]?.text
      expect(text).toBe(whole.choices[0]?.text)
    })

    const errors = [
      [400, OpenAI.BadRequestError],
      [401, OpenAI.AuthenticationError],
      [403, OpenAI.PermissionDeniedError],
      [404, OpenAI.NotFoundError],
      [409, OpenAI.ConflictError],
      [422, OpenAI.UnprocessableEntityError],
      [429, OpenAI.RateLimitError],
      [500, OpenAI.InternalServerError],
      [503, OpenAI.InternalServerError],
    ] as const
    // Google's own words for its errors have none for these two.
    const told = errors.filter(([status]) => dialect !== 'gemini' || (status !== 409 && status !== 422))
    it.each(told)('throws the class of error that %i stands for, streamed or not', async (status, type) => {
      for (const stream of [false, true]) {
        const request = { model: `${dialect}/status-${status}+retry-after-7`, messages: user('Hi'), stream }
        const error = await clientOver(transport)
          .chat.completions.create(request)
          .then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
        expect(error).toBeInstanceOf(type)
        if (!(error instanceof OpenAI.APIError)) throw new Error('no APIError')
        expect(error.message).toContain('Fake error')
        expect(error.requestID).toMatch(/^req_/)
        expect(error.headers.get('retry-after')).toBe('7')
      }
    })

    it.each(['cut-5', 'no-finish', 'error-mid-stream-5'])(
      'throws when a stream breaks upstream (%s), and never resolves',
      async (fault) => {
        const request = { model: `${dialect}/words-20+${fault}+trickle-1ms`, messages: user('Hi') }
        const { completions } = clientOver(transport).chat
        let text = ''
        const read = async (): Promise<void> => {
          for await (const chunk of await completions.create({ ...request, stream: true })) {
            text += chunk.choices[0]?.delta.content ?? ''
          }
        }
        await expect(read()).rejects.toThrow(OpenAI.APIError)
        expect(text).not.toBe('')
        await expect(completions.stream(request).finalContent()).rejects.toThrow(OpenAI.OpenAIError)
      },
    )

    it('stops the upstream when the caller aborts, before and within a stream', async () => {
      const { completions } = clientOver(transport).chat
      const early = new AbortController()
      const waiting = completions.create({ model: `${dialect}/hang`, messages: user('Hi') }, { signal: early.signal })
      const first = await upstream.received(1)
      early.abort()
      await expect(waiting).rejects.toThrow(OpenAI.APIUserAbortError)
      await first.closed
      expect(first.aborted).toBe(true)
      const stream = await completions.create({
        model: `${dialect}/words-500+trickle-5ms`,
        messages: user('Hi'),
        stream: true,
      })
      for await (const _chunk of stream) stream.controller.abort()
      const second = await upstream.received(2)
      await second.closed
      expect(second.aborted).toBe(true)
    })
  })

  it.each(['openai', 'gemini'])('embeds with the SDK’s base64 as with floats, before %s', async (dialect) => {
    const request = { model: `${dialect}/demo`, input: ['one', 'two'], dimensions: 8 }
    const { embeddings } = clientOver(transport)
    const [packed, floats] = [
      await embeddings.create(request),
      await embeddings.create({ ...request, encoding_format: 'float' }),
    ]
    expect(packed.data.map(({ embedding }) => embedding.length)).toEqual([8, 8])
    expect(packed.data.map(({ embedding }) => embedding)).toEqual(
      floats.data.map(({ embedding }) => embedding.map(Math.fround)),
    )
    expect(packed.usage.prompt_tokens).toBeTypeOf('number')
  })

  it('draws images', async () => {
    const images = await clientOver(transport).images.generate({ model: 'openai/demo', prompt: 'a cat', n: 2 })
    expect(images.data?.map((image) => Object.keys(image).some((key) => key === 'b64_json' || key === 'url'))).toEqual([
      true,
      true,
    ])
  })

  it('lists and describes models', async () => {
    const { models } = clientOver(transport)
    const listed: string[] = []
    for await (const model of models.list()) listed.push(model.id)
    expect(listed).toEqual(dialects.map((dialect) => `${dialect}/*`))
    expect(await models.retrieve('openai/gpt-x')).toMatchObject({ id: 'openai/gpt-x', object: 'model' })
    await expect(models.retrieve('unknown')).rejects.toThrow(OpenAI.NotFoundError)
  })

  it('maps the gateway’s own refusals too', async () => {
    const { completions } = clientOver(transport).chat
    const bad = { model: 'openai/demo', messages: user('Hi'), temperature: 'hot' }
    // @ts-expect-error A client that is not typed may send anything.
    await expect(completions.create(bad)).rejects.toMatchObject({ status: 400, param: 'temperature' })
    await expect(completions.create({ model: 'unknown', messages: user('Hi') })).rejects.toThrow(OpenAI.NotFoundError)
    if (transport === 'process') return
    const stranger = clientOver(transport, 'nobody').chat.completions
    await expect(stranger.create({ model: 'openai/demo', messages: user('Hi') })).rejects.toThrow(
      OpenAI.AuthenticationError,
    )
  })

  it('retries by itself after the wait that it was told, as the SDK does', async () => {
    upstream.script({ status: 429, headers: { 'retry-after-ms': '1' } })
    const client = new OpenAI({ apiKey: clientKey, maxRetries: 1, ...served.transports[transport] })
    const answer = await client.chat.completions.create({ model: 'openai/demo', messages: user('again') })
    expect(answer.choices[0]?.message.content).toBe('You said: again')
    expect(upstream.requests).toHaveLength(2)
  })

  it.each(dialects)('serves AzureOpenAI by the deployment in the path, before %s', async (dialect) => {
    const { baseURL, fetch } = served.transports[transport]
    const azure = new AzureOpenAI({
      apiKey: clientKey,
      apiVersion: '2024-10-21',
      baseURL: `${baseURL.slice(0, -'/v1'.length)}/openai`,
      maxRetries: 0,
      ...(fetch && { fetch }),
    })
    const model = `${dialect}/demo`
    const whole = await azure.chat.completions.create({ model, messages: user('Hello Azure') })
    expect(whole.choices[0]?.message.content).toBe('You said: Hello Azure')
    let streamed = ''
    for await (const chunk of await azure.chat.completions.create({ model, messages: user('x'), stream: true })) {
      streamed += chunk.choices[0]?.delta.content ?? ''
    }
    expect(streamed).toBe('You said: x')
    if (dialect === 'anthropic') return
    const vectors = await azure.embeddings.create({ model, input: 'one', dimensions: 8 })
    expect(vectors.data[0]?.embedding).toHaveLength(8)
  })
})
