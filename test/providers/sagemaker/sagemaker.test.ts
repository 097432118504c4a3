import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { toGatewayError } from '../../../src/errors.js'
import type { Codec, Exchange } from '../../../src/protocols/protocol.js'
import { createSageMakerProviders } from '../../../src/providers/sagemaker/index.js'
import { createEventDecoder } from '../../../src/upstream/framing.js'
import { isObject, type JsonObject, parseJson } from '../../../src/wire/json.js'
import type { Operation, Operations } from '../../../src/wire/operations.js'
import { awsException, awsPayloadPart } from '../../support/aws-event-stream.js'
import { deploymentOf } from '../../support/deployment.js'

const plain: Readonly<Record<Operation, JsonObject>> = {
  chat: { messages: [{ role: 'user', content: 'hi' }] },
  completions: { prompt: 'hi' },
  embeddings: { input: 'hi' },
  images: { prompt: 'hi' },
  moderations: { input: 'hi' },
}

function providerOf(name: string) {
  const provider = createSageMakerProviders().find((each) => each.name === name)
  if (!provider) throw new Error(`no provider ${name}`)
  return provider
}

function codecOf<K extends Operation>(name: string, operation: K): Codec<K> {
  const codec: Codec<K> | undefined = providerOf(name).protocol.codecs[operation]
  if (!codec) throw new Error(`no codec for ${operation}`)
  return codec
}

function exchangeOf<K extends Operation>(
  operation: K,
  fields: JsonObject = {},
  changes: Partial<Deployment> = {},
): Exchange<K> {
  const deployment = deploymentOf({ provider: 'sagemaker', model: 'my-endpoint', apiKey: undefined, ...changes })
  const request = { model: 'm', ...plain[operation], ...fields } as Operations[K]['request']
  return { request, deployment, id: 'AbCdEfGhIjKlMnOpQrStUvWx', created: 1_760_000_000 }
}

function sent<K extends Operation>(
  name: string,
  operation: K,
  fields: JsonObject = {},
  changes: Partial<Deployment> = {},
) {
  const { path, headers, body } = codecOf(name, operation).encode(exchangeOf(operation, fields, changes))
  const parsed = parseJson(String(body))
  return { path, headers, body: isObject(parsed) ? parsed : {} }
}

/** What a client reads out of a stream whose parts are these bytes. */
function read(name: string, parts: readonly Uint8Array[], tail: readonly Buffer[] = []) {
  const decoder = codecOf(name, 'chat').decodeStream?.(exchangeOf('chat', { stream: true }))
  if (!decoder) throw new Error('no stream')
  const events = createEventDecoder('application/vnd.amazon.eventstream')
  const pieces = [...parts.map(awsPayloadPart), ...tail]
  const all = [
    ...pieces.flatMap((piece) => events.push(piece).flatMap((event) => decoder.push(event))),
    ...events.end().flatMap((event) => decoder.push(event)),
    ...decoder.end(),
  ]
  const chunks = all.map(({ chunk, forward }) => chunk ?? (JSON.parse(forward?.data ?? '{}') as typeof chunk))
  const choices = chunks.flatMap((chunk) => chunk?.choices ?? [])
  return {
    text: choices.map(({ delta }) => delta.content ?? '').join(''),
    finish: choices.flatMap(({ finish_reason }) => finish_reason ?? []),
    usage: chunks.findLast((chunk) => chunk?.usage)?.usage,
  }
}

function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [0, ...places.map((place) => place % bytes.length).toSorted((a, b) => a - b), bytes.length]
  return sorted.slice(1).map((to, index) => bytes.subarray(sorted[index], to))
}

const tgiStream = Buffer.from(
  [
    { token: { text: 'Grüße', special: false } },
    { token: { text: ' 北', special: false } },
    {
      token: { text: '</s>', special: true },
      generated_text: 'Grüße 北',
      details: { finish_reason: 'eos_token', generated_tokens: 3, input_length: 4 },
    },
  ]
    .map((event) => `data:${JSON.stringify(event)}\n\n`)
    .join(''),
)

