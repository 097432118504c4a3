import { expect } from 'vitest'
import { at, objectsIn, textOf } from '../recordings/exchange.js'
import { gemini } from './answers.js'
import { type Case, callsOf, calling, plain, result, sse, tool, user } from './lab.js'

const model = 'gemini/gemini-3-pro-preview'
const vertex = 'vertex_ai/gemini-2.5-flash'
const signature = 'c2lnbmF0dXJlIG9mIHRoZSBjYWxs'
const call = { functionCall: { name: 'look', args: { at: 'sky' } } }
const tools = [tool('look', { type: 'object', properties: { at: { type: 'string' } } })]
const said = gemini([{ text: 'Blue.' }])
const withUsage = { stream_options: { include_usage: true } }
const turns = (sent: { readonly body: object }) => objectsIn(at(sent.body, 'contents'))

/** A schema with everything that Google's subset does not know. */
const wild = {
  type: 'object',
  $defs: {
    node: {
      type: 'object',
      properties: { name: { const: 'sky' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
      additionalProperties: false,
    },
  },
  properties: { tree: { $ref: '#/$defs/node' }, size: { anyOf: [{ type: 'integer' }, { type: 'string' }] } },
  required: ['tree'],
  additionalProperties: false,
}

/** What befalls Gemini, at AI Studio and on Vertex AI. */
export const googleCases: readonly Case[] = [
  {
    number: 16,
    title: 'brings a thought signature through a plain client, and puts a stand-in into a foreign history',
    async run(lab, stream) {
      const ask = { model, tools }
      const answer = gemini([{ ...call, thoughtSignature: signature }])
      const first = await lab.chat({ ...ask, messages: [user('Look')] }, stream, answer)
      const turn = plain(first.message)
      const id = String(objectsIn(turn['tool_calls'])[0]?.['id'])
      const second = await lab.chat({ ...ask, messages: [user('Look'), turn, result(id, 'blue')] }, stream, said)
      expect(at(turns(second.sent)[1], 'parts', 0, 'thoughtSignature')).toBe(signature)

      const foreign = [user('Look'), calling(['call_abroad', 'look', '{}']), result('call_abroad', 'blue')]
      const third = await lab.chat({ ...ask, messages: foreign }, stream, said)
      expect(at(turns(third.sent)[1], 'parts', 0, 'thoughtSignature')).toBe('skip_thought_signature_validator')
    },
  },
  {
    number: 17,
    title: 'sends a schema with references and unions as it is where that is read, and else inlined',
    async run(lab, stream) {
      const ask = { messages: [user('Look')], tools: [tool('look', wild)] }
      const { sent } = await lab.chat({ ...ask, model }, stream, said)
      const declared = at(sent.body, 'tools', 0, 'functionDeclarations', 0)
      // Google knows a constant as an enumeration of one.
      const known: unknown = JSON.parse(JSON.stringify(wild).replace('"const":"sky"', '"enum":["sky"]'))
      expect(at(declared, 'parametersJsonSchema')).toEqual(known)
      const old = await lab.chat({ ...ask, model: 'gemini/gemini-1.5-pro' }, stream, said)
      const parameters = at(old.sent.body, 'tools', 0, 'functionDeclarations', 0, 'parameters')
      expect(at(parameters, 'properties', 'tree', 'properties', 'name', 'type')).toMatch(/^string$/i)
      expect(JSON.stringify(parameters)).not.toMatch(/\$ref|\$defs|additionalProperties|"const"/)
    },
  },
  {
    number: 18,
    title: 'takes a result that speaks of $ref as data',
    async run(lab, stream) {
      const data = { $ref: '#/$defs/gone', $defs: { a: { $ref: '#' } } }
      const messages = [user('Look'), calling(['call_1', 'look', '{}']), result('call_1', JSON.stringify(data))]
      const { sent, status } = await lab.chat({ model, messages, tools }, stream, said)
      expect(status).toBe(200)
      const response = at(turns(sent)[2], 'parts', 0, 'functionResponse', 'response')
      expect(JSON.stringify(response).replaceAll('\\', '')).toContain(JSON.stringify(data))
    },
  },
  {
    number: 19,
    title: 'gives one empty choice with a finish reason, and the own one beside it, where there is no content',
    async run(lab, stream) {
      const ends = [
        ['NO_IMAGE', 'stop'],
        ['MALFORMED_FUNCTION_CALL', 'stop'],
        ['MAX_TOKENS', 'length'],
      ] as const
      for (const [native, finish] of ends) {
        const reply = await lab.chat({ model, messages: [user('Look')] }, stream, gemini([], native))
        expect(reply.choices).toHaveLength(1)
        expect(reply.message['content'] ?? '').toBe('')
        expect([native, reply.finish]).toEqual([native, finish])
        if (native !== 'MAX_TOKENS') expect(reply.text).toContain(native)
      }
    },
  },
  {
    number: 20,
    title: 'keeps a call that ended with SAFETY, and sees no block in an empty reason',
    async run(lab, stream) {
      const reply = await lab.chat({ model, messages: [user('Look')], tools }, stream, gemini([call], 'SAFETY'))
      expect(callsOf(reply.message)).toEqual([['look', '{"at":"sky"}']])
      const more = { promptFeedback: { blockReason: '' } }
      const open = await lab.chat({ model, messages: [user('Hi')] }, stream, gemini([{ text: 'Blue.' }], 'STOP', more))
      expect([open.message['content'], open.finish]).toEqual(['Blue.', 'stop'])
    },
  },
  {
    number: 21,
    title: 'counts thoughts as completion and tool use as prompt, and replaces what a stream has counted so far',
    async run(lab, stream) {
      const count = (candidates: number) => ({
        promptTokenCount: 10,
        toolUsePromptTokenCount: 4,
        candidatesTokenCount: candidates,
        thoughtsTokenCount: 7,
        totalTokenCount: 21 + candidates,
      })
      const piece = (text: string, candidates: number, end: boolean) => ({
        candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, ...(end && { finishReason: 'STOP' }) }],
        usageMetadata: count(candidates),
      })
      const step = stream
        ? { chunks: [sse(piece('Bl', 2, false)), sse(piece('ue.', 5, true))] }
        : { body: piece('Blue.', 5, true) }
      const { usage } = await lab.chat({ model, messages: [user('Hi')], ...withUsage }, stream, step)
      expect(usage).toMatchObject({ prompt_tokens: 14, completion_tokens: 12, total_tokens: 26 })
      expect(at(usage, 'completion_tokens_details', 'reasoning_tokens')).toBe(7)
    },
  },
  {
    number: 22,
    title: 'finishes with tool_calls, on the last chunk only, where Gemini says STOP',
    async run(lab, stream) {
      const answer = gemini([{ text: 'Wait. ' }, call])
      const reply = await lab.chat({ model, messages: [user('Look')], tools }, stream, answer)
      expect(reply.finish).toBe('tool_calls')
      const finishes = reply.stream.chunks.map((chunk) => at(chunk, 'choices', 0, 'finish_reason') ?? null)
      if (stream) expect(finishes.slice(0, -1).filter((finish) => finish !== null)).toEqual([])
    },
  },
  {
    number: 23,
    title: 'brings an image in the result of a tool to the model',
    async run(lab, stream) {
      const image_url = { url: 'data:image/png;base64,iVBORw0KGgo=' }
      const content = [
        { type: 'text', text: 'see' },
        { type: 'image_url', image_url },
      ]
      const messages = [user('Look'), calling(['call_1', 'look', '{}']), result('call_1', content)]
      for (const name of [model, 'gemini/gemini-2.5-flash']) {
        const { sent } = await lab.chat({ model: name, messages, tools }, stream, said)
        expect(JSON.stringify(sent.body)).toContain('"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="')
      }
    },
  },
  {
    number: 24,
    title: 'puts the key into a header and never into the address',
    async run(lab, stream) {
      const { sent } = await lab.chat({ model, messages: [user('Hi')] }, stream, said)
      expect(sent.headers['x-goog-api-key']).toBe('sk-test-0123456789')
      expect(sent.path).not.toMatch(/key=|sk-test/)
    },
  },
  {
    number: 25,
    title: 'keeps a gs:// image for Vertex AI, and the media type of a data URL',
    async run(lab, stream) {
      const images = ['gs://bucket/sky.png', 'data:image/webp;base64,UklGRg==']
      const content = images.map((url) => ({ type: 'image_url', image_url: { url } }))
      const { sent } = await lab.chat({ model: vertex, messages: [user(content)] }, stream, said)
      const parts = objectsIn(turns(sent)[0]?.['parts'])
      expect(at(parts[0], 'fileData', 'fileUri')).toBe('gs://bucket/sky.png')
      expect(at(parts[1], 'inlineData', 'mimeType')).toBe('image/webp')
    },
  },
  {
    number: 26,
    title: 'keeps candidates apart',
    async run(lab, stream) {
      const first = { index: 0, content: { role: 'model', parts: [call] }, finishReason: 'STOP' }
      const second = { index: 1, content: { role: 'model', parts: [{ text: 'Blue.' }] }, finishReason: 'STOP' }
      const step = stream
        ? { chunks: [first, second].map((candidate) => sse({ candidates: [candidate] })) }
        : { body: { candidates: [first, second] } }
      const { choices } = await lab.chat({ model, n: 2, messages: [user('Look')], tools }, stream, step)
      expect(choices.map(({ finish }) => finish)).toEqual(['tool_calls', 'stop'])
      expect(choices.map(({ message }) => textOf(message['content']))).toEqual(['', 'Blue.'])
      expect(choices.map(({ message }) => callsOf(message).length)).toEqual([1, 0])
    },
  },
]
