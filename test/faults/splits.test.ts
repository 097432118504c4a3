import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/index.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { isObject, type JsonObject, stringOf } from '../../src/wire/json.js'
import { dialects, gatewayOf, modelsAt } from '../clients/served-gateway.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'

let upstream: FakeUpstream
let gateway: Gateway

beforeAll(async () => {
  upstream = await startFakeUpstream()
  gateway = gatewayOf(modelsAt(upstream.url), { auth: 'none' })
})

afterAll(async () => {
  await gateway.close({ drainMs: 0 })
  await upstream.close()
})

const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
const memberOf = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined)

/** The texts of a member, one after the other. */
const joined = (values: readonly unknown[], name: string): string =>
  values.map((value) => stringOf(memberOf(value, name)) ?? '').join('')

/** What a client is told, in a form that does not depend on how it was told. */
interface Told {
  readonly text: string
  readonly calls: readonly { readonly name: unknown; readonly args: unknown }[]
  readonly finish: unknown
  readonly usage: unknown
}

function fromWhole(body: JsonObject): Told {
  const [choice] = objects(body['choices'])
  const message = memberOf(choice, 'message')
  return {
    text: joined([message], 'content'),
    calls: objects(memberOf(message, 'tool_calls')).map((call) => ({
      name: memberOf(call['function'], 'name'),
      args: JSON.parse(joined([call['function']], 'arguments')),
    })),
    finish: choice?.['finish_reason'],
    usage: memberOf(body['usage'], 'total_tokens'),
  }
}

function fromStream(text: string): Told {
  const events = text.split('\n\n').filter(Boolean)
  expect(events.at(-1)).toBe('data: [DONE]')
  const chunks = events.slice(0, -1).map((event): JsonObject => JSON.parse(event.slice('data: '.length)))
  const choices = chunks.flatMap((chunk) => objects(chunk['choices']))
  const deltas = choices.map((choice) => choice['delta'])
  const pieces = deltas.flatMap((delta) => objects(memberOf(delta, 'tool_calls')))
  const indexes = [...new Set(pieces.map((piece) => piece['index']))]
  const finishes = choices.map((choice) => choice['finish_reason']).filter(Boolean)
  expect(finishes).toHaveLength(1)
  expect(deltas.filter((delta) => memberOf(delta, 'role') !== undefined)).toHaveLength(1)
  return {
    text: joined(deltas, 'content'),
    calls: indexes.map((index) => {
      const functions = pieces.filter((piece) => piece['index'] === index).map((piece) => piece['function'])
      return { name: joined(functions, 'name'), args: JSON.parse(joined(functions, 'arguments')) }
    }),
    finish: finishes[0],
    usage: memberOf(chunks.at(-1)?.['usage'], 'total_tokens'),
  }
}

async function ask(body: JsonObject): Promise<string> {
  const response = await gateway.handle(requestOf('POST', '/v1/chat/completions', body))
  if (!response) throw new Error('not served')
  expect(response.status).toBe(200)
  if (!('stream' in response)) return Buffer.from(response.body ?? '').toString()
  const pieces: Buffer[] = []
  for await (const piece of response.stream) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString()
}

// Words, because the fake's pieces are words; characters of one to four bytes, and what framing might trip over.
const word = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((text) => text.trim() !== ''),
  fc.constantFrom('data:', '[DONE]', '\\n\\n', '🙂👩‍👩‍👧', 'ünï', '"quoted"', '{"a":1}', 'event:', ':', '\u2028', '\ufeff'),
)
const text = fc.array(word, { minLength: 1, maxLength: 20 }).map((words) => words.join(' '))
const call = fc.record({
  name: fc.constantFrom('get_weather', 'get_time'),
  arguments: fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), fc.oneof(word, fc.integer(), fc.boolean()), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
})
const content = fc.oneof(fc.record({ text }), fc.record({ toolCalls: fc.array(call, { minLength: 1, maxLength: 3 }) }))
const shape = fc.record({
  bytes: fc.integer({ min: 1, max: 40 }),
  words: fc.subarray(['crlf', 'comments', 'no-done'] as const),
})
const tools = ['get_weather', 'get_time'].map((name) => ({ type: 'function', function: { name, parameters: {} } }))

describe.each(dialects)('a stream of %s', (dialect) => {
  it('tells the same as the whole answer, however its bytes are cut', { timeout: 60_000 }, async () => {
    const request = { model: `${dialect}/demo`, messages: [{ role: 'user', content: 'Hi' }], tools }
    const property = fc.asyncProperty(content, shape, async (said, { bytes, words }) => {
      // Only OpenAI's streams may end without a terminator.
      const faults = words.filter((fault) => fault !== 'no-done' || dialect === 'openai')
      upstream.script({ content: said }, { content: said, fault: [`bytes-${bytes}`, ...faults].join('+') })
      const whole = fromWhole(JSON.parse(await ask(request)))
      const streamed = fromStream(await ask({ ...request, stream: true, stream_options: { include_usage: true } }))
      expect(streamed).toEqual(whole)
      if ('text' in said) expect(streamed.text).toBe(said.text)
    })
    await fc.assert(property, { numRuns: 40 })
  })

  it('gives the same chunks in the process as over HTTP', async () => {
    const request = { model: `${dialect}/words-30`, messages: [{ role: 'user' as const, content: 'Hi' }] }
    const over = fromStream(await ask({ ...request, stream: true, stream_options: { include_usage: true } }))
    let within = ''
    for await (const chunk of gateway.stream('chat', request, anyCaller))
      within += chunk.choices[0]?.delta.content ?? ''
    expect(within).toBe(over.text)
  })
})
