import { expect } from 'vitest'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import { at, objectsIn } from '../recordings/exchange.js'
import { claude } from './answers.js'
import { type Case, callsOf, calling, plain, result, tool, user } from './lab.js'

const model = 'anthropic/claude-sonnet-4-5'
/** A model without structured outputs of its own. */
const older = 'anthropic/claude-sonnet-4-20250514'
const thinks = { reasoning_effort: 'medium', max_completion_tokens: 8_000 }
const thinking = { type: 'thinking', thinking: 'Look it up.', signature: 'c2lnbmF0dXJl' }
const use = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'sky' } }
const tools = [tool('look', { type: 'object', properties: { at: { type: 'string' } } })]
const said = claude([{ type: 'text', text: 'Blue.' }])
const schema = {
  type: 'object',
  properties: { colour: { type: 'string' } },
  required: ['colour'],
  additionalProperties: false,
}
const response_format = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } }
const turns = (sent: { readonly body: JsonObject }) => objectsIn(sent.body['messages'])

/** What befalls Claude. */
export const anthropicCases: readonly Case[] = [
  {
    number: 1,
    title: 'begins the turn with its signed thinking block while thinking is on',
    async run(lab, stream) {
      const turn = { ...calling(['toolu_1', 'look', '{"at":"sky"}']), thinking_blocks: [thinking] }
      const messages = [user('What colour?'), turn, result('toolu_1', 'blue')]
      const { status, sent } = await lab.chat({ model, messages, tools, ...thinks }, stream, said)
      expect(status).toBe(200)
      expect(at(sent.body, 'thinking', 'type')).toBe('enabled')
      expect(objectsIn(turns(sent)[1]?.['content'])).toEqual([thinking, use])
    },
  },
  {
    number: 2,
    title: 'recovers signatures that a plain client cannot carry, and does without thinking in a foreign history',
    async run(lab, stream) {
      const ask = { model, tools, ...thinks }
      const first = await lab.chat(
        { ...ask, messages: [user('What colour?')] },
        stream,
        claude([thinking, use], 'tool_use'),
      )
      const turn = plain(first.message)
      const [call] = objectsIn(turn['tool_calls'])
      const messages = [user('What colour?'), turn, result(String(call?.['id']), 'blue')]
      const second = await lab.chat({ ...ask, messages }, stream, said)
      expect(second.status).toBe(200)
      expect(at(turns(second.sent)[1], 'content', 0)).toEqual(thinking)

      const foreign = [user('What colour?'), calling(['call_elsewhere', 'look', '{}']), result('call_elsewhere', 'red')]
      const third = await lab.chat({ ...ask, messages: foreign }, stream, said)
      expect(third.status).toBe(200)
      expect(at(third.sent.body, 'thinking', 'type')).not.toBe('enabled')
      expect(third.headers['x-sluice-dropped-params']).toContain('reasoning_effort')
    },
  },
  {
    number: 3,
    title: 'keeps redacted thinking byte by byte',
    async run(lab, stream) {
      const redacted = {
        type: 'redacted_thinking',
        data: 'EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP',
      }
      const ask = { model, tools, ...thinks }
      const first = await lab.chat({ ...ask, messages: [user('Hi')] }, stream, claude([redacted, use], 'tool_use'))
      expect(objectsIn(first.message['thinking_blocks'])).toContainEqual(expect.objectContaining(redacted))
      const messages = [user('Hi'), { ...first.message, role: 'assistant' }, result('toolu_1', 'blue')]
      const { sent } = await lab.chat({ ...ask, messages }, stream, said)
      expect(at(turns(sent)[1], 'content', 0)).toEqual(redacted)
    },
  },
  {
    number: 4,
    title: 'sends the results of two parallel calls in one message of the user, in their order, before its words',
    async run(lab, stream) {
      const turn = calling(['toolu_1', 'look', '{}'], ['toolu_2', 'look', '{}'])
      const messages = [user('Both?'), turn, result('toolu_1', 'one'), result('toolu_2', 'two'), user('And?')]
      const { sent } = await lab.chat({ model, messages, tools }, stream, said)
      expect(turns(sent)).toHaveLength(3)
      const blocks = objectsIn(turns(sent)[2]?.['content'])
      expect(blocks.map((block) => block['tool_use_id'] ?? block['text'])).toEqual(['toolu_1', 'toolu_2', 'And?'])
    },
  },
  {
    number: 5,
    title: 'takes empty arguments of an old call as no arguments',
    async run(lab, stream) {
      const messages = [user('Go'), calling(['toolu_5', 'look', '']), result('toolu_5', 'blue')]
      const { sent } = await lab.chat({ model, messages, tools }, stream, said)
      expect(at(turns(sent)[1], 'content', 0, 'input')).toEqual({})
    },
  },
  {
    number: 6,
    title: 'gives a call without arguments the arguments {}',
    async run(lab, stream) {
      const answer = claude([{ ...use, input: {} }], 'tool_use')
      const { message, finish } = await lab.chat({ model, messages: [user('Go')], tools }, stream, answer)
      expect(callsOf(message)).toEqual([['look', '{}']])
      expect(finish).toBe('tool_calls')
    },
  },
  {
    number: 7,
    title: 'gives a tool without parameters an empty schema',
    async run(lab, stream) {
      const { sent } = await lab.chat({ model, messages: [user('Go')], tools: [tool('look')] }, stream, said)
      expect(at(sent.body, 'tools', 0, 'input_schema')).toEqual({ type: 'object', properties: {} })
    },
  },
  {
    number: 8,
    title: 'ends with length, arguments kept, where the limit falls inside a call',
    async run(lab, stream) {
      const cut = { ...use, input: { at: 'sk' }, ...(stream && { partial: '{"at":"sk' }) }
      const { message, finish } = await lab.chat(
        { model, messages: [user('Go')], tools },
        stream,
        claude([cut], 'max_tokens'),
      )
      expect(finish).toBe('length')
      expect(callsOf(message)).toEqual([['look', stream ? '{"at":"sk' : '{"at":"sk"}']])
    },
  },
  {
    number: 9,
    title: 'forces no tool for a schema while thinking is on',
    async run(lab, stream) {
      for (const name of [model, older]) {
        const request = { model: name, messages: [user('Go')], response_format, ...thinks }
        const answer = claude([{ type: 'text', text: '{"colour":"blue"}' }])
        const { sent, message } = await lab.chat(request, stream, answer)
        expect(at(sent.body, 'thinking', 'type')).toBe('enabled')
        expect(['any', 'tool']).not.toContain(at(sent.body, 'tool_choice', 'type'))
        expect(message['content']).toBe('{"colour":"blue"}')
      }
    },
  },
  {
    number: 10,
    title: 'keeps a real call a call, and unwraps only the tool that stands for the schema',
    async run(lab, stream) {
      const request = { model: older, messages: [user('Go')], response_format, tools }
      const real = await lab.chat(request, stream, claude([use], 'tool_use'))
      expect(callsOf(real.message)).toEqual([['look', '{"at":"sky"}']])
      expect(real.finish).toBe('tool_calls')
      const names = objectsIn(real.sent.body['tools']).map(({ name }) => name)
      const standIn = names.find((name) => name !== 'look')
      const answered = claude(
        [{ type: 'tool_use', id: 'toolu_9', name: standIn, input: { colour: 'blue' } }],
        'tool_use',
      )
      const json = await lab.chat(request, stream, answered)
      expect(json.message['content']).toBe('{"colour":"blue"}')
      expect(json.message['tool_calls']).toBeUndefined()
      expect(json.finish).toBe('stop')
    },
  },
  {
    number: 11,
    title: 'hoists instructions from anywhere, in order; a developer is the system',
    async run(lab, stream) {
      const messages = [
        { role: 'system', content: 'one' },
        user('Hi'),
        { role: 'developer', content: 'two' },
        { role: 'assistant', content: 'Hello' },
        { role: 'system', content: 'three' },
        user('Go on'),
      ]
      const { sent } = await lab.chat({ model, messages }, stream, said)
      expect(objectsIn(sent.body['system']).map(({ text }) => text)).toEqual(['one', 'two', 'three'])
      expect(turns(sent).map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    },
  },
  {
    number: 12,
    title: 'passes the address of an image on, and fetches nothing',
    async run(lab, stream) {
      const url = 'https://pictures.test/sky.png'
      const content = [{ type: 'image_url', image_url: { url } }]
      const { sent } = await lab.chat({ model, messages: [user(content)] }, stream, said)
      expect(at(turns(sent)[0], 'content', 0, 'source')).toEqual({ type: 'url', url })
      expect(lab.upstream.requests).toHaveLength(1)
    },
  },
  {
    number: 13,
    title: 'keeps cache marks for Claude, converts them for Bedrock, and sends Vertex no beta of another place',
    async run(lab, stream) {
      const cache_control = { type: 'ephemeral' }
      const messages = [user([{ type: 'text', text: 'long', cache_control }])]
      const injected = { cache_control_injection_points: [{ location: 'message', role: 'system' }] }
      const direct = await lab.chat({ model, messages, cache_control, ...injected }, stream, said)
      expect(at(turns(direct.sent)[0], 'content', 0, 'cache_control')).toEqual(cache_control)
      expect(direct.sent.body['cache_control']).toEqual(cache_control)

      const bedrock = 'bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0'
      const aws = await lab.chat({ model: bedrock, messages, cache_control, ...injected }, stream, 'status-500')
      expect(JSON.stringify(aws.sent.body)).toContain('"cachePoint"')
      expect(JSON.stringify(aws.sent.body)).not.toContain('cache_control')

      const vertex = 'vertex_ai/claude-sonnet-4-5'
      const gcp = await lab.chat({ model: vertex, messages, ...injected }, stream, said)
      expect(at(turns(gcp.sent)[0], 'content', 0, 'cache_control')).toEqual(cache_control)
      expect(gcp.sent.headers['anthropic-beta']).toBeUndefined()
      for (const { sent } of [direct, aws, gcp]) expect(JSON.stringify(sent.body)).not.toContain('injection_points')
    },
  },
  {
    number: 14,
    title: 'says the role first, hears no ping, joins both counts, and ends with an error where one comes',
    async run(lab, isStream) {
      const request = { model, messages: [user('Hi')], ...(isStream && { stream_options: { include_usage: true } }) }
      const { stream, usage, message } = await lab.chat(request, isStream, said)
      if (isStream) {
        expect(at(stream.chunks[0], 'choices', 0, 'delta', 'role')).toBe('assistant')
        expect(stream.problems).toEqual([])
      }
      expect([message['role'], message['content']]).toEqual(['assistant', 'Blue.'])
      expect(usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 })

      const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
      if (!isStream) {
        const overloaded = await lab.chat(request, false, { body: error })
        expect([overloaded.status, at(overloaded.body, 'error', 'message')]).toEqual([503, 'Overloaded'])
        return
      }
      const answer = claude([{ type: 'text', text: 'Blue.' }])
      const failing = await lab.chat(request, true, async (asked) => {
        const whole = await answer(asked)
        const chunks = [...(whole?.chunks && Symbol.iterator in whole.chunks ? whole.chunks : [])].slice(0, 4)
        return { chunks: [...chunks, `event: error\ndata: ${JSON.stringify(error)}\n\n`] }
      })
      expect(failing.stream).toMatchObject({ done: false, error: { message: 'Overloaded' } })
    },
  },
  {
    number: 15,
    title: 'makes names and ids that Claude takes, the same ones everywhere, and gives the own names back',
    async run(lab, stream) {
      const name = 'files.read/everything at once'
      const tools = [tool(name)]
      const tool_choice = { type: 'function', function: { name } }
      const messages = [user('Go'), calling(['call:1#2', name, '{}']), result('call:1#2', 'done'), user('Again')]
      const answer = ({ body }: { readonly body: unknown }) => {
        const told = at(body, 'tools', 0, 'name')
        return { told, block: { type: 'tool_use', id: 'toolu_2', name: told, input: {} } }
      }
      const reply = await lab.chat({ model, messages, tools, tool_choice }, stream, (asked) =>
        claude([answer(asked).block], 'tool_use')(asked),
      )
      const { sent, message } = reply
      const told = String(at(sent.body, 'tools', 0, 'name'))
      expect(told).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
      const used = at(turns(sent)[1], 'content', 0)
      expect(at(used, 'name')).toBe(told)
      expect(at(sent.body, 'tool_choice', 'name')).toBe(told)
      expect(at(turns(sent)[2], 'content', 0, 'tool_use_id')).toBe(isObject(used) ? used['id'] : '')
      expect(callsOf(message)).toEqual([[name, '{}']])
    },
  },
]
