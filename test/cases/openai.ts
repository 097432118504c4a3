import { expect } from 'vitest'
import type { JsonObject } from '../../src/wire/json.js'
import { at, objectsIn } from '../recordings/exchange.js'
import { chunk, done, openai, openaiBoth } from './answers.js'
import { type Case, callsOf, sse, tool, unreadable, user } from './lab.js'

const messages = [user('Hi')]
const tools = [tool('look'), tool('hear')]

const functionItem = (index: number, name: string): JsonObject => ({
  type: 'function_call',
  id: `fc_${index}`,
  call_id: `call_${index}`,
  name,
  arguments: '{}',
  status: 'completed',
})

/** What befalls OpenAI and Azure. */
export const openaiCases: readonly Case[] = [
  {
    number: 32,
    title: 'hands on no answer or chunk without choices, and none whose choice has no message or delta',
    async run(lab, isStream) {
      const filters = { prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] }
      if (!isStream) {
        const request = { model: 'azure/my-gpt', messages }
        const head = { id: '', object: '', created: 0, model: '', ...filters }
        const filled = { index: 0, message: { content: 'Blue.' }, finish_reason: 'stop', content_filter_results: {} }
        const { message, finish } = await lab.chat(request, false, { body: { ...head, choices: [filled] } })
        expect([message['content'], finish]).toEqual(['Blue.', 'stop'])
        for (const choices of [[], [{ index: 0, content_filter_offsets: {} }]]) {
          const broken = await lab.chat(request, false, { body: { ...head, choices } })
          expect([broken.status, at(broken.body, 'error', 'code')]).toEqual(unreadable)
        }
        return
      }
      const chunks = [
        sse({ id: '', object: '', created: 0, model: '', choices: [], ...filters }),
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'Blue.' }),
        chunk({}, 'stop'),
        sse({ id: '', object: '', created: 0, model: '', choices: [{ index: 0, content_filter_offsets: {} }] }),
        done,
      ]
      const { stream, message, finish } = await lab.chat({ model: 'azure/my-gpt', messages }, true, { chunks })
      expect([message['content'], finish, stream.done]).toEqual(['Blue.', 'stop', true])
      const broken = stream.chunks.filter((one) => {
        const choices = objectsIn(one['choices'])
        return choices.length === 0 || choices.some((choice) => choice['delta'] === undefined)
      })
      expect(broken).toEqual([])
    },
  },
  {
    number: 33,
    title: 'renames the limit for models that reason, and treats what they refuse by the policy',
    async run(lab, stream) {
      for (const model of ['openai/o3', 'openai/gpt-5']) {
        const answer = openaiBoth({ content: 'Blue.' }, 'stop', [chunk({ content: 'Blue.' }), chunk({}, 'stop'), done])
        const { sent } = await lab.chat({ model, messages, max_tokens: 50 }, stream, answer)
        expect(sent.body).toMatchObject({ max_completion_tokens: 50 })
        expect(sent.body).not.toHaveProperty('max_tokens')
        const refused = await lab.chat({ model, messages, temperature: 0.2, top_p: 0.5 }, stream)
        expect([refused.status, at(refused.body, 'error', 'code')]).toEqual([400, 'unsupported_parameter'])
        const asked = { model, messages, temperature: 0.2, top_p: 0.5, drop_params: true }
        const dropped = await lab.chat(asked, stream, answer)
        expect(dropped.sent.body).not.toHaveProperty('temperature')
        expect(dropped.headers['x-sluice-dropped-params']).toBe('temperature,top_p')
      }
    },
  },
  {
    number: 34,
    title: 'leaves a schema and its strict as the caller wrote them',
    async run(lab, stream) {
      const schema = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a'] }
      for (const strict of [true, false]) {
        const response_format = { type: 'json_schema', json_schema: { name: 'x', strict, schema } }
        const answer = openaiBoth({ content: '{}' }, 'stop', [chunk({ content: '{}' }), chunk({}, 'stop'), done])
        const { sent } = await lab.chat({ model: 'openai/gpt-4.1', messages, response_format }, stream, answer)
        expect(sent.body['response_format']).toEqual(response_format)
      }
    },
  },
  {
    number: 35,
    title: 'gives bridged calls indexes of their own, and raises an error in the stream of the Responses API',
    async run(lab, stream) {
      const output = [functionItem(0, 'look'), functionItem(1, 'hear')]
      const usage = { input_tokens: 10, output_tokens: 2, total_tokens: 12 }
      const response = {
        id: 'resp_1',
        object: 'response',
        created_at: 1,
        status: 'completed',
        model: 'm',
        output,
        usage,
      }
      const events: readonly JsonObject[] = [
        ...output.flatMap((item, output_index) => [
          { type: 'response.output_item.added', output_index, item: { ...item, arguments: '' } },
          { type: 'response.function_call_arguments.delta', item_id: item['id'], output_index, delta: '{}' },
          { type: 'response.output_item.done', output_index, item },
        ]),
        { type: 'response.completed', response },
      ]
      const request = { model: 'openai/gpt-5-pro', messages, tools }
      const step = stream ? { chunks: events.map((event) => sse(event, String(event['type']))) } : { body: response }
      const { message, finish } = await lab.chat(request, stream, step)
      expect(callsOf(message)).toEqual([
        ['look', '{}'],
        ['hear', '{}'],
      ])
      expect(finish).toBe('tool_calls')

      const error = { type: 'error', code: 'server_error', message: 'It broke.', param: null }
      const failed = {
        ...response,
        status: 'failed',
        output: [],
        error: { code: 'server_error', message: 'It broke.' },
      }
      const broken = await lab.chat(request, stream, stream ? { chunks: [sse(error, 'error')] } : { body: failed })
      expect(broken.status).toBeGreaterThanOrEqual(500)
      expect(at(broken.body, 'error', 'message')).toBe('It broke.')
    },
  },
  {
    number: 45,
    title: 'brings a field that nobody knows to a provider of the same format, byte for byte',
    async run(lab, stream) {
      const unknown = { a: [1, 2.5, 'ü', null, { b: true }], 'key with spaces': '\u2028' }
      const answer = openaiBoth({ content: 'Blue.' }, 'stop', [chunk({ content: 'Blue.' }), chunk({}, 'stop'), done])
      const request = { messages, metadata: { x: 'y' }, brand_new_field: unknown }
      for (const model of ['openai/gpt-4.1', 'vllm/m']) {
        const { sent } = await lab.chat({ model, ...request }, stream, answer)
        expect(JSON.stringify(sent.body['brand_new_field'])).toBe(JSON.stringify(unknown))
        expect(JSON.stringify(sent.body['messages'])).toBe(JSON.stringify(messages))
        expect(sent.body['metadata']).toEqual({ x: 'y' })
      }
    },
  },
  {
    number: 44,
    title: 'refuses what a provider cannot honour by name, or drops it on request and says so; never in silence',
    async run(lab, stream) {
      const request = { model: 'anthropic/claude-sonnet-4-5', messages, seed: 7, logit_bias: { '1': 2 } }
      const refused = await lab.chat(request, stream)
      expect([refused.status, at(refused.body, 'error', 'code')]).toEqual([400, 'unsupported_parameter'])
      expect(at(refused.body, 'error', 'message')).toMatch(/seed.*logit_bias|logit_bias.*seed/)
      const body = {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude',
        content: [{ type: 'text', text: 'Blue.' }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 1, output_tokens: 1 },
      }
      const dropped = await lab.chat({ ...request, drop_params: true }, stream, { body })
      expect(dropped.status).toBe(200)
      expect(dropped.headers['x-sluice-dropped-params']?.split(',').toSorted()).toEqual(['logit_bias', 'seed'])
      const stopped = await lab.chat(
        { model: 'openai/gpt-5', messages, stop: 'x' },
        stream,
        openai({ content: 'Blue.' }),
      )
      expect(stopped.status).toBe(400)
    },
  },
]
