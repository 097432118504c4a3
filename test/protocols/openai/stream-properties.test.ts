import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import type { ChatRequest } from '../../../src/wire/chat.js'
import { chatStream, codecOf, eventOf, exchangeOf, gather, readAll } from './exchange.js'

// Text that could be mistaken for the framing around it.
const trap = fc.constantFrom(
  '"',
  '\\',
  '","delta":{"content":"',
  '"}}]}',
  '"error":',
  '"usage":{',
  '[DONE]',
  '\n\n',
  '"p":"',
  '京🎈',
  '\u0000',
  '\ud800',
)
const piece = fc.oneof(
  fc.string({ unit: 'binary' }),
  trap,
  fc.array(trap).map((traps) => traps.join('')),
)
const jsonText = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value))

interface Call {
  readonly name: string
  readonly arguments: string
}

interface Answer {
  readonly reasoning: readonly string[]
  readonly content: readonly string[]
  readonly calls: readonly Call[]
}

const answer: fc.Arbitrary<Answer> = fc.record({
  reasoning: fc.array(piece, { maxLength: 3 }),
  content: fc.array(piece, { maxLength: 8 }),
  calls: fc.array(fc.record({ name: fc.constantFrom('f', 'g'), arguments: jsonText }), { maxLength: 3 }),
})

/** Habits of a server that change nothing about what it says. */
const habits = fc.record({
  roleAlways: fc.boolean(),
  nulls: fc.boolean(),
  padding: fc.constantFrom('', 'obfuscation', 'p'),
  spaces: fc.boolean(),
  reasoningName: fc.constantFrom('reasoning', 'reasoning_content'),
  usageAlways: fc.boolean(),
  identity: fc.constantFrom('same', 'none', 'drifting'),
  indexes: fc.constantFrom('given', 'none', 'zero'),
  repeatNames: fc.boolean(),
  fragments: fc.integer({ min: 1, max: 4 }),
  finish: fc.constantFrom('stop', 'tool_calls', 'own_chunk_twice'),
  done: fc.boolean(),
  keyOrder: fc.constantFrom('content_first', 'choices_first'),
})

type Habits = typeof habits extends fc.Arbitrary<infer T> ? T : never

function fragmentsOf(text: string, count: number): string[] {
  const size = Math.max(Math.ceil(text.length / count), 1)
  return Array.from({ length: count }, (_, at) => text.slice(at * size, (at + 1) * size))
}

function toEvents({ reasoning, content, calls }: Answer, habit: Habits): string[] {
  const events: string[] = []
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
  const emit = (delta: JsonObject, finish: string | null = null): void => {
    const n = events.length
    const identity = {
      same: { id: 'i', object: 'chat.completion.chunk', created: 5, model: 'm' },
      none: {},
      drifting: { id: `i${n % 2}`, object: 'chat.completion.chunk', created: 5 + n, model: 'm' },
    }[habit.identity]
    const whole = {
      ...(habit.roleAlways && { role: 'assistant' }),
      ...delta,
      ...(habit.nulls && { tool_calls: delta['tool_calls'] ?? null, function_call: null }),
    }
    const choice = { index: 0, delta: whole, finish_reason: finish }
    const extras = {
      ...(habit.padding !== '' && { [habit.padding]: 'x'.repeat(n % 7) }),
      ...(habit.usageAlways && { usage }),
    }
    const event =
      habit.keyOrder === 'choices_first'
        ? { choices: [choice], ...identity, ...extras }
        : { ...identity, choices: [choice], ...extras }
    events.push(
      habit.spaces
        ? JSON.stringify(event).replace('"delta":{"content":"', '"delta": {"content": "')
        : JSON.stringify(event),
    )
  }
  emit({ role: 'assistant', content: '' })
  for (const text of reasoning) emit({ [habit.reasoningName]: text })
  for (const text of content) emit({ content: text })
  calls.forEach((call, index) => {
    const at = { given: { index }, none: {}, zero: { index: 0 } }[habit.indexes]
    const id = { id: `call_${index}`, type: 'function' }
    const [first = '', ...rest] = fragmentsOf(call.arguments, habit.fragments)
    emit({ tool_calls: [{ ...at, ...id, function: { name: call.name, arguments: first } }] })
    for (const text of rest) {
      const again = habit.repeatNames
        ? { ...id, function: { name: call.name, arguments: text } }
        : { function: { arguments: text } }
      emit({ tool_calls: [{ ...at, ...again }] })
    }
  })
  if (habit.finish === 'own_chunk_twice') emit({}, calls.length > 0 ? 'tool_calls' : 'stop')
  emit({}, habit.finish === 'tool_calls' && calls.length > 0 ? 'tool_calls' : 'stop')
  if (habit.done) events.push('[DONE]')
  return events
}

