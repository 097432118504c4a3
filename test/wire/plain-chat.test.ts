import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChatRequest } from '../../src/wire/chat.js'
import { isPlainChat } from '../../src/wire/plain-chat.js'

const plain = {
  model: 'fast',
  messages: [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
      ],
    },
    { role: 'assistant', content: 'A dot.' },
    { role: 'tool', tool_call_id: 'call_1', content: '7' },
  ],
  temperature: 0.5,
  max_tokens: 10,
  stream: true,
  stream_options: { include_usage: true },
  top_k: 5,
}

/** Members that requests have, and some that they have not, so that objects come close to valid ones. */
const ownNames = 'role content name type text image_url url detail tool_call_id include_usage extra'.split(' ')
const names = [...Object.keys(ChatRequest.shape), ...ownNames]
const texts = ['', 'fast', 'user', 'system', 'assistant', 'tool', 'text', 'image_url', 'auto']
const numbers = [0, 1, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 53]
const scalars = fc.constantFrom<unknown[]>(...texts, ...numbers, true, false, null)
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { depthSize: 'small' },
    scalars,
    fc.array(tie('anything'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...names), tie('anything'), { maxKeys: 3 }),
  ),
}))

/** Every place in a value, as the path to it. */
function pathsIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsIn(inner, [...path, name]))]
}

function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [name, ...rest] = path
  if (name === undefined) return by
  if (Array.isArray(value)) return value.map((inner, at) => (String(at) === name ? replaced(inner, rest, by) : inner))
  const object: object = typeof value === 'object' && value !== null ? value : {}
  return { ...object, [name]: replaced(Reflect.get(object, name), rest, by) }
}

/** Whether the body is plain, which the schema must then take. */
function isPlainAndRight(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false
  if (!isPlainChat(body as Record<string, unknown>)) return false
  expect(ChatRequest.safeParse(body).success).toBe(true)
  return true
}

describe('isPlainChat', () => {
  it('says yes to texts, images, tool results and everyday parameters', () => {
    expect(isPlainChat(plain)).toBe(true)
  })

  it('leaves to the schema what needs a closer look', () => {
    expect(isPlainChat({ ...plain, tools: [] })).toBe(false)
    expect(isPlainChat({ ...plain, messages: [{ role: 'assistant', content: null, tool_calls: [] }] })).toBe(false)
    expect(isPlainChat({ ...plain, messages: [{ role: 'user', content: 'Hi.', name: 'Ada' }] })).toBe(false)
  })

  it('never says yes to what the schema refuses, whatever stands in place of any member', () => {
    const paths = pathsIn(plain)
    let yes = 0
    fc.assert(
      fc.property(fc.constantFrom(...paths), anything, (path, by) => {
        if (isPlainAndRight(replaced(plain, path, by))) yes += 1
      }),
      { numRuns: 5_000 },
    )
    expect(yes).toBeGreaterThan(50)
  })

  it('never says yes to what the schema refuses, with any member added anywhere or taken away', () => {
    const places = pathsIn(plain).flatMap((path) => names.map((name) => [...path.slice(0, -1), name]))
    let yes = 0
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.option(anything, { nil: undefined }), (path, by) => {
        if (isPlainAndRight(JSON.parse(JSON.stringify(replaced(plain, path, by)) ?? 'null'))) yes += 1
      }),
      { numRuns: 5_000 },
    )
    expect(yes).toBeGreaterThan(50)
  })
})
