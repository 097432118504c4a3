import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/index.js'
import type { FakeUpstream } from '../../src/testing/index.js'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import { dialects, gatewayOf, modelsAt } from '../clients/served-gateway.js'
import { requestOf } from '../support/http-request.js'
import { startAgreeableUpstream } from './agreeable-upstream.js'
import { otherRequests, parameterChat, toolChat } from './full-requests.js'

let upstream: FakeUpstream
let gateway: Gateway

beforeAll(async () => {
  upstream = await startAgreeableUpstream()
  gateway = gatewayOf(modelsAt(upstream.url), { auth: 'none' })
})

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
  expect(Reflect.get([], 'polluted')).toBeUndefined()
})

afterAll(async () => {
  await gateway.close({ drainMs: 0 })
  await upstream.close()
})

const proto = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'
const deep = `${'{"a":['.repeat(50)}1${']}'.repeat(50)}`

/** Values as JSON texts, because some have no other form. */
const hostileValues: readonly string[] = [
  'null',
  'true',
  '0',
  '-1',
  '1.5',
  '1e999',
  '-1e999',
  '9007199254740993',
  '""',
  '" "',
  '"x"',
  '"\\ud800"',
  '"\\u0000"',
  '"a\\r\\nb: c"',
  '"data:image/png;base64,%%%"',
  '"data:,"',
  '"http://["',
  '"{"',
  '"__proto__"',
  '[]',
  '[null]',
  '[[]]',
  '["x"]',
  '[{}]',
  '{}',
  proto,
  `[${proto}]`,
  '{"type":"x"}',
  '{"type":"function"}',
  '{"$ref":"#"}',
  '{"$ref":"#/a/b"}',
  deep,
]

// Encoding a stream's request differs little; a few values show that its answer is no worse.
const fewValues = ['null', '"x"', '{}', proto, '"\\ud800"']

/** Every place in a value: its own, and that of every member below it. */
function pathsOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]))]
}

/** The JSON of a value with another text in one place. */
function withText(value: unknown, [key, ...rest]: readonly string[], text: string): string {
  if (key === undefined) return text
  const write = (name: string, member: unknown): string =>
    name === key ? withText(member, rest, text) : JSON.stringify(member)
  if (Array.isArray(value)) return `[${value.map((member, index) => write(String(index), member)).join()}]`
  const members = Object.entries(isObject(value) ? value : {}).map(
    ([name, member]) => `${JSON.stringify(name)}:${write(name, member)}`,
  )
  return `{${members.join()}}`
}

/** The status of a request, and what went wrong if that was the gateway's fault. */
async function ask(path: string, body: unknown): Promise<{ readonly status: number; readonly text: string }> {
  const response = await gateway.handle(requestOf('POST', path, body))
  if (!response) throw new Error('not served')
  if (!('stream' in response)) return { status: response.status, text: Buffer.from(response.body ?? '').toString() }
  let text = ''
  for await (const piece of response.stream) text += Buffer.from(piece).toString()
  return { status: /^data: \{"error"/m.test(text) ? 500 : response.status, text }
}

/** Tries hostile values in every place; gives what was answered with a status of 500 or more. */
async function attack(path: string, request: JsonObject, values = hostileValues): Promise<readonly string[]> {
  const untouched = await ask(path, request)
  // Else every try would end at the same refusal.
  if (untouched.status !== 200) return [`untouched: ${untouched.text}`]
  const found: string[] = []
  // A third of the values in each place, another third in the next: all of them in every kind of place.
  const tries = pathsOf(request).flatMap((place, row) =>
    values.flatMap((text, column) => ((row + column) % 3 === 0 ? [{ place, text }] : [])),
  )
  const work = tries.values()
  const worker = async (): Promise<void> => {
    for (const { place, text } of work) {
      const answer = await ask(path, JSON.parse(withText(request, place, text)))
      if (answer.status >= 500) found.push(`${place.join('.')} = ${text.slice(0, 60)}: ${answer.text.slice(0, 300)}`)
      else if (answer.status >= 400) {
        const { error } = JSON.parse(answer.text) as { error?: { message?: unknown } }
        if (typeof error?.message !== 'string') found.push(`${place.join('.')}: ${answer.text}`)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  expect(tries.length).toBeGreaterThan(40)
  return found
}

describe.each(dialects)('before %s', (dialect) => {
  const model = `${dialect}/demo`
  const options = { timeout: 120_000 }

  it('no value in no place of a conversation with tools is a 5xx', options, async () => {
    expect(await attack('/v1/chat/completions', { ...toolChat, model })).toEqual([])
  })

  it('no value of any parameter is a 5xx', options, async () => {
    expect(await attack('/v1/chat/completions', { ...parameterChat, model })).toEqual([])
  })

  it('no value of any parameter of a stream is a 5xx', options, async () => {
    const { functions: _, function_call: __, ...rest } = parameterChat
    expect(await attack('/v1/chat/completions', { ...rest, model, stream: true }, fewValues)).toEqual([])
  })

  const offered = Object.entries(otherRequests).filter(([path]) => dialect !== 'anthropic' || path === 'completions')
  it.each(offered)('no value in no place of %s is a 5xx', options, async (path, request) => {
    expect(await attack(`/v1/${path}`, { ...request, model })).toEqual([])
  })

  it('random JSON is no 5xx', options, async () => {
    const anything = fc.jsonValue({ maxDepth: 4 })
    const body = fc.record({
      messages: fc.oneof(
        anything,
        fc.array(fc.record({ role: fc.constantFrom('user', 'assistant', 'tool'), content: anything })),
      ),
      tools: fc.option(anything, { nil: undefined }),
      response_format: fc.option(anything, { nil: undefined }),
      stream: fc.option(fc.boolean(), { nil: undefined }),
      extra: anything,
    })
    const property = fc.asyncProperty(body, async (value) => {
      const { status, text } = await ask('/v1/chat/completions', { model, ...value })
      expect(status, text).toBeLessThan(500)
    })
    await fc.assert(property, { numRuns: 100 })
  })
})
