import { expect } from 'vitest'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import type { ScriptedAnswer, ScriptFunction } from '../../src/testing/script.js'
import { at, objectsIn, textOf } from '../recordings/exchange.js'
import { chunk, done, openai, openaiBoth } from './answers.js'
import {
  type Case,
  callsOf,
  calling,
  cutOff,
  plain,
  result,
  sse,
  tool,
  unreadable,
  user,
  wholeInPieces,
} from './lab.js'

const tools = [tool('look'), tool('hear')]
const messages = [user('Hi')]
const said = openaiBoth({ content: 'Blue.' }, 'stop', [chunk({ content: 'Blue.' }), chunk({}, 'stop'), done])
const turns = (body: JsonObject) => objectsIn(body['messages']).filter(({ role }) => role === 'assistant')

/** A DeepSeek or Kimi that refuses a turn without its reasoning, and else answers. */
const demanding =
  (answer: ScriptFunction): ScriptFunction =>
  (asked) => {
    const body = isObject(asked.body) ? asked.body : {}
    const lacking = turns(body).filter((turn) => textOf(turn['reasoning_content']) === '' && 'tool_calls' in turn)
    const message = 'The reasoning_content in the thinking mode must be passed back to the API.'
    return lacking.length > 0 ? { status: 400, body: { error: { message } } } : answer(asked)
  }

const thoughtful = (id: string): ScriptFunction => {
  const call = { id, type: 'function', function: { name: 'look', arguments: '{}' } }
  return openaiBoth({ content: '', reasoning_content: `Thought of ${id}.`, tool_calls: [call] }, 'tool_calls', [
    chunk({ role: 'assistant', reasoning_content: 'Thought ' }),
    chunk({ reasoning_content: `of ${id}.` }),
    chunk({ tool_calls: [{ index: 0, ...call }] }),
    chunk({}, 'tool_calls'),
    done,
  ])
}

const callChunk = (call: JsonObject): string => chunk({ tool_calls: [call] })

/** Errors inside a 200. */
const inside = (code: number): ScriptedAnswer => ({ body: { error: { code, message: 'Provider says no.' } } })

const json = { 'content-type': 'application/x-ndjson' }
const line = (object: JsonObject): string =>
  `${JSON.stringify({ model: 'm', created_at: '2026-01-01T00:00:00Z', ...object })}\n`

