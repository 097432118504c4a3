import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type FakeRequest, type FakeUpstream, type ScriptedAnswer, startFakeUpstream } from '../../src/testing/index.js'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import { refusals } from '../protocols/anthropic/strict-rules.js'
import { brokenRules } from '../protocols/gemini/strict-rules.js'
import { type ServedGateway, clientKey, gatewayOf, providerKey, serveGateway } from './served-gateway.js'

// A client that keeps only OpenAI's documented fields talks through loops of tools to providers that refuse a request
// whose reasoning did not come back as they sent it.

let upstream: FakeUpstream
let served: ServedGateway
let refused: string[] = []

const models = [
  { modelName: 'manual', model: 'anthropic/claude-sonnet-4-5' },
  { modelName: 'adaptive', model: 'anthropic/claude-sonnet-5' },
  { modelName: 'signed', model: 'gemini/gemini-3-pro-preview' },
  { modelName: 'deepseek', model: 'deepseek/deepseek-reasoner' },
]

beforeAll(async () => {
  upstream = await startFakeUpstream()
  served = await serveGateway(
    gatewayOf(models.map((model) => ({ ...model, apiKey: providerKey, baseUrl: upstream.url }))),
  )
})

afterEach(() => {
  refused = []
  upstream.reset()
})

afterAll(async () => {
  await served.close()
  await upstream.close()
})

const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
const bodyOf = (request: FakeRequest): JsonObject => (isObject(request.body) ? request.body : {})
const sse = (data: unknown, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
const args = (step: number): JsonObject => ({ city: `city ${step}` })
/** Two rounds of two turns with tools, each closed by an answer. */
const callsTools = (step: number): boolean => step % 3 !== 2

/** Answers with what the rules say, or with a step of the conversation. */
function serveBy(rules: (request: FakeRequest) => readonly string[], answer: (request: FakeRequest) => ScriptedAnswer) {
  upstream.onRequest((request) => {
    const problems = rules(request)
    refused.push(...problems)
    if (problems.length > 0) return { status: 400, body: { error: { message: problems.join('; ') } } }
    return answer(request)
  })
}

const signatureOf = (step: number): string =>
  Buffer.from(`signature of step ${step} ${'x'.repeat(200)}`).toString('base64')

// Anthropic

function claudeBlocks(step: number): readonly JsonObject[] {
  const thinking = [
    { type: 'thinking', thinking: `Thought ${step}: "quoted" — ünï 🙂\n`, signature: signatureOf(step) },
    ...(step === 1 ? [{ type: 'redacted_thinking', data: signatureOf(100) }] : []),
  ]
  if (!callsTools(step)) return [...thinking, { type: 'text', text: `Answer ${step}` }]
  const calls = ['weather', 'time'].map((name) => ({
    type: 'tool_use',
    id: `toolu_${name}_${step}`,
    name,
    input: args(step),
  }))
  return [...thinking, { type: 'text', text: `Let me look ${step}` }, ...calls]
}

const isThinking = (block: JsonObject): boolean => String(block['type']).endsWith('thinking')

function claudeRules(request: FakeRequest): readonly string[] {
  const body = bodyOf(request)
  const turns = objects(body['messages']).filter((message) => message['role'] === 'assistant')
  const changed = turns.flatMap((turn, step) => {
    if (!callsTools(step)) return []
    const got = JSON.stringify(objects(turn['content']).filter(isThinking))
    return got === JSON.stringify(claudeBlocks(step).filter(isThinking)) ? [] : [`turn ${step}: thinking is ${got}`]
  })
  return [...refusals(body, request.headers['anthropic-beta']), ...changed]
}

function claudeAnswer(request: FakeRequest): ScriptedAnswer {
  const body = bodyOf(request)
  const step = objects(body['messages']).filter((message) => message['role'] === 'assistant').length
  const stop_reason = callsTools(step) ? 'tool_use' : 'end_turn'
  const usage = { input_tokens: 10, output_tokens: 5 }
  const message = { id: `msg_${step}`, type: 'message', role: 'assistant', model: body['model'], usage }
  const content = claudeBlocks(step)
  if (body['stream'] !== true) return { body: { ...message, content, stop_reason, stop_sequence: null } }
  const events: string[] = [
    sse({ type: 'message_start', message: { ...message, content: [], stop_reason: null } }, 'message_start'),
    ...content.flatMap(claudeBlockEvents),
    sse({ type: 'message_delta', delta: { stop_reason }, usage: { output_tokens: 5 } }, 'message_delta'),
    sse({ type: 'message_stop' }, 'message_stop'),
  ]
  return { chunks: events }
}

function claudeBlockEvents(block: JsonObject, index: number): readonly string[] {
  const halves = (text: unknown): readonly string[] => {
    const whole = String(text)
    return [whole.slice(0, 7), whole.slice(7)]
  }
  const deltas: readonly JsonObject[] =
    block['type'] === 'thinking'
      ? [
          ...halves(block['thinking']).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block['signature'] },
        ]
      : block['type'] === 'text'
        ? halves(block['text']).map((text) => ({ type: 'text_delta', text }))
        : block['type'] === 'tool_use'
          ? halves(JSON.stringify(block['input'])).map((partial_json) => ({ type: 'input_json_delta', partial_json }))
          : []
  const empty: Readonly<Record<string, JsonObject>> = {
    thinking: { type: 'thinking', thinking: '', signature: '' },
    text: { type: 'text', text: '' },
    tool_use: { ...block, input: {} },
  }
  const content_block = empty[String(block['type'])] ?? block
  return [
    sse({ type: 'content_block_start', index, content_block }, 'content_block_start'),
    ...deltas.map((delta) => sse({ type: 'content_block_delta', index, delta }, 'content_block_delta')),
    sse({ type: 'content_block_stop', index }, 'content_block_stop'),
  ]
}

