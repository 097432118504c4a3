import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
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

function chatOver(transport: (typeof transports)[number], model: string): ChatOpenAI {
  return new ChatOpenAI({ model, apiKey: clientKey, maxRetries: 0, configuration: served.transports[transport] })
}

const weather = tool(({ city }) => `sunny in ${city}`, {
  name: 'weather',
  description: 'Knows the weather',
  schema: z.object({ city: z.string() }),
})

describe.each(transports)('LangChain over %s', (transport) => {
  describe.each(dialects)('before %s', (dialect) => {
    const chat = () => chatOver(transport, `${dialect}/demo`)

    it('invokes a model, with the tokens that it took', async () => {
      const answer = await chat().invoke('Hello there')
      expect(answer.text).toBe('You said: Hello there')
      expect(answer.usage_metadata).toMatchObject({ output_tokens: 4 })
    })

    it('streams', async () => {
      let text = ''
      const usages: unknown[] = []
      for await (const chunk of await chat().stream('Hello there')) {
        text += chunk.text
        usages.push(chunk.usage_metadata)
      }
      expect(text).toBe('You said: Hello there')
      expect(usages).toContainEqual(expect.objectContaining({ output_tokens: 4 }))
    })

    it('calls bound tools and takes their results', async () => {
      const bound = chat().bindTools([weather])
      const question = new HumanMessage('Please call weather')
      const asking = await bound.invoke([question])
      const [call] = asking.tool_calls ?? []
      expect(call).toMatchObject({ name: 'weather', args: { city: expect.any(String) } })
      const result = new ToolMessage({ tool_call_id: call?.id ?? '', content: 'sunny' })
      expect((await bound.invoke([question, asking, result])).text).toContain('sunny')
    })

    it.each(['jsonSchema', 'functionCalling'] as const)('gives structured output by %s', async (method) => {
      const schema = z.object({ city: z.string(), degrees: z.number() })
      const structured = chat().withStructuredOutput(schema, { name: 'answer', method })
      expect(await structured.invoke('Berlin')).toEqual({ city: 'Berlin', degrees: 1.5 })
    })

    it('throws when a stream breaks', async () => {
      const read = async (): Promise<void> => {
        const model = chatOver(transport, `${dialect}/words-20+cut-8+trickle-1ms`)
        for await (const _chunk of await model.stream('Hi'));
      }
      await expect(read()).rejects.toThrow()
    })
  })

  it.each(['openai', 'gemini'])('embeds documents and queries, before %s', async (dialect) => {
    const embeddings = new OpenAIEmbeddings({
      model: `${dialect}/demo`,
      apiKey: clientKey,
      dimensions: 8,
      maxRetries: 0,
      configuration: served.transports[transport],
    })
    const [one, two] = await embeddings.embedDocuments(['one', 'two'])
    expect([one?.length, two?.length]).toEqual([8, 8])
    expect(one).not.toEqual(two)
    expect(await embeddings.embedQuery('one')).toEqual(one)
  })
})