describe('an endpoint that generates text', () => {
  it('is asked with a prompt of the model that it serves', () => {
    const settings = { hfModelName: 'meta-llama/Llama-3.1-8B-Instruct', inferenceComponent: 'part-1' }
    const { path, headers, body } = sent(
      'sagemaker',
      'chat',
      { max_tokens: 5, temperature: 0.3, stream: true },
      { settings },
    )
    expect(path).toBe('/endpoints/my-endpoint/invocations-response-stream')
    expect(headers).toEqual({ 'content-type': 'application/json', 'x-amzn-sagemaker-inference-component': 'part-1' })
    expect(body).toMatchObject({
      inputs: expect.stringMatching(/^<\|begin_of_text\|>/),
      parameters: { max_new_tokens: 5, temperature: 0.3, return_full_text: false },
      stream: true,
    })
    expect(sent('sagemaker', 'completions', { max_tokens: 5 })).toMatchObject({
      path: '/endpoints/my-endpoint/invocations',
      body: { inputs: 'hi', parameters: { max_new_tokens: 5 } },
    })
  })

  it.each<[string, unknown]>([
    ['TGI', [{ generated_text: ' there', details: { finish_reason: 'length', generated_tokens: 2 } }]],
    ['JumpStart, with the prompt', [{ generated_text: 'hi there' }]],
    ['JumpStart, one object', { generation: ' there' }],
    ['JumpStart, a list', [{ generation: ' there' }]],
  ])('answers as %s does', (_container, body) => {
    const { choices } = codecOf('sagemaker', 'completions').decode(body, exchangeOf('completions'))
    expect(choices[0]?.text).toBe(' there')
  })

  it('is an error where nothing was generated', () => {
    expect(() => codecOf('sagemaker', 'chat').decode({ message: 'x' }, exchangeOf('chat'))).toThrow()
  })

  it('streams events that are cut anywhere, also within a character', () => {
    const whole = read('sagemaker', [tgiStream])
    expect(whole).toMatchObject({
      text: 'Grüße 北',
      finish: ['stop'],
      usage: { prompt_tokens: 4, completion_tokens: 3 },
    })
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 30 }), (places) => {
        expect(read('sagemaker', cut(tgiStream, places))).toEqual(whole)
      }),
    )
    expect(
      read(
        'sagemaker',
        Array.from(tgiStream, (byte) => Uint8Array.of(byte)),
      ),
    ).toEqual(whole)
  })

  it('streams JSON lines just as well', () => {
    const lines = Buffer.from(
      tgiStream.toString().replaceAll(/data:|\n\n/g, (found) => (found === 'data:' ? '' : '\n')),
    )
    expect(read('sagemaker', cut(lines, [7, 19, 60])).text).toBe('Grüße 北')
  })

  it('tells an exception, and a stream without an end', () => {
    const half = [tgiStream.subarray(0, 60)]
    const errorOf = (tail: readonly Buffer[]) => {
      try {
        read('sagemaker', half, tail)
      } catch (error) {
        return toGatewayError(error)
      }
      throw new Error('nothing was thrown')
    }
    expect(errorOf([awsException('ModelStreamError', 'Broke.')])).toMatchObject({
      kind: 'upstream_error',
      message: 'Broke.',
    })
    expect(errorOf([awsException('InternalStreamFailure', 'Gone.')]).kind).toBe('upstream_error')
    expect(errorOf([]).kind).toBe('stream_truncated')
  })

  it('asks containers of Voyage AI for embeddings in their own form, by the name of the endpoint or of what it serves', () => {
    const changes: readonly Partial<Deployment>[] = [
      { model: 'voyage-3-5-endpoint' },
      { settings: { hfModelName: 'voyageai/voyage-3.5' } },
      { info: { base_model: 'voyage-3.5' } },
    ]
    for (const change of changes) {
      const fields = { input: ['a', 'b'], input_type: 'query', dimensions: 1 }
      const { path, body } = sent('sagemaker', 'embeddings', fields, change)
      expect(path).toBe(`/endpoints/${change.model ?? 'my-endpoint'}/invocations`)
      expect(body).toEqual({ input: ['a', 'b'], input_type: 'query', output_dimension: 1 })
      const answer = codecOf('sagemaker', 'embeddings').decode(
        {
          object: 'list',
          data: [
            { object: 'embedding', embedding: [2], index: 1 },
            { object: 'embedding', embedding: [1], index: 0 },
          ],
          model: 'voyage-3.5',
          usage: { total_tokens: 4 },
        },
        exchangeOf('embeddings', fields, change),
      )
      expect(answer.data.map(({ embedding }) => embedding)).toEqual([[1], [2]])
      expect(answer.usage).toMatchObject({ prompt_tokens: 4, total_tokens: 4 })
    }
  })

  it('embeds', () => {
    expect(sent('sagemaker', 'embeddings', { input: ['a', 'b'] })).toMatchObject({
      path: '/endpoints/my-endpoint/invocations',
      body: { inputs: ['a', 'b'] },
    })
    const exchange = exchangeOf('embeddings', { input: ['a', 'b'] })
    const codec = codecOf('sagemaker', 'embeddings')
    for (const body of [[[1], [2]], { embedding: [[1], [2]] }]) {
      expect(codec.decode(body, exchange).data.map(({ embedding }) => embedding)).toEqual([[1], [2]])
    }
  })
})

describe('an endpoint that speaks OpenAI’s chat', () => {
  it('is asked in that format', () => {
    const { path, body } = sent('sagemaker_chat', 'chat', {
      max_tokens: 5,
      tools: [{ type: 'function', function: { name: 'f' } }],
    })
    expect(path).toBe('/endpoints/my-endpoint/invocations')
    expect(body).toMatchObject({ model: 'my-endpoint', max_tokens: 5, tools: [{ function: { name: 'f' } }] })
    expect(sent('sagemaker_nova', 'chat', { top_k: 3, stream: true })).toMatchObject({
      path: '/endpoints/my-endpoint/invocations-response-stream',
      body: { top_k: 3, stream: true },
    })
    expect(sent('sagemaker_nova', 'chat').body).not.toHaveProperty('model')
  })

  it('streams its events out of the parts', () => {
    const chunk = (delta: JsonObject, finish: string | null = null) =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
    const bytes = Buffer.from(
      [
        chunk({ role: 'assistant', content: 'Grü' }),
        chunk({ content: 'ße' }),
        chunk({}, 'stop'),
        'data: [DONE]\n\n',
      ].join(''),
    )
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (places) => {
        expect(read('sagemaker_chat', cut(bytes, places))).toMatchObject({ text: 'Grüße', finish: ['stop'] })
      }),
      { numRuns: 30 },
    )
  })

  it('is called in its region, signed for SageMaker', () => {
    const { baseUrl } = providerOf('sagemaker_chat')
    const deployment = deploymentOf({ settings: { region: 'eu-west-1' } })
    expect(typeof baseUrl === 'function' ? baseUrl(deployment) : baseUrl).toBe(
      'https://runtime.sagemaker.eu-west-1.amazonaws.com',
    )
  })
})
