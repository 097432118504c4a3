import { expect } from 'vitest'
import { at, objectsIn } from '../recordings/exchange.js'
import { awsException } from '../support/aws-event-stream.js'
import { converse, converseBody, converseFrames, eventStream } from './answers.js'
import { type Case, callsOf, calling, cutOff, result, tool, unreadable, user, wholeInPieces } from './lab.js'

const model = 'bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0'
const said = converse([{ text: 'Blue 青い空.' }])
const turns = (sent: { readonly body: object }) => objectsIn(at(sent.body, 'messages'))
const tools = [tool('look')]

/** What befalls Bedrock; the lab refuses what Converse would refuse. */
export const bedrockCases: readonly Case[] = [
  {
    number: 27,
    title: 'sends no empty text, wherever it stood',
    async run(lab, stream) {
      const turn = { ...calling(['tooluse_1', 'look', '{}']), content: ' ' }
      const messages = [
        { role: 'system', content: '' },
        user([
          { type: 'text', text: '' },
          { type: 'text', text: 'Look' },
        ]),
        turn,
        result('tooluse_1', ''),
        { role: 'assistant', content: '\n' },
        user('And?'),
      ]
      const { status, sent } = await lab.chat({ model, messages, tools }, stream, said)
      expect(status).toBe(200)
      const texts = [...JSON.stringify(sent.body).matchAll(/"text":"([^"]*)"/g)].map(([, text = '']) => text)
      expect(texts.filter((text) => text.replaceAll('\\n', '').trim() === '')).toEqual([])
    },
  },
  {
    number: 28,
    title: 'declares the tools of a history that a request without tools goes on with',
    async run(lab, stream) {
      const messages = [user('Look'), calling(['tooluse_1', 'look', '{}']), result('tooluse_1', 'blue'), user('And?')]
      const { status, sent } = await lab.chat({ model, messages }, stream, said)
      expect(status).toBe(200)
      expect(at(sent.body, 'toolConfig', 'tools', 0, 'toolSpec', 'name')).toBe('look')
    },
  },
  {
    number: 29,
    title: 'shortens names and ids the same way everywhere, gives the names back, and refuses an empty one itself',
    async run(lab, stream) {
      const name = `${'look_'.repeat(15)}/far`
      const id = `call.${'9'.repeat(80)}`
      const named = [tool(name)]
      const tool_choice = { type: 'function', function: { name } }
      const messages = [user('Go'), calling([id, name, '{}']), result(id, 'blue'), user('Again')]
      const { sent, message } = await lab.chat({ model, messages, tools: named, tool_choice }, stream, (asked) => {
        const told = at(asked.body, 'toolConfig', 'tools', 0, 'toolSpec', 'name')
        return converse([{ toolUse: { toolUseId: 'tooluse_2', name: told, input: {} } }], 'tool_use')(asked)
      })
      const told = at(sent.body, 'toolConfig', 'tools', 0, 'toolSpec', 'name')
      const use = at(turns(sent)[1], 'content', 0, 'toolUse')
      expect(at(use, 'name')).toBe(told)
      expect(at(sent.body, 'toolConfig', 'toolChoice', 'tool', 'name')).toBe(told)
      expect(at(turns(sent)[2], 'content', 0, 'toolResult', 'toolUseId')).toBe(at(use, 'toolUseId'))
      expect(callsOf(message)).toEqual([[name, '{}']])

      const nameless = [user('Go'), calling(['tooluse_1', '', '{}']), result('tooluse_1', 'blue')]
      const refused = await lab.chat({ model, messages: nameless, tools }, stream)
      expect(refused.status).toBe(400)
      expect(lab.upstream.requests).toHaveLength(0)
    },
  },
  {
    number: 30,
    title: 'reads an answer cut at every byte, and takes an exception or an end within it for an error',
    async run(lab, isStream) {
      const request = { model, messages: [user('Look')] }
      if (!isStream) {
        const body = converseBody([{ text: 'Blue 青い空.' }])
        const bytes = Array.from(Buffer.from(JSON.stringify(body)), (byte) => Uint8Array.of(byte))
        const whole = await lab.chat(request, false, wholeInPieces(bytes))
        expect([whole.message['content'], whole.finish]).toEqual(['Blue 青い空.', 'stop'])
        const cut = await lab.chat(request, false, cutOff(body, 'Blue 青い空.'))
        expect([cut.status, at(cut.body, 'error', 'code')]).toEqual(unreadable)
        const headers = { 'x-amzn-errortype': 'ModelErrorException' }
        const refused = await lab.chat(request, false, { status: 424, headers, body: { message: 'The model broke.' } })
        expect([refused.status, at(refused.body, 'error', 'message')]).toEqual([502, 'The model broke.'])
        return
      }
      const frames = converseFrames([{ text: 'Blue 青い空.' }])
      const bytes = Array.from(Buffer.concat(frames), (byte) => Uint8Array.of(byte))
      const { message, finish, stream } = await lab.chat(request, true, eventStream(bytes))
      expect([message['content'], finish, stream.done]).toEqual(['Blue 青い空.', 'stop', true])
      const broken = [...frames.slice(0, 2), awsException('modelStreamErrorException', 'The model broke.')]
      const failing = await lab.chat(request, true, eventStream(broken))
      expect(failing.stream).toMatchObject({ done: false, error: { message: 'The model broke.' } })
    },
  },
  {
    number: 31,
    title: 'ends with length where the limit was reached, on Bedrock and over the Responses API',
    async run(lab, stream) {
      const reply = await lab.chat({ model, messages: [user('Go')] }, stream, converse([{ text: 'Bl' }], 'max_tokens'))
      expect(reply.finish).toBe('length')
      const content = [{ type: 'output_text', text: 'Bl', annotations: [] }]
      const item = { type: 'message', id: 'msg_1', role: 'assistant', status: 'incomplete', content }
      const usage = { input_tokens: 10, output_tokens: 2, total_tokens: 12 }
      const response = {
        id: 'resp_1',
        object: 'response',
        created_at: 1,
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        model: 'gpt-5-pro',
        output: [item],
        usage,
      }
      const delta = {
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        delta: 'Bl',
      }
      const events = [
        { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
        delta,
        { type: 'response.incomplete', response },
      ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      const bridged = { model: 'openai/gpt-5-pro', messages: [user('Go')] }
      const other = await lab.chat(bridged, stream, stream ? { chunks: events } : { body: response })
      expect(other.sent.path).toContain('/responses')
      expect([other.message['content'], other.finish]).toEqual(['Bl', 'length'])
    },
  },
]
