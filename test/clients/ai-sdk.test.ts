import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, embedMany, generateObject, generateText, stepCountIs, streamText, tool } from 'ai'
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

function providerOver(transport: (typeof transports)[number]) {
  return createOpenAICompatible({
    name: 'sluice',
    apiKey: clientKey,
    supportsStructuredOutputs: true,
    includeUsage: true,
    ...served.transports[transport],
  })
}

describe.each(transports)('the AI SDK over %s', (transport) => {
  describe.each(dialects)('before %s', (dialect) => {
    const model = () => providerOver(transport)(`${dialect}/demo`)

    it('generates text', async () => {
      const answer = await generateText({ model: model(), prompt: 'Hello there', maxRetries: 0 })
      expect(answer).toMatchObject({ text: 'You said: Hello there', finishReason: 'stop' })
      expect(answer.usage.outputTokens).toBe(4)
    })

    it('streams text through several steps of tools', async () => {
      const asked: string[] = []
      const weather = tool({
        description: 'Knows the weather',
        inputSchema: z.object({ city: z.string() }),
        execute: ({ city }) => {
          asked.push(city)
          return 'sunny'
        },
      })
      const result = streamText({
        model: model(),
        prompt: 'Please call weather',
        tools: { weather },
        stopWhen: stepCountIs(3),
        maxRetries: 0,
      })
      const kinds = new Set<string>()
      for await (const part of result.fullStream) kinds.add(part.type)
      expect([...kinds]).toEqual(expect.arrayContaining(['tool-call', 'tool-result', 'text-delta', 'finish']))
      expect(kinds).not.toContain('error')
      expect(await result.text).toContain('sunny')
      expect(asked).toEqual(['Please call weather'])
      expect((await result.steps).map((step) => step.finishReason)).toEqual(['tool-calls', 'stop'])
      expect((await result.totalUsage).outputTokens).toBeGreaterThan(0)
    })

    it('generates an object that fits its schema', async () => {
      const schema = z.object({ city: z.string(), degrees: z.number(), sunny: z.boolean() })
      const { object } = await generateObject({ model: model(), schema, prompt: 'Berlin', maxRetries: 0 })
      expect(object).toEqual({ city: 'Berlin', degrees: 1.5, sunny: true })
    })

    it('learns of a stream that breaks', async () => {
      const broken = providerOver(transport)(`${dialect}/words-20+cut-8+trickle-1ms`)
      const result = streamText({ model: broken, prompt: 'Hi', maxRetries: 0, onError: () => {} })
      const kinds: string[] = []
      let finish: unknown
      for await (const part of result.fullStream) {
        kinds.push(part.type)
        if (part.type === 'finish') finish = part.finishReason
      }
      expect(kinds).toContain('error')
      expect(finish).not.toBe('stop')
    })
  })

  it.each(['openai', 'gemini'])('embeds many texts, before %s', async (dialect) => {
    const { embeddings, usage } = await embedMany({
      model: providerOver(transport).embeddingModel(`${dialect}/demo`),
      values: ['one', 'two', 'three'],
      providerOptions: { 'openai-compatible': { dimensions: 8 } },
      maxRetries: 0,
    })
    expect(embeddings).toHaveLength(3)
    expect(new Set(embeddings.map((vector) => vector[0])).size).toBe(3)
    expect(usage.tokens).toBeTypeOf('number')
  })

  it('throws an error with the status and the provider’s words', async () => {
    const model = providerOver(transport)('openai/status-429+retry-after-7')
    const error = await generateText({ model, prompt: 'Hi', maxRetries: 0 }).catch((thrown: unknown) => thrown)
    if (!APICallError.isInstance(error)) throw new Error('no APICallError')
    expect(error).toMatchObject({ statusCode: 429, isRetryable: true })
    expect(error.message).toContain('Fake error')
    expect(error.responseHeaders).toMatchObject({ 'retry-after': '7' })
  })
})
