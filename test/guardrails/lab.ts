import {
  createGuardrails,
  type GuardedCall,
  type GuardrailOptions,
  type GuardrailParts,
  type Stage,
} from '../../src/guardrails/index.js'
import type { Caller, Logger } from '../../src/ports.js'
import type { ChatChunk, ChatCompletion, ChatRequest } from '../../src/wire/chat.js'
import { FakeClock } from '../support/fake-clock.js'

/** What a logger was told. */
export interface Logged {
  readonly fields: object
  readonly message: string
}

export const ada: Caller = { id: 'ada', role: 'member', models: 'all', scopes: [{ kind: 'team', id: 'maths' }] }

/** Guardrails over a clock that stands still. */
export function createLab(options: readonly GuardrailOptions[], parts: Partial<GuardrailParts> = {}) {
  const clock = new FakeClock()
  const logged: Logged[] = []
  const log = (fields: object, message: string): void => void logged.push({ fields, message })
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  const guardrails = createGuardrails(options, { clock, logger, ...parts })
  const begin = (request: ChatRequest, caller: Caller = ada): GuardedCall<'chat'> | undefined =>
    guardrails.begin('chat', request, { callId: 'call-1', caller })
  return { clock, logged, guardrails, begin }
}

/** The call's guardrails, where the test says that there are some. */
export function guarded(call: GuardedCall<'chat'> | undefined): GuardedCall<'chat'> {
  if (!call) throw new Error('No guardrail takes part.')
  return call
}

export function ask(content: string, more: object = {}): ChatRequest {
  return { model: 'm', messages: [{ role: 'user', content }], ...more }
}

export function completion(message: object, more: object = {}): ChatCompletion {
  return {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: 'stop', ...more }],
  }
}

export function chunk(
  delta: ChatChunk['choices'][number]['delta'],
  finish: 'stop' | null = null,
  index = 0,
): ChatChunk {
  return {
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index, delta, finish_reason: finish }],
  }
}

/** All chunks of a stream behind a stage. */
export async function through(stage: Stage<ChatChunk> | undefined, chunks: readonly ChatChunk[]): Promise<ChatChunk[]> {
  if (!stage) return [...chunks]
  const given = chunks.flatMap((one) => [...stage.push(one)])
  return [...given, ...(await stage.end())]
}

/** The content of a choice over all chunks. */
export function contentOf(chunks: readonly ChatChunk[], index = 0): string {
  return chunks
    .flatMap((one) => one.choices.filter((choice) => choice.index === index).map(({ delta }) => delta.content ?? ''))
    .join('')
}

/** The arguments of a tool call over all chunks. */
export function argumentsOf(chunks: readonly ChatChunk[], tool = 0): string {
  return chunks
    .flatMap((one) => one.choices.flatMap(({ delta }) => delta.tool_calls ?? []))
    .filter(({ index }) => index === tool)
    .map((call) => call.function?.arguments ?? '')
    .join('')
}