// Gemini

function geminiParts(step: number): readonly JsonObject[] {
  const thought = { text: `Thought ${step}`, thought: true }
  if (!callsTools(step)) return [thought, { text: `Answer ${step}`, thoughtSignature: signatureOf(step) }]
  return [
    thought,
    { functionCall: { id: `w${step}`, name: 'weather', args: args(step) }, thoughtSignature: signatureOf(step) },
    { functionCall: { id: `t${step}`, name: 'time', args: args(step) } },
  ]
}

const modelTurns = (request: FakeRequest): readonly JsonObject[] =>
  objects(bodyOf(request)['contents']).filter((content) => content['role'] === 'model')

function geminiRules(request: FakeRequest): readonly string[] {
  const changed = modelTurns(request).flatMap((turn, step) => {
    if (!callsTools(step)) return []
    const signatures = objects(turn['parts'])
      .filter((part) => 'functionCall' in part)
      .map((part) => part['thoughtSignature'])
    return signatures[0] === signatureOf(step) && signatures[1] === undefined ? [] : [`turn ${step}: signatures`]
  })
  return [...brokenRules(request.path, bodyOf(request)), ...changed]
}

function geminiAnswer(request: FakeRequest): ScriptedAnswer {
  const parts = geminiParts(modelTurns(request).length)
  const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 }
  const reply = (some: readonly JsonObject[], end: boolean): JsonObject => ({
    candidates: [{ index: 0, content: { role: 'model', parts: some }, ...(end && { finishReason: 'STOP' }) }],
    usageMetadata,
    modelVersion: 'gemini-3-pro-preview',
  })
  if (!request.path.includes('streamGenerateContent')) return { body: reply(parts, true) }
  return { chunks: parts.map((part, index) => sse(reply([part], index === parts.length - 1))) }
}

// DeepSeek

const reasoningOf = (step: number): string => `Reasoning of step ${step}: ü 🙂`
const assistantTurns = (request: FakeRequest): readonly JsonObject[] =>
  objects(bodyOf(request)['messages']).filter((message) => message['role'] === 'assistant')

function deepseekRules(request: FakeRequest): readonly string[] {
  return assistantTurns(request).flatMap((turn, step) =>
    callsTools(step) && turn['reasoning_content'] !== reasoningOf(step) ? [`turn ${step}: reasoning_content`] : [],
  )
}

