import { createServer, type Server, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import { converseRefusals } from '../protocols/bedrock-converse/strict-rules.js'
import { awsEvent } from '../support/aws-event-stream.js'
import { closeServer, listen } from '../support/http-server.js'
import { type ServedGateway, clientKey, gatewayOf, providerKey, serveGateway } from './served-gateway.js'

// A plain client in loops of tools with providers that refuse what breaks their rules for calls, results and schemas.

type Message = OpenAI.ChatCompletionMessageParam

const claude = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
const settings = { region: 'eu-west-1', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }
const names = ['weather', 'time'] as const
const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
const sse = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`
const argumentsOf = (step: number): string => JSON.stringify({ city: `city ${step}` })
/** Two rounds of two turns with tools, each closed by an answer. */
const callsTools = (step: number): boolean => step % 3 !== 2

/** Every turn of the assistant that this upstream said itself; `before` were said elsewhere. */
function stepOf(body: JsonObject, before: number): number {
  return objects(body['messages']).filter(({ role }) => role === 'assistant').length - before
}

// Mistral: https://docs.mistral.ai/api

const mistralId = /^[a-zA-Z0-9]{9}$/
const mistralMembers = ['model', 'messages', 'tools', 'stream', 'max_tokens', 'parallel_tool_calls', 'tool_choice']

function mistralRefusals(body: JsonObject): readonly string[] {
  const unknown = Object.keys(body).filter((name) => !mistralMembers.includes(name))
  const messages = objects(body['messages'])
  const problems = unknown.map((name) => `${name}: extra inputs are not permitted`)
  let open: string[] = []
  for (const message of messages) {
    const id = String(message['tool_call_id'])
    if (message['role'] === 'tool' && !open.includes(id)) problems.push(`a result of no call: ${id}`)
    if (message['role'] !== 'tool' && open.length > 0) problems.push(`calls without results: ${open.join()}`)
    if (message['role'] === 'tool') open = open.filter((called) => called !== id)
    if (message['role'] === 'assistant') open = objects(message['tool_calls']).map((call) => String(call['id']))
    const ids = message['role'] === 'tool' ? [id] : open
    problems.push(...ids.filter((some) => !mistralId.test(some)).map((some) => `tool call id was ${some}`))
  }
  return open.length > 0 ? [...problems, `calls without results: ${open.join()}`] : problems
}

// OpenAI: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas

function looseParts(schema: unknown, place: string): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap((some) => looseParts(some, place))
  if (!isObject(schema)) return []
  const inner = Object.entries(schema).flatMap(([name, value]) => looseParts(value, `${place}.${name}`))
  if (schema['type'] !== 'object') return inner
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const keys = Object.keys(isObject(schema['properties']) ? schema['properties'] : {})
  return [
    ...inner,
    ...(schema['additionalProperties'] === false ? [] : [`${place}: additionalProperties must be false`]),
    ...keys.filter((key) => !required.includes(key)).map((key) => `${place}: ${key} must be required`),
  ]
}

function openaiRefusals(body: JsonObject): readonly string[] {
  const format = isObject(body['response_format']) ? body['response_format']['json_schema'] : undefined
  const schemas = [
    ...objects(body['tools']).map(({ function: tool }) => (isObject(tool) ? [tool, tool['parameters']] : [])),
    isObject(format) ? [format, format['schema']] : [],
  ]
  return schemas.flatMap(([owner, schema]) =>
    isObject(owner) && owner['strict'] === true ? looseParts(schema, String(owner['name'])) : [],
  )
}

/** A step in OpenAI's format, with call ids of nine alphanumerics. */
function answerChat(response: ServerResponse, body: JsonObject, before: number): void {
  const step = stepOf(body, before)
  const calls = names.map((name, index) => ({
    index,
    id: `${name}${step}`.padEnd(9, 'x'),
    type: 'function',
    function: { name, arguments: argumentsOf(step) },
  }))
  const base = { id: `c${step}`, created: 1, model: 'm' }
  const text = body['response_format'] === undefined ? `Answer ${step}` : argumentsOf(step)
  const said = callsTools(step) ? { content: '', tool_calls: calls } : { content: text }
  const finish_reason = callsTools(step) ? 'tool_calls' : 'stop'
  if (body['stream'] !== true) {
    const choices = [{ index: 0, message: { role: 'assistant', ...said }, finish_reason }]
    return sendJson(response, 200, { ...base, object: 'chat.completion', choices })
  }
  const chunk = (delta: JsonObject, end: string | null = null): string =>
    sse({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: end }] })
  const pieces = [chunk({ role: 'assistant', ...said }), chunk({}, finish_reason), 'data: [DONE]\n\n']
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end(pieces.join(''))
}

// Bedrock

function answerConverse(response: ServerResponse, body: JsonObject, before: number, stream: boolean): void {
  const step = stepOf(body, before)
  const stopReason = callsTools(step) ? 'tool_use' : 'end_turn'
  const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5 }
  const uses = names.map((name) => ({ toolUseId: `tooluse_${name}_${step}`, name }))
  if (!stream) {
    const calls = uses.map((use) => ({ toolUse: { ...use, input: { city: `city ${step}` } } }))
    const content = callsTools(step) ? calls : [{ text: `Answer ${step}` }]
    return sendJson(response, 200, { output: { message: { role: 'assistant', content } }, stopReason, usage })
  }
  const calls = uses.flatMap((toolUse, contentBlockIndex) => [
    awsEvent('contentBlockStart', { contentBlockIndex, start: { toolUse } }),
    awsEvent('contentBlockDelta', { contentBlockIndex, delta: { toolUse: { input: argumentsOf(step) } } }),
    awsEvent('contentBlockStop', { contentBlockIndex }),
  ])
  const text = awsEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: `Answer ${step}` } })
  const events = [
    awsEvent('messageStart', { role: 'assistant' }),
    ...(callsTools(step) ? calls : [text]),
    awsEvent('messageStop', { stopReason }),
    awsEvent('metadata', { usage }),
  ]
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' }).end(Buffer.concat(events))
}

// The upstream

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

interface Mock {
  refusals(body: JsonObject): readonly string[]
  answer(response: ServerResponse, body: JsonObject, before: number, stream: boolean): void
}

const mocks: Readonly<Record<string, Mock>> = {
  mistral: { refusals: mistralRefusals, answer: answerChat },
  openai: { refusals: openaiRefusals, answer: answerChat },
  bedrock: { refusals: converseRefusals, answer: answerConverse },
}

let upstream: Server
let url = ''
let served: ServedGateway
let refused: string[] = []
let bodies: JsonObject[] = []
/** Turns of the assistant in the history that a conversation starts with. */
let before = 0

beforeAll(async () => {
  upstream = createServer((request, response) => {
    void json(request).then((parsed) => {
      const body = isObject(parsed) ? parsed : {}
      bodies.push(body)
      const mock = mocks[request.url?.split('/')[1] ?? '']
      const problems = mock ? mock.refusals(body) : [`nothing is at ${request.url}`]
      refused.push(...problems)
      if (problems.length > 0) sendJson(response, 400, { message: problems.join('; ') })
      else mock?.answer(response, body, before, request.url?.endsWith('-stream') ?? false)
    })
  })
  url = await listen(upstream)
  const own = { apiKey: providerKey }
  served = await serveGateway(
    gatewayOf([
      { modelName: 'mistral', model: 'mistral/mistral-large-latest', baseUrl: `${url}/mistral/v1`, ...own },
      { modelName: 'openai', model: 'openai/gpt-4.1', baseUrl: `${url}/openai/v1`, ...own },
      { modelName: 'bedrock', model: `bedrock/${claude}`, baseUrl: `${url}/bedrock`, settings },
      { modelName: 'untranslated', model: 'openai/mistral-large-latest', baseUrl: `${url}/mistral/v1`, ...own },
    ]),
  )
})

beforeEach(() => {
  refused = []
  bodies = []
  before = 0
})

afterAll(async () => {
  await served.close()
  await closeServer(upstream)
})

// The client

const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const toolsOf = (schema: JsonObject): OpenAI.ChatCompletionTool[] =>
  names.map((name) => ({ type: 'function', function: { name, strict: true, parameters: schema } }))
const formatOf = (schema: JsonObject) => ({
  type: 'json_schema' as const,
  json_schema: { name: 'answer', strict: true, schema },
})

/** A round that another provider answered: ids as long and odd as they come, and texts that are empty. */
function foreignHistory(): Message[] {
  const ids = names.map((name) => `call|${name}.${'0'.repeat(80)}`)
  const calls = ids.map((id, index) => ({
    id,
    type: 'function' as const,
    function: { name: names[index] ?? '', arguments: '' },
  }))
  before = 2
  return [
    { role: 'user', content: 'Before' },
    { role: 'assistant', content: '', tool_calls: calls },
    ...ids.map((id) => ({ role: 'tool' as const, tool_call_id: id, content: '' })),
    { role: 'assistant', content: 'Fine.' },
  ]
}

type Fields = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream' | 'messages'>

/** Two questions, each answered after two turns of two parallel tools whose results are told in reverse order. */
async function converse(client: OpenAI, fields: Fields, messages: Message[], stream: boolean) {
  const answers: unknown[] = []
  for (const question of ['What is it like?', 'And elsewhere?']) {
    messages.push({ role: 'user', content: question })
    for (let turn = 0; turn < 4; turn += 1) {
      const { completions } = client.chat
      const request = { ...fields, messages }
      const whole = stream ? await completions.stream(request).finalChatCompletion() : await completions.create(request)
      const message = whole.choices[0]?.message
      if (!message) throw new Error('no choice')
      const calls = message.tool_calls?.flatMap((call) => (call.type === 'function' ? [call] : [])) ?? []
      if (calls.length === 0) {
        messages.push({ role: 'assistant', content: message.content })
        answers.push(message.content)
        break
      }
      expect(calls.map((call) => call.function.name)).toEqual(names)
      messages.push({ role: 'assistant', content: message.content, tool_calls: calls })
      for (const { id } of calls.toReversed()) messages.push({ role: 'tool', tool_call_id: id, content: '' })
    }
  }
  return answers
}

const connect = (): OpenAI => new OpenAI({ apiKey: clientKey, maxRetries: 0, ...served.transports.process })

describe.each([
  ['whole', false],
  ['streamed', true],
])('a plain client in loops of tools, %s', (_, stream) => {
  it.each(['mistral', 'bedrock'])('is never refused by %s, whoever answered before', async (model) => {
    const answers = await converse(connect(), { model, tools: toolsOf(parameters) }, foreignHistory(), stream)
    expect(refused).toEqual([])
    expect(answers).toEqual(['Answer 2', 'Answer 5'])
    expect(bodies).toHaveLength(6)
  })

  it('sends strict schemas to OpenAI as they are', async () => {
    const fields = { model: 'openai', tools: toolsOf(parameters), response_format: formatOf(parameters) }
    const answers = await converse(connect(), fields, [], stream)
    expect(refused).toEqual([])
    expect(answers).toEqual([argumentsOf(2), argumentsOf(5)])
    expect(bodies).toHaveLength(6)
    for (const { tools, response_format } of bodies) {
      expect({ tools, response_format }).toEqual({ tools: fields.tools, response_format: fields.response_format })
    }
  })
})

describe('the mocks of the providers', () => {
  it('refuse ids that Mistral does not take', async () => {
    const asked = converse(connect(), { model: 'untranslated' }, foreignHistory(), false)
    await expect(asked).rejects.toThrow(OpenAI.BadRequestError)
    expect(refused.join()).toContain('tool call id was call|weather')
  })

  it('refuse schemas that are loose, which nobody tightened on the way', async () => {
    const loose = { type: 'object', properties: { city: { type: 'string' } } }
    for (const fields of [{ tools: toolsOf(loose) }, { response_format: formatOf(loose) }]) {
      const asked = converse(connect(), { model: 'openai', ...fields }, [], false)
      await expect(asked).rejects.toThrow(/additionalProperties must be false.*city must be required/)
    }
  })

  it('refuse ids, names and texts that Converse does not take', async () => {
    const toolUse = { toolUseId: 'x'.repeat(65), name: 'get weather', input: {} }
    const messages = [
      { role: 'user', content: [{ text: '' }] },
      { role: 'assistant', content: [{ toolUse }] },
    ]
    const body = JSON.stringify({ messages })
    const { status } = await fetch(`${url}/bedrock/model/m/converse`, { method: 'POST', body })
    expect(status).toBe(400)
    const all = refused.join('\n')
    for (const rule of ['blank text', 'toolUseId', 'tool name get weather']) expect(all).toContain(rule)
  })
})
