import { expect } from 'vitest'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import type { ScriptFunction } from '../../src/testing/script.js'
import { at, objectsIn, textOf } from '../recordings/exchange.js'
import { chunk, claude, converse, done, gemini, openaiBoth } from './answers.js'
import { type Case, callsOf, calling, plain, result, tool, user } from './lab.js'

const tools = [tool('look')]
const claudeModel = 'anthropic/claude-sonnet-4-5'

/** How one family thinks before it calls, and how its history is checked for what it thought. */
interface Thinker {
  readonly model: string
  readonly call: ScriptFunction
  readonly answer: ScriptFunction
  /** What was kept of the thought, of a request's second turn. */
  readonly kept: (body: JsonObject) => unknown
  readonly wanted: unknown
}

function thinkersOf(mode: string): readonly Thinker[] {
  const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'c2lnbmVk' }
  const id = `call_b6_${mode}`
  const called = { id, type: 'function', function: { name: 'look', arguments: '{}' } }
  return [
    {
      model: claudeModel,
      call: claude([thinking, { type: 'tool_use', id: `toolu_b6_${mode}`, name: 'look', input: {} }], 'tool_use'),
      answer: claude([{ type: 'text', text: 'Blue.' }]),
      kept: (body) => at(body, 'messages', 1, 'content', 0),
      wanted: thinking,
    },
    {
      model: 'gemini/gemini-3-pro-preview',
      call: gemini([{ functionCall: { name: 'look', args: {} }, thoughtSignature: 'c2lnbmVkIGJ5IGdvb2ds' }]),
      answer: gemini([{ text: 'Blue.' }]),
      kept: (body) => at(body, 'contents', 1, 'parts', 0, 'thoughtSignature'),
      wanted: 'c2lnbmVkIGJ5IGdvb2ds',
    },
    {
      model: 'deepseek/deepseek-chat',
      call: openaiBoth({ content: '', reasoning_content: 'Hm.', tool_calls: [called] }, 'tool_calls', [
        chunk({ role: 'assistant', reasoning_content: 'Hm.' }),
        chunk({ tool_calls: [{ index: 0, ...called }] }),
        chunk({}, 'tool_calls'),
        done,
      ]),
      answer: openaiBoth({ content: 'Blue.' }, 'stop', [chunk({ content: 'Blue.' }), chunk({}, 'stop'), done]),
      kept: (body) => at(body, 'messages', 1, 'reasoning_content'),
      wanted: 'Hm.',
    },
  ]
}

/** Vectors on the wire of the providers with dialects of their own. */
export const vectorCases: readonly Case[] = [
  {
    number: 'B5',
    title: 'knows a call without arguments both ways',
    async run(lab, stream) {
      const use = { type: 'tool_use', id: 'toolu_b5', name: 'look', input: {} }
      const first = await lab.chat(
        { model: claudeModel, messages: [user('Go')], tools },
        stream,
        claude([use], 'tool_use'),
      )
      expect(callsOf(first.message)).toEqual([['look', '{}']])
      const messages = [user('Go'), calling(['toolu_b5', 'look', '']), result('toolu_b5', 'blue')]
      const { sent } = await lab.chat(
        { model: claudeModel, messages, tools },
        stream,
        claude([{ type: 'text', text: 'Ok' }]),
      )
      expect(at(sent.body, 'messages', 1, 'content', 0, 'input')).toEqual({})
    },
  },
  {
    number: 'B6',
    title: 'brings thoughts through a plain client in a loop of tools',
    async run(lab, stream) {
      for (const { model, call, answer, kept, wanted } of thinkersOf(stream ? 'stream' : 'whole')) {
        const ask = { model, tools, reasoning_effort: 'medium', max_completion_tokens: 8_000 }
        const first = await lab.chat({ ...ask, messages: [user('Go')] }, stream, call)
        const turn = plain(first.message)
        const id = textOf(objectsIn(turn['tool_calls'])[0]?.['id'])
        const strict: ScriptFunction = (asked) => {
          const got = isObject(asked.body) ? kept(asked.body) : undefined
          const isKept = JSON.stringify(got) === JSON.stringify(wanted)
          return isKept ? answer(asked) : { status: 400, body: { error: { message: `${model} lost its thoughts` } } }
        }
        const next = await lab.chat({ ...ask, messages: [user('Go'), turn, result(id, 'blue')] }, stream, strict)
        expect([model, next.status, next.message['content']]).toEqual([model, 200, 'Blue.'])
      }
    },
  },
  {
    number: 'B7',
    title: 'makes one empty choice of a malformed call, which is billed',
    async run(lab, stream) {
      const model = 'gemini/gemini-2.5-flash'
      const request = { model, messages: [user('Go')], tools, stream_options: { include_usage: true } }
      const reply = await lab.chat(request, stream, gemini([], 'MALFORMED_FUNCTION_CALL'))
      expect(reply.choices).toHaveLength(1)
      expect(reply.message['content'] ?? '').toBe('')
      expect(reply.finish).toBe('stop')
      expect(reply.text).toContain('MALFORMED_FUNCTION_CALL')
      expect(reply.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 5 })
    },
  },
  {
    number: 'B8',
    title: 'goes on with a history of tools and an empty result though the request has no tools',
    async run(lab, stream) {
      const model = 'bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0'
      const messages = [user('Go'), calling(['tooluse_1', 'look', '{}']), result('tooluse_1', ''), user('And?')]
      const reply = await lab.chat({ model, messages }, stream, converse([{ text: 'Blue.' }]))
      expect([reply.status, reply.message['content']]).toEqual([200, 'Blue.'])
      expect(JSON.stringify(reply.sent.body)).toContain('toolResult')
    },
  },
]
