import { argumentsOf, compose, type ComposedChoice, type ComposedToolCall } from '../../../../src/testing/compose.js'
import type { Dialect, FakeCall, FakeEvent, FakeRoute, Rendered } from '../../../../src/testing/dialects/dialect.js'
import { vectorOf } from '../../../../src/testing/media.js'
import { isObject, type JsonObject } from '../../../../src/wire/json.js'

/** What every dialect here says, before it is written down. */
export interface Said {
  readonly id: string
  readonly text: string
  readonly pieces: readonly string[]
  readonly calls: readonly ComposedToolCall[]
  readonly finish: ComposedChoice['finish']
  readonly input: number
  readonly output: number
}

/** The answer to a call: what its script says, else an echo of nothing in particular. */
export function say({ plan, script }: FakeCall): Said {
  const composition = compose(
    {
      model: 'm',
      userText: 'boats',
      toolResult: undefined,
      promptTokens: 7,
      tools: [],
      toolChoice: 'auto',
      maxTokens: undefined,
      stop: [],
      jsonSchema: undefined,
      reasoning: false,
      choices: 1,
    },
    plan,
    script,
  )
  const [choice] = composition.choices
  const pieces = choice?.pieces ?? []
  return {
    id: composition.id,
    text: pieces.join(''),
    pieces,
    calls: choice?.toolCalls ?? [],
    finish: choice?.finish ?? 'stop',
    input: composition.promptTokens,
    output: composition.completionTokens,
  }
}

/** A dialect whose paths begin with its name: `/cohere/v2/chat`. */
export function dialectOf(
  name: string,
  routes: Readonly<Record<string, FakeRoute['answer']>>,
  error: Dialect['error'] = (status, message) => ({ error: { code: status, message } }),
): Dialect {
  return {
    name,
    idHeader: 'x-request-id',
    routes: Object.entries(routes).map(([route, answer]): FakeRoute => {
      const [method, path = '', form] = route.split(' ')
      return {
        method: method === 'GET' ? 'GET' : 'POST',
        pattern: new RegExp(`^/${name}${path}$`),
        ...(form !== undefined && { form: true }),
        modelOf: () => '',
        answer,
      }
    }),
    keyOf: () => undefined,
    error,
    errorFrame: (status, message) => `data: ${JSON.stringify(error(status, message))}\n\n`,
  }
}

/** Server-sent events with JSON. */
export function sse(events: readonly unknown[], done = false): Rendered {
  const frames = events.map((event) => `data: ${JSON.stringify(event)}\n\n`)
  return framed([...frames, ...(done ? ['data: [DONE]\n\n'] : [])], 'text/event-stream')
}

/** A stream of these frames. */
export function framed(frames: readonly (string | Uint8Array)[], contentType: string): Rendered {
  return { events: frames.map((frame): FakeEvent => ({ kind: 'content', frame })), contentType }
}

/** A vector for each input of a list; one for anything else. */
export function vectorsFor(inputs: unknown): number[][] {
  const list: readonly unknown[] = Array.isArray(inputs) ? inputs : [inputs]
  return list.map((input) => [...vectorOf(JSON.stringify(input), 8)])
}

/** A call's arguments as an object. */
export function inputOf(call: ComposedToolCall): JsonObject {
  const value = argumentsOf(call)
  return isObject(value) ? value : {}
}
