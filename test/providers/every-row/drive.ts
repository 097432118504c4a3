import type { Gateway } from '../../../src/gateway.js'
import type { FakeUpstream } from '../../../src/testing/fake-upstream.js'
import type { ScriptedAnswer, ScriptStep } from '../../../src/testing/script.js'
import { isObject, parseJson, type JsonObject } from '../../../src/wire/json.js'
import type { Operation } from '../../../src/wire/operations.js'
import { readStream } from '../../recordings/client.js'
import { at, textOf } from '../../recordings/exchange.js'
import { send } from '../../recordings/replay.js'
import type { Setup } from './rows.js'

/** What came of one check: nothing wrong, or what was. */
export type Outcome = readonly string[]

/** One row at the fake upstream. */
export interface Driven {
  readonly id: string
  readonly setup: Setup
  readonly gateway: Gateway
  readonly upstream: FakeUpstream
}

const word = 'harbour'
const text = 'The boats lie still.'
const tool = {
  type: 'function',
  function: { name: 'find_boat', parameters: { type: 'object', properties: { name: { type: 'string' } } } },
}
const called = { name: 'find_boat', arguments: { name: 'Ærø' } }

const requests: Readonly<Record<Operation, JsonObject>> = {
  chat: { messages: [{ role: 'user', content: `Tell me of the ${word}.` }] },
  completions: { prompt: `Tell me of the ${word}.` },
  embeddings: { input: `the ${word}` },
  images: { prompt: `a ${word}` },
  moderations: { input: `the ${word}` },
}

/** The model group of an operation of a row. */
export const groupOf = (id: string, operation: Operation): string => `${id} ${operation}`

async function ask(
  { id, gateway, upstream }: Driven,
  operation: Operation,
  more: JsonObject,
  ...steps: readonly ScriptStep[]
) {
  upstream.reset()
  upstream.script(...steps)
  const body = { model: groupOf(id, operation), ...requests[operation], ...more }
  const { status, text: answer } = await send(gateway, operation, body, id)
  return { status, answer, body: parseJson(answer), stream: readStream(answer) }
}

const differs = (what: string, got: unknown, wanted: unknown): Outcome =>
  JSON.stringify(got) === JSON.stringify(wanted)
    ? []
    : [`${what} is ${JSON.stringify(got)?.slice(0, 200)}, not ${JSON.stringify(wanted)}`]

/** Answers of 200 only; else what the answer says. */
const refused = (status: number, answer: string): Outcome =>
  status === 200 ? [] : [`${status}: ${answer.slice(0, 200)}`]

function reached({ upstream }: Driven): Outcome {
  const sent = upstream.requests.filter(({ method }) => method === 'POST').at(-1)
  if (sent === undefined) return ['nothing was sent']
  // Forms are not read by the fake; that they arrived has to do.
  return sent.body === undefined || JSON.stringify(sent.body).includes(word) ? [] : ['the words were not sent']
}

/** A whole chat answer. */
export async function chat(driven: Driven): Promise<Outcome> {
  const { status, answer, body } = await ask(driven, 'chat', {}, { content: { text } })
  if (status !== 200) return refused(status, answer)
  return [
    ...differs('the text', at(body, 'choices', 0, 'message', 'content'), text),
    ...differs('finish_reason', at(body, 'choices', 0, 'finish_reason'), 'stop'),
    ...reached(driven),
    ...checkUsage(driven, at(body, 'usage')),
  ]
}

function checkUsage({ setup }: Driven, usage: unknown): Outcome {
  if (setup.noUsage) return []
  const [input, output, total] = ['prompt_tokens', 'completion_tokens', 'total_tokens'].map((name) => at(usage, name))
  const sums = typeof input === 'number' && typeof output === 'number' && input > 0 && input + output === total
  return sums ? [] : [`usage is ${JSON.stringify(usage)}`]
}

/** A streamed chat answer, with usage. */
export async function stream(driven: Driven): Promise<Outcome> {
  const asked = await ask(
    driven,
    'chat',
    { stream: true, stream_options: { include_usage: true } },
    { content: { text } },
  )
  if (asked.status !== 200) return refused(asked.status, asked.answer)
  const { chunks, done, problems, error } = asked.stream
  const choices = chunks.flatMap((chunk) => (Array.isArray(chunk['choices']) ? chunk['choices'] : []))
  const finishes = choices.map((choice) => at(choice, 'finish_reason')).filter(Boolean)
  return [
    ...problems,
    ...(error ? [JSON.stringify(error)] : []),
    ...differs('the text', choices.map((choice) => textOf(at(choice, 'delta', 'content'))).join(''), text),
    ...differs('the role', at(choices, 0, 'delta', 'role'), 'assistant'),
    ...differs('the finish reasons', finishes, ['stop']),
    ...differs('[DONE]', done, true),
    ...checkUsage(driven, chunks.findLast((chunk) => isObject(chunk['usage']))?.['usage']),
  ]
}

/** A tool call, whole and streamed; `refused` where models of the provider take no tools. */
export async function tools(driven: Driven): Promise<Outcome | 'refused'> {
  const asked = await ask(driven, 'chat', { tools: [tool] }, { content: { toolCalls: [called] } })
  if (driven.setup.noTools) {
    const named = asked.status === 400 && /tools/.test(asked.answer)
    return named ? 'refused' : [`tools were not refused by name: ${asked.status} ${asked.answer.slice(0, 200)}`]
  }
  if (asked.status !== 200) return refused(asked.status, asked.answer)
  const call = at(asked.body, 'choices', 0, 'message', 'tool_calls', 0)
  const sent = JSON.stringify(driven.upstream.requests.at(-1)?.body ?? null)
  return [
    ...differs('the name', at(call, 'function', 'name'), called.name),
    ...differs('the arguments', parseJson(String(at(call, 'function', 'arguments'))), called.arguments),
    ...differs('finish_reason', at(asked.body, 'choices', 0, 'finish_reason'), 'tool_calls'),
    ...(sent.includes(called.name) ? [] : ['the tool was not sent']),
    ...(await streamedTools(driven)),
  ]
}