/** What befalls the look-alikes and the rest. */
export const compatibleCases: readonly Case[] = [
  {
    number: 36,
    title: 'sends the reasoning back on every turn, however plain the client',
    async run(lab, stream) {
      for (const model of ['deepseek/deepseek-chat', 'moonshot/kimi-k2-thinking']) {
        const history: JsonObject[] = [user('Look')]
        for (const turn of [1, 2]) {
          const id = `call_${model.slice(0, 4)}_${stream}_${turn}`
          const reply = await lab.chat({ model, messages: history, tools }, stream, demanding(thoughtful(id)))
          expect(reply.status).toBe(200)
          history.push(plain(reply.message), result(id, 'blue'))
        }
        const last = await lab.chat({ model, messages: history, tools }, stream, demanding(said))
        expect(last.status).toBe(200)
        const reasonings = turns(last.sent.body).map((turn) => turn['reasoning_content'])
        expect(reasonings).toEqual([1, 2].map((turn) => `Thought of call_${model.slice(0, 4)}_${stream}_${turn}.`))
      }
    },
  },
  {
    number: 37,
    title: 'hears reasoning under either name, and says it under one',
    async run(lab, stream) {
      for (const name of ['reasoning', 'reasoning_content']) {
        const answer = openaiBoth({ content: 'Blue.', [name]: 'Hm.' }, 'stop', [
          chunk({ role: 'assistant', [name]: 'H' }),
          chunk({ [name]: 'm.' }),
          chunk({ content: 'Blue.' }),
          chunk({}, 'stop'),
          done,
        ])
        const { message } = await lab.chat({ model: 'vllm/m', messages }, stream, answer)
        expect([message['reasoning_content'], message['content']]).toEqual(['Hm.', 'Blue.'])
      }
    },
  },
  {
    number: 38,
    title: 'puts deltas without index, late names, whole or untyped calls, an empty role and a missing object in order',
    async run(lab, isStream) {
      const request = { model: 'vllm/m', messages, tools }
      const calls = [
        ['look', '{"at":"sky"}'],
        ['hear', '{}'],
      ]
      if (!isStream) {
        const look = { id: 'call_a', function: { name: 'look', arguments: { at: 'sky' } } }
        const hear = { id: 'call_b', type: 'function', function: { name: 'hear', arguments: '' } }
        const choice = { index: 0, message: { role: '', content: '', tool_calls: [look, hear] } }
        const body = { id: 'c', choices: [{ ...choice, finish_reason: 'tool_calls' }] }
        const whole = await lab.chat(request, false, { body })
        expect(callsOf(whole.message)).toEqual(calls)
        expect(objectsIn(whole.message['tool_calls']).map(({ type }) => type)).toEqual(['function', 'function'])
        expect([whole.message['role'], whole.finish]).toEqual(['assistant', 'tool_calls'])
        expect(at(whole.body, 'object')).toBe('chat.completion')
        return
      }
      const bare = (delta: JsonObject, finish_reason: string | null = null): string =>
        sse({ id: 'c', choices: [{ index: 0, delta, finish_reason }] })
      const chunks = [
        bare({ role: '', content: '' }),
        bare({ tool_calls: [{ id: 'call_a', function: { arguments: '{"at":' } }] }),
        bare({ tool_calls: [{ id: 'call_a', function: { name: 'look', arguments: '"sky"}' } }] }),
        bare({ tool_calls: [{ id: 'call_b', type: 'function', function: { name: 'hear', arguments: '{}' } }] }),
        bare({}, 'tool_calls'),
        done,
      ]
      const { message, stream, finish } = await lab.chat(request, true, { chunks })
      expect(callsOf(message)).toEqual(calls)
      expect([message['role'], finish]).toEqual(['assistant', 'tool_calls'])
      expect(stream.chunks.map(({ object }) => object).every((object) => object === 'chat.completion.chunk')).toBe(true)
    },
  },
  {
    number: 39,
    title: 'leaves null members out, and says the role once',
    async run(lab, stream) {
      const nulls = { tool_calls: null, function_call: null }
      const answer = openaiBoth({ content: 'Blue.', ...nulls }, 'stop', [
        chunk({ role: 'assistant', content: 'Bl', ...nulls }),
        chunk({ role: 'assistant', content: 'ue.', ...nulls }),
        chunk({ ...nulls }, 'stop'),
        done,
      ])
      const reply = await lab.chat({ model: 'vllm/m', messages }, stream, answer)
      expect(reply.text).not.toMatch(/"(?:tool_calls|function_call)":null/)
      expect(reply.text.match(/"role":"assistant"/g)).toHaveLength(1)
      expect(reply.message['content']).toBe('Blue.')
    },
  },
  {
    number: 40,
    title: 'gives Mistral ids of nine characters both ways, Ollama arguments as objects, and 400 for a broken history',
    async run(lab, stream) {
      const history = [
        user('Go'),
        calling(['toolu_01ABCDEF', 'look', '{"at":"sky"}']),
        result('toolu_01ABCDEF', 'blue'),
      ]
      const { sent } = await lab.chat({ model: 'mistral/mistral-large-latest', messages: history, tools }, stream, said)
      const id = at(turns(sent.body)[0], 'tool_calls', 0, 'id')
      expect(id).toMatch(/^[A-Za-z0-9]{9}$/)
      expect(objectsIn(sent.body['messages']).at(-1)?.['tool_call_id']).toBe(id)

      const own = { id: 'aB3dE6gH9', type: 'function', function: { name: 'look', arguments: '{}' } }
      const mistral = { model: 'mistral/mistral-large-latest', tools }
      const made = openaiBoth({ content: '', tool_calls: [own] }, 'tool_calls', [
        callChunk({ index: 0, ...own }),
        chunk({}, 'tool_calls'),
        done,
      ])
      const first = await lab.chat({ ...mistral, messages }, stream, made)
      expect(at(first.message, 'tool_calls', 0, 'id')).toBe(own.id)
      const next = [...messages, plain(first.message), result(own.id, 'blue')]
      const back = await lab.chat({ ...mistral, messages: next }, stream, said)
      expect(objectsIn(back.sent.body['messages']).at(-1)?.['tool_call_id']).toBe(own.id)

      const end = { done: true, done_reason: 'stop', prompt_eval_count: 1, eval_count: 1 }
      const text = line({ message: { role: 'assistant', content: 'Blue.' }, ...end })
      const local = await lab.chat(
        { model: 'ollama/llama3', messages: history, tools },
        stream,
        stream ? { headers: json, chunks: [text] } : { body: text },
      )
      expect(at(turns(local.sent.body)[0], 'tool_calls', 0, 'function', 'arguments')).toEqual({ at: 'sky' })
      const broken = [user('Go'), calling(['call_1', 'look', '{"at":']), result('call_1', 'blue')]
      const refused = await lab.chat({ model: 'ollama/llama3', messages: broken, tools }, stream)
      expect(refused.status).toBe(400)
      expect(at(refused.body, 'error', 'param')).toBe('messages[1].tool_calls[0].function.arguments')
    },
  },
  {
    number: 41,
    title: 'takes an error inside a 200 for what its code says, and asks again where that helps',
    async run(lab, stream) {
      const request = { model: 'openrouter/m', messages }
      const limited = await lab.chat(request, stream, inside(429))
      expect([limited.status, at(limited.body, 'error', 'code')]).toEqual([429, '429'])
      const overloaded = await lab.chat(request, stream, inside(529))
      expect([overloaded.status, at(overloaded.body, 'error', 'type')]).toEqual([503, 'server_error'])
      const patient = lab.with({ retries: 1, clock: hasty })
      const second = await patient.chat(request, stream, inside(429), said)
      expect([second.status, second.message['content']]).toEqual([200, 'Blue.'])
      expect(lab.upstream.requests).toHaveLength(2)
    },
  },
  {
    number: 42,
    title:
      'encodes vectors itself where a provider knows no base64, sends no null, and refuses dimensions it cannot honour',
    noStream: "OpenAI's embeddings API has no stream: all vectors come in one answer",
    async run(lab) {
      const data = [{ object: 'embedding', index: 0, embedding: [0.5, -1, 0.25] }]
      const body = { object: 'list', data, model: 'm', usage: { prompt_tokens: 1, total_tokens: 1 } }
      const model = 'mistral/mistral-embed'
      const reply = await lab.ask('embeddings', { model, input: 'sky', encoding_format: 'base64' }, { body })
      const bytes = Buffer.from(textOf(at(reply.body, 'data', 0, 'embedding')), 'base64')
      expect([0, 4, 8].map((offset) => bytes.readFloatLE(offset))).toEqual([0.5, -1, 0.25])
      expect(bytes).toHaveLength(12)
      expect(reply.sent.body['encoding_format']).not.toBe('base64')
      const plainly = await lab.ask('embeddings', { model, input: 'sky' }, { body })
      expect(Object.values(plainly.sent.body)).not.toContain(null)
      expect(at(plainly.body, 'data', 0, 'embedding')).toEqual([0.5, -1, 0.25])
      const voyage = 'voyage/voyage-3-large'
      const sized = await lab.ask('embeddings', { model: voyage, input: 'sky', dimensions: 256 }, { body })
      expect(sized.sent.body).toMatchObject({ output_dimension: 256 })
      const refused = await lab.ask('embeddings', { model: 'lm_studio/nomic', input: 'sky', dimensions: 256 })
      expect(refused.status).toBe(400)
    },
  },
  {
    number: 43,
    title: 'asks every image model in its own way, and keeps usage in tokens',
    noStream: 'images are not streamed here: POST /v1/images/generations refuses `stream` with a 400',
    async run(lab) {
      const usage = {
        input_tokens: 23,
        output_tokens: 1_056,
        total_tokens: 1_079,
        input_tokens_details: { text_tokens: 23, image_tokens: 0 },
      }
      const b64 = { created: 1, data: [{ b64_json: 'iVBORw0KGgo=' }], usage }
      const request = { prompt: 'sky', response_format: 'b64_json' }
      const modern = await lab.ask('images', { model: 'openai/gpt-image-1', ...request }, { body: b64 })
      expect(modern.sent.body).not.toHaveProperty('response_format')
      expect(modern.body).toMatchObject(b64)
      const url = await lab.ask('images', { model: 'openai/gpt-image-1', prompt: 'sky', response_format: 'url' })
      expect(url.status).toBe(400)
      const streamed = await lab.ask('images', { model: 'openai/gpt-image-1', prompt: 'sky', stream: true })
      expect([streamed.status, at(streamed.body, 'error', 'param')]).toEqual([400, 'stream'])
      const old = await lab.ask('images', { model: 'openai/dall-e-3', ...request }, { body: b64 })
      expect(old.sent.body['response_format']).toBe('b64_json')
      const inline = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }
      const candidates = [{ index: 0, content: { role: 'model', parts: [inline] }, finishReason: 'STOP' }]
      const other = await lab.ask(
        'images',
        { model: 'gemini/gemini-2.5-flash-image', ...request },
        { body: { candidates } },
      )
      expect(at(other.body, 'data', 0, 'b64_json')).toBe('iVBORw0KGgo=')
    },
  },
  {
    number: 'B1',
    title: 'drinks a soup of events, and a whole answer of the same',
    async run(lab, isStream) {
      const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 }
      if (!isStream) {
        const choices = [{ index: 0, message: { role: '', content: '北京' }, finish_reason: 'stop' }]
        const body = { choices, prompt_filter_results: [{ prompt_index: 0 }], usage }
        // Routers keep the line open with blank space.
        const bytes = Buffer.from(`\n   \r\n${JSON.stringify(body)}\r\n`)
        const within = bytes.indexOf(Buffer.from('北')) + 1
        const pieces = [bytes.subarray(0, 3), bytes.subarray(3, within), bytes.subarray(within)]
        const whole = await lab.chat({ model: 'openrouter/m', messages }, false, wholeInPieces(pieces))
        expect([whole.message['content'], whole.message['role'], whole.finish]).toEqual(['北京', 'assistant', 'stop'])
        expect([whole.choices.length, whole.usage]).toEqual([1, usage])
        return
      }
      const soup = Buffer.from(
        ': OPENROUTER PROCESSING\n\n' +
          'data:{"choices":[{"index":0,"delta":{"role":"","content":"北"}}]}\r\n\r\n' +
          'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}]}\n\n' +
          `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: '京' }, finish_reason: 'stop' }], usage })}\n\n`,
      )
      const cut = soup.indexOf(Buffer.from('北')) + 1
      for (const include_usage of [true, false]) {
        const request = { model: 'openrouter/m', messages, ...(include_usage && { stream_options: { include_usage } }) }
        const chunks = [soup.subarray(0, cut), soup.subarray(cut)]
        const { stream, message, finish } = await lab.chat(request, true, { chunks })
        expect([message['content'], message['role'], finish]).toEqual(['北京', 'assistant', 'stop'])
        expect(stream.chunks.filter((one) => at(one, 'choices', 0, 'delta', 'role'))).toHaveLength(1)
        expect(stream.chunks.filter((one) => isObject(one['usage']))).toHaveLength(include_usage ? 1 : 0)
        expect([stream.done, stream.problems]).toEqual([true, []])
      }
    },
  },
  {
    number: 'B2',
    title: 'answers an error that comes first with its status, and a later one as one, never as a complete answer',
    async run(lab, isStream) {
      const inside = { error: { type: 'BadRequestError', code: 400, message: 'Too long a story.' } }
      const request = { model: 'vllm/m', messages }
      if (!isStream) {
        const choices = [{ index: 0, message: { role: 'assistant', content: '0 1 2' }, finish_reason: null }]
        for (const body of [inside, { choices, ...inside }]) {
          const { status, body: told } = await lab.chat(request, false, { body })
          expect([status, at(told, 'error', 'message')]).toEqual([400, 'Too long a story.'])
        }
        const cut = await lab.chat(request, false, cutOff({ choices }, '0 1 2'))
        expect([cut.status, at(cut.body, 'error', 'code')]).toEqual(unreadable)
        return
      }
      const error = sse(inside)
      const early = await lab.chat(request, true, { chunks: [error, done] })
      expect([early.status, at(early.body, 'error', 'message')]).toEqual([400, 'Too long a story.'])
      const tokens = Array.from({ length: 20 }, (_, index) => chunk({ content: `${index} ` }))
      const late = await lab.chat(request, true, { chunks: [...tokens, error, done] })
      expect(late.status).toBe(200)
      expect(late.stream).toMatchObject({ done: false, error: { message: 'Too long a story.' }, problems: [] })
      expect(late.finish).toEqual([])
    },
  },
  {
    number: 'B3',
    title: 'tells parallel calls apart that come in a hostile order',
    async run(lab, isStream) {
      const request = { model: 'vllm/m', messages, tools }
      const calls = [
        ['look', '{"x":1}'],
        ['hear', '{"y":2}'],
        ['look', '{"z":3}'],
      ]
      if (!isStream) {
        const tool_calls = calls.map(([name, args], at) => {
          // Two with the same index, and the rest out of order.
          const call = { index: [2, 0, 0][at], id: `call_${at}`, function: { name, arguments: args } }
          return at === 1 ? { ...call, type: 'function' } : call
        })
        const whole = await lab.chat(request, false, openai({ tool_calls }, 'stop'))
        expect(callsOf(whole.message)).toEqual(calls)
        expect(objectsIn(whole.message['tool_calls']).map(({ id }) => id)).toEqual(['call_0', 'call_1', 'call_2'])
        expect(whole.finish).toBe('tool_calls')
        return
      }
      const chunks = [
        callChunk({ index: 0, id: 'a', function: { arguments: '{"x"' } }),
        callChunk({ id: 'b', type: 'function', function: { name: 'hear', arguments: '{"y"' } }),
        callChunk({ index: 0, id: 'a', function: { name: 'look', arguments: ':1}' } }),
        callChunk({ id: 'b', function: { arguments: ':2}' } }),
        callChunk({ index: 2, id: 'c', type: 'function', function: { name: 'look', arguments: '{"z":3}' } }),
        chunk({}, 'stop'),
        done,
      ]
      const { message, finish, stream } = await lab.chat(request, true, { chunks })
      expect(callsOf(message)).toEqual(calls)
      expect(finish).toBe('tool_calls')
      const indexes = stream.chunks.flatMap((one) =>
        objectsIn(at(one, 'choices', 0, 'delta', 'tool_calls')).map(({ index }) => index),
      )
      expect([...new Set(indexes)]).toEqual([0, 1, 2])
    },
  },
  {
    number: 'B4',
    title: "finishes with tool_calls where Ollama's calls come before its end",
    async run(lab, stream) {
      const tool_calls = ['look', 'hear'].map((name) => ({ function: { name, arguments: { at: name } } }))
      const end = { done: true, done_reason: 'stop', prompt_eval_count: 5, eval_count: 7 }
      const lines = [
        line({ message: { role: 'assistant', content: '', tool_calls }, done: false }),
        line({ message: { role: 'assistant', content: '' }, ...end }),
      ]
      const whole = line({ message: { role: 'assistant', content: '', tool_calls }, ...end })
      const step = stream ? { headers: json, chunks: lines } : { body: whole }
      const { message, finish } = await lab.chat({ model: 'ollama/llama3', messages, tools }, stream, step)
      expect(callsOf(message)).toEqual([
        ['look', '{"at":"look"}'],
        ['hear', '{"at":"hear"}'],
      ])
      expect(finish).toBe('tool_calls')
    },
  },
]

/** Time that does not pass: what was to wait goes on at once. */
const hasty = {
  now: () => Date.now(),
  setTimeout(callback: () => void, milliseconds: number) {
    const timer = setTimeout(callback, milliseconds > 5_000 ? milliseconds : 0)
    return { cancel: () => clearTimeout(timer) }
  },
}