const request: ChatRequest = { model: 'fast', messages: [{ role: 'user', content: 'hi' }] }

function wholeMessage({ reasoning, content, calls }: Answer) {
  const tool_calls = calls.map((call, index) => ({ id: `call_${index}`, type: 'function', function: call }))
  const message = {
    role: 'assistant',
    content: content.join(''),
    reasoning: reasoning.join(''),
    ...(calls.length > 0 && { tool_calls }),
  }
  const body = {
    id: 'i',
    object: 'chat.completion',
    created: 5,
    model: 'm',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
  }
  const [choice] = codecOf('chat').decode(body, exchangeOf<'chat'>(request)).choices
  return {
    content: choice?.message.content ?? '',
    reasoning: choice?.message.reasoning_content ?? '',
    calls: (choice?.message.tool_calls ?? []).map(({ id, function: called }) => ({
      id,
      name: called?.name,
      arguments: called?.arguments,
    })),
    finishes: [choice?.finish_reason],
  }
}

describe('any stream', () => {
  it('says what the whole answer says, whatever the server’s habits', () => {
    fc.assert(
      fc.property(answer, habits, (said, habit) => {
        const chunks = readAll(
          chatStream(),
          toEvents(said, habit).map((event) => eventOf(event)),
        )
        const got = gather(chunks).get(0)
        expect(got).toMatchObject({ roles: 1, ...wholeMessage(said) })
        expect(chunks.filter((chunk) => chunk.usage)).toHaveLength(habit.usageAlways ? 1 : 0)
        expect(new Set(chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size).toBe(1)
      }),
      { numRuns: 400 },
    )
  })

  it('says the same where its events are forwarded and where they are parsed', () => {
    fc.assert(
      fc.property(answer, habits, (said, habit) => {
        const events = toEvents(said, habit)
        const fast = readAll(
          chatStream(),
          events.map((event) => eventOf(event)),
        )
        const slow = readAll(
          chatStream(),
          events.map((event) => eventOf(event, false)),
        )
        expect(gather(fast)).toEqual(gather(slow))
      }),
      { numRuns: 400 },
    )
  })

  it('forwards nothing but content that was meant, whatever events come', () => {
    const wild = fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.tuple(piece, piece).map(([a, b]) =>
        JSON.stringify({
          id: 'i',
          object: 'chat.completion.chunk',
          created: 5,
          model: 'm',
          choices: [{ index: 0, delta: { content: a }, finish_reason: null }],
          x: b,
        }),
      ),
      fc.tuple(piece, fc.constantFrom('error', 'usage', 'x_groq')).map(([a, name]) =>
        JSON.stringify({
          id: 'i',
          object: 'chat.completion.chunk',
          created: 5,
          model: 'm',
          choices: [{ index: 0, delta: { content: a }, finish_reason: null }],
          [name]: { message: a, total_tokens: 3 },
        }),
      ),
      piece,
    )
    let forwarded = 0
    fc.assert(
      fc.property(fc.array(wild, { maxLength: 12 }), (events) => {
        const decoder = chatStream()
        decoder.push(
          eventOf({
            id: 'i',
            object: 'chat.completion.chunk',
            created: 5,
            model: 'm',
            choices: [{ index: 0, delta: { content: 'a' } }],
          }),
        )
        for (const data of events) {
          try {
            for (const { forward } of decoder.push(eventOf(data))) {
              if (!forward) continue
              forwarded += 1
              const parsed: unknown = JSON.parse(forward.data)
              expect(parsed).toMatchObject({
                id: 'i',
                created: 5,
                model: 'm',
                choices: [{ index: 0, finish_reason: null, delta: { content: expect.any(String) as string } }],
              })
              expect(isObject(parsed) && (parsed['usage'] ?? parsed['error'] ?? parsed['x_groq'])).toBeFalsy()
            }
          } catch (error) {
            if (!(error instanceof Error) || error.name !== 'GatewayError') throw error
            return
          }
        }
      }),
      { numRuns: 500 },
    )
    expect(forwarded).toBeGreaterThan(0)
  })
})