async function streamedTools(driven: Driven): Promise<Outcome> {
  const asked = await ask(driven, 'chat', { tools: [tool], stream: true }, { content: { toolCalls: [called] } })
  if (asked.status !== 200) return refused(asked.status, asked.answer)
  const { chunks, problems } = asked.stream
  const deltas = chunks.flatMap((chunk) => {
    const calls = at(chunk, 'choices', 0, 'delta', 'tool_calls')
    return Array.isArray(calls) ? calls : []
  })
  const pieces = deltas.map((delta) => textOf(at(delta, 'function', 'arguments'))).join('')
  const finishes = chunks.map((chunk) => at(chunk, 'choices', 0, 'finish_reason')).filter(Boolean)
  return [
    ...problems,
    ...differs(
      'the streamed name',
      deltas.map((delta) => at(delta, 'function', 'name')).filter((name) => name !== undefined),
      [called.name],
    ),
    ...differs('the streamed arguments', parseJson(pieces), called.arguments),
    ...differs('the streamed finish reasons', finishes, ['tool_calls']),
  ]
}

/** A text completion, whole and streamed. */
export async function completions(driven: Driven): Promise<Outcome> {
  const { status, answer, body } = await ask(driven, 'completions', {}, { content: { text } })
  if (status !== 200) return refused(status, answer)
  const asked = await ask(driven, 'completions', { stream: true }, { content: { text } })
  const choices = asked.stream.chunks.map((chunk) => textOf(at(chunk, 'choices', 0, 'text')))
  return [
    ...differs('the text', at(body, 'choices', 0, 'text'), text),
    ...reached(driven),
    ...differs('object', at(body, 'object'), 'text_completion'),
    ...refused(asked.status, asked.answer),
    ...asked.stream.problems,
    ...differs('the streamed text', choices.join(''), text),
  ]
}

/** One vector for one input; as base64 the same width. */
export async function embeddings(driven: Driven): Promise<Outcome> {
  const plain = await ask(driven, 'embeddings', { encoding_format: 'float' })
  if (plain.status !== 200) return refused(plain.status, plain.answer)
  const sent = reached(driven)
  const vector = at(plain.body, 'data', 0, 'embedding')
  const encoded = await ask(driven, 'embeddings', { encoding_format: 'base64' })
  const base64 = at(encoded.body, 'data', 0, 'embedding')
  const width = Array.isArray(vector) ? vector.length : 0
  return [
    ...sent,
    ...(width > 0 ? [] : [`the vector is ${JSON.stringify(vector)?.slice(0, 80)}`]),
    ...differs(
      'the bytes as base64',
      typeof base64 === 'string' ? Buffer.from(base64, 'base64').length : encoded.answer,
      4 * width,
    ),
  ]
}

/** One image. */
export async function images(driven: Driven): Promise<Outcome> {
  const scripted = driven.setup.answers?.images
  const { status, answer, body } = await ask(driven, 'images', {}, ...(scripted ? [scripted] : []))
  if (status !== 200) return refused(status, answer)
  const image = at(body, 'data', 0)
  const has = typeof at(image, 'url') === 'string' || typeof at(image, 'b64_json') === 'string'
  return [...(has ? [] : [`no image: ${answer.slice(0, 200)}`]), ...reached(driven)]
}

const statuses: readonly (readonly [sent: number, told: number])[] = [
  [401, 401],
  [429, 429],
  [500, 502],
]

/** Errors by status: the class of the status is kept, and the provider's words are. */
export async function errors(driven: Driven, operation: Operation): Promise<Outcome> {
  const problems: string[] = []
  for (const stream of operation === 'chat' ? [false, true] : [false]) {
    for (const [sent, told] of statuses) {
      // A provider that exchanges tokens asks once more with a fresh one after a 401.
      const again = sent === 401 && driven.setup.token ? [driven.setup.token, `status-${sent}`] : []
      const { status, body, answer } = await ask(
        driven,
        operation,
        { ...(stream && { stream }) },
        `status-${sent}`,
        ...again,
      )
      problems.push(...differs(`the status for ${sent}`, status, told))
      const message = at(body, 'error', 'message')
      if (!String(message).includes(`status ${sent} was asked for`))
        problems.push(`the words are lost: ${answer.slice(0, 200)}`)
    }
  }
  return problems
}

/** An error inside a 200, whole and as the first event of a stream: never a success. */
export async function inBand(driven: Driven, operation: Operation): Promise<Outcome> {
  const { setup } = driven
  const whole = await ask(driven, operation, {}, 'error-in-200')
  const problems = whole.status >= 400 ? [] : [`an error inside a 200 is a success: ${whole.answer.slice(0, 200)}`]
  if (operation !== 'chat') return problems
  const step: ScriptedAnswer | string = setup.inBand?.() ?? 'error-in-200'
  const streamed = await ask(driven, operation, { stream: true }, step)
  const isError = streamed.status >= 400 && isObject(at(streamed.body, 'error'))
  return isError ? problems : [...problems, `an error event is a success: ${streamed.answer.slice(0, 200)}`]
}