function deepseekAnswer(request: FakeRequest): ScriptedAnswer {
  const step = assistantTurns(request).length
  const calling = callsTools(step)
  const calls = ['weather', 'time'].map((name, index) => ({
    index,
    id: `call_${name}_${step}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args(step)) },
  }))
  const content = calling ? '' : `Answer ${step}`
  const finish_reason = calling ? 'tool_calls' : 'stop'
  const base = { id: `c${step}`, created: 1, model: 'deepseek-reasoner' }
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
  if (bodyOf(request)['stream'] !== true) {
    const message = {
      role: 'assistant',
      content,
      reasoning_content: reasoningOf(step),
      ...(calling && { tool_calls: calls }),
    }
    return { body: { ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason }], usage } }
  }
  const chunk = (delta: JsonObject, end: string | null = null): string =>
    sse({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: end }] })
  const said = calling ? calls.map((call) => chunk({ tool_calls: [call] })) : [chunk({ content })]
  const thought = reasoningOf(step)
  return {
    chunks: [
      chunk({ role: 'assistant', content: null, reasoning_content: thought.slice(0, 5) }),
      chunk({ reasoning_content: thought.slice(5) }),
      ...said,
      chunk({}, finish_reason),
      sse({ ...base, object: 'chat.completion.chunk', choices: [], usage }),
      'data: [DONE]\n\n',
    ],
  }
}

// The client

const tools: OpenAI.ChatCompletionTool[] = ['weather', 'time'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
}))

/** One answer, cut down to the fields that OpenAI documents. */
async function ask(
  client: OpenAI,
  request: Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'>,
  stream: boolean,
): Promise<OpenAI.ChatCompletionAssistantMessageParam> {
  const { completions } = client.chat
  const whole = stream ? await completions.stream(request).finalChatCompletion() : await completions.create(request)
  const message = whole.choices[0]?.message
  const calls = message?.tool_calls?.flatMap((call) => (call.type === 'function' ? [call] : [])) ?? []
  const kept = calls.map((call) => ({
    id: call.id,
    type: call.type,
    function: { name: call.function.name, arguments: call.function.arguments },
  }))
  return { role: 'assistant', content: message?.content ?? null, ...(kept.length > 0 && { tool_calls: kept }) }
}

/** Two questions, each answered after two turns of two parallel tools. */
async function converse(client: OpenAI, model: string, stream: boolean): Promise<readonly string[]> {
  const messages: OpenAI.ChatCompletionMessageParam[] = []
  const answers: string[] = []
  for (const question of ['What is it like?', 'And elsewhere?']) {
    messages.push({ role: 'user', content: question })
    for (let turn = 0; turn < 5; turn += 1) {
      const message = await ask(
        client,
        { model, messages, tools, max_completion_tokens: 8_000, reasoning_effort: 'medium' },
        stream,
      )
      messages.push(message)
      const results = message.tool_calls?.map(({ id }) => ({
        role: 'tool' as const,
        tool_call_id: id,
        content: 'fine',
      }))
      if (results) messages.push(...results)
      if (results) continue
      answers.push(typeof message.content === 'string' ? message.content : '')
      break
    }
  }
  return answers
}

const providers = {
  manual: () => serveBy(claudeRules, claudeAnswer),
  adaptive: () => serveBy(claudeRules, claudeAnswer),
  signed: () => serveBy(geminiRules, geminiAnswer),
  deepseek: () => serveBy(deepseekRules, deepseekAnswer),
}

describe.each(['node', 'process'] as const)('a plain client over %s', (transport) => {
  describe.each(Object.entries(providers))('in loops of tools with the model %s', (model, start) => {
    it.each([
      ['whole', false],
      ['streamed', true],
    ])('is never refused, %s', async (_, stream) => {
      start()
      const client = new OpenAI({ apiKey: clientKey, maxRetries: 0, ...served.transports[transport] })
      const answers = await converse(client, model, stream).catch((error: unknown) => [String(error)])
      expect(refused).toEqual([])
      expect(answers).toEqual(['Answer 2', 'Answer 5'])
      expect(upstream.requests).toHaveLength(6)
    })
  })
})

describe('the mocks of the providers', () => {
  it('refuse a conversation whose reasoning was lost', async () => {
    // Another gateway remembers nothing of these calls.
    const forgetful = await serveGateway(
      gatewayOf(models.map((model) => ({ ...model, apiKey: providerKey, baseUrl: upstream.url }))),
    )
    for (const model of ['manual', 'deepseek'] as const) {
      providers[model]()
      const first = new OpenAI({ apiKey: clientKey, maxRetries: 0, ...served.transports.process })
      const second = new OpenAI({ apiKey: clientKey, maxRetries: 0, ...forgetful.transports.process })
      const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hi' }]
      const request = { model, messages, tools, max_completion_tokens: 8_000 }
      const message = await ask(first, request, false)
      const results = message.tool_calls?.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'x' }))
      messages.push(message, ...(results ?? []))
      await expect(ask(second, request, false)).rejects.toThrow(OpenAI.BadRequestError)
      expect(refused.length).toBeGreaterThan(0)
      refused = []
    }
    await forgetful.close()
  })
})
